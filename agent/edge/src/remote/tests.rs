//! What a device says, and what it is told.

use serde_json::Map;
use wardlight_core::message::Birth;

use super::*;

fn at(s: i64) -> Timestamp {
    Timestamp::from_millis(s * 1000)
}

fn id() -> DeviceId {
    DeviceId::new("mon-01").unwrap()
}

fn message(boot: u32, body: Body) -> Message {
    Message {
        device: id(),
        boot: Some(boot),
        seq: None,
        sent_at: at(0),
        body,
    }
}

fn birth(boot: u32, firmware: &str) -> Message {
    message(
        boot,
        Body::Birth(Birth {
            model: "M1".to_owned(),
            firmware: firmware.to_owned(),
            channels: Vec::new(),
        }),
    )
}

fn state(boot: u32, rev: Option<u32>) -> Message {
    let rejected = BTreeMap::new();
    let online = true;
    message(boot, Body::State { online, rev, rejected })
}

fn wanted(rev: Option<u32>, version: Option<&str>) -> WantedOfAll {
    let firmware = version.map(|version| FirmwareNotice {
        version: version.to_owned(),
        size: 1,
        sha256: [0; 32],
        sig: [0; 64],
        url: "https://updates.example/".to_owned(),
    });
    let configuration = rev.map(|rev| Desired { rev, set: Map::new() });
    WantedOfAll::from([(id(), Wanted { configuration, firmware })])
}

fn remote(wanted: WantedOfAll) -> Remote {
    let mut remote = Remote::default();
    remote.want(wanted);
    remote
}

/// What the device is told when it says this.
fn told(remote: &mut Remote, message: &Message, now: i64) -> Vec<String> {
    assert!(remote.hear(message, false));
    remote.due(&id(), at(now)).iter().map(named).collect()
}

fn looked(remote: &mut Remote, now: i64) -> Vec<String> {
    remote.look(at(now)).iter().map(|(_, cmd)| named(cmd)).collect()
}

fn named(cmd: &Cmd) -> String {
    match cmd {
        Cmd::Rebirth => "rebirth".to_owned(),
        Cmd::Config(desired) => format!("config {}", desired.rev),
        Cmd::Firmware(notice) => format!("firmware {}", notice.version),
    }
}

fn step(remote: &mut Remote) -> Option<SetupStep> {
    remote.changed = true;
    remote.setups().unwrap()[0].step
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_start_brings_the_configuration_once_and_the_answer_ends_it() {
    let mut remote = remote(wanted(Some(7), None));
    assert_eq!(looked(&mut remote, 0), NOTHING, "it was never heard");
    assert_eq!(told(&mut remote, &birth(1, "1"), 0), ["config 7"]);
    assert_eq!(told(&mut remote, &state(1, None), 0), NOTHING, "it is underway");
    // What is sent has changed: a birth comes before the answer.
    assert_eq!(told(&mut remote, &birth(1, "1"), 1), NOTHING);
    assert_eq!(step(&mut remote), Some(SetupStep::Waiting));
    assert_eq!(told(&mut remote, &state(1, Some(7)), 1), NOTHING);
    assert_eq!(step(&mut remote), Some(SetupStep::InForce));
    assert_eq!(looked(&mut remote, 1000), NOTHING);
    assert_eq!(told(&mut remote, &birth(2, "1"), 1001), ["config 7"], "another start");
}

#[test]
fn what_is_desired_now_is_sent_at_once_also_while_another_is_underway() {
    let mut remote = remote(wanted(Some(7), None));
    assert_eq!(told(&mut remote, &state(1, None), 0), ["config 7"]);
    remote.want(wanted(Some(8), None));
    assert_eq!(looked(&mut remote, 1), ["config 8"]);
    assert_eq!(
        told(&mut remote, &state(1, Some(7)), 2),
        NOTHING,
        "that was the answer to the one before"
    );
    assert_eq!(told(&mut remote, &state(1, Some(8)), 3), NOTHING);
    assert_eq!(step(&mut remote), Some(SetupStep::InForce));
}

#[test]
fn a_device_that_never_answers_is_asked_once_a_minute_and_is_a_technicians_matter() {
    let mut remote = remote(wanted(Some(7), None));
    let mut sent = Vec::new();
    for s in 0..200 {
        let mut all = told(&mut remote, &state(1, Some(6)), s);
        all.extend(looked(&mut remote, s));
        sent.extend(all.iter().map(|_| s));
    }
    assert_eq!(sent, [0, 60, 120, 180]);
    assert_eq!(step(&mut remote), Some(SetupStep::Unanswered));
    assert!(remote.hear(&message(1, Body::state(false)), false));
    assert_eq!(
        (looked(&mut remote, 400).len(), step(&mut remote)),
        (0, Some(SetupStep::Waiting)),
        "it is off"
    );
}

#[test]
fn what_the_broker_kept_of_a_device_that_is_off_or_as_desired_brings_nothing() {
    for (now, tell) in [
        (message(1, Body::state(false)), NOTHING.as_slice()),
        (state(1, Some(7)), &[]),
        (state(1, Some(6)), &["config 7"]),
    ] {
        for births_first in [true, false] {
            let mut remote = remote(wanted(Some(7), None));
            let kept = birth(1, "1");
            let order = if births_first { [&kept, &now] } else { [&now, &kept] };
            let mut all = Vec::new();
            for message in order {
                remote.hear(message, true);
                all.extend(remote.due(&id(), at(0)).iter().map(named));
            }
            assert_eq!(all, tell, "{now:?}");
        }
    }
}

#[test]
fn what_was_refused_is_shown_with_the_reason() {
    let mut remote = remote(wanted(Some(7), None));
    let rejected = BTreeMap::from([("interval_ms".to_owned(), "50: expected 200 to 600000".to_owned())]);
    let answer = Body::State {
        online: true,
        rev: Some(7),
        rejected: rejected.clone(),
    };
    assert_eq!(told(&mut remote, &message(1, answer), 0), NOTHING);
    let setups = remote.setups().unwrap();
    assert_eq!((setups[0].step, &setups[0].rejected), (Some(SetupStep::Rejected), &rejected));
    assert_eq!(remote.setups(), None, "nothing new");
}

#[test]
fn a_firmware_is_offered_once_per_birth_to_a_device_that_runs_another() {
    let mut remote = remote(wanted(None, Some("2.5")));
    assert_eq!(told(&mut remote, &birth(1, "2.4"), 0), ["firmware 2.5"]);
    assert_eq!(told(&mut remote, &state(1, None), 0), NOTHING);
    assert_eq!(looked(&mut remote, 1000), NOTHING);
    remote.want(wanted(None, Some("2.6")));
    assert_eq!(looked(&mut remote, 1001), ["firmware 2.6"]);
    assert_eq!(told(&mut remote, &birth(2, "2.4"), 1002), ["firmware 2.6"]);
    assert_eq!(told(&mut remote, &birth(3, "2.6"), 1003), NOTHING);
    assert_eq!(step(&mut remote), None);
}

#[test]
fn a_change_for_a_thousand_devices_leaves_room_for_alarms() {
    let name = |n: usize| DeviceId::new(&format!("mon-{n}")).unwrap();
    let one = wanted(Some(7), None).remove(&id()).unwrap();
    let mut remote = remote((0..1000).map(|n| (name(n), one.clone())).collect());
    for n in 0..1000 {
        let device = name(n);
        assert!(remote.hear(
            &Message {
                device,
                ..state(1, Some(6))
            },
            true
        ));
    }
    let looks: Vec<usize> = (0..40).map(|s| remote.look(at(s)).len()).collect();
    assert_eq!((looks.iter().max(), looks.iter().sum::<usize>()), (Some(&PER_LOOK), 1000));
}

#[test]
fn words_of_devices_of_which_nothing_is_wanted_are_bounded() {
    let mut remote = remote(wanted(Some(7), None));
    for n in 0..2 * MAX_OTHERS {
        let device = DeviceId::new(&format!("other-{n}")).unwrap();
        assert!(!remote.hear(
            &Message {
                device,
                ..state(1, None)
            },
            false
        ));
    }
    assert!(remote.said.len() <= MAX_OTHERS + 1);
    assert_eq!(told(&mut remote, &state(1, None), 0), ["config 7"]);
}
