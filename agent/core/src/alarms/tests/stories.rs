//! One story a test.

use super::*;
use crate::alarms::Audio;
use Step::*;

/// Plays the steps; each change is said as `transition state priority receiver`.
fn play(steps: &[Step]) -> Vec<String> {
    let mut bed = Bed::new();
    let changes = steps.iter().flat_map(|step| {
        let changes = bed.step(step);
        bed.now = bed.now.plus(Duration::from_secs(1));
        changes
    });
    changes
        .map(|c| {
            format!(
                "{} {} {} {}",
                c.transition.name(),
                c.state.name(),
                c.priority.name(),
                c.receiver.name()
            )
        })
        .collect()
}

fn audio(bed: &Bed, kind: &AlarmKind) -> Option<Audio> {
    bed.alarms.views().iter().find(|a| a.kind == *kind).map(|a| a.audio)
}

#[test]
fn a_limit_alarm_ends_with_its_condition() {
    assert_eq!(
        play(&[Raise(YELLOW), Raise(YELLOW), End(YELLOW), End(YELLOW)]),
        ["raised active medium primary", "ended cleared medium primary"]
    );
}

#[test]
fn a_red_alarm_latches_until_somebody_takes_note() {
    assert_eq!(
        play(&[Raise(RED), End(RED), Raise(RED), End(RED), Ack(RED)]),
        [
            "raised active high primary",
            "ended latched high primary",
            "raised active high primary",
            "ended latched high primary",
            "acknowledged cleared high primary"
        ]
    );
}

#[test]
fn an_acknowledged_alarm_is_quiet_until_it_ends() {
    assert_eq!(
        play(&[Raise(RED), Ack(RED), Ack(RED), Raise(RED), End(RED)]),
        [
            "raised active high primary",
            "acknowledged acknowledged high primary",
            "ended cleared high primary"
        ]
    );
}

#[test]
fn a_rise_in_priority_drops_the_acknowledgement() {
    let steps = [Raise(YELLOW), Ack(YELLOW), RaiseAs(YELLOW, Priority::High)];
    assert_eq!(play(&steps)[2], "raised active high primary");
}

#[test]
fn an_acknowledged_alarm_is_said_again_after_three_minutes() {
    assert_eq!(
        play(&[Raise(YELLOW), Ack(YELLOW), Wait(178), Wait(1)])[2..],
        ["reminded active medium primary"]
    );
}

#[test]
fn nobody_answers_a_red_alarm_so_the_second_nurse_and_the_charge_nurse_are_called() {
    assert_eq!(
        play(&[Raise(RED), Wait(28), Wait(1), Wait(28), Wait(1), Wait(600)])[1..],
        ["escalated active high second", "escalated active high charge_nurse"]
    );
}

#[test]
fn a_yellow_alarm_waits_two_and_five_minutes() {
    assert_eq!(
        play(&[Raise(YELLOW), Wait(118), Wait(1), Wait(178), Wait(1)])[1..],
        ["escalated active medium second", "escalated active medium charge_nurse"]
    );
}

#[test]
fn a_low_alarm_calls_nobody_else() {
    assert_eq!(play(&[RaiseAs(YELLOW, Priority::Low), Wait(3600)]).len(), 1);
}

#[test]
fn an_acknowledged_or_cleared_alarm_calls_nobody_else() {
    assert_eq!(play(&[Raise(RED), Ack(RED), Wait(120)]).len(), 2);
    assert_eq!(play(&[Raise(YELLOW), End(YELLOW), Wait(600)]).len(), 2);
}

#[test]
fn not_my_bed_calls_the_next_at_once_and_escalate_does_too() {
    assert_eq!(
        play(&[Raise(RED), Reject(RED), Escalate(RED), Escalate(RED)])[1..],
        [
            "rejected active high second",
            "escalated active high charge_nurse",
            // There is nobody further; the command is refused, the alarm is said again all the same.
            "escalated active high charge_nurse"
        ]
    );
}

#[test]
fn i_am_going_holds_the_call_back_for_a_minute_and_not_for_ever() {
    assert_eq!(
        play(&[Raise(RED), Accept(RED), Wait(58), Wait(1)])[1..],
        [
            "accepted active high primary",
            "escalated active high second",
            "escalated active high charge_nurse"
        ]
    );
}

#[test]
fn conditions_within_ten_seconds_are_one_call() {
    let mut bed = Bed::new();
    let first = bed.step(&Raise(YELLOW)).remove(0);
    bed.step(&Wait(10));
    let joined = bed.step(&Raise(RED)).remove(0);
    assert_eq!(joined.call, first.id);
    // The call is as urgent as its most urgent alarm, from its beginning.
    let escalated = bed.step(&Wait(20));
    assert_eq!(escalated.len(), 1, "one call, one escalation");
    assert_eq!(escalated[0].id, joined.id, "said of the most urgent");

    let mut bed = Bed::new();
    bed.step(&Raise(YELLOW));
    bed.step(&Wait(11));
    let apart = bed.step(&Raise(RED)).remove(0);
    assert_eq!(apart.call, apart.id);
}

#[test]
fn a_pause_quiets_yellow_alarms_for_two_minutes_and_never_an_unheeded_red_one() {
    let mut bed = Bed::new();
    bed.step(&Raise(YELLOW));
    bed.step(&Pause(600));
    assert_eq!(audio(&bed, &YELLOW), Some(Audio::Paused));
    bed.step(&Wait(119));
    assert_eq!(audio(&bed, &YELLOW), Some(Audio::Paused));
    bed.step(&Wait(1));
    assert_eq!(audio(&bed, &YELLOW), Some(Audio::On));

    bed.step(&Raise(RED));
    bed.step(&Pause(120));
    assert_eq!(
        (audio(&bed, &RED), audio(&bed, &YELLOW)),
        (Some(Audio::On), Some(Audio::Paused))
    );
}

#[test]
fn a_new_red_condition_breaks_the_pause() {
    let mut bed = Bed::new();
    bed.step(&Raise(YELLOW));
    bed.step(&Pause(120));
    bed.step(&Raise(RED));
    assert!(bed.alarms.pause().is_none());
    assert_eq!(audio(&bed, &YELLOW), Some(Audio::On));
}

#[test]
fn a_yellow_alarm_can_be_switched_off_and_a_red_one_cannot() {
    let mut bed = Bed::new();
    bed.step(&Raise(YELLOW));
    bed.step(&Raise(RED));
    bed.step(&Set(YELLOW, Some(Inactivation::AudioOff)));
    assert_eq!(audio(&bed, &YELLOW), Some(Audio::Off));
    let cleared = bed.step(&Set(YELLOW, Some(Inactivation::AlarmOff))).remove(0);
    assert_eq!(cleared.transition, Transition::SwitchedOff);
    assert!(bed.step(&Raise(YELLOW)).is_empty());
    bed.step(&Set(YELLOW, None));
    assert_eq!(bed.step(&Raise(YELLOW)).len(), 1);
    for how in [Inactivation::AudioOff, Inactivation::AlarmOff] {
        bed.step(&Set(RED, Some(how)));
        assert_eq!(audio(&bed, &RED), Some(Audio::On));
    }
}

#[test]
fn every_kind_is_found_by_its_name() {
    for name in [
        "spo2_low",
        "hr_high",
        "extreme_tachy",
        "desaturation",
        "apnoea",
        "device_alarm_vf",
        "news2_high",
        "risk_high",
        "call_button",
        "no_data",
        "restarted",
    ] {
        assert_eq!(AlarmKind::from_name(name).unwrap().to_string(), name);
    }
    assert_eq!(AlarmKind::from_name("nonsense"), None);
}
