//! Each condition on both sides of its definition.

use super::synthetic::{Heart, II, Listener, START_MS, Stream, V, hear};
use crate::codes::Waveform;
use crate::rhythm::{EcgSignal, Rhythm};

fn sinus() -> Heart {
    Heart::default().beat(30, 75.0, false)
}

#[test]
fn a_calm_rhythm_raises_nothing() {
    let listener = hear(&sinus().beat(100, 75.0, false));
    assert_eq!(listener.told, []);
    assert_eq!(listener.bed.state().signal, EcgSignal::Good);
    assert_eq!(listener.bed.state().lead, Some(II));
}

#[test]
fn asystole_is_told_within_five_seconds_of_the_last_beat_and_ends_with_two_beats() {
    let heart = sinus();
    let last = heart.end_s;
    let heart = heart.rest(10.0).beat(5, 60.0, false);
    let listener = hear(&heart);
    let began = listener.began(Rhythm::Asystole);
    assert_eq!(began.len(), 1, "{:?}", listener.told);
    let (_, _, onset, told) = began[0];
    assert!((onset - last).abs() < 0.06, "{onset} {last}");
    assert!((4.0..=5.0).contains(&(told - last)), "{told} {last}");
    let (_, _, ended, _) = listener.ended(Rhythm::Asystole)[0];
    assert!((ended - last - 11.0).abs() < 0.06, "{ended}");
}

#[test]
fn a_pause_is_longer_than_three_seconds_and_an_asystole_longer_than_four() {
    let gap = |seconds: f64| hear(&sinus().rest(seconds - 0.8).beat(10, 75.0, false));
    let told = |seconds: f64| {
        let listener = gap(seconds);
        (listener.began(Rhythm::Pause).len(), listener.began(Rhythm::Asystole).len())
    };
    assert_eq!(told(2.9), (0, 0));
    assert_eq!(told(3.8), (1, 0));
    assert_eq!(told(5.5), (1, 1));
    assert_eq!(gap(3.8).ended(Rhythm::Pause).len(), 1);
}

#[test]
fn heart_rate_is_not_shown_during_asystole() {
    let listener = hear(&sinus().rest(8.0));
    assert_eq!(listener.rate(), None);
}

#[test]
fn bradycardia_is_extreme_below_40_over_five_beats() {
    for (rate, beats, expected) in [(39.0, 8, 1), (41.0, 8, 0), (39.0, 3, 0)] {
        let listener = hear(&sinus().beat(beats, rate, false).beat(20, 75.0, false));
        assert_eq!(listener.began(Rhythm::ExtremeBradycardia).len(), expected, "{rate} {beats}");
        assert_eq!(listener.ended(Rhythm::ExtremeBradycardia).len(), expected, "{rate} {beats}");
    }
}

#[test]
fn tachycardia_is_extreme_above_140_over_17_beats() {
    for (rate, beats, expected) in [(143.0, 25, 1), (137.0, 40, 0), (143.0, 14, 0)] {
        let listener = hear(&sinus().beat(beats, rate, false).beat(40, 75.0, false));
        assert_eq!(listener.began(Rhythm::ExtremeTachycardia).len(), expected, "{rate} {beats}");
        assert_eq!(listener.ended(Rhythm::ExtremeTachycardia).len(), expected, "{rate} {beats}");
        assert_eq!(listener.began(Rhythm::VentricularTachycardia), [], "{rate} {beats}");
    }
}

#[test]
fn five_wide_beats_above_100_are_a_ventricular_tachycardia() {
    for (rate, beats, expected) in [(104.0, 5, 1), (160.0, 12, 1), (104.0, 4, 0), (96.0, 9, 0)] {
        let heart = sinus();
        let before = heart.end_s;
        let heart = heart.beat(beats, rate, true).rest(0.3).beat(20, 75.0, false);
        let listener = hear(&heart);
        let began = listener.began(Rhythm::VentricularTachycardia);
        assert_eq!(began.len(), expected, "{rate} {beats}: {:?}", listener.told);
        assert_eq!(
            listener.ended(Rhythm::VentricularTachycardia).len(),
            expected,
            "{rate} {beats}"
        );
        if let Some((_, _, onset, told)) = began.first() {
            assert!(told - before < 5.0 * 60.0 / rate + 1.3, "told {told}, before {before}");
            assert!((onset - before - 60.0 / rate).abs() < 0.1, "{onset}");
        }
    }
}

#[test]
fn single_wide_beats_and_a_wide_rhythm_that_is_the_patients_own_are_none() {
    let mut heart = sinus();
    for _ in 0..20 {
        heart = heart.beat(1, 110.0, true).rest(0.3).beat(1, 75.0, false);
    }
    assert_eq!(hear(&heart).told, []);
    let block = Heart::default().beat(80, 85.0, true).beat(40, 110.0, true);
    assert_eq!(hear(&block).told, []);
}

/// Oscillates at about 5 Hz with wandering rate and height.
fn fibrillation(t: f64) -> f64 {
    let height = 0.5 + 0.2 * (t * 1.7).sin();
    height * (t * 31.0 + 1.5 * (t * 2.3).sin()).sin()
}

#[test]
fn fibrillation_is_told_within_five_seconds_and_ends() {
    let heart = sinus();
    let (from, to) = (heart.end_s + 0.4, heart.end_s + 12.4);
    let heart = heart.rest(12.0).beat(25, 75.0, false);
    let wave = |t: f64| {
        if (from..to).contains(&t) {
            fibrillation(t)
        } else {
            heart.ecg(t)
        }
    };
    let listener = Listener::of(&[Stream::new(II, wave, heart.end_s)]);
    let began = listener.began(Rhythm::VentricularFibrillation);
    assert_eq!(began.len(), 1, "{:?}", listener.told);
    let (_, _, onset, told) = began[0];
    assert!(told - from <= 5.0, "{told} {from}");
    assert!((onset - from).abs() < 2.5, "{onset} {from}");
    let ended = listener.ended(Rhythm::VentricularFibrillation);
    assert!(ended.len() == 1 && (ended[0].2 - to).abs() < 3.0, "{:?} {to}", listener.told);
}

#[test]
fn a_pulse_that_goes_on_contradicts_an_asystole_of_the_ecg_and_its_end_lets_it_through() {
    let heart = sinus().beat(20, 75.0, false);
    let unplugged = 24.0;
    let ecg = |t: f64| if t < unplugged { heart.ecg(t) } else { 0.0 };
    let pulse = Stream::at(Waveform::Pleth, |t| heart.pleth(t), 50.0, 125.0, 5000.0);
    let listener = Listener::of(&[Stream::new(II, ecg, 50.0), pulse]);
    let began = listener.began(Rhythm::Asystole);
    assert_eq!(began.len(), 1, "{:?}", listener.told);
    assert!(began[0].3 > heart.end_s + 1.0, "{began:?}");
    let flat = Stream::at(Waveform::Pleth, |_| 0.2, 40.0, 125.0, 5000.0);
    let listener = Listener::of(&[Stream::new(II, ecg, 40.0), flat]);
    assert!(listener.began(Rhythm::Asystole)[0].3 < unplugged + 5.5, "{:?}", listener.told);
}

#[test]
fn beats_of_another_lead_contradict_an_asystole() {
    let heart = sinus().beat(30, 75.0, false);
    let off = |t: f64| if t < 20.0 { heart.ecg(t) } else { 0.0 };
    let listener = Listener::of(&[Stream::new(II, off, 40.0), Stream::new(V, |t| heart.ecg(t), 40.0)]);
    assert_eq!(listener.began(Rhythm::Asystole), []);
}

#[test]
fn a_clock_set_back_ends_what_was_present_and_the_watch_goes_on() {
    let heart = sinus().rest(8.0);
    let stream = Stream::new(II, |t| heart.ecg(t), heart.end_s);
    let mut listener = Listener::of(&[stream]);
    assert_eq!(listener.began(Rhythm::Asystole).len(), 1);
    let later = sinus().rest(8.0);
    let stream = Stream::new(II, |t| later.ecg(t), later.end_s);
    for block in 0..(later.end_s * 4.0) as usize {
        listener.play(std::slice::from_ref(&stream), block);
    }
    assert_eq!(listener.began(Rhythm::Asystole).len(), 2, "{:?}", listener.told);
    assert_eq!(listener.ended(Rhythm::Asystole).len(), 1);
    assert!(listener.bed.state().as_of.as_millis() > START_MS);
}
