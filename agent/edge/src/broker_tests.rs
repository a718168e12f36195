//! The embedded broker with real clients, and with the process shot.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bytes::{Bytes, BytesMut};
use rumqttc_v4::mqttbytes::v4::{Connect, Packet, Publish};
use rumqttc_v4::mqttbytes::{Error as DecodeError, QoS as WireQos};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use wardlight_core::ids::SiteId;

use super::*;
use crate::config::{MqttConfig, MqttVersion};
use crate::session::{AckTicket, Acker, Outgoing, Phase, Session, SessionError, SessionEvent};

const TOPIC: &str = "vitals/v1/s/mon-01/num";
/// Tells the test binary to be the agent that gets killed, in this folder.
const CHILD: &str = "WARDLIGHT_TEST_EMBEDDED_AGENT";

/// A device of a few lines.
struct Device {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Device {
    fn connect(port: u16, client_id: &str) -> Self {
        let mut device = Self {
            stream: TcpStream::connect(("127.0.0.1", port)).unwrap(),
            buffer: BytesMut::new(),
        };
        device.send(&Packet::Connect(Connect::new(client_id)));
        assert!(matches!(device.read(), Some(Packet::ConnAck(_))));
        device
    }

    fn send(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, usize::MAX).unwrap();
        // The broker may be gone already; reading says so.
        self.stream.write_all(&bytes).ok();
    }

    fn publish(&mut self, packet_id: u16, payload: String) {
        let mut publish = Publish::from_bytes(TOPIC, WireQos::AtLeastOnce, Bytes::from(payload));
        publish.pkid = packet_id;
        self.send(&Packet::Publish(publish));
    }

    /// `None` when the broker is gone.
    fn read(&mut self) -> Option<Packet> {
        loop {
            match Packet::read(&mut self.buffer, usize::MAX) {
                Ok(packet) => return Some(packet),
                Err(DecodeError::InsufficientBytes(_)) => {}
                Err(error) => panic!("{error}"),
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk) {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.buffer.extend_from_slice(&chunk[..count]),
            }
        }
    }

    fn read_puback(&mut self) -> Option<u16> {
        match self.read()? {
            Packet::PubAck(ack) => Some(ack.pkid),
            other => panic!("expected PUBACK, got {other:?}"),
        }
    }
}

struct Agent {
    broker: Broker,
    stuck: watch::Sender<bool>,
    acker: Acker,
    events: mpsc::Receiver<SessionEvent>,
    outgoing: mpsc::Sender<Outgoing>,
    phase: watch::Sender<Phase>,
    session: JoinHandle<Result<(), SessionError>>,
}

impl Agent {
    async fn start(dir: &Path) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let embedded = EmbeddedBroker {
            listen,
            dir: dir.to_path_buf(),
        };
        let stuck = watch::channel(false).0;
        let broker = Broker::start(&embedded, stuck.subscribe()).await.unwrap();
        let config = MqttConfig {
            host: "127.0.0.1".into(),
            port: broker.address().port(),
            tls: None,
            version: MqttVersion::V5,
            client_id: "wardlight-s".into(),
            login: None,
            receive_maximum: 8192,
            max_packet_bytes: 64 * 1024,
            keep_alive: Duration::from_secs(30),
            session_expiry: Duration::from_hours(1),
            embedded: Some(embedded),
        };
        let session = Session::new(&config, &SiteId::new("s").unwrap()).unwrap();
        let session = session.through(broker.door());
        let (inbox, mut events) = mpsc::channel(1024);
        let (outgoing, from_outside) = mpsc::channel(64);
        let (phase, told) = watch::channel(Phase::Run);
        let acker = session.acker();
        let session = tokio::spawn(session.run(inbox, from_outside, told));
        assert!(matches!(events.recv().await, Some(SessionEvent::Connected { .. })));
        Self {
            broker,
            stuck,
            acker,
            events,
            outgoing,
            phase,
            session,
        }
    }

    fn port(&self) -> u16 {
        self.broker.address().port()
    }

    async fn message(&mut self) -> (Bytes, Option<AckTicket>) {
        match self.events.recv().await.unwrap() {
            SessionEvent::Message(message) => (message.payload, message.ticket),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_journal_cannot_commit_the_ward_hears_every_message_and_the_devices_send_them_again_after() {
    let folder = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(&folder.path().join("broker")).await;
    let port = agent.port();
    let mut device = Device::connect(port, "mon-01");
    device.publish(1, "1".into());
    let (_, waiting) = agent.message().await;
    agent.stuck.send_replace(true);
    for packet_id in 2..40 {
        device.publish(packet_id, packet_id.to_string());
        let (payload, ticket) = agent.message().await;
        assert_eq!((payload, ticket), (packet_id.to_string().into(), None));
    }
    agent.stuck.send_replace(false);
    agent.acker.ack(waiting);
    assert!(
        device.read().is_none(),
        "a PUBACK for what no disk holds, or no end of the connection"
    );

    let mut device = Device::connect(port, "mon-01");
    for packet_id in 1..40 {
        device.publish(packet_id, packet_id.to_string());
        let (payload, ticket) = agent.message().await;
        assert_eq!(payload, packet_id.to_string());
        agent.acker.ack(ticket);
        assert_eq!(device.read_puback(), Some(packet_id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_gets_its_puback_only_after_the_journal_has_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(&folder.path().join("broker")).await;
    let port = agent.port();
    let mut device = Device::connect(port, "mon-01");
    device.publish(7, "first".into());
    let (payload, ticket) = agent.message().await;
    assert_eq!(payload, "first");
    // Another client's whole conversation: time enough for a PUBACK that does not wait.
    Device::connect(port, "barrier");
    device.stream.set_nonblocking(true).unwrap();
    assert_eq!(device.read_puback(), None, "PUBACK before the journal had the message");
    device.stream.set_nonblocking(false).unwrap();
    agent.acker.ack(ticket);
    assert_eq!(
        tokio::task::spawn_blocking(move || device.read_puback()).await.unwrap(),
        Some(7)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_the_agent_drains_is_not_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(&folder.path().join("broker")).await;
    let mut device = Device::connect(agent.port(), "mon-01");
    device.publish(1, "kept".into());
    let (_, ticket) = agent.message().await;
    agent.phase.send(Phase::Drain).unwrap();
    device.publish(2, "late".into());
    agent.acker.ack(ticket);
    let first = tokio::task::spawn_blocking(move || (device.read_puback(), device));
    let (first, mut device) = first.await.unwrap();
    assert_eq!(first, Some(1));
    agent.phase.send(Phase::Close).unwrap();
    agent.session.await.unwrap().unwrap();
    agent.broker.stop().await;
    let second = tokio::task::spawn_blocking(move || device.read()).await.unwrap();
    assert!(
        !matches!(second, Some(Packet::PubAck(_))),
        "a message that nobody took was confirmed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_still_go_over_mqtt() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::start(&folder.path().join("broker")).await;
    let mut pager = Device::connect(agent.port(), "pager");
    let mut subscribe = rumqttc_v4::mqttbytes::v4::Subscribe::new("ward/v1/#", WireQos::AtLeastOnce);
    subscribe.pkid = 1;
    pager.send(&Packet::Subscribe(subscribe));
    let mut pager = tokio::task::spawn_blocking(move || {
        assert!(matches!(pager.read(), Some(Packet::SubAck(_))));
        pager
    })
    .await
    .unwrap();
    let alert = Outgoing {
        topic: "ward/v1/s/icu/B01/alert".into(),
        payload: Bytes::from_static(b"{}"),
        content_type: "application/json",
        at_least_once: true,
        retain: false,
        expiry_s: None,
    };
    agent.outgoing.send(alert).await.unwrap();
    let heard = tokio::task::spawn_blocking(move || pager.read()).await.unwrap();
    assert!(matches!(heard, Some(Packet::Publish(publish)) if publish.topic == "ward/v1/s/icu/B01/alert"));
}

#[tokio::test]
async fn a_taken_port_says_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = EmbeddedBroker {
        listen: taken.local_addr().unwrap(),
        dir: folder.path().join("broker"),
    };
    let error = Broker::start(&config, watch::channel(false).1)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("in use") && error.contains("mqtt.embedded.listen"), "{error}");
}

/// Not a test of its own: the process that [`nothing_confirmed_is_lost_when_the_process_is_killed`] kills. Each message is
/// written to a file before its ticket goes back, as the journal does (which also syncs it: a kill leaves the kernel's cache).
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by another test, in a process of its own"]
async fn child() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let dir = PathBuf::from(dir);
    let mut agent = Agent::start(&dir.join("broker")).await;
    let journal = File::options().append(true).create(true).open(dir.join("journal")).unwrap();
    println!("port {}", agent.port());
    loop {
        let (payload, ticket) = agent.message().await;
        let mut line = payload.to_vec();
        line.push(b'\n');
        let kept = journal.try_clone().unwrap();
        tokio::task::spawn_blocking(move || {
            (&kept).write_all(&line).unwrap();
        })
        .await
        .unwrap();
        agent.acker.ack(ticket);
    }
}

fn spawn_child(dir: &Path) -> (Child, u16) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "broker::tests::child", "--ignored", "--nocapture"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    let port = said
        .lines()
        .find_map(|line| line.unwrap().strip_prefix("port ").and_then(|port| port.parse().ok()));
    (child, port.expect("the child did not start"))
}

#[test]
fn nothing_confirmed_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut confirmed = BTreeSet::new();
    let mut sent = 0_u32;
    for kill_after in [1, 17, 60, 111, 200] {
        let (mut child, port) = spawn_child(folder.path());
        let mut device = Device::connect(port, "mon-01");
        let first = sent;
        // A full window, so that the kill finds messages everywhere on the way.
        for _ in 0..kill_after + 64 {
            device.publish((sent - first + 1) as u16, sent.to_string());
            sent += 1;
        }
        for _ in 0..kill_after {
            let packet_id = device.read_puback().expect("the broker ended before it was killed");
            confirmed.insert(first + u32::from(packet_id) - 1);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        while let Some(packet_id) = device.read_puback() {
            confirmed.insert(first + u32::from(packet_id) - 1);
        }
    }
    let journal = fs::read_to_string(folder.path().join("journal")).unwrap();
    let kept: BTreeSet<u32> = journal.lines().filter_map(|line| line.parse().ok()).collect();
    let lost: Vec<_> = confirmed.difference(&kept).collect();
    assert!(lost.is_empty(), "confirmed to the device and lost: {lost:?}");
    assert!(confirmed.len() >= 389, "{}", confirmed.len());
}
