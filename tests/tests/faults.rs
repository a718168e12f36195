//! Bad input, bad configuration, a bad disk, a bad model: each is told clearly and costs only itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::print_stdout,
    reason = "tests fail by panicking; counters are whole numbers"
)]

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use wardlight_tests::agent::{Agent, Broker, Site, files};
use wardlight_tests::device::{Device, HR, Message, NIBP_SYS, SPO2, TEMP};
use wardlight_tests::live::Live;
use wardlight_tests::mosquitto::Mosquitto;
use wardlight_tests::mqtt::{Client, Heard};
use wardlight_tests::wait::{now_ms, until, within};

/// A name that must not be in any file of the agent in clear.
const PLANTED: &str = "Zebulon Quimby";

/// A broker, a site with a device at bed B01, and what listens.
struct Bench {
    mosquitto: Mosquitto,
    site: Site,
}

impl Bench {
    fn new(more: &str) -> Self {
        let mosquitto = Mosquitto::start();
        let site = Site::new(Broker::Mosquitto(mosquitto.port), more);
        Self { mosquitto, site }
    }

    fn wire(&self, name: &str) -> Client {
        Client::connect(self.mosquitto.port, name).unwrap()
    }
}

fn deliver(wire: &mut Client, message: &Message) {
    wire.deliver(&message.topic, &message.payload());
}

/// A good message right after: its alarm comes, and with it everything before is known to be through.
fn assert_still_alarms(device: &mut Device, wire: &mut Client, live: &mut Live, condition: &str) {
    deliver(wire, &device.alarm(condition, true));
    live.alarm(&format!("device_alarm_{condition}"), "active");
}

/// Payloads that are refused whole, each with a part of the reason.
fn refused(device: &mut Device) -> Vec<(String, Vec<u8>, &'static str)> {
    let num = device.topic("num");
    let sound = device.numerics(&[(HR, 80.0)]).payload();
    let named = device.message("num", &json!({"m": [], "patient": PLANTED})).payload();
    let nan = String::from_utf8(device.numerics(&[(HR, 80.0)]).payload())
        .unwrap()
        .replace("80.0", "NaN");
    let text_seq = device.message("num", &json!({"m": [], "seq": "7"})).payload();
    vec![
        (num.clone(), sound[..sound.len() / 2].to_vec(), "not well-formed"),
        (
            num.clone(),
            vec![0xa5, 0x00, 0x01, 0x01, 0x07, 0x02, 0x1b, 0x00],
            "not well-formed",
        ),
        (num.clone(), b"\x89PNG\r\n\x1a\n".to_vec(), "not well-formed"),
        (num.clone(), b"hello".to_vec(), "first byte 0x68"),
        (num.clone(), Vec::new(), ""),
        (num.clone(), nan.into_bytes(), "not well-formed"),
        (num.clone(), named, "expected"),
        (num, text_seq, "seq = \"7\": expected"),
        (device.topic("nonsense"), b"{}".to_vec(), "expected vitals/v1/"),
    ]
}

/// Messages that stand, each with one reading that does not; with a part of the reason.
fn rejected(device: &mut Device) -> Vec<(String, Vec<u8>, &'static str)> {
    let num = device.topic("num");
    let unknown = device.numerics(&[(1, 5.0), (HR, 80.0)]).payload();
    let fahrenheit = device.numerics(&[(TEMP, 98.6), (HR, 80.0)]).payload();
    let senml = br#"[{"bn":"urn:dev:mac:0024befffe804ff1:","n":"150456","u":"mm[Hg]","v":96}]"#.to_vec();
    device.seq += 1;
    let mut cbor = vec![0xa5, 0x00, 0x01, 0x01, 0x18, u8::try_from(device.seq).unwrap(), 0x02, 0x1b];
    cbor.extend(now_ms().to_be_bytes());
    cbor.extend([0x03, 0x81, 0x82, 0x1a]);
    cbor.extend(SPO2.to_be_bytes());
    cbor.extend([0xf9, 0x7e, 0x00, 0x09, 0x01]);
    vec![
        (num.clone(), unknown, "code 1"),
        (num.clone(), fahrenheit, "expected 0 to 50 Cel"),
        (num.clone(), senml, "150456"),
        (num, cbor, "150456"),
    ]
}

#[test]
fn bad_payloads_are_counted_and_quarantined_and_cost_only_themselves() {
    let bench = Bench::new("");
    let agent = bench.site.start();
    agent.occupy("B01", "mon-01");
    let mut live = agent.live();
    let (mut device, mut wire) = (Device::new("mon-01"), bench.wire("mon-01"));
    // A two-byte sequence number in the CBOR above.
    device.seq = 30;
    deliver(&mut wire, &device.numerics(&[(HR, 80.0)]));
    let (whole, parts) = (refused(&mut device), rejected(&mut device));
    for (topic, payload, _) in whole.iter().chain(&parts) {
        wire.deliver(topic, payload);
    }
    assert_still_alarms(&mut device, &mut wire, &mut live, "after_bad_payloads");
    assert_eq!(agent.metric("wardlight_refused_messages_total"), whole.len() as f64);
    assert_eq!(agent.metric("wardlight_rejected_readings_total"), parts.len() as f64);
    assert!(agent.terminate().success());
    let reasons: Vec<String> = bench
        .site
        .quarantine()
        .iter()
        .map(|item| item["reason"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(reasons.len(), whole.len() + parts.len(), "{reasons:#?}");
    for ((_, payload, expected), reason) in whole.iter().chain(&parts).zip(&reasons) {
        assert!(
            reason.contains(expected),
            "{:?}: {reason:?} does not say {expected:?}",
            String::from_utf8_lossy(payload)
        );
    }
    assert_nowhere(&bench.site.dir(), &bench.site.said());
}

/// The planted name is in no file and no log.
fn assert_nowhere(dir: &Path, said: &str) {
    let found = files(dir);
    assert!(found.len() >= 3, "{found:?}");
    for file in found {
        let bytes = fs::read(&file).unwrap();
        let clear = bytes.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes());
        assert!(!clear, "{}: holds the name in clear", file.display());
    }
    assert!(!said.contains(PLANTED), "the log holds the name");
}

#[test]
fn a_patients_name_is_in_no_file_no_log_and_no_metric() {
    let bench = Bench::new("");
    let agent = bench.site.start();
    agent.bed(&["admit", "B01", "--name", PLANTED, "--age", "70"]);
    agent.bed(&["attach", "B01", "mon-01"]);
    let (mut device, mut wire, mut live) = (Device::new("mon-01"), bench.wire("mon-01"), agent.live());
    assert_still_alarms(&mut device, &mut wire, &mut live, "named");
    until("the name on the page", 5, || {
        agent.get("/api/v1/beds").body.contains(PLANTED).then_some(())
    });
    assert!(!agent.get("/metrics").body.contains(PLANTED));
    // While it runs, the write-ahead log is there too; after the stop the checkpoint is.
    assert_nowhere(&bench.site.dir(), &bench.site.said());
    assert!(agent.terminate().success());
    assert_nowhere(&bench.site.dir(), &bench.site.said());
}

#[test]
fn an_oversized_message_does_not_stop_the_others() {
    let bench = Bench::new("");
    let agent = bench.site.start();
    agent.occupy("B01", "mon-01");
    let (mut device, mut wire, mut live) = (Device::new("mon-01"), bench.wire("mon-01"), agent.live());
    wire.deliver(&device.topic("num"), &vec![b' '; 200 * 1024]);
    assert_still_alarms(&mut device, &mut wire, &mut live, "after_oversized");
    assert!(agent.terminate().success());
    assert!(bench.site.export().iter().all(|message| message["kind"] == "alarm"));
}

#[test]
fn clocks_of_1970_and_2100_are_told_and_lose_nothing() {
    let bench = Bench::new("");
    let agent = bench.site.start();
    for (bed, name, clock) in [("B01", "old", 0_i64), ("B02", "new", 4_102_444_800_000)] {
        agent.occupy(bed, name);
        let (mut device, mut wire, mut live) = (Device::new(name), bench.wire(name), agent.live());
        for n in 0..10 {
            let mut message = device.numerics(&[(HR, 80.0), (NIBP_SYS, 70.0)]);
            message.body["t"] = json!(clock + n * 1000);
            deliver(&mut wire, &message);
        }
        let low = live.find("the alarm or a snapshot that has it", |frame| {
            has_alarm(frame, bed, "nibp_sys_low")
        });
        assert!(low.is_object());
        until("the technical alarm", 20, || {
            agent.alarms("clock_skew").into_iter().find(|alarm| alarm["bed"] == bed)
        });
    }
    assert!(agent.terminate().success());
    assert_eq!(bench.site.export().len(), 20);
}

fn has_alarm(frame: &Value, bed: &str, kind: &str) -> bool {
    let in_bed = |b: &Value| {
        b["bed"] == bed
            && b["alarms"]
                .as_array()
                .is_some_and(|all| all.iter().any(|a| a["kind"] == kind))
    };
    let beds = frame["beds"].as_array().is_some_and(|beds| beds.iter().any(in_bed));
    beds || (frame["alarm"]["bed"] == bed && frame["alarm"]["kind"] == kind)
}

#[test]
fn repeated_numbers_are_taken_once_and_missing_ones_are_counted() {
    let bench = Bench::new("");
    let agent = bench.site.start();
    agent.occupy("B01", "mon-01");
    let (mut device, mut wire, mut live) = (Device::new("mon-01"), bench.wire("mon-01"), agent.live());
    let first = device.numerics(&[(HR, 80.0)]);
    for _ in 0..3 {
        deliver(&mut wire, &first);
    }
    device.seq += 5;
    assert_still_alarms(&mut device, &mut wire, &mut live, "after_gap");
    assert_eq!(agent.metric("wardlight_duplicates_total"), 2.0);
    assert_eq!(agent.metric("wardlight_missed_messages_total"), 5.0);
    assert!(agent.terminate().success());
    assert_eq!(bench.site.export().len(), 2);
}

#[test]
fn a_thousand_unknown_devices_are_journaled_and_bounded() {
    let bench = Bench::new("");
    let agent = bench.site.start();
    agent.occupy("B01", "mon-01");
    let (mut wire, mut live) = (bench.wire("crowd"), agent.live());
    for n in 0..1000 {
        let message = Device::new(&format!("stranger-{n}")).numerics(&[(NIBP_SYS, 60.0)]);
        wire.publish(&message.topic, &message.payload()).unwrap();
    }
    let mut own = bench.wire("mon-01");
    assert_still_alarms(&mut Device::new("mon-01"), &mut own, &mut live, "in_the_crowd");
    assert_stored(&bench.site, 1001);
    until("the number of strangers", 5, || {
        let strangers = agent.metric("wardlight_devices_unassigned");
        assert!(strangers <= 256.0, "{strangers} strangers are remembered");
        (strangers > 0.0).then_some(())
    });
    assert!(agent.alarms("nibp_sys_low").is_empty());
}

/// Every message is in the journal in the end.
fn assert_stored(site: &Site, messages: usize) {
    let mut stored = 0;
    let all = within(30, || {
        stored = site.export().len();
        (stored == messages).then_some(())
    });
    assert!(all.is_some(), "{stored} of {messages} messages are in the journal");
}

/// Puts a text in place of the configuration and runs `wardlight run`, which must refuse; returns what it said.
fn refuse(site: &Site, text: &str) -> String {
    fs::write(site.config(), text).unwrap();
    let output = site.command(&["run"]);
    assert!(!output.status.success(), "the agent ran on this configuration:\n{text}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn ten_mistakes_in_the_configuration_are_told_together() {
    let site = Site::new(Broker::Embedded, "");
    let said = refuse(
        &site,
        "[site]\nname = \"St Mary's\"\n[[unit]]\nname = \"icu\"\nbeds = [\"B01\", \"B01\"]\n[mqtt]\nurl = \"mqtt://broker.example.org\"\nversion = \"4\"\nreceive_maximum = 0\nspeed = 9\n[journal]\nmax_mib = 0\nlinger_ms = \"5\"\n[http]\nlisten = \"0.0.0.0:8080\"\n[model]\ndeadline_ms = 1\n",
    );
    let mistakes = [
        "site.name",
        "unit[1].beds",
        "mqtt.url",
        "mqtt.version",
        "mqtt.receive_maximum",
        "mqtt.speed",
        "journal.max_mib",
        "journal.linger_ms",
        "http.listen",
        "model.deadline_ms",
    ];
    for path in mistakes {
        assert!(
            said.contains(&format!("agent.toml: {path} = ")),
            "{path} is not told:\n{said}"
        );
    }
}

#[test]
fn a_key_that_others_may_read_is_refused_with_the_remedy() {
    let site = Site::new(Broker::Embedded, "");
    fs::set_permissions(site.dir().join("site.key"), Permissions::from_mode(0o644)).unwrap();
    let said = refuse(&site, &fs::read_to_string(site.config()).unwrap());
    assert!(said.contains("chmod 600"), "{said}");
}

#[test]
fn a_journal_folder_that_cannot_be_is_named() {
    let site = Site::new(Broker::Embedded, "[journal]\ndir = \"/proc/wardlight/journal\"");
    let said = refuse(&site, &fs::read_to_string(site.config()).unwrap());
    assert!(said.contains("/proc/wardlight"), "{said}");
}

#[test]
fn a_busy_port_is_named_with_what_to_do() {
    let site = Site::new(Broker::Embedded, "");
    for (port, key) in [(site.http, "http.listen"), (site.broker, "")] {
        let busy = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let said = refuse(&site, &fs::read_to_string(site.config()).unwrap());
        assert!(said.contains(&port.to_string()) && said.contains(key), "{said}");
        drop(busy);
    }
}

#[test]
fn a_model_that_does_not_verify_leaves_the_rules_and_says_so() {
    let package = tempfile::tempdir().unwrap();
    fs::write(package.path().join("manifest.toml"), "not = \"a model\"\n").unwrap();
    let bench = Bench::new(&format!("[model]\npackage = {:?}", package.path().display().to_string()));
    let agent = bench.site.start();
    agent.occupy("B01", "mon-01");
    let (mut device, mut wire, mut live) = (Device::new("mon-01"), bench.wire("mon-01"), agent.live());
    assert_still_alarms(&mut device, &mut wire, &mut live, "without_a_model");
    assert_eq!(agent.get("/api/v1/ward").json()["ward"]["model"], "gone");
    assert_eq!(agent.metric("wardlight_model_status"), 0.0);
    assert!(bench.site.said().contains("rules only"));
}

/// A small file system in memory; gone with this value.
struct Tmpfs(PathBuf);

impl Tmpfs {
    /// `None` where this user may not mount one.
    fn mount(at: &Path, mib: u32) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m,mode=700"), "tmpfs"])
            .arg(at);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Self(at.to_path_buf()))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

#[test]
fn on_a_full_disk_alarms_go_on_and_nothing_confirmed_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Tmpfs::mount(&folder.path().join("disk"), 8) else {
        println!("NOT RUN: the full disk needs the right to mount a tmpfs (root)");
        return;
    };
    let bench = Bench::new(&format!(
        "[journal]\ndir = {:?}",
        disk.0.join("journal").display().to_string()
    ));
    let agent = bench.site.start();
    agent.occupy("B01", "mon-01");
    let (mut device, mut wire, mut live) = (Device::new("mon-01"), bench.wire("mon-01"), agent.live());
    deliver(&mut wire, &device.numerics(&[(HR, 80.0)]));
    let filler = disk.0.join("filler");
    fill(&filler);
    for _ in 0..2000 {
        let message = device.numerics(&[(HR, 80.0), (SPO2, 97.0), (TEMP, 37.0)]);
        wire.publish(&message.topic, &message.payload()).unwrap();
    }
    assert_still_alarms(&mut device, &mut wire, &mut live, "on_a_full_disk");
    until("the failure in the metrics", 20, || {
        (agent.metric("wardlight_journal_failures_total") > 0.0).then_some(())
    });
    until("the failure in the API", 10, || journal_is(&agent, "down"));
    fs::remove_file(&filler).unwrap();
    until("the journal commits again", 30, || journal_is(&agent, "up"));
    assert_stored(&bench.site, 2002);
    assert!(agent.terminate().success());
    bench.site.assert_sound();
}

/// The most that the broker may send unacknowledged in the tests of a full window.
const WINDOW: u32 = 16;

#[test]
fn behind_a_full_window_alarms_go_on_for_as_long_as_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Tmpfs::mount(&folder.path().join("disk"), 8) else {
        println!("NOT RUN: the full disk needs the right to mount a tmpfs (root)");
        return;
    };
    for version in ["5", "3.1.1"] {
        window_is_full(&disk.0.join(version), version);
    }
}

fn window_is_full(dir: &Path, version: &str) {
    // 3.1.1 leaves the window to the broker.
    let mosquitto = Mosquitto::with(&format!("max_inflight_messages {WINDOW}"));
    let site = Site::new(
        Broker::Mosquitto(mosquitto.port),
        &format!("[journal]\ndir = {:?}", dir.join("journal").display().to_string()),
    );
    let settings = format!("[mqtt]\nversion = {version:?}\nreceive_maximum = {WINDOW}\n");
    let text = fs::read_to_string(site.config()).unwrap().replace("[mqtt]\n", &settings);
    fs::write(site.config(), text).unwrap();
    let agent = site.start();
    agent.occupy("B01", "mon-01");
    let mut wire = Client::connect(mosquitto.port, "mon-01").unwrap();
    let (mut device, mut live) = (Device::new("mon-01"), agent.live());
    let filler = dir.join("filler");
    fill(&filler);
    until("the live feed", 30, || {
        deliver(&mut wire, &device.numerics(&[(HR, 80.0), (SPO2, 97.0)]));
        (agent.metric("wardlight_live_feed_up") > 0.0).then_some(())
    });
    journal_is(&agent, "down").expect("the page says that records cannot be stored");
    for _ in 0..20 * WINDOW {
        deliver(&mut wire, &device.numerics(&[(HR, 80.0), (SPO2, 97.0)]));
    }
    // The last of them: the broker holds back all but the first few from the session that it keeps.
    assert_still_alarms(&mut device, &mut wire, &mut live, "behind_the_window");
    assert!(agent.metric("wardlight_live_messages_total") >= f64::from(20 * WINDOW));
    fs::remove_file(&filler).unwrap();
    until("the journal commits again", 30, || journal_is(&agent, "up"));
    until("the live feed ends", 30, || {
        (agent.metric("wardlight_live_feed_up") < 1.0).then_some(())
    });
    assert_all_stored(&site, device.seq);
    deliver(&mut wire, &device.alarm("afterwards", true));
    assert_rings_once_more(&mut live, "afterwards", "behind_the_window");
    let standing = agent.alarms("device_alarm_behind_the_window");
    assert_eq!(standing.len(), 1);
    agent.kill();
    let agent = site.start();
    assert_eq!(agent.alarms("device_alarm_behind_the_window")[0]["id"], standing[0]["id"]);
    assert!(agent.terminate().success());
    assert_all_stored(&site, device.seq);
    site.assert_sound();
}

#[test]
fn at_the_door_of_the_embedded_broker_alarms_go_on_while_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Tmpfs::mount(&folder.path().join("disk"), 8) else {
        println!("NOT RUN: the full disk needs the right to mount a tmpfs (root)");
        return;
    };
    let dir = disk.0.join("journal").display().to_string();
    let site = Site::new(Broker::Embedded, &format!("[journal]\ndir = {dir:?}"));
    let agent = site.start();
    agent.occupy("B01", "mon-01");
    let mut wire = Client::connect(site.broker, "mon-01").unwrap();
    let (mut device, mut live) = (Device::new("mon-01"), agent.live());
    let filler = disk.0.join("filler");
    fill(&filler);
    let mut sent = Vec::new();
    let mut send = |wire: &mut Client, message: Message| {
        wire.publish(&message.topic, &message.payload()).unwrap();
        sent.push(message);
    };
    until("the failure in the API", 30, || {
        send(&mut wire, device.numerics(&[(HR, 80.0), (SPO2, 97.0)]));
        journal_is(&agent, "down")
    });
    for _ in 0..200 {
        send(&mut wire, device.numerics(&[(HR, 80.0), (SPO2, 97.0)]));
    }
    send(&mut wire, device.alarm("at_the_door", true));
    live.alarm("device_alarm_at_the_door", "active");
    fs::remove_file(&filler).unwrap();
    until("the journal commits again", 30, || journal_is(&agent, "up"));
    let confirmed = wire.heard.iter().filter(|heard| matches!(heard, Heard::Puback(_))).count();
    assert!(confirmed < sent.len(), "confirmed what no disk held");
    // The broker ended the connection: the device sends again what was not confirmed.
    let mut wire = Client::connect(site.broker, "mon-01").unwrap();
    for message in &sent[confirmed..] {
        deliver(&mut wire, message);
    }
    assert_all_stored(&site, device.seq);
    deliver(&mut wire, &device.alarm("afterwards", true));
    assert_rings_once_more(&mut live, "afterwards", "at_the_door");
    assert!(agent.terminate().success());
    site.assert_sound();
}

/// Every number up to this one is in the journal, at least once.
fn assert_all_stored(site: &Site, last: u32) {
    let mut missing = Vec::new();
    let all = within(30, || {
        let stored: BTreeSet<u64> = site.export().iter().filter_map(|message| message["seq"].as_u64()).collect();
        missing = (1..=u64::from(last)).filter(|seq| !stored.contains(seq)).collect();
        missing.is_empty().then_some(())
    });
    assert!(all.is_some(), "not in the journal: {missing:?}");
}

/// The alarm of `condition` comes, and until then the one of `before` is not raised another time.
fn assert_rings_once_more(live: &mut Live, condition: &str, before: &str) {
    let (next, rung) = (format!("device_alarm_{condition}"), format!("device_alarm_{before}"));
    live.find(&next, |frame| {
        let (kind, state) = (&frame["alarm"]["kind"], &frame["alarm"]["state"]);
        assert!(kind != &rung || state != "active", "it rang twice: {frame}");
        frame["type"] == "alarm" && kind == &next
    });
}

fn fill(file: &Path) {
    use std::io::Write;
    let mut file = fs::File::create(file).unwrap();
    let block = vec![0; 4096];
    while file.write_all(&block).is_ok() {}
}

fn journal_is(agent: &Agent<'_>, state: &str) -> Option<()> {
    (agent.get("/api/v1/ward").json()["health"]["journal"]["state"] == state).then_some(())
}
