use std::time::Duration;

use wardlight_core::ids::{DeviceId, SiteId};
use wardlight_core::message::{Body, DeviceEvent, Message};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::{Milli, Quality};
use wardlight_wire::cmd::Desired;
use wardlight_wire::{Topic, decode};

use super::*;
use crate::patient::{Baseline, Driver, Patient};
use crate::signal::Rhythm;
use crate::subject::Simulated;

const TICK: Duration = Duration::from_millis(500);
const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

struct Bench {
    subject: Simulated,
    monitor: Monitor,
    now: Timestamp,
}

impl Bench {
    fn new() -> Self {
        let site = SiteId::new("north").unwrap();
        let device = DeviceId::new("mon-01").unwrap();
        Self {
            subject: Simulated::new(Patient::new(1, Baseline::adult(1), 10.0), 1.0, 1),
            monitor: Monitor::new(site, device, &MonitorOptions::default(), 1, START),
            now: START,
        }
    }

    fn run(&mut self, seconds: u64) -> Vec<Publication> {
        let mut out = Vec::new();
        for _ in 0..seconds * 2 {
            self.now = self.now.plus(TICK);
            let seen = self.subject.advance(TICK);
            self.monitor.observe(&seen, TICK, self.now, &mut out);
        }
        out
    }

    fn messages(&mut self, seconds: u64) -> Vec<Message> {
        self.run(seconds).iter().map(read).collect()
    }
}

fn read(publication: &Publication) -> Message {
    assert!(publication.topic.parse::<Topic>().is_ok(), "{}", publication.topic);
    let content_type = Some(publication.content_type);
    let decoded = decode(&publication.topic, &publication.payload, content_type, START).unwrap();
    assert!(decoded.rejected.is_empty(), "{:?}", decoded.rejected);
    decoded.message
}

fn conditions(messages: &[Message]) -> Vec<(String, bool)> {
    let alarm = |m: &Message| match &m.body {
        Body::Alarm(a) => Some((a.condition.clone(), a.present)),
        _ => None,
    };
    messages.iter().filter_map(alarm).collect()
}

fn values(messages: &[Message], code: u32) -> Vec<Option<i32>> {
    let readings = messages.iter().filter_map(|m| match &m.body {
        Body::Numerics(readings) => Some(readings),
        _ => None,
    });
    let of_code = readings.flatten().filter(|r| r.numeric().code == code);
    of_code.map(|r| r.usable().map(Milli::rounded)).collect()
}

#[test]
fn a_monitor_begins_with_birth_and_state_and_numbers_its_messages() {
    let messages = Bench::new().messages(20);
    assert!(matches!(messages[0].body, Body::Birth(_)));
    assert!(matches!(messages[1].body, Body::State { online: true, .. }));
    let numbered: Vec<u32> = messages
        .iter()
        .filter(|m| !matches!(m.body, Body::Wave(_)))
        .map(|m| m.seq.unwrap())
        .collect();
    assert_eq!(numbered, (1..=numbered.len() as u32).collect::<Vec<_>>());
    assert_eq!(values(&messages, 147_842).len(), 20);
    assert_eq!(values(&messages, 150_021).len(), 1, "one cuff measurement");
}

#[test]
fn a_monitor_obeys_a_configuration_and_says_which_one_is_in_force() {
    let mut bench = Bench::new();
    bench.run(2);
    let set = serde_json::json!({"interval_ms": 2000, "waves": [150_452], "battery_low_percent": 20});
    let desired = Desired {
        rev: 7,
        set: set.as_object().cloned().unwrap(),
    };
    let mut out = Vec::new();
    bench.monitor.configure(&desired, bench.now, &mut out);
    let told: Vec<Message> = out.iter().map(read).collect();
    let Body::Birth(birth) = &told[0].body else {
        panic!("{told:?}")
    };
    assert!(birth.channels.iter().any(|c| c.code == 150_452) && birth.channels.iter().all(|c| c.code != 131_330));
    let refused = ("battery_low_percent".to_owned(), "20: no such setting".to_owned());
    let state = Body::State {
        online: true,
        rev: Some(7),
        rejected: [refused].into(),
    };
    assert_eq!((told.len(), &told[1].body), (2, &state));
    let messages = bench.messages(20);
    assert_eq!(values(&messages, 147_842).len(), 10, "one in two seconds");
    let waves = messages.iter().filter_map(|m| match &m.body {
        Body::Wave(block) => Some(block.waveform.code()),
        _ => None,
    });
    assert!(waves.clone().count() > 10 && waves.into_iter().all(|code| code == 150_452));
}

#[test]
fn waves_are_complete_and_their_times_fit() {
    let messages = Bench::new().messages(10);
    for (code, samples) in [(131_330, 2500), (150_452, 1250), (151_780, 500)] {
        let blocks: Vec<_> = messages
            .iter()
            .filter_map(|m| match &m.body {
                Body::Wave(block) if block.waveform.code() == code => Some((m.sent_at, block)),
                _ => None,
            })
            .collect();
        assert_eq!(blocks.iter().map(|(_, b)| b.samples.len()).sum::<usize>(), samples, "{code}");
        for pair in blocks.windows(2) {
            let lasted = pair[0].1.samples.len() as f64 / f64::from(pair[0].1.rate_hz) * 1000.0;
            assert!((pair[1].0.millis_after(pair[0].0) as f64 - lasted).abs() <= 1.0, "{code}");
        }
    }
}

#[test]
fn the_heart_rate_is_that_of_the_patient() {
    let mut bench = Bench::new();
    let shown = *values(&bench.messages(40), 147_842).last().unwrap();
    let truth = bench.subject.patient.vitals().heart_rate;
    assert!((f64::from(shown.unwrap()) - truth).abs() < 4.0, "{shown:?} {truth}");
}

#[test]
fn fibrillation_is_alarmed_by_the_monitor_and_ends() {
    let mut bench = Bench::new();
    bench.run(10);
    bench.subject.patient.set_rhythm(Rhythm::VentricularFibrillation);
    let messages = bench.messages(8);
    assert_eq!(conditions(&messages), [("vf".to_owned(), true)]);
    assert_eq!(*values(&messages, 147_842).last().unwrap(), None, "no rate without beats");
    bench.subject.patient.set_rhythm(Rhythm::Sinus);
    assert_eq!(conditions(&bench.messages(8)), [("vf".to_owned(), false)]);
}

#[test]
fn asystole_is_alarmed_after_four_seconds() {
    let mut bench = Bench::new();
    bench.run(10);
    bench.subject.patient.set_rhythm(Rhythm::Asystole);
    assert!(conditions(&bench.messages(3)).is_empty());
    assert_eq!(conditions(&bench.messages(4)), [("asystole".to_owned(), true)]);
}

#[test]
fn electrodes_that_are_off_give_no_rate_and_no_asystole() {
    let mut bench = Bench::new();
    bench.run(10);
    let mut out = Vec::new();
    bench.monitor.set_lead_off(true, bench.now, &mut out);
    assert!(matches!(
        read(&out[0]).body,
        Body::Event(DeviceEvent::LeadOff {
            code: Some(131_330),
            off: true
        })
    ));
    let messages = bench.messages(8);
    assert!(conditions(&messages).is_empty());
    assert!(values(&messages, 147_842).iter().all(Option::is_none));
    assert!(values(&messages, 150_456).iter().all(Option::is_some), "the oximeter goes on");
    let ecg = messages.iter().filter_map(|m| match &m.body {
        Body::Wave(b) if b.waveform.code() == 131_330 => Some(b),
        _ => None,
    });
    assert!(ecg.clone().count() > 0 && ecg.clone().all(|b| b.quality.has(Quality::LEAD_OFF)));
}

#[test]
fn motion_marks_the_values_as_artefact() {
    let mut bench = Bench::new();
    bench.run(5);
    bench.subject.patient.set_motion(0.9);
    let messages = bench.messages(5);
    assert!(
        values(&messages, 147_842)
            .iter()
            .chain(&values(&messages, 150_456))
            .all(Option::is_none)
    );
}

#[test]
fn apnoea_is_a_rate_of_zero() {
    let mut bench = Bench::new();
    bench.run(5);
    bench.subject.patient.drive(Driver::RespiratoryDrive, 0.0, Duration::ZERO);
    assert_eq!(*values(&bench.messages(5), 151_578).last().unwrap(), Some(0));
}

#[test]
fn what_was_measured_without_a_link_comes_later_in_order() {
    let mut bench = Bench::new();
    let before = bench
        .messages(5)
        .into_iter()
        .filter_map(|m| m.seq.filter(|_| !matches!(m.body, Body::Wave(_))))
        .max();
    bench.monitor.transmitter().set_link(false);
    assert!(bench.run(120).is_empty());
    bench.monitor.transmitter().set_link(true);
    let messages = bench.messages(60);
    let numbers: Vec<u32> = messages
        .iter()
        .filter(|m| !matches!(m.body, Body::Wave(_)))
        .map(|m| m.seq.unwrap())
        .collect();
    let first = before.unwrap() + 1;
    assert_eq!(numbers, (first..first + numbers.len() as u32).collect::<Vec<_>>());
    assert!(numbers.len() >= 175, "{}", numbers.len());
    assert_eq!(bench.monitor.transmitter().dropped(), 0);
}

#[test]
fn a_store_that_is_full_lets_the_oldest_go_and_counts_it() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.monitor.transmitter().set_link(false);
    bench.run(700);
    assert!(
        (100..=105).contains(&bench.monitor.transmitter().dropped()),
        "{}",
        bench.monitor.transmitter().dropped()
    );
}

#[test]
fn a_restart_gives_a_new_boot_and_a_birth() {
    let mut bench = Bench::new();
    let old = bench.messages(3)[0].boot;
    bench.monitor.restart(bench.now);
    assert!(bench.run(3).is_empty());
    let messages = bench.messages(3);
    assert!(matches!(messages[0].body, Body::Birth(_)));
    assert_eq!((messages[0].seq, messages[0].boot), (Some(1), old.map(|b| b + 1)));
}

#[test]
fn duplicated_and_reordered_messages_are_all_there() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.monitor.transmitter().faults().duplicate = 0.3;
    bench.monitor.transmitter().faults().reorder = 0.3;
    let mut numbers: Vec<u32> = bench
        .messages(120)
        .iter()
        .filter(|m| !matches!(m.body, Body::Wave(_)))
        .map(|m| m.seq.unwrap())
        .collect();
    assert!(numbers.windows(2).any(|p| p[0] == p[1]) && numbers.windows(2).any(|p| p[0] > p[1]));
    numbers.sort_unstable();
    numbers.dedup();
    assert!(numbers.windows(2).all(|p| p[1] == p[0] + 1));
}

#[test]
fn damaged_copies_do_not_decode() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.monitor.transmitter().faults().malformed = 1.0;
    let publications = bench.run(20);
    let broken = publications
        .iter()
        .filter(|p| decode(&p.topic, &p.payload, Some(p.content_type), START).is_err())
        .count();
    assert!(broken * 2 >= publications.len() - 4, "{broken} of {}", publications.len());
}

#[test]
fn a_clock_that_is_put_ahead_stamps_ahead() {
    let mut bench = Bench::new();
    bench.run(1);
    bench.monitor.transmitter().set_clock(10_000);
    let messages = bench.messages(1);
    let numerics = messages.iter().find(|m| matches!(m.body, Body::Numerics(_))).unwrap();
    assert_eq!(numerics.sent_at.millis_after(bench.now), 10_000);
}

#[test]
fn a_wearable_speaks_json_every_two_seconds_and_tells_its_battery() {
    let site = SiteId::new("north").unwrap();
    let mut wearable = Wearable::new(site, DeviceId::new("wear-01").unwrap(), 4, START);
    let mut subject = Simulated::new(Patient::new(1, Baseline::adult(1), 10.0), 1.0, 1);
    let mut out = Vec::new();
    for i in 1..=60_u32 {
        wearable.observe(&subject.advance(TICK), TICK, START.plus(TICK * i), &mut out);
    }
    let messages: Vec<Message> = out.iter().map(read).collect();
    assert!(out.iter().all(|p| p.payload.starts_with(b"{")));
    assert_eq!(values(&messages, 149_514).len(), 15);
    assert!(
        messages
            .iter()
            .any(|m| matches!(m.body, Body::Event(DeviceEvent::Battery { percent: 60..=100 })))
    );
    wearable.set_battery(9.0, START.plus(TICK * 61));
    let mut later = Vec::new();
    wearable.observe(&subject.advance(TICK), TICK, START.plus(TICK * 61), &mut later);
    assert!(matches!(
        read(&later[0]).body,
        Body::Event(DeviceEvent::Battery { percent: 8 | 9 })
    ));
}

#[test]
fn the_last_will_says_off() {
    let mut bench = Bench::new();
    let will = bench.monitor.transmitter().will();
    assert!(will.retain && will.qos == 1);
    assert!(matches!(read(&will).body, Body::State { online: false, .. }));
}

#[test]
fn the_monitor_announces_what_its_profile_says() {
    let profile = wardlight_devices::Profile::builtin("simulator").unwrap();
    let mut out = Vec::new();
    let mut bench = Bench::new();
    bench.monitor.transmitter().announce(START, &mut out);
    let sent = out.first().unwrap();
    let decoded = decode(&sent.topic, &sent.payload, Some(sent.content_type), START).unwrap();
    assert_eq!(decoded.message.body, Body::Birth(profile.birth(env!("CARGO_PKG_VERSION"))));
}
