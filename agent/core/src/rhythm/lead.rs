//! One ECG lead: from samples to frames of 200 ms that hold its quality, the beats found and whether it fibrillates.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::fibrillation::{self, Oscillation};
use super::filter::{HighPass, History};
use super::grid::{Cell, Grid};
use super::morphology::Morphology;
use super::qrs::{QrsDetector, ms};
use super::quality::{EcgSignal, Judge};
use crate::message::WaveBlock;
use crate::time::Timestamp;

/// A volt, in microvolts: beyond any ECG, whatever scale a device claims, and within what the filters can add up.
const LARGEST_UV: f32 = 1e6;
/// Cells in a frame: 200 ms.
pub(super) const FRAME: usize = ms(200);
/// Most frames kept for the bed: the longest it waits for another waveform, and a block.
const MOST_FRAMES: usize = 32;
/// No interval is measured over a gap longer than this.
const LONGEST_GAP: i64 = ms(200) as i64;
/// Longest interval measured.
const LONGEST_INTERVAL: i64 = ms(10_000) as i64;

/// A beat of one lead.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LeadBeat {
    /// Cell of its QRS.
    pub cell: i64,
    /// Cells since the beat before it, if nothing was missing between.
    pub interval: Option<u32>,
    /// Wide and unlike the patient's own beats.
    pub ventricular: bool,
    /// The same beyond doubt.
    pub surely: bool,
    /// Like the patient's own beats.
    pub usual: bool,
    /// Best correlation with a shape that was seen before, in percent.
    pub likeness: u8,
}

/// 200 ms of a lead.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Frame {
    /// Number of its first cell divided by [`FRAME`].
    pub index: i64,
    pub signal: EcgSignal,
    /// Beats recognised in it, which lie up to some seconds back.
    pub beats: [Option<LeadBeat>; 2],
    /// The last four seconds were whole and oscillate.
    pub oscillates: bool,
}

/// See the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct EcgLead {
    grid: Grid,
    analysis: Analysis,
    pub(super) frames: VecDeque<Frame>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Analysis {
    high_pass: HighPass,
    history: History,
    detector: QrsDetector,
    judge: Judge,
    morphology: Morphology,
    /// Values without a gap up to now.
    whole: usize,
    /// Cells of the gap that is open.
    gap: i64,
    last_beat: Option<i64>,
    found: [Option<LeadBeat>; 2],
}

impl EcgLead {
    /// Takes a block and tells `sample` every cell of the grid with its value. Whether time went back.
    pub(super) fn push(&mut self, block: &WaveBlock, sent_at: Timestamp, sample: &mut dyn FnMut(i64, Option<f32>)) -> bool {
        let before = self.grid.cell();
        let mut went_back = false;
        let (analysis, frames) = (&mut self.analysis, &mut self.frames);
        self.grid.push(block, sent_at, |number, cell| {
            if cell == Cell::Restart {
                went_back |= number < before;
                analysis.restart();
                return;
            }
            sample(number, cell.value());
            if let Some(frame) = analysis.take(number, cell) {
                if frames.len() >= MOST_FRAMES {
                    frames.pop_front();
                }
                frames.push_back(frame);
            }
        });
        if went_back {
            let now = self.produced();
            frames_before(&mut self.frames, now);
        }
        went_back
    }

    /// Frames up to here, exclusive, are complete.
    pub(super) fn produced(&self) -> i64 {
        self.grid.cell().div_euclid(FRAME as i64)
    }

    /// Removes and returns the frame with this index; earlier ones are dropped.
    pub(super) fn frame(&mut self, index: i64) -> Option<Frame> {
        while self.frames.front().is_some_and(|f| f.index < index) {
            self.frames.pop_front();
        }
        self.frames.pop_front_if(|f| f.index == index)
    }
}

fn frames_before(frames: &mut VecDeque<Frame>, end: i64) {
    frames.retain(|f| f.index < end);
}

impl Analysis {
    /// The stream begins anew. What the patient's own beats look like is kept.
    fn restart(&mut self) {
        let morphology = std::mem::take(&mut self.morphology);
        *self = Self {
            morphology,
            ..Self::default()
        };
    }

    fn take(&mut self, number: i64, cell: Cell) -> Option<Frame> {
        self.judge.take(cell, self.whole > 0, self.detector.usual_slope());
        if let Cell::Value(value) = cell {
            self.value(number, value);
        } else {
            self.history.push(0.0);
            self.detector.skip();
            self.whole = 0;
            self.gap += 1;
        }
        if self.gap > LONGEST_GAP {
            self.last_beat = None;
        }
        let ends = (number + 1).rem_euclid(FRAME as i64) == 0;
        ends.then(|| self.frame(number.div_euclid(FRAME as i64)))
    }

    fn value(&mut self, number: i64, value: f32) {
        let value = value.clamp(-LARGEST_UV, LARGEST_UV);
        if self.whole == 0 {
            self.high_pass.settle(value);
            self.detector.settle(value as i32);
        }
        self.gap = 0;
        self.whole = self.whole.saturating_add(1);
        self.history.push(self.high_pass.next(value));
        let Some(detected) = self.detector.next(value as i32, &self.history) else {
            return;
        };
        let at = number - detected.age as i64;
        let interval = self
            .last_beat
            .map(|last| at - last)
            .filter(|i| (1..=LONGEST_INTERVAL).contains(i));
        self.last_beat = Some(at);
        let class = self.morphology.classify(&self.history, detected.age, interval);
        let beat = LeadBeat {
            cell: at,
            interval: interval.map(|i| i as u32),
            ventricular: class.ventricular,
            surely: class.surely,
            usual: class.usual,
            likeness: class.likeness,
        };
        if let Some(slot) = self.found.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(beat);
        }
    }

    fn frame(&mut self, index: i64) -> Frame {
        let mut signal = self.judge.judge();
        if signal == EcgSignal::Good && self.detector.is_learning() {
            signal = EcgSignal::Learning;
        }
        let whole = self.whole >= fibrillation::WINDOW;
        Frame {
            index,
            signal,
            beats: std::mem::take(&mut self.found),
            oscillates: whole && Oscillation::of(&self.history).is_fibrillation(),
        }
    }
}
