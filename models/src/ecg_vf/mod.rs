//! From the samples of a lead to the windows in which the model `ecg-vf` looks for a shockable rhythm, the same in training and in
//! service.
//!
//! [`Windows`] hears what `wardlight_core::rhythm` makes of the samples and gives the last four seconds of every lead once a second.
//! [`window`] takes the wander off and scales by the height of the wave; a wave lower than [`LOWEST_UV`] stays low, so that an
//! asystole or a detached lead is not blown up into fibrillation.

mod explain;
mod measures;

use std::collections::VecDeque;

use wardlight_core::codes::Waveform;
use wardlight_core::rhythm::{GRID_MS, Heard};

pub use explain::explain;
pub use measures::measure;

use crate::{ModelError, WaveformModel};

/// Values of a window: 4 s at 125 Hz.
pub const WINDOW: usize = 500;
/// Cells from one window to the next: 1 s.
pub const STEP: usize = 125;
/// Height in µV by which no lower wave is scaled. *ratify*
pub const LOWEST_UV: f32 = 250.0;
/// Logits of a window: another rhythm, a shockable one.
pub const CLASSES: usize = 2;
/// Cells of the running mean that is taken for the wander: 1 s.
const WANDER: usize = 125;
/// Values this many times the height are held back.
const MOST: f32 = 2.0;
/// Share of the values below and above which the height is not measured.
const TAIL: f32 = 0.02;
/// Cells of a window that may be missing.
const MOST_MISSING: usize = 10;
/// Leads that are looked at.
const MOST_LEADS: usize = 3;

/// Prepares one window: `microvolts` are [`WINDOW`] values at 125 Hz; the result is −2 to 2, without unit.
pub fn window(microvolts: &[f32]) -> Vec<f32> {
    let level = without_wander(microvolts);
    let height = height(&level).max(LOWEST_UV);
    level.iter().map(|v| (v / height).clamp(-MOST, MOST)).collect()
}

/// From the lowest to the highest value, the outermost 2 % on each side left out.
fn height(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let tail = (sorted.len() as f32 * TAIL) as usize;
    let low = sorted.get(tail).copied().unwrap_or(0.0);
    let high = sorted.iter().rev().nth(tail).copied().unwrap_or(0.0);
    high - low
}

/// Probability of a shockable rhythm, from the `[other, shockable]` logits of one lead after the other: their log odds averaged.
/// 0 without any lead.
pub fn probability(logits: &[f32]) -> f32 {
    let odds = |lead: &[f32]| match lead {
        [other, shockable] => shockable - other,
        _ => 0.0,
    };
    let leads = logits.chunks_exact(CLASSES);
    let count = leads.len();
    if count == 0 {
        return 0.0;
    }
    let mean = leads.map(odds).sum::<f32>() / count as f32;
    1.0 / (1.0 + (-mean).exp())
}

/// The probability of a shockable rhythm at each of many instants, in one batch; each has the windows of its leads.
/// # Errors
/// As [`WaveformModel::logits`], of a model that does not take such windows too.
pub fn shockable(model: &WaveformModel, instants: &[Vec<ReadyWindow>]) -> Result<Vec<f32>, ModelError> {
    let windows = || instants.iter().flatten();
    let values: Vec<f32> = windows().flat_map(|window| window.values.iter().copied()).collect();
    let logits = model.logits(&[&values], windows().count())?;
    let mut rest = logits.as_slice();
    let answers = instants.iter().map(|leads| {
        let (own, others) = rest.split_at_checked(CLASSES * leads.len()).unwrap_or_default();
        rest = others;
        probability(own)
    });
    Ok(answers.collect())
}

/// The values without their running mean; towards the ends the mean is that of the values which are there.
fn without_wander(values: &[f32]) -> Vec<f32> {
    let mean = |at: usize| {
        let from = at.saturating_sub(WANDER / 2);
        let some = values.get(from..(at + WANDER / 2 + 1).min(values.len())).unwrap_or_default();
        some.iter().sum::<f32>() / some.len().max(1) as f32
    };
    values.iter().enumerate().map(|(at, value)| value - mean(at)).collect()
}

/// The last four seconds of a lead.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadyWindow {
    /// The lead.
    pub lead: Waveform,
    /// Device clock of the first value, in milliseconds.
    pub start_ms: i64,
    /// [`WINDOW`] values, see [`window`].
    pub values: Vec<f32>,
}

/// Cuts the leads of one bed into windows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Windows {
    leads: Vec<(Waveform, Lead)>,
    /// Windows of the newest four seconds, until all leads have theirs.
    held: Vec<ReadyWindow>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Lead {
    values: VecDeque<Option<f32>>,
    /// Cell after the newest.
    end: i64,
}

impl Windows {
    /// Takes what is heard and hands on the windows of the same four seconds together, once a second: when all leads have theirs, or
    /// one is a second ahead. A lead has none while more than 80 ms are missing.
    pub fn hear(&mut self, heard: &Heard, ready: &mut dyn FnMut(Vec<ReadyWindow>)) {
        let Heard::Sample { lead, cell, microvolts } = heard else {
            return;
        };
        if !self.leads.iter().any(|(known, _)| known == lead) && self.leads.len() < MOST_LEADS {
            self.leads.push((*lead, Lead::default()));
        }
        let Some((_, strip)) = self.leads.iter_mut().find(|(known, _)| known == lead) else {
            return;
        };
        let Some(values) = strip.push(*cell, *microvolts) else {
            return;
        };
        let start_ms = (cell + 1 - WINDOW as i64) * GRID_MS;
        if self.held.first().is_some_and(|held| held.start_ms != start_ms) {
            self.finish(ready);
        }
        self.held.push(ReadyWindow {
            lead: *lead,
            start_ms,
            values,
        });
        let follows = |(_, strip): &&(Waveform, Lead)| (strip.end - cell).abs() <= WINDOW as i64;
        if self.held.len() >= self.leads.iter().filter(follows).count() {
            self.finish(ready);
        }
    }

    /// Hands on what is held: there will be no more.
    pub fn finish(&mut self, ready: &mut dyn FnMut(Vec<ReadyWindow>)) {
        if !self.held.is_empty() {
            ready(std::mem::take(&mut self.held));
        }
    }
}

impl Lead {
    fn push(&mut self, cell: i64, value: Option<f32>) -> Option<Vec<f32>> {
        if cell != self.end {
            // A gap of the grid is a new beginning: no window spans it.
            self.values.clear();
        }
        self.end = cell + 1;
        if self.values.len() >= WINDOW {
            self.values.pop_front();
        }
        self.values.push_back(value);
        let whole = self.values.len() == WINDOW && self.end.rem_euclid(STEP as i64) == 0;
        whole.then(|| self.window()).flatten()
    }

    /// The window, missing values bridged with the last one before; `None` if too many are missing.
    fn window(&self) -> Option<Vec<f32>> {
        let missing = self.values.iter().filter(|v| v.is_none()).count();
        if missing > MOST_MISSING {
            return None;
        }
        let mut last = self.values.iter().flatten().next().copied()?;
        let bridged: Vec<f32> = self
            .values
            .iter()
            .map(|value| {
                last = value.unwrap_or(last);
                last
            })
            .collect();
        Some(window(&bridged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAD: Waveform = Waveform::Ecg(131_330);

    fn wave(height_uv: f32) -> Vec<f32> {
        (0..WINDOW).map(|i| height_uv / 2.0 * (i as f32 * 0.2).sin()).collect()
    }

    fn starts(cells: impl Iterator<Item = (i64, Option<f32>)>) -> Vec<i64> {
        let mut windows = Windows::default();
        let mut found = Vec::new();
        for (cell, microvolts) in cells {
            let heard = Heard::Sample {
                lead: LEAD,
                cell,
                microvolts,
            };
            windows.hear(&heard, &mut |ready| {
                found.extend(ready.iter().map(|window| window.start_ms / GRID_MS));
            });
        }
        found
    }

    #[test]
    fn leads_that_disagree_meet_between() {
        assert!((probability(&[0.0, 2.0, 2.0, 0.0]) - 0.5).abs() < 1e-6);
        assert!(probability(&[0.0, 2.0]) > 0.85);
        assert!(probability(&[]) < 1e-6);
    }

    #[test]
    fn gain_and_offset_do_not_matter_above_the_lowest_height() {
        let one = window(&wave(600.0));
        let other = window(&wave(1800.0).iter().map(|v| v + 5000.0).collect::<Vec<_>>());
        let most = one.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most < 1e-3, "{most}");
    }

    #[test]
    fn a_low_wave_stays_low() {
        let most = window(&wave(50.0)).iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        assert!(most < 0.15, "{most}");
    }

    #[test]
    fn a_window_comes_every_second_once_four_are_there() {
        assert_eq!(starts((0..875).map(|cell| (cell, Some(1.0)))), [0, 125, 250, 375]);
    }

    #[test]
    fn the_leads_of_the_same_seconds_come_together_and_a_lead_that_ended_is_not_waited_for() {
        let mut windows = Windows::default();
        let mut found = Vec::new();
        for second in 0..14 {
            for lead in [131_330, 131_331] {
                // The second lead ends after six seconds.
                for cell in (second * 125..(second + 1) * 125).filter(|_| lead == 131_330 || second < 6) {
                    let heard = Heard::Sample {
                        lead: Waveform::Ecg(lead),
                        cell,
                        microvolts: Some(1.0),
                    };
                    windows.hear(&heard, &mut |ready| found.push((ready[0].start_ms / 1000, ready.len())));
                }
            }
        }
        assert_eq!(found[..4], [(0, 2), (1, 2), (2, 2), (3, 1)]);
        assert_eq!(found.last(), Some(&(10, 1)));
        assert_eq!(found.len(), 11);
    }

    #[test]
    fn no_window_spans_a_gap_or_misses_too_much() {
        let jump = (0..600).chain(700..1300).map(|cell| (cell, Some(1.0)));
        assert_eq!(starts(jump), [0, 750]);
        let holes = (0..500).map(|cell| (cell, (cell > 10).then_some(1.0)));
        assert_eq!(starts(holes), Vec::<i64>::new());
        let fewer = (0..500).map(|cell| (cell, (cell > 9).then_some(1.0)));
        assert_eq!(starts(fewer), [0]);
    }
}
