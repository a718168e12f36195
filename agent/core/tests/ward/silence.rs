//! Values, devices and models that fall silent: what they had said does not stand for now.

use super::*;

#[test]
fn an_acknowledged_alarm_whose_parameter_comes_no_more_does_not_hide_the_next_episode() {
    let mut play = Play::new();
    play.hold(20, &[(HR, 75), (SPO2, 88)]);
    let (alarm, _) = play.standing().remove(0);
    play.command(Command::Acknowledge { alarm });
    play.hold(15, &[(HR, 75)]);
    assert_eq!(
        play.said(),
        [
            "spo2_low active medium",
            "spo2_low acknowledged medium",
            "spo2_low cleared medium"
        ]
    );
    play.hold(20, &[(HR, 75), (SPO2, 88)]);
    assert_eq!(play.said(), ["spo2_low active medium"], "a new episode rings");
}

#[test]
fn a_red_alarm_whose_parameter_comes_no_more_latches() {
    let mut play = Play::new();
    play.hold(10, &[(HR, 75), (SPO2, 70)]);
    play.hold(15, &[(HR, 75)]);
    assert!(play.said().contains(&"desaturation latched high".to_owned()));
}

#[test]
fn nothing_has_expired_right_after_a_restart() {
    let mut play = Play::new();
    play.hold(20, &[(HR, 125)]);
    play.said();
    play.now += 600_000;
    play.step_at(Event::Restart, play.now);
    play.wait(5);
    let said = play.said();
    assert!(!said.iter().any(|line| line.contains("cleared")), "{said:?}");
    assert!(said.contains(&"restarted latched low".to_owned()), "{said:?}");
    play.wait(10);
    assert!(
        play.said().contains(&"hr_high cleared medium".to_owned()),
        "then silence is silence"
    );
}

#[test]
fn one_devices_restart_takes_back_its_own_words_only() {
    let mut play = Play::new();
    play.command(Command::Attach {
        device: device("vent"),
        bed: bed(),
    });
    let alarm = |name: &str, boot, seq, now: i64| Message {
        device: device(name),
        boot: Some(boot),
        seq: Some(seq),
        sent_at: at(now),
        body: Body::Alarm(DeviceAlarm {
            condition: "leak".into(),
            present: true,
            priority: Priority::Medium,
            text: String::new(),
        }),
    };
    let now = play.now;
    for name in ["mon", "vent"] {
        play.step_at(Event::Message(alarm(name, 7, 1, now)), now);
    }
    assert_eq!(play.said(), ["device_alarm_leak active medium"]);
    let reborn = Message {
        body: Body::state(true),
        seq: None,
        ..alarm("mon", 8, 1, now)
    };
    play.step_at(Event::Message(reborn.clone()), now);
    assert!(play.said().is_empty(), "the ventilator still says so");
    play.step_at(
        Event::Message(Message {
            device: device("vent"),
            ..reborn
        }),
        now,
    );
    assert_eq!(play.said(), ["device_alarm_leak cleared medium"]);
}

#[test]
fn what_a_broker_held_back_of_earlier_starts_takes_nothing_back() {
    let mut play = Play::new();
    let numerics = |boot, seq, sent| Message {
        device: device("mon"),
        boot: Some(boot),
        seq: Some(seq),
        sent_at: at(sent),
        body: Body::Numerics(vec![]),
    };
    let now = play.now;
    let leak = Body::Alarm(DeviceAlarm {
        condition: "leak".into(),
        present: true,
        priority: Priority::Medium,
        text: String::new(),
    });
    play.step_at(Event::Message(numerics(20, 1, now)), now);
    // The device started twice more while the link was down; the newest start is heard first, then what was held back.
    let newest = Message {
        body: leak,
        ..numerics(3, 1, now + 9_000)
    };
    play.step_at(Event::Message(newest), now + 10_000);
    assert!(play.said().contains(&"device_alarm_leak active medium".to_owned()));
    for (boot, seq, sent) in [
        (20, 2, now + 1_000),
        (11, 1, now + 4_000),
        (11, 2, now + 5_000),
        (3, 2, now + 9_500),
    ] {
        play.step_at(Event::Message(numerics(boot, seq, sent)), now + 10_000);
    }
    let said = play.said();
    assert!(
        !said.iter().any(|line| line.contains("leak")),
        "the newest start still says so: {said:?}"
    );
    for (boot, seq, sent) in [(20, 2, now + 1_000), (11, 1, now + 4_000), (3, 2, now + 9_500)] {
        play.step_at(Event::Message(numerics(boot, seq, sent)), now + 11_000);
        assert!(play.last.contains(&Effect::Duplicate), "a copy of start {boot} is known");
    }
}

#[test]
fn a_start_whose_clock_began_anew_is_a_new_one() {
    let mut play = Play::new();
    let word = |boot, sent, body| {
        Event::Message(Message {
            device: device("mon"),
            boot: Some(boot),
            seq: Some(1),
            sent_at: at(sent),
            body,
        })
    };
    let leak = Body::Alarm(DeviceAlarm {
        condition: "leak".into(),
        present: true,
        priority: Priority::Medium,
        text: String::new(),
    });
    let two_hours = 7_200_000;
    play.step_at(word(7, two_hours, leak), two_hours);
    play.said();
    play.step_at(word(8, 0, Body::Numerics(vec![])), two_hours);
    assert!(play.said().contains(&"device_alarm_leak cleared medium".to_owned()));
}

#[test]
fn a_risk_estimate_that_is_not_renewed_goes() {
    let mut play = Play::new();
    let stay = play.ward.stay_in(&bed()).unwrap();
    let score = ModelScore {
        bed: bed(),
        stay,
        asked_at: at(play.now),
        model: "m 1".into(),
        permille: 900,
        band: RiskBand::High,
        completeness_percent: 100,
        reasons: reasons(),
    };
    play.step_at(Event::Score(score), play.now);
    assert!(play.ward.bed(&bed()).unwrap().risk.is_some());
    play.wait(181);
    assert!(play.ward.bed(&bed()).unwrap().risk.is_none());
    let said = play.said();
    assert!(said.contains(&"risk_high cleared low".to_owned()), "{said:?}");
}
