//! Beat classes by rule: what the patient's own beats look like, and which beats are wide and different from them.
//!
//! Shapes are clustered by correlation, as in Hamilton's open-source beat classifier (EP Limited, "Open Source ECG Analysis
//! Software", 2002); the commonest narrow shape is the patient's own. A beat that is unlike it and wider, or unlike it and early,
//! is taken for ventricular.

use serde::{Deserialize, Serialize};

use super::filter::History;
use super::qrs::ms;

/// Cells before and after the middle of the QRS that make its shape.
const BEFORE: usize = ms(120);
const AFTER: usize = ms(144);
const LEN: usize = BEFORE + AFTER;
/// A shape may lie this many cells beside the middle.
const PLAY: usize = 4;
/// Shapes remembered.
const SHAPES: usize = 5;
/// Correlation from which two shapes are the same. *ratify*
const SAME: f32 = 0.93;
/// How much wider a beat of the same shape may be. *ratify*
const ALIKE: f32 = 1.15;
/// Correlation with the patient's own shape of a usual beat. *ratify*
const USUAL: f32 = 0.90;
/// How much wider than the narrowest a shape may be and still be the patient's own, by the spread of its slopes. *ratify*
const WIDER: f32 = 1.25;
/// Spread in cells of a wide beat while the patient's own are not known yet. *ratify*
const WIDE: f32 = 4.5;
/// What makes a beat ventricular: how unlike the patient's own it is, how much wider, how much earlier than usual, and how much
/// taller (natural logarithm), each in units of what is clearly so. Set on DS1 of the MIT-BIH Arrhythmia Database. *ratify*
const UNLIKE: f32 = 0.15;
const WIDENED: f32 = 0.20;
const EARLINESS: f32 = 0.30;
const TALLER: f32 = 0.25;
const VENTRICULAR: f32 = 2.6;
/// The same, where noise does not reach. *ratify*
const SURELY: f32 = 4.0;
/// A ventricular beat is at least this much wider, or this early, or this much taller. *ratify*
const LEAST_WIDENED: f32 = 0.10;
const LEAST_EARLY: f32 = 0.12;
const LEAST_TALLER: f32 = 0.30;
/// Slopes below this share of the steepest do not count for the width.
const FLOOR: f32 = 0.15;
/// Mean interval in cells from which a wide shape can be the patient's own, as with a bundle branch block or a pacemaker: 120 a
/// minute and slower. *ratify*
const SLOW: f32 = ms(500) as f32;
/// Beats of a shape before it can be the patient's own.
const KNOWN: f32 = 4.0;

/// A shape that returns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shape {
    wave: Vec<f32>,
    /// Beats, forgotten slowly.
    count: f32,
    spread: f32,
}

/// Class of a beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Class {
    pub ventricular: bool,
    /// Ventricular beyond doubt.
    pub surely: bool,
    pub usual: bool,
    /// Best correlation with a shape that was seen before, in percent.
    pub likeness: u8,
}

/// The shapes of one lead.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Morphology {
    shapes: Vec<Shape>,
    /// Mean interval in cells.
    interval: f32,
}

impl Morphology {
    /// Class of the beat whose QRS was `age` cells ago.
    pub(super) fn classify(&mut self, history: &History, age: usize, interval: Option<i64>) -> Class {
        let timing = self.timing(interval);
        let spread = spread(history, age);
        let own = self.own();
        let mut fits = [0.0_f32; SHAPES];
        let mut best = (0, -1.0, age);
        for (at, (shape, fit)) in self.shapes.iter().zip(&mut fits).enumerate() {
            let (r, aligned) = align(&shape.wave, history, age);
            *fit = r;
            if r > best.1 {
                best = (at, r, aligned);
            }
        }
        self.learn(best, history, spread, own);
        let likeness = (best.1.clamp(0.0, 1.0) * 100.0) as u8;
        let Some(own_shape) = own.and_then(|own| self.shapes.get(own)) else {
            return Class {
                // A wide shape that returns fast is a tachycardia until something narrower is seen.
                ventricular: spread > WIDE && best.1 >= SAME && self.interval < SLOW,
                surely: false,
                usual: false,
                likeness,
            };
        };
        let fit = own.and_then(|own| fits.get(own)).copied().unwrap_or(0.0);
        let widened = spread / own_shape.spread.max(0.5) - 1.0;
        let early = (1.0 - timing).max(0.0);
        let taller = (height(cut(history, age)) / height(own_shape.wave.iter().copied()).max(1.0))
            .max(1.0)
            .ln();
        let score = (1.0 - fit) / UNLIKE
            + (widened / WIDENED).clamp(-2.0, 3.0)
            + (early / EARLINESS).min(1.5)
            + (taller / TALLER).min(1.5);
        let wide_or_early = widened > LEAST_WIDENED || early > LEAST_EARLY || taller > LEAST_TALLER;
        Class {
            ventricular: score > VENTRICULAR && wide_or_early,
            surely: score > SURELY && wide_or_early,
            usual: fit >= USUAL && widened < WIDER - 1.0,
            likeness,
        }
    }

    /// The interval in terms of the mean one.
    fn timing(&mut self, interval: Option<i64>) -> f32 {
        let Some(interval) = interval.map(|i| i as f32) else {
            return 1.0;
        };
        if self.interval <= 0.0 {
            self.interval = interval;
        }
        let timing = interval / self.interval;
        self.interval += (interval.min(2.0 * self.interval) - self.interval) / 16.0;
        timing
    }

    /// The patient's own shape: the commonest among the narrow ones.
    fn own(&self) -> Option<usize> {
        let total: f32 = self.shapes.iter().map(|s| s.count).sum();
        let slow = self.interval >= SLOW;
        let common = |s: &&Shape| s.count >= KNOWN && s.count > total / 8.0 && (s.spread < WIDE || slow);
        let narrowest = self.shapes.iter().filter(common).map(|s| s.spread).fold(f32::MAX, f32::min);
        let narrow = |s: &&Shape| common(s) && s.spread <= WIDER * narrowest;
        let (at, _) = self
            .shapes
            .iter()
            .enumerate()
            .filter(|(_, s)| narrow(s))
            .max_by(|(_, a), (_, b)| a.count.total_cmp(&b.count))?;
        Some(at)
    }

    fn learn(&mut self, best: (usize, f32, usize), history: &History, spread: f32, own: Option<usize>) {
        for shape in &mut self.shapes {
            shape.count *= 1.0 - 1.0 / 256.0;
        }
        let (at, fit, age) = best;
        if let Some(shape) = self
            .shapes
            .get_mut(at)
            .filter(|shape| fit >= SAME && spread < ALIKE * shape.spread)
        {
            let weight = (1.0 / (shape.count + 1.0)).max(1.0 / 12.0);
            for (mean, value) in shape.wave.iter_mut().zip(cut(history, age)) {
                *mean += (value - *mean) * weight;
            }
            shape.count += 1.0;
            shape.spread += (spread - shape.spread) * weight;
            return;
        }
        let shape = Shape {
            wave: cut(history, age).collect(),
            count: 1.0,
            spread,
        };
        if self.shapes.len() < SHAPES {
            self.shapes.push(shape);
            return;
        }
        let others = self.shapes.iter_mut().enumerate().filter(|(at, _)| Some(*at) != own);
        if let Some((_, rarest)) = others.min_by(|(_, a), (_, b)| a.count.total_cmp(&b.count)) {
            *rarest = shape;
        }
    }
}

fn cut(history: &History, age: usize) -> impl Iterator<Item = f32> + Clone + '_ {
    history.span(age + BEFORE, (age + 1).saturating_sub(AFTER)).map(|v| v as f32)
}

/// From the lowest value to the highest.
fn height(wave: impl Iterator<Item = f32>) -> f32 {
    let (low, high) = wave.fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)));
    high - low
}

/// Best correlation of a shape with the wave around `age`, and where that is.
fn align(shape: &[f32], history: &History, age: usize) -> (f32, usize) {
    let mut best = (-1.0, age);
    for at in age.saturating_sub(PLAY)..=age + PLAY {
        let r = correlation(shape, cut(history, at));
        if r > best.0 {
            best = (r, at);
        }
    }
    best
}

/// Pearson's correlation.
fn correlation(a: &[f32], b: impl Iterator<Item = f32> + Clone) -> f32 {
    let mean_a = a.iter().sum::<f32>() / LEN as f32;
    let mean_b = b.clone().sum::<f32>() / LEN as f32;
    let (mut ab, mut aa, mut bb) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if aa > 0.0 && bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}

/// How far the slopes spread around their middle, in cells: a measure of width. The steepest slope sets a floor that noise stays
/// below.
fn spread(history: &History, age: usize) -> f32 {
    let wave = || history.span(age + BEFORE, (age + 1).saturating_sub(AFTER));
    let slopes = || {
        wave()
            .zip(wave().skip(1))
            .zip(wave().skip(2).zip(wave().skip(3)))
            .map(|((a, b), (c, d))| (c + d - a - b).abs() as f32)
    };
    let floor = FLOOR * slopes().fold(0.0, f32::max);
    let above = || slopes().map(move |s| (s - floor).max(0.0));
    let total: f32 = above().sum();
    if total <= 0.0 {
        return 0.0;
    }
    let middle = above().enumerate().map(|(i, s)| i as f32 * s).sum::<f32>() / total;
    let moment: f32 = above()
        .enumerate()
        .map(|(i, s)| (i as f32 - middle) * (i as f32 - middle) * s)
        .sum();
    (moment / total).sqrt()
}
