//! Timelines through the Ward: what a bed does when vitals, devices and people do things to it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod people;
mod play;
mod rhythm;
mod silence;

use std::collections::BTreeSet;
use std::time::Duration;

use wardlight_core::alarms::{AlarmId, AlarmState};
use wardlight_core::event::{Command, Effect, Event, ModelScore, RiskBand, RiskReasons};
use wardlight_core::ids::{BedId, StayToken};
use wardlight_core::message::{Body, DeviceAlarm, DeviceEvent, Message, Priority, WaveBlock};
use wardlight_core::patient::{Consciousness, PatientProfile};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::{Milli, Quality};
use wardlight_core::ward::Ward;

use play::*;

#[test]
fn a_quiet_patient_raises_nothing() {
    let mut play = Play::new();
    play.hold(120, &NORMAL);
    assert!(play.said().is_empty());
}

#[test]
fn a_shallow_breach_waits_for_its_delay_and_a_deep_one_hardly() {
    let mut play = Play::new();
    play.hold(5, &NORMAL);
    play.hold(12, &[(SPO2, 89)]);
    assert!(play.said().is_empty(), "89 % alarms after 13.5 s");
    play.hold(3, &[(SPO2, 89)]);
    assert_eq!(play.said(), ["spo2_low active medium"]);

    let mut play = Play::new();
    play.hold(5, &[(SPO2, 86)]);
    play.hold(3, &[(SPO2, 80)]);
    assert_eq!(play.said(), ["spo2_low active medium"]);
}

#[test]
fn hysteresis_keeps_a_value_at_the_limit_from_ringing_on_and_off() {
    let mut play = Play::new();
    play.hold(20, &[(HR, 125)]);
    assert_eq!(play.said(), ["hr_high active medium"]);
    for hr in [119, 121, 116, 120] {
        play.hold(3, &[(HR, hr)]);
    }
    assert!(play.said().is_empty());
    play.hold(1, &[(HR, 115)]);
    assert_eq!(play.said(), ["hr_high cleared medium"]);
}

#[test]
fn desaturation_latches_until_acknowledged() {
    let mut play = Play::new();
    for spo2 in [95, 88, 81, 78, 78, 78, 78, 78, 78, 78] {
        play.hold(1, &[(SPO2, spo2)]);
    }
    assert!(play.said().contains(&"desaturation active high".to_owned()));
    for spo2 in [84, 90, 96, 97, 97] {
        play.hold(1, &[(SPO2, spo2)]);
    }
    assert!(play.said().contains(&"desaturation latched high".to_owned()));
    let (alarm, _) = play.standing().remove(0);
    play.command(Command::Acknowledge { alarm: alarm.clone() });
    assert_eq!(play.said(), ["desaturation cleared high"]);
    play.command(Command::Acknowledge { alarm });
    assert!(
        matches!(play.last.last(), Some(Effect::Refused(_))),
        "gone is gone: {:?}",
        play.last
    );
}

#[test]
fn an_extreme_rate_is_red_at_once() {
    let mut play = Play::new();
    play.hold(3, &[(HR, 110)]);
    play.hold(1, &[(HR, 141)]);
    assert_eq!(play.said(), ["extreme_tachy active high"]);
}

#[test]
fn the_pulse_stands_in_for_the_heart_rate_only_when_there_is_none() {
    let mut play = Play::new();
    play.hold(30, &[(HR, 80), (149_530, 35)]);
    assert!(play.said().is_empty(), "the ECG counts");
    play.hold(30, &[(149_530, 35)]);
    assert!(play.said().contains(&"extreme_brady active high".to_owned()));
}

#[test]
fn a_leap_that_no_heart_makes_is_shown_but_not_judged_until_confirmed() {
    let mut play = Play::new();
    play.hold(3, &NORMAL);
    play.send(&[(HR, 250)]);
    assert!(play.said().is_empty());
    let shown = play.ward.bed(&bed()).unwrap();
    assert!(shown.numerics[0].implausible && shown.numerics[0].value == Some(Milli::from_int(250)));
    play.wait(1);
    play.send(&[(HR, 250)]);
    assert_eq!(play.said(), ["extreme_tachy active high"]);
}

#[test]
fn no_data_is_said_after_ten_seconds_counted_blind_and_ends_with_data() {
    let mut play = Play::new();
    play.hold(5, &NORMAL);
    play.wait(10);
    assert_eq!(play.said(), ["no_data active medium"]);
    let view = play.ward.bed(&bed()).unwrap();
    assert!(view.blind_since.is_some());
    assert_eq!(view.numerics[0].value, None, "the last number must not stay on screen");
    play.wait(30);
    play.hold(1, &NORMAL);
    assert_eq!(play.said(), ["no_data cleared medium"]);
    assert!((30_000..60_000).contains(&play.ward.bed(&bed()).unwrap().blind_ms));
}

#[test]
fn lead_off_silences_the_limits_it_voids_and_is_said_itself() {
    let mut play = Play::new();
    play.hold(20, &[(HR, 125), (SPO2, 97)]);
    assert_eq!(play.said(), ["hr_high active medium"]);
    for _ in 0..6 {
        play.send_with(&[(HR, 0)], Quality::LEAD_OFF);
        play.send(&[(SPO2, 97)]);
        play.wait(1);
    }
    assert_eq!(play.said(), ["hr_high cleared medium", "lead_off active medium"]);
}

#[test]
fn losing_the_ecg_with_no_pulse_beside_it_is_red() {
    let mut play = Play::new();
    play.hold(5, &[(HR, 80)]);
    for _ in 0..6 {
        play.send_with(&[(HR, 0)], Quality::LEAD_OFF);
        play.wait(1);
    }
    assert_eq!(play.said(), ["lead_off active high"]);
}

#[test]
fn a_wave_that_says_lead_off_is_recorded_once() {
    let mut play = Play::new();
    play.hold(2, &NORMAL);
    let block = |quality| WaveBlock {
        waveform: wardlight_core::codes::Waveform::Ecg(131_330),
        rate_hz: 250.0,
        scale: (-3, 1),
        offset: 0,
        samples: vec![0; 250],
        quality,
    };
    let mut recorded = 0;
    for quality in [Quality::VALID, Quality::LEAD_OFF, Quality::LEAD_OFF, Quality::VALID] {
        play.body(Body::Wave(block(quality)));
        recorded += play.last.iter().filter(|e| matches!(e, Effect::Record(_))).count();
    }
    assert_eq!(recorded, 2);
}

#[test]
fn an_unassigned_device_is_recorded_and_raises_nothing() {
    let mut play = Play::new();
    let lone = |seq, now: i64| Message {
        device: device("lone"),
        boot: None,
        seq: Some(seq),
        sent_at: at(now),
        body: Body::Numerics(readings(&[(HR, 200)], Quality::VALID)),
    };
    for s in 0..30 {
        play.step_at(Event::Message(lone(s, i64::from(s) * 1000)), i64::from(s) * 1000);
        assert!(play.last.contains(&Effect::Record(None)));
    }
    assert!(play.said().is_empty());
    assert_eq!(play.ward.overview().unassigned.len(), 1);
}

#[test]
fn a_thousand_unknown_devices_are_bounded() {
    let mut play = Play::new();
    for n in 0..1000 {
        let body = Body::state(true);
        let message = Message {
            device: device(&format!("d{n}")),
            boot: None,
            seq: None,
            sent_at: at(n),
            body,
        };
        play.step_at(Event::Message(message), n);
    }
    assert_eq!(play.ward.overview().unassigned.len(), 100);
    assert_eq!(
        play.ward.bed(&bed()).unwrap().devices.len(),
        1,
        "an attached device is never pushed out"
    );
}

#[test]
fn a_demo_device_is_never_scored_and_never_alarmed_but_said() {
    let mut play = Play::new();
    for _ in 0..30 {
        play.send_with(&[(HR, 220), (SPO2, 50)], Quality::DEMO);
        play.wait(1);
    }
    assert_eq!(play.said(), ["demo_device active medium"]);
    let view = play.ward.bed(&bed()).unwrap();
    assert!(view.numerics.iter().all(|n| n.value.is_none()) && view.news2.is_none());
    assert!(view.blind_since.is_some());
}

#[test]
fn a_wrong_clock_is_said_and_its_vitals_still_alarm() {
    let mut play = Play::new();
    for s in 0..30 {
        let sent_at = Timestamp::from_millis(s * 1000);
        let body = Body::Numerics(readings(&[(SPO2, 70)], Quality::VALID));
        let message = Message {
            device: device("mon"),
            boot: Some(1),
            seq: Some(s as u32),
            sent_at,
            body,
        };
        play.step_at(Event::Message(message), s * 1000);
    }
    let said = play.said();
    assert!(said.contains(&"clock_skew active low".to_owned()), "{said:?}");
    assert!(said.contains(&"desaturation active high".to_owned()), "{said:?}");
}

#[test]
fn the_monitors_own_red_alarm_is_red_whatever_it_says_and_latches() {
    let mut play = Play::new();
    let alarm = |present| {
        Body::Alarm(DeviceAlarm {
            condition: "vf".into(),
            present,
            priority: Priority::Low,
            text: "V-FIB".into(),
        })
    };
    play.body(alarm(true));
    play.body(alarm(false));
    assert_eq!(play.said(), ["device_alarm_vf active high", "device_alarm_vf latched high"]);
}

#[test]
fn a_call_stands_until_somebody_comes() {
    let mut play = Play::new();
    play.body(Body::Event(DeviceEvent::Button));
    assert_eq!(play.said(), ["call_button active medium", "call_button latched medium"]);
}

#[test]
fn news2_needs_all_inputs_for_a_total_but_alarms_on_its_lower_bound() {
    let mut play = Play::new();
    let ill = [(HR, 115), (SPO2, 92), (RR, 26), (SYS, 95)];
    play.hold(30, &ill);
    let score = play.ward.bed(&bed()).unwrap().news2.unwrap();
    assert_eq!((score.score.total, score.score.at_least), (None, 9));
    assert_eq!(score.missing, ["air or oxygen", "consciousness", "temperature"]);
    play.hold(40, &ill);
    assert!(play.said().contains(&"news2_high active medium".to_owned()));
    play.send(&[(TEMP, 38)]);
    play.command(Command::Chart {
        bed: bed(),
        consciousness: Some(Consciousness::Alert),
        oxygen: Some(true),
    });
    let score = play.ward.bed(&bed()).unwrap().news2.unwrap();
    assert_eq!(score.score.total, Some(11));
}

fn reasons() -> RiskReasons {
    RiskReasons {
        base_ppm: 90_000,
        effects: Default::default(),
    }
}

#[test]
fn a_risk_for_a_patient_who_left_is_dropped_and_high_risk_is_only_an_advisory() {
    let mut play = Play::new();
    let score = |stay| ModelScore {
        bed: bed(),
        stay: StayToken::from_bytes([stay; 16]),
        asked_at: at(0),
        model: "deterioration 1".into(),
        permille: 700,
        band: RiskBand::High,
        completeness_percent: 90,
        reasons: reasons(),
    };
    play.step_at(Event::Score(score(9)), 10);
    assert!(play.said().is_empty());
    play.step_at(Event::Score(score(1)), 20);
    assert_eq!(play.said(), ["risk_high active low"]);
}

#[test]
fn discharge_clears_alarms_frees_devices_and_the_next_patient_inherits_nothing() {
    let mut play = Play::new();
    play.hold(20, &[(HR, 125)]);
    play.said();
    play.command(Command::Discharge { bed: bed() });
    assert_eq!(play.said(), ["hr_high cleared medium"]);
    play.hold(20, &[(HR, 125)]);
    assert!(play.said().is_empty(), "the device is unassigned now");
    play.command(Command::Admit {
        bed: bed(),
        stay: StayToken::from_bytes([2; 16]),
        profile: PatientProfile::default(),
    });
    let view = play.ward.bed(&bed()).unwrap();
    assert!(view.numerics.is_empty() && view.devices.is_empty() && view.blind_ms == 0);
}

#[test]
fn commands_that_make_no_sense_are_refused_with_the_reason() {
    let mut play = Play::new();
    let other = BedId::new("B02").unwrap();
    let nowhere = BedId::new("X").unwrap();
    let profile = PatientProfile::default();
    let stay = StayToken::from_bytes([3; 16]);
    let cases = [
        (
            Command::Admit {
                bed: bed(),
                stay,
                profile: profile.clone(),
            },
            "occupied",
        ),
        (
            Command::Admit {
                bed: nowhere,
                stay,
                profile,
            },
            "not configured",
        ),
        (
            Command::Attach {
                device: device("mon"),
                bed: other.clone(),
            },
            "detach first",
        ),
        (Command::Discharge { bed: other }, "empty"),
        (Command::Detach { device: device("lone") }, "not attached"),
        (
            Command::Acknowledge {
                alarm: AlarmId::from_text("no"),
            },
            "not active",
        ),
    ];
    for (command, reason) in cases {
        play.command(command.clone());
        match play.last.last() {
            Some(Effect::Refused(refusal)) => assert!(refusal.to_string().contains(reason), "{refusal}"),
            other => panic!("{command:?}: {other:?}"),
        }
    }
}

#[test]
fn duplicates_do_nothing_and_gaps_are_counted() {
    let mut play = Play::new();
    play.hold(3, &NORMAL);
    play.seq -= 1;
    play.send(&[(HR, 300)]);
    assert_eq!(play.last.last(), Some(&Effect::Duplicate));
    play.seq += 5;
    play.send(&NORMAL);
    assert!(play.last.contains(&Effect::Gap {
        device: device("mon"),
        missed: 5
    }));
    assert_eq!(play.ward.bed(&bed()).unwrap().devices[0].missed, 5);
}

fn missed(play: &Play) -> u64 {
    play.ward.bed(&bed()).unwrap().devices.first().unwrap().missed
}

#[test]
fn a_numbered_birth_or_state_between_two_numerics_is_no_gap_and_a_kept_one_begins_none() {
    let mut play = Play::new();
    play.hold(3, &NORMAL);
    play.body(Body::state(true));
    play.body(Body::state(true));
    play.send(&NORMAL);
    assert_eq!(missed(&play), 0);
    // One of two is missing.
    play.body(Body::state(true));
    play.seq += 1;
    play.send(&NORMAL);
    assert!(play.last.contains(&Effect::Gap {
        device: device("mon"),
        missed: 1
    }));
    // The broker's copies of what it keeps come again after a restart of the agent: old, or of numbers that were never heard.
    let newest = play.seq;
    for kept in [3, newest - 3, 0] {
        play.seq = kept;
        play.body(Body::state(true));
    }
    assert_eq!(missed(&play), 1);
    // The missing one was a state, and late.
    play.seq = newest - 2;
    play.body(Body::state(true));
    assert_eq!(missed(&play), 0);
    play.seq = newest;
    play.send(&NORMAL);
    assert_eq!((missed(&play), play.last.contains(&Effect::Duplicate)), (0, false));
}

#[test]
fn numerics_heard_for_the_first_time_after_the_kept_birth_are_no_gap() {
    let mut play = Play::new();
    play.body(Body::state(true));
    play.seq = 500;
    play.send(&NORMAL);
    play.send(&NORMAL);
    assert_eq!(missed(&play), 0);
}

#[test]
fn a_new_start_of_the_device_begins_new_numbers_and_owes_a_birth() {
    let mut play = Play::new();
    play.hold(3, &NORMAL);
    let body = Body::Numerics(readings(&NORMAL, Quality::VALID));
    let again = Message {
        device: device("mon"),
        boot: Some(2),
        seq: Some(1),
        sent_at: at(play.now),
        body,
    };
    play.step_at(Event::Message(again), play.now);
    assert!(!play.last.contains(&Effect::Duplicate));
    play.wait(6);
    assert!(play.last.contains(&Effect::RequestBirth(device("mon"))));
    play.wait(6);
    assert!(!play.last.contains(&Effect::RequestBirth(device("mon"))), "asked once");
}

#[test]
fn every_occupied_bed_is_counted_once_a_minute_for_drift() {
    let mut play = Play::new();
    play.hold(301, &NORMAL);
    let total = |name| {
        play.ward
            .drift()
            .iter()
            .find(|h| h.kind().name() == name)
            .map(wardlight_core::drift::Histogram::total)
    };
    assert_eq!(
        (total("heart_rate"), total("spo2"), total("news2")),
        (Some(5), Some(5), Some(0))
    );
}

/// A made-up quarter of an hour with everything in it, as events and their times.
fn story() -> Vec<(Event, i64)> {
    let mut events = Vec::new();
    let mut seq = 0;
    let mut number = |now: i64, body| {
        seq += 1;
        let message = Message {
            device: device("mon"),
            boot: Some(1),
            seq: Some(seq),
            sent_at: at(now),
            body,
        };
        (Event::Message(message), now)
    };
    for s in 0..400_i64 {
        let now = s * 1000 + 130;
        let spo2 = if (60..100).contains(&s) { 78 } else { 96 };
        let hr = if (150..200).contains(&s) { 130 } else { 80 };
        let quality = if (300..320).contains(&s) {
            Quality::LEAD_OFF
        } else {
            Quality::VALID
        };
        if !(220..260).contains(&s) {
            events.push(number(
                now,
                Body::Numerics(readings(&[(SPO2, spo2), (HR, hr), (RR, 26), (SYS, 88)], quality)),
            ));
        }
        if s == 120 {
            events.push(number(now, Body::Event(DeviceEvent::Battery { percent: 10 })));
        }
    }
    events
}

#[test]
fn the_same_events_give_the_same_effects_and_a_checkpoint_anywhere_changes_nothing() {
    let run = |checkpoint_every: usize| {
        let mut play = Play::new();
        for (i, (event, ms)) in story().into_iter().enumerate() {
            if i % checkpoint_every == checkpoint_every - 1 {
                let bytes = postcard::to_allocvec(play.ward.state()).unwrap();
                play.ward = Ward::restore(config(), postcard::from_bytes(&bytes).unwrap());
            }
            play.step_at(event, ms);
        }
        (play.changes, play.ward.beds())
    };
    let whole = run(usize::MAX);
    assert!(whole.0.len() > 10, "the story should have alarms: {}", whole.0.len());
    assert_eq!(whole, run(1));
    assert_eq!(whole, run(7));
}

#[test]
fn redelivery_after_a_crash_never_makes_a_second_alarm_of_one_episode() {
    let story = story();
    let uninterrupted: BTreeSet<AlarmId> = {
        let mut play = Play::new();
        story.iter().cloned().for_each(|(event, ms)| play.step_at(event, ms));
        play.changes.into_iter().map(|c| c.id).collect()
    };
    for crash in (20..story.len()).step_by(13) {
        let mut play = Play::new();
        let mut committed = None;
        for (i, (event, ms)) in story[..crash].iter().cloned().enumerate() {
            if i + 5 == crash {
                committed = Some(play.ward.state().clone());
            }
            play.step_at(event, ms);
        }
        // Everything after the last commit is forgotten; the broker sends the last ten messages again, five of them known.
        play.ward = Ward::restore(config(), committed.unwrap());
        let resumed = story[crash].1;
        play.step_at(Event::Restart, resumed);
        for (event, _) in story[crash - 10..crash].iter().cloned() {
            play.step_at(event, resumed);
        }
        for (event, ms) in story[crash..].iter().cloned() {
            play.step_at(event, ms);
        }
        let rung: BTreeSet<AlarmId> = play.changes.into_iter().map(|c| c.id).collect();
        assert_eq!(rung, uninterrupted, "crash before event {crash}");
    }
}

#[test]
fn after_a_restart_what_stood_is_said_again_and_the_time_away_is_blind() {
    let mut play = Play::new();
    play.hold(20, &[(HR, 125)]);
    let before = play.said();
    let (id, _) = play.standing().remove(0);
    play.command(Command::Acknowledge { alarm: id.clone() });
    play.said();
    play.ward = Ward::restore(config(), play.ward.state().clone());
    let back = play.now + 60_000;
    play.now = back;
    play.step_at(Event::Restart, back);
    assert_eq!(before, ["hr_high active medium"]);
    assert_eq!(
        play.said(),
        ["hr_high acknowledged medium", "restarted active low", "restarted latched low"]
    );
    assert_eq!(play.standing()[0], (id, AlarmState::Acknowledged));
    assert!(play.ward.bed(&bed()).unwrap().blind_ms >= 60_000);
}
