//! One waveform on a common grid of 125 Hz, aligned to the device's clock, whatever rate and gain it comes with.
//!
//! Samples are joined by straight lines and each cell of the grid is the mean over its 8 ms, which also keeps what lies above
//! 62 Hz out. Time follows the count of samples, not the stamp of each block, so that the way a stream is cut into blocks
//! changes nothing; a stamp that disagrees by more than [`JITTER_MS`] moves the count. Gaps stay gaps.

use serde::{Deserialize, Serialize};

use crate::message::WaveBlock;
use crate::time::Timestamp;
use crate::vitals::Quality;

/// Cells per second.
pub(super) const HZ: usize = 125;
/// Length of a cell.
pub(super) const CELL_MS: i64 = 8;
/// Disagreement between a block's stamp and the count of samples that is rounding or jitter.
const JITTER_MS: f64 = 20.0;
/// Up to here a disagreement is a clock that drifts: the line between two samples is stretched, no gap is made.
const DRIFT_MS: f64 = 40.0;
/// A gap longer than this, or a step back in time, starts the waveform afresh.
const RESTART_MS: f64 = 10_000.0;
/// Stamps up to the year 9999.
const LATEST_MS: i64 = 253_402_300_799_999;

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    /// Mean value, in thousandths of the waveform's unit (µV for an ECG).
    Value(f32),
    /// Nothing arrived, or the sample is marked as missing.
    Gap,
    /// The device says that the lead is off.
    LeadOff,
    /// The device says that it is disturbed or calibrating.
    Artefact,
    /// The stream begins anew; the next cell does not follow the last one.
    Restart,
}

impl Cell {
    /// The value, if there is one.
    pub(super) const fn value(self) -> Option<f32> {
        match self {
            Self::Value(value) => Some(value),
            Self::Gap | Self::LeadOff | Self::Artefact | Self::Restart => None,
        }
    }
}

/// The resampler of one waveform.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Grid {
    rate_hz: f32,
    /// Time of sample 0 of the count.
    base_ms: f64,
    /// Samples since then.
    count: u64,
    /// Number of the cell that is being filled: device time divided by 8 ms.
    cell: i64,
    /// End of what has been covered.
    until_ms: f64,
    /// Value at `until_ms`, if the last sample was there.
    last: Option<f32>,
    sum: f64,
    covered_ms: f64,
    started: bool,
}

impl Grid {
    /// Takes a block and calls `sink` for every cell that it completes, with the cell's number.
    pub(super) fn push(&mut self, block: &WaveBlock, sent_at: Timestamp, mut sink: impl FnMut(i64, Cell)) {
        let stamp = sent_at.as_millis();
        let scale = scale(block);
        if !(0..=LATEST_MS).contains(&stamp) || !(1.0..=2000.0).contains(&block.rate_hz) || scale == 0.0 {
            return;
        }
        self.follow(block.rate_hz, stamp as f64, &mut sink);
        let absent = absence(block.quality);
        let period_ms = 1000.0 / f64::from(block.rate_hz);
        for raw in &block.samples {
            let at_ms = self.base_ms + self.count as f64 * period_ms;
            self.count += 1;
            if let Some(cell) = absent.or((*raw == WaveBlock::MISSING).then_some(Cell::Gap)) {
                self.last = None;
                self.skip(at_ms, cell, &mut sink);
            } else {
                let value = ((f64::from(*raw) + f64::from(block.offset)) * scale).clamp(-1e9, 1e9) as f32;
                self.line(at_ms, value, &mut sink);
            }
        }
    }

    /// Number of the cell being filled.
    pub(super) const fn cell(&self) -> i64 {
        self.cell
    }

    /// Compares a block's stamp with the count.
    fn follow(&mut self, rate_hz: f32, stamp_ms: f64, sink: &mut impl FnMut(i64, Cell)) {
        let expected = self.base_ms + self.count as f64 * 1000.0 / f64::from(self.rate_hz.max(1.0));
        let off = stamp_ms - expected;
        let same_rate = (rate_hz - self.rate_hz).abs() < f32::EPSILON;
        if !self.started || !same_rate || !(-DRIFT_MS..=RESTART_MS).contains(&off) {
            let first_cell = (stamp_ms as i64).div_euclid(CELL_MS);
            *self = Self {
                rate_hz,
                base_ms: stamp_ms,
                cell: first_cell,
                until_ms: stamp_ms,
                started: true,
                ..Self::default()
            };
            sink(first_cell, Cell::Restart);
        } else if off.abs() > JITTER_MS {
            self.base_ms = stamp_ms;
            self.count = 0;
            if off > DRIFT_MS {
                self.last = None;
                self.skip(stamp_ms, Cell::Gap, sink);
            }
        }
    }

    /// Moves on to `at_ms` over nothing.
    fn skip(&mut self, at_ms: f64, why: Cell, sink: &mut impl FnMut(i64, Cell)) {
        while at_ms >= self.end_ms() {
            self.close(why, sink);
        }
        self.until_ms = self.until_ms.max(at_ms);
    }

    /// Moves on to `at_ms` along the line from the last sample to `value`.
    fn line(&mut self, at_ms: f64, value: f32, sink: &mut impl FnMut(i64, Cell)) {
        let span = at_ms - self.until_ms;
        let Some(from) = self.last.filter(|_| span > 0.0) else {
            self.skip(at_ms, Cell::Gap, sink);
            self.last = Some(value);
            return;
        };
        let slope = f64::from(value - from) / span;
        let (mut left, mut left_value) = (self.until_ms, f64::from(from));
        while left < at_ms {
            let right = at_ms.min(self.end_ms());
            let right_value = left_value + slope * (right - left);
            self.sum += (right - left) * f64::midpoint(left_value, right_value);
            self.covered_ms += right - left;
            (left, left_value) = (right, right_value);
            self.until_ms = right;
            if right >= self.end_ms() {
                self.close(Cell::Gap, sink);
            }
        }
        self.last = Some(value);
    }

    fn end_ms(&self) -> f64 {
        ((self.cell + 1) * CELL_MS) as f64
    }

    /// Ends the cell: its mean if it was covered, else `otherwise`.
    fn close(&mut self, otherwise: Cell, sink: &mut impl FnMut(i64, Cell)) {
        let whole = self.covered_ms > CELL_MS as f64 - 0.01;
        let mean = (self.sum / CELL_MS as f64) as f32;
        sink(self.cell, if whole { Cell::Value(mean) } else { otherwise });
        self.until_ms = self.until_ms.max(self.end_ms());
        self.cell += 1;
        self.sum = 0.0;
        self.covered_ms = 0.0;
    }
}

/// Thousandths of the unit per step of a sample.
fn scale(block: &WaveBlock) -> f64 {
    let (exponent, mantissa) = block.scale;
    let mut scale = f64::from(mantissa) * 1000.0;
    for _ in 0..exponent.unsigned_abs() {
        scale = if exponent < 0 { scale / 10.0 } else { scale * 10.0 };
    }
    if scale.is_finite() { scale } else { 0.0 }
}

const fn absence(quality: Quality) -> Option<Cell> {
    if quality.has(Quality::LEAD_OFF) {
        Some(Cell::LeadOff)
    } else if quality.has(Quality::ARTEFACT.and(Quality::CALIBRATING)) {
        Some(Cell::Artefact)
    } else {
        None
    }
}
