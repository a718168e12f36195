//! Figures of a risk against what happened: `n` probabilities, 0 to 1, and whether the event came.

use wardlight_simulator::random::Random;

/// Samples drawn for an interval.
const DRAWS: usize = 2000;
const SEED: u64 = 2012;
/// Bins of equal width of the calibration error.
const BINS: usize = 10;
/// Probabilities are kept so far off 0 and 1 before their logit is taken.
const EDGE: f64 = 1e-7;
/// Newton's steps to the calibration line end when they are this small, or are this many.
const SETTLED: f64 = 1e-10;
const STEPS: usize = 50;

/// A patient's probability, and whether the event came.
pub(super) type Judged = (f64, bool);

/// A figure with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figure {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Area under the ROC curve, ties counting half, with the percentile bootstrap interval over the patients. NaN unless there are
/// patients with the event and without.
pub(super) fn auroc(judged: &[Judged]) -> Figure {
    let mut ranked = judged.to_vec();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut random = Random::seeded(SEED);
    let mut drawn: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let mut times = vec![0_u32; ranked.len()];
            for _ in 0..ranked.len() {
                let at = (random.unit() * ranked.len() as f64) as usize;
                if let Some(times) = times.get_mut(at) {
                    *times += 1;
                }
            }
            area(&ranked, &times)
        })
        .filter(|area| area.is_finite())
        .collect();
    drawn.sort_by(f64::total_cmp);
    let quantile = |share: f64| {
        let at = (share * drawn.len().saturating_sub(1) as f64).round() as usize;
        drawn.get(at).copied().unwrap_or(f64::NAN)
    };
    Figure {
        value: area(&ranked, &vec![1; ranked.len()]),
        low: quantile(0.025),
        high: quantile(0.975),
    }
}

/// Area of patients ordered by probability, each counted so many `times`.
fn area(ranked: &[Judged], times: &[u32]) -> f64 {
    let (mut with, mut without, mut won) = (0.0, 0.0, 0.0);
    let counted: Vec<(Judged, f64)> = ranked.iter().copied().zip(times.iter().copied().map(f64::from)).collect();
    for tied in counted.chunk_by(|(a, _), (b, _)| a.0.total_cmp(&b.0).is_eq()) {
        let of = |event: bool| tied.iter().filter(|(j, _)| j.1 == event).map(|(_, n)| n).sum::<f64>();
        let (events, others) = (of(true), of(false));
        won += events * (without + others / 2.0);
        with += events;
        without += others;
    }
    won / (with * without)
}

/// The lesser of sensitivity and positive predictive value when the event is called from the probability `from` on: event 1 of
/// the PhysioNet/CinC Challenge 2012.
pub(super) fn event_1(judged: &[Judged], from: f64) -> f64 {
    let called = judged.iter().filter(|(p, _)| *p >= from);
    let (calls, hits) = called.fold((0.0, 0.0), |(calls, hits), (_, event)| (calls + 1.0, hits + one_if(*event)));
    let events: f64 = judged.iter().map(|(_, event)| one_if(*event)).sum();
    (hits / events.max(1.0)).min(hits / f64::max(calls, 1.0))
}

/// Mean squared error of the probability.
pub(super) fn brier(judged: &[Judged]) -> f64 {
    mean(judged.iter().map(|(p, event)| (p - one_if(*event)).powi(2)))
}

/// Expected calibration error over ten bins of equal width. Biased upwards on few patients.
pub(super) fn calibration_error(judged: &[Judged]) -> f64 {
    let mut gaps = [0.0; BINS];
    for (p, event) in judged {
        let bin = ((p * BINS as f64) as usize).min(BINS - 1);
        if let Some(gap) = gaps.get_mut(bin) {
            *gap += one_if(*event) - p;
        }
    }
    gaps.into_iter().map(f64::abs).sum::<f64>() / judged.len() as f64
}

/// Slope and intercept of the logistic regression of the event on the probability's logit; 1 and 0 are ideal. NaN if it has no
/// solution.
pub(super) fn calibration_line(judged: &[Judged]) -> (f64, f64) {
    let logit = |p: f64| {
        let p = p.clamp(EDGE, 1.0 - EDGE);
        (p / (1.0 - p)).ln()
    };
    let (mut slope, mut intercept) = (0.0, 0.0);
    for _ in 0..STEPS {
        // Gradient and Hessian of the log-likelihood.
        let (mut by_slope, mut by_intercept, mut xx, mut x1, mut n1) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (p, event) in judged {
            let x = logit(*p);
            let said = 1.0 / (1.0 + (-(slope * x + intercept)).exp());
            let (error, weight) = (one_if(*event) - said, said * (1.0 - said));
            by_slope += error * x;
            by_intercept += error;
            xx += weight * x * x;
            x1 += weight * x;
            n1 += weight;
        }
        let determinant = xx * n1 - x1 * x1;
        let to_slope = (n1 * by_slope - x1 * by_intercept) / determinant;
        let to_intercept = (xx * by_intercept - x1 * by_slope) / determinant;
        slope += to_slope;
        intercept += to_intercept;
        if to_slope.abs() + to_intercept.abs() < SETTLED {
            return (slope, intercept);
        }
    }
    (f64::NAN, f64::NAN)
}

fn one_if(event: bool) -> f64 {
    f64::from(u8::from(event))
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten patients whose figures were computed by hand and with scikit-learn.
    const TEN: [Judged; 10] = [
        (0.05, false),
        (0.15, false),
        (0.15, false),
        (0.35, false),
        (0.45, true),
        (0.55, false),
        (0.65, true),
        (0.85, true),
        (0.95, true),
        (0.95, true),
    ];

    #[test]
    fn ten_patients_have_the_figures_computed_by_hand() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        close(brier(&TEN), 0.0925);
        close(calibration_error(&TEN), 0.24);
        close(auroc(&TEN).value, 24.0 / 25.0);
        close(event_1(&TEN, 0.5), 0.8);
        close(event_1(&TEN, 0.96), 0.0);
    }

    #[test]
    fn ties_count_half_and_the_interval_holds_the_value() {
        let judged = [(0.3, true), (0.3, false), (0.6, true), (0.1, false)];
        assert!((auroc(&judged).value - 3.5 / 4.0).abs() < 1e-12);
        let many: Vec<Judged> = TEN.iter().copied().cycle().take(200).collect();
        let figure = auroc(&many);
        assert!(0.9 < figure.low && figure.low < figure.value && figure.value < figure.high && figure.high < 1.0);
        assert!(auroc(&[(0.5, true)]).value.is_nan());
    }

    #[test]
    fn risks_that_hold_have_the_line_one_and_zero_and_risks_too_bold_a_flatter_one() {
        let of = |p: f64, events: usize, patients: usize| (0..patients).map(move |i| (p, i < events));
        let (slope, intercept) = calibration_line(&of(0.2, 20, 100).chain(of(0.6, 60, 100)).collect::<Vec<_>>());
        assert!((slope - 1.0).abs() < 1e-9 && intercept.abs() < 1e-9, "{slope} {intercept}");
        let (slope, _) = calibration_line(&of(0.05, 20, 100).chain(of(0.9, 60, 100)).collect::<Vec<_>>());
        assert!(slope < 0.5, "{slope}");
        assert!(calibration_line(&[(0.5, true), (0.5, false)]).0.is_nan());
    }
}
