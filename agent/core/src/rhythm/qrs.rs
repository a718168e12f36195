//! QRS detector: Hamilton and Tompkins 1986 as refined in P. Hamilton, "Open source ECG analysis", Computers in Cardiology
//! 2002: band-pass of 8–16 Hz, rectified derivative, mean over 80 ms, and peaks against an adaptive threshold, with search-back.
//!
//! Ours: on the 125 Hz grid; medians where the paper has means, so that one artefact does not move the threshold; a floor in µV,
//! as a monitor must not count the noise of an asystole as beats; and a threshold that falls with the time since the last beat,
//! so that a step down in gain costs a few beats at most.

use serde::{Deserialize, Serialize};

use super::filter::{Boxcar, History};
use super::grid::HZ;

/// Cells in so many milliseconds.
pub(super) const fn ms(milliseconds: usize) -> usize {
    milliseconds * HZ / 1000
}

/// Delay from a wave to the middle of its peak in the detection signal: smoothing 2, high-pass 7, derivative ½, mean 4½.
const DELAY: usize = 14;
/// No two beats are nearer than this (Hamilton 2002).
const REFRACTORY: usize = ms(200);
/// A wave this soon after a beat is a T wave if it is half as steep (Pan and Tompkins 1985).
const T_WAVE: usize = ms(360);
/// Where the threshold lies between the noise and the beats, of 1024 (Hamilton 2002: 0.3125).
const THRESHOLD: i32 = 320;
/// Least detection signal of a beat: between those of a QRS of 0.1 and of 0.2 mV, as a monitor must not count waves of 0.15 mV
/// (IEC 60601-2-27 as makers declare it). *ratify*
const FLOOR: i32 = 18;
/// Beats that are this many times as steep as usual are left out of what is usual, but for so many in a row. *ratify*
const TOO_STEEP: i32 = 3;
const STEEP_BEATS: u8 = 10;
/// Seconds of peaks from which the first threshold is made.
const LEARNING: usize = 4;

/// A beat just recognised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Detected {
    /// Cells since its QRS.
    pub age: usize,
}

/// The detector of one lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct QrsDetector {
    smooth: [Boxcar; 2],
    trend: Boxcar,
    before: i32,
    energy: Boxcar,
    peaks: PeakFinder,
    held: Option<Peak>,
    blank: usize,
    beats: [i32; 8],
    noise: [i32; 8],
    intervals: [usize; 8],
    threshold: i32,
    /// Cells since the last QRS.
    since: usize,
    /// Steepest slope of the last beat.
    slope: i32,
    /// Of the last beats, without those that the signal was disturbed by.
    slopes: [i32; 8],
    /// Beats in a row that were too steep for that.
    steep: u8,
    missed: Option<Peak>,
    learning: Vec<i32>,
    learnt: bool,
    second: usize,
    second_most: i32,
}

/// A peak of the detection signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Peak {
    height: i32,
    age: usize,
    slope: i32,
}

impl Default for QrsDetector {
    fn default() -> Self {
        Self {
            smooth: [Boxcar::new(3), Boxcar::new(3)],
            trend: Boxcar::new(15),
            before: 0,
            energy: Boxcar::new(10),
            peaks: PeakFinder::default(),
            held: None,
            blank: 0,
            beats: [0; 8],
            noise: [0; 8],
            intervals: [HZ; 8],
            threshold: i32::MAX,
            since: 0,
            slope: 0,
            slopes: [0; 8],
            steep: 0,
            missed: None,
            learning: Vec::new(),
            learnt: false,
            second: 0,
            second_most: 0,
        }
    }
}

impl QrsDetector {
    /// Whether the first threshold is still being made.
    pub(super) const fn is_learning(&self) -> bool {
        !self.learnt
    }

    /// Slope of the patient's beats in µV a cell; 0 while it is not known.
    pub(super) fn usual_slope(&self) -> i32 {
        median(self.slopes)
    }

    /// The input begins (again) at this value: no step is seen.
    pub(super) fn settle(&mut self, value: i32) {
        let [first, second] = &mut self.smooth;
        first.settle(value);
        second.settle(value);
        self.trend.settle(value);
        self.energy.settle(0);
        self.before = 0;
        self.peaks = PeakFinder::default();
    }

    /// Time passes without a value.
    pub(super) fn skip(&mut self) {
        self.since = self.since.saturating_add(1);
        self.held = None;
        self.missed = None;
        self.blank = 0;
    }

    /// Takes the next value in µV; `history` already holds it.
    pub(super) fn next(&mut self, value: i32, history: &History) -> Option<Detected> {
        let energy = self.energy(value);
        self.since = self.since.saturating_add(1);
        let peak = self.after_blank(energy);
        if let Some(missed) = &mut self.missed {
            missed.age += 1;
        }
        if self.learnt {
            peak.and_then(|peak| self.judge(peak, history)).or_else(|| self.search_back())
        } else {
            self.learn(peak);
            None
        }
    }

    fn energy(&mut self, value: i32) -> i32 {
        let [first, second] = &mut self.smooth;
        let smooth = second.mean(first.mean(value));
        let slow = self.trend.mean(smooth);
        let band = self.trend.middle() - slow;
        let slope = (band - self.before).abs();
        self.before = band;
        self.energy.mean(slope)
    }

    /// Holds a peak for the refractory time, in case a higher one follows.
    fn after_blank(&mut self, energy: i32) -> Option<Peak> {
        if let Some(held) = &mut self.held {
            held.age += 1;
        }
        if let Some(peak) = self.peaks.next(energy)
            && self.held.is_none_or(|held| peak.height > held.height)
        {
            self.held = Some(peak);
            self.blank = REFRACTORY;
        }
        if self.held.is_some() {
            self.blank = self.blank.saturating_sub(1);
            if self.blank == 0 {
                return self.held.take();
            }
        }
        None
    }

    fn learn(&mut self, peak: Option<Peak>) {
        self.second_most = self.second_most.max(peak.map_or(0, |p| p.height));
        self.second += 1;
        if self.second < HZ {
            return;
        }
        self.learning.push(self.second_most);
        (self.second, self.second_most) = (0, 0);
        if self.learning.len() >= LEARNING {
            self.learning.sort_unstable();
            // Not the highest, which may be an artefact; not the lowest, a second without a beat.
            let typical = self.learning.get(LEARNING / 2).copied().unwrap_or(0);
            self.beats = [typical; 8];
            self.learning.clear();
            self.learnt = true;
            self.since = 0;
            self.update();
        }
    }

    /// A beat, or noise?
    fn judge(&mut self, mut peak: Peak, history: &History) -> Option<Detected> {
        let (slope, shift) = steepness(history, peak.age + DELAY);
        if shift {
            return None;
        }
        peak.slope = slope;
        let interval = self.since.saturating_sub(peak.age);
        let t_wave = interval < T_WAVE && slope < self.slope / 2;
        if peak.height > self.threshold && !t_wave {
            return Some(self.accept(peak));
        }
        push(&mut self.noise, peak.height);
        self.update();
        // A T wave must not hide a small QRS after it.
        if interval >= T_WAVE && self.missed.is_none_or(|missed| peak.height > missed.height) {
            self.missed = Some(peak);
        }
        None
    }

    fn accept(&mut self, peak: Peak) -> Detected {
        push(&mut self.beats, peak.height);
        let interval = self.since.saturating_sub(peak.age);
        push(&mut self.intervals, interval.min(2 * HZ));
        self.since = peak.age;
        self.slope = peak.slope;
        self.remember_slope(peak.slope);
        self.missed = None;
        self.update();
        Detected { age: peak.age + DELAY }
    }

    /// A slope that stays steep is a new gain, one that does not is a disturbance.
    fn remember_slope(&mut self, slope: i32) {
        let usual = self.usual_slope();
        let steep = usual > 0 && slope > TOO_STEEP * usual;
        self.steep = if steep { self.steep.saturating_add(1) } else { 0 };
        if !steep || self.steep > STEEP_BEATS {
            push(&mut self.slopes, slope);
        }
    }

    /// Too long since the last beat: the highest peak since then, if it is high enough.
    fn search_back(&mut self) -> Option<Detected> {
        let interval = median(self.intervals);
        if self.since < interval + interval / 2 + ms(80) {
            return None;
        }
        let missed = self.missed?;
        let share = match self.since {
            since if since < ms(2000).max(2 * interval) => 2,
            since if since < ms(3000) => 4,
            _ => 8,
        };
        (missed.height > (self.threshold / share).max(FLOOR)).then(|| self.accept(missed))
    }

    fn update(&mut self) {
        let (beats, noise) = (median(self.beats), median(self.noise));
        self.threshold = (noise + (beats - noise) * THRESHOLD / 1024).max(FLOOR);
    }
}

/// Steepest slope around the QRS `age` cells ago, and whether it only goes one way: a shift of the baseline, no beat.
fn steepness(history: &History, age: usize) -> (i32, bool) {
    let (mut up, mut down) = ((0, 0), (0, 0));
    for at in age.saturating_sub(ms(120))..=age + ms(120) {
        let slope = history.back(at) - history.back(at + 1);
        if slope > up.0 {
            up = (slope, at);
        }
        if -slope > down.0 {
            down = (-slope, at);
        }
    }
    let both = up.0 > down.0 / 8 && down.0 > up.0 / 8 && up.1.abs_diff(down.1) < ms(150);
    (up.0.max(down.0), !both)
}

/// Puts a value in front; the oldest falls out.
fn push<T: Copy>(values: &mut [T; 8], value: T) {
    values.rotate_right(1);
    let [newest, ..] = values;
    *newest = value;
}

fn median<T: Copy + Ord>(mut values: [T; 8]) -> T {
    values.sort_unstable();
    let [.., middle, _, _, _] = values;
    middle
}

/// Finds maxima: a maximum counts once the signal has fallen to half of it or 95 ms have passed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct PeakFinder {
    last: i32,
    most: i32,
    since: usize,
}

impl PeakFinder {
    fn next(&mut self, value: i32) -> Option<Peak> {
        if self.since > 0 {
            self.since += 1;
        }
        let mut found = None;
        if value > self.last && value > self.most {
            self.most = value;
            if value > 2 {
                self.since = 1;
            }
        } else if self.since > 0 && (value < self.most / 2 || self.since > ms(96)) {
            found = Some(Peak {
                height: self.most,
                age: self.since - 1,
                slope: 0,
            });
            self.most = 0;
            self.since = 0;
        }
        self.last = value;
        found
    }
}
