//! Measures of a shape, all of them free of units.

/// Pearson's correlation of two windows of the same length; 0 if one is flat.
pub(super) fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if aa > 0.0 && bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}

pub(super) fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

/// Root of the mean square around the mean.
pub(super) fn deviation(values: &[f32]) -> f32 {
    let mean = mean(values);
    let square = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>();
    (square / values.len().max(1) as f32).sqrt()
}

/// Root of the mean square of the difference, each around its mean.
pub(super) fn distance(a: &[f32], b: &[f32]) -> f32 {
    let difference: Vec<f32> = a.iter().zip(b).map(|(x, y)| x - y).collect();
    deviation(&difference)
}

/// Lowest and highest value.
pub(super) fn extent(values: &[f32]) -> (f32, f32) {
    values.iter().fold((0.0, 0.0), |(low, high), v| (v.min(low), v.max(high)))
}

/// How two positive quantities compare, −4 to 4 and 0 if they are equal: near their log ratio times two, in exact arithmetic.
pub(super) fn compare(a: f32, b: f32) -> f32 {
    if a + b > 0.0 { 4.0 * (a - b) / (a + b) } else { 0.0 }
}

/// Slopes below this share of the steepest do not count for the width.
const FLOOR: f32 = 0.15;

/// How far the slopes spread around their middle, in cells: a measure of the width of a QRS.
pub(super) fn spread(wave: &[f32]) -> f32 {
    let slopes: Vec<f32> = wave
        .windows(4)
        .map(|w| w.iter().skip(2).sum::<f32>() - w.iter().take(2).sum::<f32>())
        .map(f32::abs)
        .collect();
    let floor = FLOOR * slopes.iter().copied().fold(0.0, f32::max);
    let above = || slopes.iter().enumerate().map(|(i, s)| (i as f32, (s - floor).max(0.0)));
    let total: f32 = above().map(|(_, s)| s).sum();
    if total <= 0.0 {
        return 0.0;
    }
    let middle = above().map(|(i, s)| i * s).sum::<f32>() / total;
    (above().map(|(i, s)| (i - middle) * (i - middle) * s).sum::<f32>() / total).sqrt()
}

/// Mean curvature: muscle and mains.
pub(super) fn roughness(wave: &[f32]) -> f32 {
    let curvature: f32 = wave
        .windows(3)
        .map(|w| match w {
            [a, b, c] => (b - f32::midpoint(*a, *c)).abs(),
            _ => 0.0,
        })
        .sum();
    curvature / wave.len().max(1) as f32
}
