//! What people do: rights, limits, pauses, transfers.

use super::*;
use wardlight_core::alarms::{AlarmKind, Inactivation, Side};
use wardlight_core::codes::{AgeGroup, Parameter};
use wardlight_core::people::Role;

fn limits(low: i32, high: i32) -> Command {
    Command::SetLimits {
        bed: bed(),
        parameter: Parameter::HeartRate,
        low: Some(Milli::from_int(low)),
        high: Some(Milli::from_int(high)),
        delay: None,
    }
}

#[test]
fn who_does_not_care_for_patients_touches_no_alarm() {
    let mut play = Play::new();
    play.hold(20, &[(HR, 125)]);
    let (alarm, _) = play.standing().remove(0);
    for role in [Role::Biomed, Role::Admin] {
        for command in [
            Command::Acknowledge { alarm: alarm.clone() },
            limits(40, 200),
            Command::PauseAudio {
                bed: None,
                length: Duration::from_mins(1),
            },
        ] {
            play.order(role, command);
            assert!(play.refusal().contains("may not do that"), "{role:?}");
        }
    }
    play.order(Role::Biomed, Command::Detach { device: device("mon") });
    assert_eq!(play.refusal(), "");
}

#[test]
fn wider_limits_end_the_alarm_at_once_and_narrower_ones_begin_it() {
    let mut play = Play::new();
    play.hold(20, &[(HR, 125)]);
    assert_eq!(play.said(), ["hr_high active medium"]);
    play.command(limits(50, 135));
    assert_eq!(play.said(), ["hr_high cleared medium"]);
    play.command(limits(50, 110));
    play.hold(11, &[(HR, 125)]);
    assert_eq!(play.said(), ["hr_high active medium"]);
    let view = play.ward.bed(&bed()).unwrap();
    let hr = view.limits.iter().find(|l| l.parameter == Parameter::HeartRate).unwrap();
    assert_eq!(hr.changed.as_ref().map(|(by, _)| by.as_str()), Some("anna"));
    assert_eq!(hr.default.1, Some(Milli::from_int(120)));
    play.command(Command::ResetLimits { bed: bed() });
    play.hold(1, &[(HR, 112)]);
    assert_eq!(play.said(), ["hr_high cleared medium"]);
}

#[test]
fn facts_are_corrected_and_another_age_group_brings_its_limits() {
    let mut play = Play::new();
    play.command(limits(50, 135));
    let revise = |name: &str, age_group| Command::Revise {
        bed: bed(),
        profile: PatientProfile {
            name: name.to_owned(),
            age_group,
            ..PatientProfile::default()
        },
    };
    let high = |play: &Play| {
        let view = play.ward.bed(&bed()).unwrap();
        let hr = view.limits.iter().find(|l| l.parameter == Parameter::HeartRate).unwrap();
        (hr.high, hr.default.1)
    };
    let adult = high(&play);
    play.command(revise("Doe, Jane", AgeGroup::Adult));
    assert_eq!(play.ward.profile_in(&bed()).unwrap().name, "Doe, Jane");
    assert_eq!(high(&play), adult, "the nurse's limits stay");
    play.command(revise("Doe, Jane", AgeGroup::Neonate));
    assert!(high(&play).0 == high(&play).1 && high(&play) != adult);
    play.command(Command::Discharge { bed: bed() });
    play.command(revise("Nobody", AgeGroup::Adult));
    assert_eq!(play.ward.profile_in(&bed()), None);
}

#[test]
fn the_next_patient_does_not_inherit_limits_or_switched_off_alarms() {
    let mut play = Play::new();
    play.command(limits(50, 135));
    play.command(Command::SetAlarm {
        bed: bed(),
        kind: AlarmKind::Limit(Parameter::Spo2, Side::Low),
        how: Some(Inactivation::AlarmOff),
    });
    play.hold(20, &[(SPO2, 88)]);
    assert!(play.said().is_empty(), "switched off");
    play.command(Command::Discharge { bed: bed() });
    play.command(Command::Admit {
        bed: bed(),
        stay: StayToken::from_bytes([2; 16]),
        profile: PatientProfile::default(),
    });
    let view = play.ward.bed(&bed()).unwrap();
    assert!(view.inactivated.is_empty());
    assert!(
        view.limits
            .iter()
            .all(|l| l.changed.is_none() && (l.low, l.high) == l.default)
    );
}

#[test]
fn a_red_alarm_cannot_be_switched_off() {
    let mut play = Play::new();
    for kind in [
        AlarmKind::Desaturation,
        AlarmKind::Apnoea,
        AlarmKind::ExtremeRate(Side::Low),
        AlarmKind::Device("vf".into()),
    ] {
        play.command(Command::SetAlarm {
            bed: bed(),
            kind,
            how: Some(Inactivation::AlarmOff),
        });
        assert!(play.refusal().contains("cannot be switched off"), "{}", play.refusal());
    }
}

#[test]
fn a_pause_is_at_most_two_minutes() {
    let mut play = Play::new();
    let pause = |seconds| Command::PauseAudio {
        bed: Some(bed()),
        length: Duration::from_secs(seconds),
    };
    for seconds in [0, 121] {
        play.command(pause(seconds));
        assert!(play.refusal().contains("expected 1 to 120 s"));
    }
    play.command(pause(120));
    assert!(play.ward.bed(&bed()).unwrap().audio_pause.is_some());
    play.wait(120);
    assert!(play.ward.bed(&bed()).unwrap().audio_pause.is_none());
}

#[test]
fn a_patient_who_moves_keeps_limits_and_trend_and_alarms_anew() {
    let mut play = Play::new();
    let to = BedId::new("B02").unwrap();
    play.command(limits(50, 110));
    play.hold(20, &[(HR, 115)]);
    assert_eq!(play.said(), ["hr_high active medium"]);
    play.command(Command::Transfer {
        from: bed(),
        to: to.clone(),
        with_devices: true,
    });
    assert_eq!(play.said(), ["hr_high cleared medium"]);
    play.hold(20, &[(HR, 115)]);
    let raised = play.changes.remove(0);
    assert_eq!((raised.bed, raised.kind.to_string()), (to.clone(), "hr_high".to_owned()));
    assert!(play.ward.bed(&bed()).unwrap().stay.is_none());

    play.command(Command::Transfer {
        from: to.clone(),
        to: bed(),
        with_devices: false,
    });
    assert_eq!(
        play.ward.bed_of(&device("mon")),
        None,
        "the monitor stays behind, at nobody's bed"
    );
}

#[test]
fn two_nurses_acknowledge_at_once_and_the_first_one_stands() {
    let mut play = Play::new();
    play.hold(20, &[(HR, 125)]);
    let (alarm, _) = play.standing().remove(0);
    play.command(Command::Acknowledge { alarm: alarm.clone() });
    play.order(Role::Nurse, Command::Acknowledge { alarm });
    assert_eq!(play.refusal(), "", "the second is no error and changes nothing");
    assert_eq!(play.said(), ["hr_high active medium", "hr_high acknowledged medium"]);
}
