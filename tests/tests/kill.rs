//! `kill -9` at random instants under load: nothing confirmed is lost, nothing rings twice, the state is as it was.
//!
//! Six kills for each broker unless `WARDLIGHT_KILLS` says otherwise; the 200 of the acceptance run are
//! `WARDLIGHT_KILLS=200 cargo test -p wardlight-tests --test kill -- --nocapture --test-threads 1`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests fail by panicking, and these need real time"
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wardlight_tests::Random;
use wardlight_tests::agent::{Agent, Broker, Site};
use wardlight_tests::device::{Device, HR, Message, SPO2};
use wardlight_tests::live::Live;
use wardlight_tests::mosquitto::Mosquitto;
use wardlight_tests::mqtt::{Client, Heard};
use wardlight_tests::wait::within;

/// Publishers, each with its own device and connection.
const DEVICES: usize = 4;
/// Between two messages of one device: 500 msg/s in all.
const PAUSE: Duration = Duration::from_millis(7);
/// Each device begins or ends an alarm of its own with every this many messages.
const ALARM_EVERY: u32 = 40;
/// Unconfirmed messages of one device.
const WINDOW: usize = 64;
/// The journal is begun anew after this many kills, so that reading it back stays quick.
const KILLS_PER_JOURNAL: u64 = 20;
/// Longest wait for the agent to take what the broker kept.
const DRAIN_S: u64 = 30;

type Key = (String, u64);

/// What the publishers know.
#[derive(Default)]
struct Known {
    /// Messages that the broker has confirmed.
    confirmed: Mutex<BTreeSet<Key>>,
    /// Identities that the alarms may have, each of one episode.
    episodes: Mutex<BTreeSet<String>>,
    published: AtomicU64,
    stop: AtomicBool,
}

fn kills() -> u64 {
    std::env::var("WARDLIGHT_KILLS").map_or(6, |text| text.parse().expect("WARDLIGHT_KILLS is a number"))
}

fn bed(device: usize) -> String {
    format!("B{:02}", device + 1)
}

/// Publishes until told to stop, then until all is confirmed; connects and repeats as a real device does.
fn publisher(index: usize, port: u16, known: Arc<Known>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut device = Device::new(&format!("mon-{index}"));
        let mut open: VecDeque<Message> = VecDeque::new();
        let give_up = Duration::from_secs(30);
        let mut stopped: Option<Instant> = None;
        while !(known.stop.load(Ordering::Relaxed) && open.is_empty()) {
            if known.stop.load(Ordering::Relaxed) {
                let since = *stopped.get_or_insert_with(Instant::now);
                assert!(since.elapsed() < give_up, "{} messages never confirmed", open.len());
            }
            if let Ok(client) = Client::connect(port, &device.name) {
                session(client, index, &mut device, &mut open, &known);
            } else {
                thread::sleep(Duration::from_millis(20));
            }
        }
    })
}

/// One connection: repeats what was not confirmed, then goes on, until the connection breaks or all is done.
fn session(mut client: Client, index: usize, device: &mut Device, open: &mut VecDeque<Message>, known: &Known) {
    let mut waiting: BTreeMap<u16, u32> = BTreeMap::new();
    for message in open.iter() {
        let Ok(id) = client.publish(&message.topic, &message.payload()) else {
            return;
        };
        waiting.insert(id, message.seq);
    }
    loop {
        let connected = settle(&client, &mut waiting, &device.name, open, known);
        let stop = known.stop.load(Ordering::Relaxed);
        if !connected || (stop && open.is_empty()) {
            return;
        }
        if !stop && open.len() < WINDOW {
            let message = next_message(index, device, known);
            let sent = client.publish(&message.topic, &message.payload());
            waiting.extend(sent.ok().map(|id| (id, message.seq)));
            open.push_back(message);
            known.published.fetch_add(1, Ordering::Relaxed);
        }
        thread::sleep(PAUSE);
    }
}

/// Takes note of every PUBACK that has come; returns whether the connection still stands.
fn settle(client: &Client, waiting: &mut BTreeMap<u16, u32>, name: &str, open: &mut VecDeque<Message>, known: &Known) -> bool {
    loop {
        match client.heard.try_recv() {
            Ok(Heard::Puback(id)) => {
                if let Some(seq) = waiting.remove(&id) {
                    open.retain(|message| message.seq != seq);
                    known.confirmed.lock().unwrap().insert((name.to_owned(), u64::from(seq)));
                }
            }
            Ok(Heard::Suback | Heard::Message(..)) => {}
            Err(TryRecvError::Empty) => return true,
            Err(TryRecvError::Disconnected) => return false,
        }
    }
}

fn next_message(index: usize, device: &mut Device, known: &Known) -> Message {
    if !(device.seq + 1).is_multiple_of(ALARM_EVERY) {
        return device.numerics(&[(HR, 80.0), (SPO2, 97.0)]);
    }
    let on = ((device.seq + 1) / ALARM_EVERY) % 2 == 1;
    let message = device.alarm("toggled", on);
    if on {
        let id = format!("{}:device_alarm_toggled:{}", bed(index), message.body["t"]);
        known.episodes.lock().unwrap().insert(id);
    }
    message
}

/// Alarms that nobody ends: one acknowledged, one not.
struct Held {
    acknowledged: Value,
    active: Value,
}

fn hold(agent: &Agent<'_>, port: u16) -> Held {
    let mut wire = Client::connect(port, "holder").unwrap();
    for (name, bed) in [("still-1", "B11"), ("still-2", "B12")] {
        agent.occupy(bed, name);
        let message = Device::new(name).alarm("held", true);
        wire.deliver(&message.topic, &message.payload());
    }
    let both = within(15, || Some(held(agent)).filter(|alarms| alarms.len() == 2)).expect("both alarms within 15 s");
    let id = both["B11"]["id"].as_str().unwrap();
    let done = agent.post(&format!("/api/v1/alarms/{id}/acknowledge"), &json!({"by": "nurse A"}));
    assert_eq!(done.status, 200, "{}", done.body);
    let now = held(agent);
    assert_eq!(now["B11"]["state"], "acknowledged");
    Held {
        acknowledged: now["B11"].clone(),
        active: now["B12"].clone(),
    }
}

fn held(agent: &Agent<'_>) -> BTreeMap<String, Value> {
    let alarms = agent.alarms("device_alarm_held");
    alarms
        .into_iter()
        .map(|alarm| (alarm["bed"].as_str().unwrap().to_owned(), alarm))
        .collect()
}

/// Collects the identities of the publishers' alarms from the page's live frames until the agent is gone.
fn watch(agent: &Agent<'_>, rung: &Arc<Mutex<BTreeSet<String>>>) -> JoinHandle<()> {
    let (mut live, rung): (Live, _) = (agent.live(), Arc::clone(rung));
    thread::spawn(move || {
        while let Ok(frame) = live.frame() {
            let Some(frame) = frame else { continue };
            let in_snapshot = frame["beds"]
                .as_array()
                .into_iter()
                .flatten()
                .flat_map(|bed| bed["alarms"].as_array().into_iter().flatten());
            let ours = in_snapshot
                .chain([&frame["alarm"]])
                .filter(|alarm| alarm["kind"] == "device_alarm_toggled");
            let ids = ours.filter_map(|alarm| alarm["id"].as_str().map(str::to_owned));
            rung.lock().unwrap().extend(ids);
        }
    })
}

/// Fails unless each of these messages is in the journal once; waits `wait_s` for the agent to take what the broker kept.
fn assert_stored(site: &Site, confirmed: &BTreeSet<Key>, wait_s: u64) -> usize {
    let mut left = BTreeSet::new();
    let found = within(wait_s, || {
        let mut times: BTreeMap<Key, u32> = BTreeMap::new();
        for message in site.export() {
            let key = (
                message["device"].as_str().unwrap().to_owned(),
                message["seq"].as_u64().unwrap(),
            );
            *times.entry(key).or_default() += 1;
        }
        let twice: Vec<_> = times.iter().filter(|(_, n)| **n > 1).collect();
        assert!(twice.is_empty(), "stored more than once: {twice:?}");
        left = confirmed.iter().filter(|key| !times.contains_key(*key)).cloned().collect();
        left.is_empty().then_some(times.len())
    });
    let first: Vec<_> = left.iter().take(5).collect();
    found.unwrap_or_else(|| {
        panic!(
            "{} of {} confirmed messages are not in the journal: {first:?} …",
            left.len(),
            confirmed.len()
        )
    })
}

/// Kills one agent `kills` times; returns messages confirmed and episodes rung.
fn kill_one_journal(broker: Broker, kills: u64, random: &mut Random) -> (usize, usize) {
    let site = Site::new(broker, "[model]\nenabled = false\n");
    let known = Arc::new(Known::default());
    let rung = Arc::new(Mutex::new(BTreeSet::new()));
    let mut agent = site.start();
    for index in 0..DEVICES {
        agent.occupy(&bed(index), &format!("mon-{index}"));
    }
    let before = hold(&agent, site.broker);
    let publishers: Vec<_> = (0..DEVICES)
        .map(|index| publisher(index, site.broker, Arc::clone(&known)))
        .collect();
    for _ in 0..kills {
        let watcher = watch(&agent, &rung);
        thread::sleep(Duration::from_millis(200 + random.below(1000)));
        agent.kill();
        watcher.join().unwrap();
        // Confirmed up to now. What the agent's own broker confirmed must be there at once, the rest after draining.
        let confirmed = known.confirmed.lock().unwrap().clone();
        if broker == Broker::Embedded {
            assert_stored(&site, &confirmed, 0);
        }
        agent = site.start();
        let now = held(&agent);
        for (bed, was) in [("B11", &before.acknowledged), ("B12", &before.active)] {
            let is = now
                .get(bed)
                .unwrap_or_else(|| panic!("{bed}: its alarm is gone after a kill"));
            assert_eq!(
                (&is["id"], &is["state"], &is["acknowledged_by"]),
                (&was["id"], &was["state"], &was["acknowledged_by"])
            );
        }
        if broker != Broker::Embedded {
            assert_stored(&site, &confirmed, DRAIN_S);
        }
    }
    known.stop.store(true, Ordering::Relaxed);
    for publisher in publishers {
        publisher.join().unwrap();
    }
    let confirmed = known.confirmed.lock().unwrap().clone();
    assert_eq!(confirmed.len() as u64, known.published.load(Ordering::Relaxed));
    assert_stored(&site, &confirmed, DRAIN_S);
    let watcher = watch(&agent, &rung);
    assert!(agent.terminate().success());
    watcher.join().unwrap();
    site.assert_sound();
    let (rung, episodes) = (rung.lock().unwrap(), known.episodes.lock().unwrap());
    let again: Vec<_> = rung.difference(&episodes).collect();
    assert!(again.is_empty(), "one episode under two identities: {again:?}");
    assert!(!rung.is_empty(), "no alarm was ever seen: nothing was tested");
    (confirmed.len(), rung.len())
}

fn kill_all(name: &str, broker: impl Fn() -> Broker) {
    let (kills, mut random) = (kills(), Random::new(0x5eed));
    let (mut done, mut messages, mut episodes) = (0, 0, 0);
    while done < kills {
        let now = KILLS_PER_JOURNAL.min(kills - done);
        let (confirmed, rung) = kill_one_journal(broker(), now, &mut random);
        done += now;
        messages += confirmed;
        episodes += rung;
        println!(
            "{name}: {done} kills, {messages} confirmed messages, 0 missing, 0 stored twice, {episodes} alarm episodes, 0 rung twice, state restored each time"
        );
    }
}

#[test]
fn kill_9_with_mosquitto_loses_nothing_that_was_confirmed() {
    let mosquitto = Mosquitto::start();
    kill_all("mosquitto", || Broker::Mosquitto(mosquitto.port));
}

#[test]
fn kill_9_with_the_agents_own_broker_loses_nothing_that_was_confirmed() {
    kill_all("embedded broker", || Broker::Embedded);
}
