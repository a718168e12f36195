//! The view of one lead on a beat.

use std::collections::VecDeque;

use super::measure::{compare, correlation, deviation, distance, extent, roughness};
use super::shapes::{Fit, QRS, Shape, Shapes};
use super::strip::Strip;
use super::{BEFORE, PLAY, WINDOW};

/// Where a P wave is looked for: 280 to 88 ms before the QRS.
const P_WAVE: std::ops::Range<usize> = BEFORE - 35..BEFORE - 11;
/// Where the T wave lies: 120 to 400 ms after it.
const T_WAVE: std::ops::Range<usize> = BEFORE + 15..BEFORE + 50;
/// Beats of which it is remembered whether they were the patient's own.
const RECENT: usize = 32;
/// Windows of a row: the beat, the patient's own beat, the beat before.
pub(super) const CHANNELS: usize = 3;
/// Numbers that [`Lead::take`] gives beside the windows.
pub(super) const FEATURES: usize = 24;
/// Least height of a beat in µV by which windows are scaled.
const LEAST_HEIGHT: f32 = 50.0;
/// A quarter of the usual height of a QRS is stored as half of it: small waves keep their detail in eight bits.
const BEND: f32 = 0.3;

/// One lead of the bed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lead {
    pub(super) strip: Strip,
    shapes: Shapes,
    before: Option<Before>,
    recent: VecDeque<bool>,
}

/// What is kept of the beat before.
#[derive(Clone, Debug, PartialEq)]
struct Before {
    wave: Vec<f32>,
    likeness: f32,
    widened: f32,
}

/// What a lead says about a beat.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    /// `CHANNELS × WINDOW`, −1.3 to 1.3.
    pub(super) windows: Vec<f32>,
    pub(super) features: [f32; FEATURES],
    /// Share of the window that is there.
    pub(super) there: f32,
}

impl Lead {
    /// Looks at the beat in `cell`, which comes `earliness` early, and learns its shape.
    pub(super) fn take(&mut self, cell: i64, earliness: f32) -> View {
        let from = cell - BEFORE as i64;
        let wide = self.strip.window(from - PLAY as i64, WINDOW + 2 * PLAY);
        let fit = self.shapes.fit(&wide);
        let belongs = self.shapes.of(&fit).cloned();
        let own = self.shapes.own().cloned().unwrap_or_else(|| Shape {
            wave: fit.wave.clone(),
            count: 0.0,
            spread: fit.spread,
            earliness: 0.0,
        });
        let view = View {
            windows: self.windows(&fit, &own),
            features: self.features(&fit, &own, belongs.as_ref()),
            there: self.strip.share(from, WINDOW),
        };
        let is_own = self.shapes.learn(&fit, earliness);
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(is_own);
        self.before = Some(Before {
            likeness: correlation(part(&fit.wave, QRS), part(&own.wave, QRS)),
            widened: compare(fit.spread, own.spread),
            wave: fit.wave,
        });
        view
    }

    fn windows(&self, fit: &Fit, own: &Shape) -> Vec<f32> {
        let height = height(&own.wave);
        let before = self.before.as_ref().map_or(&own.wave, |before| &before.wave);
        let all = fit.wave.iter().chain(&own.wave).chain(before);
        all.map(|v| bend(v / height)).collect()
    }

    fn features(&self, fit: &Fit, own: &Shape, belongs: Option<&Shape>) -> [f32; FEATURES] {
        let usual = height(&own.wave);
        let (qrs, own_qrs) = (part(&fit.wave, QRS), part(&own.wave, QRS));
        let (p, own_p) = (part(&fit.wave, P_WAVE), part(&own.wave, P_WAVE));
        let (t, own_t) = (part(&fit.wave, T_WAVE), part(&own.wave, T_WAVE));
        let (low, high) = extent(qrs);
        let sum = |wave: &[f32]| wave.iter().map(|v| v.abs()).sum::<f32>();
        let member = |f: fn(&Shape) -> f32| belongs.map_or(0.0, f);
        let before = self.before.as_ref();
        let share = |count: f32| count / self.shapes.total().max(1.0);
        [
            correlation(qrs, own_qrs),
            correlation(p, own_p),
            compare(deviation(p), deviation(own_p)),
            8.0 * distance(p, own_p) / usual,
            8.0 * deviation(p) / usual,
            8.0 * deviation(own_p) / usual,
            correlation(t, own_t),
            4.0 * distance(t, own_t) / usual,
            4.0 * distance(qrs, own_qrs) / usual,
            fit.spread / 4.0,
            own.spread / 4.0,
            compare(fit.spread, own.spread),
            compare(high - low, usual),
            compare(sum(qrs), sum(own_qrs)),
            compare(high, -low),
            before.map_or(0.0, |b| correlation(qrs, part(&b.wave, QRS))),
            before.map_or(0.0, |b| b.likeness),
            before.map_or(0.0, |b| b.widened),
            self.recent.iter().filter(|own| **own).count() as f32 / self.recent.len().max(1) as f32,
            fit.likeness,
            share(member(|s| s.count)),
            member(|s| s.earliness),
            share(own.count),
            (20.0 * roughness(&fit.wave) / usual).min(4.0),
        ]
        .map(|v| v.clamp(-4.0, 4.0))
    }
}

fn part(wave: &[f32], range: std::ops::Range<usize>) -> &[f32] {
    wave.get(range).unwrap_or_default()
}

/// Height of a QRS, from its lowest to its highest.
fn height(wave: &[f32]) -> f32 {
    let (low, high) = extent(part(wave, QRS));
    (high - low).max(LEAST_HEIGHT)
}

/// Small values magnified, large ones held below 1.3; exact in every arithmetic of IEEE 754.
fn bend(v: f32) -> f32 {
    (1.0 + BEND) * v / (v.abs() + BEND)
}
