//! What the analysis of the waveforms says, and what a bed makes of it.

use super::*;
use wardlight_core::codes::AgeGroup;
use wardlight_core::event::{RhythmNews, RhythmReport};
use wardlight_core::rhythm::{EcgSignal, Rhythm, RhythmFinding};

fn say(play: &mut Play, news: RhythmNews) {
    let report = RhythmReport {
        bed: bed(),
        stay: play.ward.stay_in(&bed()).unwrap(),
        sampled_at: at(play.now),
        news,
    };
    play.step_at(Event::Rhythm(report), play.now);
}

fn find(play: &mut Play, rhythm: Rhythm, present: bool) {
    let onset_at = at(play.now - 4000);
    say(
        play,
        RhythmNews::Finding(RhythmFinding {
            rhythm,
            present,
            onset_at,
        }),
    );
}

#[test]
fn a_lethal_rhythm_rings_at_once_and_latches() {
    for (rhythm, kind) in [
        (Rhythm::Asystole, "asystole"),
        (Rhythm::VentricularFibrillation, "vf"),
        (Rhythm::VentricularTachycardia, "vt"),
    ] {
        let mut play = Play::new();
        play.hold(5, &NORMAL);
        find(&mut play, rhythm, true);
        find(&mut play, rhythm, false);
        assert_eq!(play.said(), [format!("{kind} active high"), format!("{kind} latched high")]);
    }
}

#[test]
fn numbers_that_are_averages_of_the_past_are_not_shown_in_asystole() {
    let mut play = Play::new();
    play.hold(5, &NORMAL);
    let hr = |play: &Play| play.ward.bed(&bed()).unwrap().numerics[0].value;
    assert!(hr(&play).is_some());
    find(&mut play, Rhythm::Asystole, true);
    assert_eq!(hr(&play), None);
    find(&mut play, Rhythm::Asystole, false);
    assert!(hr(&play).is_some());
}

#[test]
fn a_rate_that_lags_behind_does_not_end_what_the_waveform_shows() {
    let mut play = Play::new();
    play.hold(5, &NORMAL);
    find(&mut play, Rhythm::ExtremeTachycardia, true);
    assert_eq!(play.said(), ["extreme_tachy active high"]);
    play.hold(5, &NORMAL);
    assert!(play.said().is_empty());
    find(&mut play, Rhythm::ExtremeTachycardia, false);
    assert_eq!(play.said(), ["extreme_tachy latched high"]);

    let mut play = Play::new();
    play.hold(2, &[(HR, 170)]);
    find(&mut play, Rhythm::ExtremeTachycardia, true);
    find(&mut play, Rhythm::ExtremeTachycardia, false);
    let said = play.said();
    assert!(
        !said.contains(&"extreme_tachy latched high".to_owned()),
        "the numeric still says so: {said:?}"
    );
}

#[test]
fn noise_is_technical_and_never_a_rhythm() {
    let mut play = Play::new();
    play.hold(5, &NORMAL);
    say(&mut play, RhythmNews::Signal(EcgSignal::Noisy));
    play.hold(12, &NORMAL);
    assert_eq!(play.said(), ["artefact active low"]);
    say(&mut play, RhythmNews::Signal(EcgSignal::Good));
    play.hold(1, &NORMAL);
    assert_eq!(play.said(), ["artefact cleared low"]);
}

#[test]
fn definitions_of_adults_are_not_applied_to_children() {
    let mut play = Play::empty();
    let profile = PatientProfile {
        age_group: AgeGroup::Neonate,
        ..PatientProfile::default()
    };
    play.command(Command::Admit {
        bed: bed(),
        stay: StayToken::from_bytes([1; 16]),
        profile,
    });
    find(&mut play, Rhythm::ExtremeTachycardia, true);
    assert!(play.said().is_empty());
}
