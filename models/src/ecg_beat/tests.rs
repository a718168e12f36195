//! The extractor on made-up rhythms.

use wardlight_core::codes::Waveform;
use wardlight_core::message::WaveBlock;
use wardlight_core::rhythm::{BedRhythm, Judged};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Quality;

use super::*;

const START_MS: i64 = 1_600_000_000_000;
const LEAD: Waveform = Waveform::Ecg(131_330);

/// Beats at these seconds, each a P wave, a QRS and a T wave, sampled at `rate_hz` and stored with `gain` steps a millivolt.
fn play(beats_s: &[f64], seconds: f64, rate_hz: f64, gain: f64) -> Vec<ReadyBeat> {
    let wave = |t: f64| {
        let hump = |at: f64, width: f64, height: f64| height * (-((t - at) / width).powi(2)).exp();
        beats_s
            .iter()
            .map(|b| hump(b - 0.16, 0.03, 0.15) + hump(*b, 0.018, 1.0) - hump(b + 0.04, 0.02, 0.3) + hump(b + 0.3, 0.06, 0.3))
            .sum::<f64>()
    };
    let mut bed = BedRhythm::default();
    let mut extractor = Extractor::default();
    let mut ready = Vec::new();
    let total = (seconds * rate_hz) as usize;
    let block = (rate_hz / 4.0) as usize;
    for first in (0..total).step_by(block) {
        let samples = (first..(first + block).min(total)).map(|i| (wave(i as f64 / rate_hz) * gain).round() as i16);
        let block = WaveBlock {
            waveform: LEAD,
            rate_hz: rate_hz as f32,
            scale: (-9, (1e9 / gain).round() as i32),
            offset: 0,
            samples: samples.collect(),
            quality: Quality::VALID,
        };
        let at = Timestamp::from_millis(START_MS + (first as f64 * 1000.0 / rate_hz).round() as i64);
        bed.push_heard(&block, at, &mut Vec::new(), &mut |heard| {
            extractor.hear(&heard, &mut |beat| ready.push(beat));
        });
    }
    ready
}

/// A beat each 0.8 s, but for one at 24.5 s, 0.5 s after the one before it.
fn one_early() -> Vec<f64> {
    (0..50)
        .map(|i| 0.8 * f64::from(i) + if i == 31 { -0.3 } else { 0.0 })
        .collect()
}

fn near(ready: &[ReadyBeat], at_s: f64) -> &ReadyBeat {
    let distance = |beat: &&ReadyBeat| (beat.at_ms - START_MS - (at_s * 1000.0) as i64).abs();
    ready.iter().min_by_key(distance).unwrap()
}

#[test]
fn an_early_beat_differs_in_its_intervals_and_not_in_its_shape() {
    let ready = play(&one_early(), 40.0, 250.0, 200.0);
    let (early, usual) = (near(&ready, 24.5), near(&ready, 30.4));
    let [early, usual] = [early, usual].map(|beat| &beat.rows[0].rhythm);
    let before_near = 2;
    assert!(early[before_near] < -0.7, "{}", early[before_near]);
    assert!(usual[before_near].abs() < 0.1, "{}", usual[before_near]);
    let qrs_likeness = intervals::FEATURES;
    let likenesses = [early[qrs_likeness], usual[qrs_likeness]];
    assert!(likenesses.iter().all(|r| *r > 0.95), "{likenesses:?}");
}

#[test]
fn neither_the_sampling_rate_nor_the_gain_changes_a_row_by_much() {
    let slow = play(&one_early(), 40.0, 125.0, 100.0);
    let fast = play(&one_early(), 40.0, 500.0, 1000.0);
    for at_s in [16.0, 24.5, 28.0] {
        let (a, b) = (&near(&slow, at_s).rows[0], &near(&fast, at_s).rows[0]);
        let gap = a.window.iter().zip(&b.window).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(gap < 0.2, "window differs by {gap} at {at_s} s");
        let gap = a
            .rhythm
            .iter()
            .zip(&b.rhythm)
            .take(intervals::FEATURES)
            .map(|(x, y)| (x - y).abs())
            .fold(0.0, f32::max);
        assert!(gap < 0.15, "rhythm differs by {gap} at {at_s} s");
    }
}

#[test]
fn a_row_is_bounded_and_has_the_length_that_the_model_takes() {
    for beat in play(&one_early(), 40.0, 360.0, 200.0) {
        for row in beat.rows {
            assert_eq!((row.window.len(), row.rhythm.len()), (CHANNELS * WINDOW, RHYTHM));
            assert!(row.window.iter().all(|v| v.abs() <= 1.3 + 1e-6) && row.rhythm.iter().all(|v| v.abs() <= 4.0));
        }
    }
}

#[test]
fn a_beat_is_ready_two_seconds_after_it_though_none_follows() {
    let beats: Vec<f64> = (0..20).map(|i| 0.8 * f64::from(i)).collect();
    let last = 0.8 * 19.0;
    // Some frames of 200 ms pass until the rhythm has told of the beat.
    let ready = play(&beats, last + 3.0, 250.0, 200.0);
    assert!((near(&ready, last).at_ms - START_MS - (last * 1000.0) as i64).abs() < 40);
    let early = play(&beats, last + 1.0, 250.0, 200.0);
    assert!((near(&early, last).at_ms - START_MS - (last * 1000.0) as i64).abs() > 400);
}

#[test]
fn a_clock_that_is_set_back_starts_anew() {
    let mut extractor = Extractor::default();
    let beat = |cell: i64| {
        Heard::Beat(wardlight_core::rhythm::Beat {
            at: Timestamp::from_millis(cell * GRID_MS),
            lead: LEAD,
            interval_ms: None,
            ventricular: false,
            usual: true,
        })
    };
    let judged = Heard::Judged(Judged {
        until: 1300,
        good: true,
        pulse: false,
    });
    let mut ready = Vec::new();
    for heard in [beat(100_000), beat(100_100), beat(1000), judged] {
        extractor.hear(&heard, &mut |beat| ready.push(beat.at_ms));
    }
    assert_eq!(ready, [1000 * GRID_MS]);
}
