//! The last seconds of one lead on the grid of 125 Hz, and windows of it without the wander of the baseline.

use std::collections::VecDeque;

/// Cells kept: a little over eight seconds.
const KEPT: usize = 1024;
/// Lengths of the two medians whose result is taken for the baseline: 200 ms takes the QRS out, 600 ms the T wave (de Chazal 2004).
const SHORT: usize = 25;
const LONG: usize = 75;
/// Cells that the medians need beside a window.
const MARGIN: usize = SHORT / 2 + LONG / 2;

/// One lead. A gap is bridged with the last value and remembered.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Strip {
    values: VecDeque<(f32, bool)>,
    /// Cell after the newest.
    end: i64,
}

impl Strip {
    pub(super) fn push(&mut self, cell: i64, value: Option<f32>) {
        let ahead = cell - self.end;
        if !(0..KEPT as i64).contains(&ahead) {
            self.values.clear();
        } else if let Some((last, _)) = self.values.back().copied() {
            for _ in 0..ahead {
                self.keep(last, false);
            }
        }
        self.end = cell + 1;
        let last = self.values.back().map_or(0.0, |(value, _)| *value);
        self.keep(value.unwrap_or(last), value.is_some());
    }

    fn keep(&mut self, value: f32, there: bool) {
        if self.values.len() >= KEPT {
            self.values.pop_front();
        }
        self.values.push_back((value, there));
    }

    /// Share of the `len` cells from `from` on that are there.
    pub(super) fn share(&self, from: i64, len: usize) -> f32 {
        let there = (from..from + len as i64).filter(|cell| self.at(*cell).is_some_and(|(_, there)| there));
        there.count() as f32 / len as f32
    }

    fn at(&self, cell: i64) -> Option<(f32, bool)> {
        let back = usize::try_from(self.end - cell).ok()?;
        let index = self.values.len().checked_sub(back)?;
        self.values.get(index).copied()
    }

    /// `len` values in µV from cell `from` on, without the baseline. Beyond the ends the nearest value stands.
    pub(super) fn window(&self, from: i64, len: usize) -> Vec<f32> {
        let first = from - MARGIN as i64;
        let oldest = self.values.front().map_or(0.0, |(value, _)| *value);
        let newest = self.values.back().map_or(0.0, |(value, _)| *value);
        let beyond = |cell| if cell < self.end { oldest } else { newest };
        let raw: Vec<f32> = (first..first + (len + 2 * MARGIN) as i64)
            .map(|cell| self.at(cell).map_or_else(|| beyond(cell), |(value, _)| value))
            .collect();
        let baseline = medians(&medians(&raw, SHORT), LONG);
        raw.iter()
            .skip(MARGIN)
            .zip(baseline)
            .map(|(value, base)| value - base)
            .collect()
    }
}

/// Running medians: one for each place at which `width` values fit.
fn medians(values: &[f32], width: usize) -> Vec<f32> {
    let mut sorted: Vec<f32> = Vec::with_capacity(width + 1);
    let mut found = Vec::with_capacity(values.len().saturating_sub(width) + 1);
    for (i, value) in values.iter().enumerate() {
        if let Some(gone) = i.checked_sub(width).and_then(|i| values.get(i)) {
            let at = sorted.partition_point(|v| v.total_cmp(gone).is_lt());
            if at < sorted.len() {
                sorted.remove(at);
            }
        }
        let at = sorted.partition_point(|v| v.total_cmp(value).is_lt());
        sorted.insert(at, *value);
        if i + 1 >= width {
            found.extend(sorted.get(width / 2));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_wander_goes_and_a_narrow_wave_stays() {
        let mut strip = Strip::default();
        for cell in 0..1000_i64 {
            let wander = (cell as f32 * 0.006).sin() * 400.0;
            let wave = if (500..510).contains(&cell) { 1000.0 } else { 0.0 };
            strip.push(cell, Some(wander + wave));
        }
        let window = strip.window(440, 128);
        assert!(window[..55].iter().all(|v| v.abs() < 30.0), "{window:?}");
        assert!(window[60..70].iter().all(|v| (v - 1000.0).abs() < 30.0), "{window:?}");
    }

    #[test]
    fn a_gap_is_bridged_and_counted_as_missing() {
        let mut strip = Strip::default();
        for cell in 0..400 {
            strip.push(cell, Some(5.0));
        }
        strip.push(450, Some(5.0));
        strip.push(451, None);
        assert!((strip.share(400, 50) - 0.0).abs() < 1e-6);
        assert!((strip.share(350, 100) - 0.5).abs() < 1e-6);
        assert!(strip.window(300, 150).iter().all(|v| v.abs() < 1e-6));
    }
}
