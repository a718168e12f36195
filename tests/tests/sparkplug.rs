//! Sparkplug B over a real Mosquitto.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::time::Duration;

use wardlight_tests::agent::{Agent, Broker, Site};
use wardlight_tests::mosquitto::Mosquitto;
use wardlight_tests::mqtt::{Client, Heard};
use wardlight_tests::sparkplug::{Value, bd_seq, changed, described, payload};
use wardlight_tests::wait::until;

const LOW: &str = "nibp_sys_low";
const DEVICE: &str = "gw-1.mon-07";
const SYSTOLIC: &str = "Bed 7/MDC_PRESS_BLD_NONINV_SYS";

struct Node {
    client: Client,
    seq: u64,
}

impl Node {
    fn new(broker: &Mosquitto) -> Self {
        let mut client = Client::connect(broker.port, "gw-1").unwrap();
        client.subscribe("spBv1.0/icu/NCMD/gw-1");
        Self { client, seq: 0 }
    }

    fn say(&mut self, kind: &str, metrics: &[Vec<u8>]) {
        let of = if kind.starts_with('N') { "" } else { "/mon-07" };
        let payload = payload(Some(self.seq), metrics);
        self.seq = (self.seq + 1) % 256;
        // Not waited for: the wait would pass over a request to describe itself.
        self.client
            .publish(&format!("spBv1.0/icu/{kind}/gw-1{of}"), &payload)
            .unwrap();
    }

    fn birth(&mut self, alias: u64) {
        self.seq = 0;
        self.say("NBIRTH", &[bd_seq(3)]);
        let demo = described("Demo", alias + 1, Value::Boolean(false));
        self.say("DBIRTH", &[described(SYSTOLIC, alias, Value::Float(120.0)), demo]);
    }

    fn systolic(&mut self, alias: u64, mmhg: f32) {
        self.say("DDATA", &[changed(alias, Value::Float(mmhg))]);
    }

    fn is_asked_again(&self) {
        loop {
            match self
                .client
                .heard
                .recv_timeout(Duration::from_secs(10))
                .expect("a request within 10 s")
            {
                Heard::Message(topic, payload) => {
                    assert_eq!(topic, "spBv1.0/icu/NCMD/gw-1");
                    assert!(payload.windows(20).any(|part| part == b"Node Control/Rebirth"));
                    return;
                }
                Heard::Puback(_) | Heard::Suback => {}
            }
        }
    }
}

fn is_known(agent: &Agent<'_>) {
    until("the device is there", 10, || {
        agent.get("/api/v1/devices").body.contains(DEVICE).then_some(())
    });
}

fn online(agent: &Agent<'_>) -> Option<bool> {
    let devices = agent.get("/api/v1/devices").json();
    let devices = devices["devices"].as_array().unwrap();
    devices.iter().find(|one| one["device"] == DEVICE)?["online"].as_bool()
}

#[test]
fn births_aliases_gaps_rebirths_and_deaths_are_understood() {
    let broker = Mosquitto::start();
    let site = Site::new(Broker::Mosquitto(broker.port), "[sparkplug]\ngroup = \"icu\"\n");
    let agent = site.start();
    let mut node = Node::new(&broker);

    node.systolic(1, 50.0);
    node.is_asked_again();
    node.birth(1);
    is_known(&agent);
    agent.occupy("B01", DEVICE);

    node.say("DDATA", &[changed(2, Value::Boolean(true)), changed(1, Value::Float(55.0))]);
    node.systolic(1, 56.0);
    let numerics = || agent.metric("wardlight_messages_total");
    until("the values of the demo are judged", 10, || (numerics() >= 6.0).then_some(()));
    assert!(agent.alarms(LOW).is_empty(), "demo never alarms");

    node.say("DDATA", &[changed(2, Value::Boolean(false)), changed(1, Value::Float(60.0))]);
    until("the alarm stands", 10, || agent.alarms(LOW).pop());
    for _ in 0..256 {
        node.systolic(1, 120.0);
    }
    until("and ends", 10, || agent.alarms(LOW).is_empty().then_some(()));

    assert!(
        agent.metric("wardlight_missed_messages_total") < 1.0,
        "numbers begin anew at 256"
    );
    node.seq += 1;
    node.systolic(1, 60.0);
    node.is_asked_again();
    assert!(agent.metric("wardlight_missed_messages_total") >= 1.0);
    assert!(agent.alarms(LOW).is_empty(), "an alias in doubt is not taken");
    node.birth(7);
    node.systolic(7, 61.0);
    until("the alarm stands again", 10, || agent.alarms(LOW).pop());

    let old_will = payload(None, &[bd_seq(2)]);
    node.client.deliver("spBv1.0/icu/NDEATH/gw-1", &old_will);
    node.systolic(7, 62.0);
    until("the device is on", 10, || (online(&agent) == Some(true)).then_some(()));
    let will = payload(None, &[bd_seq(3)]);
    node.client.deliver("spBv1.0/icu/NDEATH/gw-1", &will);
    until("the device is off", 10, || (online(&agent) == Some(false)).then_some(()));
}

#[test]
fn after_a_restart_the_node_is_asked_to_describe_itself_before_it_is_believed() {
    let broker = Mosquitto::start();
    let site = Site::new(Broker::Mosquitto(broker.port), "[sparkplug]\ngroup = \"icu\"\n");
    let mut node = Node::new(&broker);
    let agent = site.start();
    node.birth(1);
    is_known(&agent);
    node.systolic(1, 121.0);
    until("the value is judged", 10, || {
        (agent.metric("wardlight_messages_total") >= 5.0).then_some(())
    });
    assert!(agent.terminate().success());
    let agent = site.start();
    node.systolic(1, 122.0);
    node.is_asked_again();
    node.client.deliver("spBv1.0/icu/DDATA/gw-1/mon-07", b"\xFF\xFF no protobuf");
    until("it is refused", 10, || {
        (agent.metric("wardlight_refused_messages_total") >= 1.0).then_some(())
    });
    node.birth(1);
    node.systolic(1, 123.0);
    until("the device speaks again", 10, || {
        (agent.metric("wardlight_messages_total") >= 5.0).then_some(())
    });
    assert!(agent.terminate().success());
    let rows = site.export();
    let values = rows.iter().filter_map(|row| row["payload"]["m"][0]["x"].as_f64());
    let values: Vec<f64> = values.filter(|value| *value > 120.5).collect();
    assert_eq!(values, [121.0, 123.0], "the alias of the one between was in doubt");
}
