//! What the session writes, byte for byte, to a broker that does only what the test says.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rumqttc_v4::mqttbytes::v4::{
    ConnAck, ConnectReturnCode, Packet, PubAck, Publish, SubAck, SubscribeFilter, SubscribeReasonCode,
};
use rumqttc_v4::mqttbytes::{Error as DecodeError, QoS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use tokio::sync::{mpsc, watch};

use super::{Feed, Running, alert, config};
use crate::config::MqttVersion;
use crate::session::codec::ConnAck as ConnAckLimits;
use crate::session::connect::Link;
use crate::session::connection::{Connection, Ending, Surroundings};
use crate::session::frames::Frames;
use crate::session::outgoing::InFlight;
use crate::session::subscription::Subscription;
use crate::session::{Acker, Phase, SessionEvent, SkipReason};

struct Broker {
    listener: TcpListener,
}

struct Peer {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Broker {
    async fn new() -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (Self { listener }, port)
    }

    /// Takes a connection through CONNECT, CONNACK, SUBSCRIBE, SUBACK.
    async fn accept(&self) -> Peer {
        let mut peer = self.accept_raw().await;
        assert!(matches!(peer.read().await, Packet::Subscribe(_)));
        let granted = vec![SubscribeReasonCode::Success(QoS::AtLeastOnce)];
        peer.write(&Packet::SubAck(SubAck::new(1, granted))).await;
        peer
    }

    async fn accept_raw(&self) -> Peer {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut peer = Peer {
            stream,
            buffer: BytesMut::new(),
        };
        match peer.read().await {
            Packet::Connect(connect) => assert!(!connect.clean_session),
            other => panic!("expected CONNECT, got {other:?}"),
        }
        let accepted = ConnAck::new(ConnectReturnCode::Success, true);
        peer.write(&Packet::ConnAck(accepted)).await;
        peer
    }

    /// Takes a live feed through CONNECT and CONNACK; returns what it subscribes to as well.
    async fn accept_live(&self) -> (Peer, Vec<SubscribeFilter>) {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut peer = Peer {
            stream,
            buffer: BytesMut::new(),
        };
        let Packet::Connect(connect) = peer.read().await else {
            panic!()
        };
        assert!(connect.clean_session && connect.client_id == "wardlight-test-live");
        peer.write(&Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, false)))
            .await;
        let Packet::Subscribe(subscribe) = peer.read().await else {
            panic!()
        };
        let granted = vec![SubscribeReasonCode::Success(QoS::AtMostOnce); subscribe.filters.len()];
        peer.write(&Packet::SubAck(SubAck::new(1, granted))).await;
        (peer, subscribe.filters)
    }
}

impl Peer {
    async fn read(&mut self) -> Packet {
        loop {
            match Packet::read(&mut self.buffer, usize::MAX) {
                Ok(packet) => return packet,
                Err(DecodeError::InsufficientBytes(_)) => {
                    assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "closed");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn read_puback(&mut self) -> u16 {
        match self.read().await {
            Packet::PubAck(ack) => ack.pkid,
            other => panic!("expected PUBACK, got {other:?}"),
        }
    }

    async fn write(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, usize::MAX).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }

    async fn publish(&mut self, topic: &str, packet_id: u16, payload: Bytes) {
        let qos = if packet_id == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
        let mut publish = Publish::from_bytes(topic, qos, payload);
        publish.pkid = packet_id;
        self.write(&Packet::Publish(publish)).await;
    }

    async fn num(&mut self, packet_id: u16) {
        self.publish("vitals/v1/s/mon-01/num", packet_id, Bytes::from_static(b"{}"))
            .await;
    }
}

async fn started(inbox: usize) -> (Broker, Peer, Running) {
    let (broker, port) = Broker::new().await;
    let mut running = Running::start(&config(port, MqttVersion::V311), inbox);
    let peer = broker.accept().await;
    assert_eq!(running.event().await, SessionEvent::Connected { resumed: true });
    (broker, peer, running)
}

#[tokio::test]
async fn pubacks_leave_in_the_order_of_receipt_and_only_when_told() {
    let (_broker, mut peer, mut running) = started(16).await;
    for packet_id in [5, 3, 9] {
        peer.num(packet_id).await;
    }
    let (_, tickets) = running.payloads(3).await;
    running.acker.ack([tickets[2], tickets[1]]);
    running.outgoing.send(alert("barrier", false, false)).await.unwrap();
    assert!(
        matches!(peer.read().await, Packet::Publish(_)),
        "a PUBACK overtook the first message"
    );
    running.acker.ack([tickets[0]]);
    assert_eq!(peer.read_puback().await, 5);
    assert_eq!(peer.read_puback().await, 3);
    assert_eq!(peer.read_puback().await, 9);
}

#[tokio::test]
async fn a_ticket_of_a_lost_connection_is_not_sent_on_the_next() {
    let (broker, mut peer, mut running) = started(16).await;
    peer.num(5).await;
    let (_, old) = running.payloads(1).await;
    drop(peer);
    assert!(matches!(running.event().await, SessionEvent::Disconnected { .. }));
    let mut peer = broker.accept().await;
    assert_eq!(running.event().await, SessionEvent::Connected { resumed: true });
    peer.num(9).await;
    let (_, new) = running.payloads(1).await;
    running.acker.ack(old);
    running.outgoing.send(alert("barrier", false, false)).await.unwrap();
    assert!(
        matches!(peer.read().await, Packet::Publish(_)),
        "an old ticket acknowledged a new message"
    );
    running.acker.ack(new);
    assert_eq!(peer.read_puback().await, 9);
}

#[tokio::test]
async fn an_unconfirmed_alert_is_sent_again_after_a_reconnect() {
    let (broker, mut peer, mut running) = started(16).await;
    running.outgoing.send(alert("first", true, false)).await.unwrap();
    running.outgoing.send(alert("second", true, false)).await.unwrap();
    let Packet::Publish(first) = peer.read().await else { panic!() };
    assert!(!first.dup && first.qos == QoS::AtLeastOnce);
    assert!(matches!(peer.read().await, Packet::Publish(_)));
    peer.write(&Packet::PubAck(PubAck::new(first.pkid))).await;
    // A message behind the PUBACK shows that the PUBACK was read before the connection goes.
    peer.num(1).await;
    running.message().await;
    drop(peer);
    assert!(matches!(running.event().await, SessionEvent::Disconnected { .. }));
    let mut peer = broker.accept_raw().await;
    let Packet::Publish(again) = peer.read().await else { panic!() };
    assert_eq!((again.payload, again.dup), (Bytes::from_static(b"second"), true));
    assert!(matches!(peer.read().await, Packet::Subscribe(_)));
}

#[tokio::test]
async fn a_full_inbox_stops_reading_but_not_alerts_and_drops_only_waveforms() {
    let (_broker, mut peer, mut running) = started(8).await;
    for packet_id in 1..=8 {
        peer.num(packet_id).await;
    }
    peer.publish("vitals/v1/s/mon-01/wave/131330", 0, Bytes::from_static(b"w"))
        .await;
    peer.num(9).await;
    running.outgoing.send(alert("now", false, false)).await.unwrap();
    assert!(
        matches!(peer.read().await, Packet::Publish(_)),
        "an alert waited for the inbox"
    );
    let (_, tickets) = running.payloads(8).await;
    let (leaf, _, ticket) = running.message().await;
    assert_eq!(leaf, "num", "the waveform was kept");
    running.acker.ack(tickets.into_iter().chain(ticket));
    for packet_id in 1..=8 {
        assert_eq!(peer.read_puback().await, packet_id);
    }
}

#[tokio::test]
async fn waveforms_are_dropped_and_counted_when_the_ward_is_behind() {
    let (_broker, mut peer, mut running) = started(8).await;
    let mut burst = BytesMut::new();
    for packet_id in [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 9] {
        let qos = if packet_id == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
        let mut publish = Publish::from_bytes("vitals/v1/s/m/num", qos, Bytes::from(packet_id.to_string()));
        publish.pkid = packet_id;
        Packet::Publish(publish).write(&mut burst, usize::MAX).unwrap();
    }
    peer.stream.write_all(&burst).await.unwrap();
    let (payloads, _) = running.payloads(9).await;
    assert_eq!(payloads, super::numbers(1..10));
    let dropped = running.counters.dropped_qos0.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(dropped, 2);
}

#[tokio::test]
async fn commands_to_devices_are_not_ours_to_read() {
    let (_broker, mut peer, mut running) = started(16).await;
    peer.publish("vitals/v1/s/mon-01/cmd", 4, Bytes::from_static(b"rebirth"))
        .await;
    assert_eq!(peer.read_puback().await, 4);
    peer.num(5).await;
    assert_eq!(running.message().await.0, "num");
}

#[tokio::test]
async fn an_oversized_message_is_reported_and_the_connection_goes_on() {
    let (_broker, mut peer, mut running) = started(16).await;
    peer.publish("vitals/v1/s/mon-01/num", 6, Bytes::from(vec![0; 100_000])).await;
    peer.num(7).await;
    let SessionEvent::Skipped(skipped) = running.event().await else {
        panic!()
    };
    assert_eq!(skipped.topic, "vitals/v1/s/mon-01/num");
    assert_eq!(skipped.reason, SkipReason::Oversized { limit_bytes: 65_536 });
    let (_, _, ticket) = running.message().await;
    running.acker.ack(skipped.ticket.into_iter().chain(ticket));
    assert_eq!(peer.read_puback().await, 6);
    assert_eq!(peer.read_puback().await, 7);
}

#[tokio::test]
async fn draining_reads_nothing_more_and_still_acknowledges() {
    let (_broker, mut peer, mut running) = started(16).await;
    peer.num(1).await;
    let (_, tickets) = running.payloads(1).await;
    running.phase.send(Phase::Drain).unwrap();
    running.acker.ack(tickets);
    assert_eq!(peer.read_puback().await, 1);
    peer.num(2).await;
    running.outgoing.send(alert("last", true, false)).await.unwrap();
    assert!(matches!(peer.read().await, Packet::Publish(_)));
    running.phase.send(Phase::Close).unwrap();
    assert!(matches!(peer.read().await, Packet::Disconnect));
    drop(peer);
    assert!(running.events.recv().await.is_none(), "a message was read while draining");
}

#[tokio::test(start_paused = true)]
async fn a_silent_broker_is_probed_and_then_given_up() {
    let (ours, mut theirs) = tokio::io::duplex(1024);
    let link = Link {
        stream: Box::new(ours),
        frames: Frames::new(MqttVersion::V311, 1024),
        buffer: BytesMut::new(),
        connack: ConnAckLimits {
            session_present: false,
            refused: None,
            receive_maximum: 10,
            max_packet_bytes: 1024,
            keep_alive_s: Some(20),
        },
    };
    let (inbox, _events) = mpsc::channel::<SessionEvent>(8);
    let (_outgoing, mut from_outside) = mpsc::channel(8);
    let (_phase, mut told) = watch::channel(Phase::Run);
    let around = Surroundings {
        version: MqttVersion::V311,
        subscription: Subscription::kept("vitals/v1/s/"),
        acker: Acker::default(),
        counters: std::sync::Arc::default(),
        inbox,
    };
    let mut connection = Connection::new(&around, link, 1, Duration::from_mins(1));
    let ending = connection.serve(&mut InFlight::new(), &mut from_outside, &mut told).await;
    assert!(
        matches!(&ending, Ending::Lost(reason) if reason.contains("silent for 35 s")),
        "{ending:?}"
    );
    let mut probe = [0; 2];
    theirs.read_exact(&mut probe).await.unwrap();
    assert_eq!(probe, [0xC0, 0]);
}

#[tokio::test]
async fn the_live_feed_hears_what_can_alarm_at_qos_0_while_it_is_wanted_and_no_longer() {
    let (broker, port) = Broker::new().await;
    let mut feed = Feed::start(&config(port, MqttVersion::V311));
    feed.wanted.send_replace(true);
    let (mut peer, filters) = broker.accept_live().await;
    let topics: Vec<_> = filters.iter().map(|filter| filter.path.as_str()).collect();
    let expected = ["num", "alarm", "event", "state", "birth"].map(|kind| format!("vitals/v1/s/+/{kind}"));
    assert_eq!(topics, expected);
    assert!(filters.iter().all(|filter| filter.qos == QoS::AtMostOnce));
    assert_eq!(feed.event().await, SessionEvent::LiveFeed { up: true });

    let mut stored = Publish::from_bytes("vitals/v1/s/mon-01/birth", QoS::AtMostOnce, Bytes::from_static(b"old"));
    stored.retain = true;
    peer.write(&Packet::Publish(stored)).await;
    peer.num(0).await;
    let SessionEvent::Message(message) = feed.event().await else {
        panic!()
    };
    assert_eq!(message.topic, "vitals/v1/s/mon-01/num", "a stored copy is no news");
    assert!(message.live && message.ticket.is_none());

    feed.wanted.send_replace(false);
    assert!(matches!(peer.read().await, Packet::Disconnect));
    drop(peer);
    assert_eq!(feed.event().await, SessionEvent::LiveFeed { up: false });
    feed.wanted.send_replace(true);
    let (peer, _) = broker.accept_live().await;
    assert_eq!(feed.event().await, SessionEvent::LiveFeed { up: true });
    drop(peer);
    assert_eq!(feed.event().await, SessionEvent::LiveFeed { up: false });
    broker.accept_live().await;
}

#[tokio::test]
async fn the_live_feed_ends_with_the_agent() {
    let (broker, port) = Broker::new().await;
    let mut feed = Feed::start(&config(port, MqttVersion::V311));
    feed.wanted.send_replace(true);
    let (mut peer, _) = broker.accept_live().await;
    assert_eq!(feed.event().await, SessionEvent::LiveFeed { up: true });
    feed.phase.send_replace(Phase::Drain);
    assert!(matches!(peer.read().await, Packet::Disconnect));
    drop(peer);
    feed.task.await.unwrap().unwrap();
}
