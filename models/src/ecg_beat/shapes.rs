//! The shapes that return in one lead, and which of them is the patient's own beat.

use super::measure::{correlation, spread};
use super::{BEFORE, PLAY, WINDOW};

/// The QRS within a window: 96 ms before its middle to 120 ms after.
pub(super) const QRS: std::ops::Range<usize> = BEFORE - 12..BEFORE + 15;
/// Shapes remembered.
const SHAPES: usize = 6;
/// Correlation of the QRS, and how much wider it may be, for two shapes to be the same.
const SAME: f32 = 0.93;
const WIDER: f32 = 1.2;
/// Beats after which half of a shape's count is forgotten, by the share lost with each.
const FORGET: f32 = 1.0 / 200.0;
/// Least weight of a new beat in its shape.
const LEARN: f32 = 1.0 / 16.0;

/// Beats of a shape, and its share of all, before it can be the patient's own.
const KNOWN: f32 = 4.0;
const COMMON: f32 = 0.125;
/// How early its beats may come on average: a fifth of the usual interval, as [`compare`](super::measure::compare) puts it.
const EARLY: f32 = -0.44;
/// How much wider than the narrowest of the common shapes it may be.
const NARROW: f32 = 1.3;

/// A shape that returns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    /// Mean window, in µV.
    pub(super) wave: Vec<f32>,
    /// Beats, slowly forgotten.
    pub(super) count: f32,
    /// Width of the QRS.
    pub(super) spread: f32,
    /// Mean of how early its beats come.
    pub(super) earliness: f32,
}

/// How a beat lies to the known shapes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fit {
    /// The aligned window of [`WINDOW`] values.
    pub(super) wave: Vec<f32>,
    /// The shape it resembles most.
    pub(super) best: Option<usize>,
    /// Correlation with it.
    pub(super) likeness: f32,
    /// Width of the QRS.
    pub(super) spread: f32,
}

/// See the [module](self).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shapes(Vec<Shape>);

impl Shapes {
    /// Aligns a beat with the shape it resembles most. `wide` has [`PLAY`] values more at each end than a window.
    pub(super) fn fit(&self, wide: &[f32]) -> Fit {
        let mut found = (None, -1.0, PLAY);
        for (at, shape) in self.0.iter().enumerate() {
            let own = shape.wave.get(QRS).unwrap_or_default();
            for shift in 0..=2 * PLAY {
                let qrs = wide.get(QRS.start + shift..QRS.end + shift).unwrap_or_default();
                let r = correlation(own, qrs);
                if r > found.1 {
                    found = (Some(at), r, shift);
                }
            }
        }
        let (best, likeness, shift) = found;
        let shift = if likeness < 0.7 { PLAY } else { shift };
        let wave: Vec<f32> = wide.iter().skip(shift).take(WINDOW).copied().collect();
        let spread = spread(wave.get(QRS.start - 6..QRS.end + 6).unwrap_or_default());
        Fit {
            wave,
            best,
            likeness: likeness.max(0.0),
            spread,
        }
    }

    /// Whether a beat belongs to its best shape.
    fn belongs(&self, fit: &Fit) -> Option<usize> {
        let best = fit.best?;
        let shape = self.0.get(best)?;
        let alike = fit.likeness >= SAME && fit.spread < WIDER * shape.spread && shape.spread < WIDER * fit.spread;
        alike.then_some(best)
    }

    /// Takes the beat in. Whether it belongs to the patient's own shape as it was before.
    pub(super) fn learn(&mut self, fit: &Fit, earliness: f32) -> bool {
        let own = self.own_index();
        for shape in &mut self.0 {
            shape.count *= 1.0 - FORGET;
        }
        let member = self.belongs(fit);
        if let Some(shape) = member.and_then(|at| self.0.get_mut(at)) {
            let weight = (1.0 / (shape.count + 1.0)).max(LEARN);
            for (mean, value) in shape.wave.iter_mut().zip(&fit.wave) {
                *mean += (value - *mean) * weight;
            }
            shape.count += 1.0;
            shape.spread += (fit.spread - shape.spread) * weight;
            shape.earliness += (earliness - shape.earliness) * weight;
            return member == own;
        }
        let shape = Shape {
            wave: fit.wave.clone(),
            count: 1.0,
            spread: fit.spread,
            earliness,
        };
        if self.0.len() < SHAPES {
            self.0.push(shape);
        } else if let Some(rarest) = self.0.iter_mut().min_by(|a, b| a.count.total_cmp(&b.count)) {
            *rarest = shape;
        }
        false
    }

    /// The commonest of the shapes that are narrow and do not come early, for a patient may have as many ventricular beats as others.
    fn own_index(&self) -> Option<usize> {
        let total = self.total();
        let common = |s: &&Shape| s.count >= KNOWN && s.count > COMMON * total && s.earliness > EARLY;
        let narrowest = self.0.iter().filter(common).map(|s| s.spread).fold(f32::MAX, f32::min);
        let narrow = |s: &&Shape| common(s) && s.spread <= NARROW * narrowest;
        let most = |narrow: &dyn Fn(&&Shape) -> bool| {
            let some = self.0.iter().enumerate().filter(|(_, s)| narrow(s));
            some.max_by(|(_, a), (_, b)| a.count.total_cmp(&b.count)).map(|(at, _)| at)
        };
        most(&narrow).or_else(|| most(&|_| true))
    }

    /// The patient's own shape.
    pub(super) fn own(&self) -> Option<&Shape> {
        self.own_index().and_then(|at| self.0.get(at))
    }

    /// The shape that a beat belongs to.
    pub(super) fn of(&self, fit: &Fit) -> Option<&Shape> {
        self.belongs(fit).and_then(|at| self.0.get(at))
    }

    /// Beats remembered over all shapes.
    pub(super) fn total(&self) -> f32 {
        self.0.iter().map(|s| s.count).sum()
    }
}
