//! The session against a real Mosquitto, in both versions of the protocol.

use super::mosquitto::Mosquitto;
use super::{Feed, Running, alert, config, numbers};
use crate::config::MqttVersion;
use crate::session::SessionEvent;

const BOTH: [MqttVersion; 2] = [MqttVersion::V5, MqttVersion::V311];
const TOPIC: &str = "vitals/v1/s/mon-01/num";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_acknowledged_comes_again_to_the_next_process() {
    for version in BOTH {
        let broker = Mosquitto::start("");
        let config = config(broker.port, version);
        let mut running = Running::start(&config, 2000);
        assert_eq!(running.event().await, SessionEvent::Connected { resumed: false });
        broker.publish(TOPIC, 1, numbers(0..1000));
        let (payloads, tickets) = running.payloads(1000).await;
        assert_eq!(payloads, numbers(0..1000));
        running.acker.ack(tickets[..300].iter().copied());
        // The alert leaves after the PUBACKs, on the same connection: when it is there, so are they.
        running.outgoing.send(alert("barrier", true, true)).await.unwrap();
        assert_eq!(broker.retained("ward/v1/s/icu/B01/alert"), "barrier");
        running.vanish().await;

        let mut running = Running::start(&config, 2000);
        assert_eq!(running.event().await, SessionEvent::Connected { resumed: true });
        let (payloads, tickets) = running.payloads(700).await;
        assert_eq!(payloads, numbers(300..1000), "{version:?}");
        running.acker.ack(tickets);
        running.close().await;

        let mut running = Running::start(&config, 2000);
        assert_eq!(running.event().await, SessionEvent::Connected { resumed: true });
        broker.publish(TOPIC, 1, ["fresh".to_owned()]);
        assert_eq!(running.message().await.1, "fresh", "{version:?}: something was redelivered");
    }
}

#[tokio::test]
async fn a_restarted_broker_is_found_again_and_subscribed_anew() {
    for version in BOTH {
        let mut broker = Mosquitto::start("");
        let mut running = Running::start(&config(broker.port, version), 100);
        assert_eq!(running.event().await, SessionEvent::Connected { resumed: false });
        broker.restart();
        assert!(matches!(running.event().await, SessionEvent::Disconnected { .. }));
        assert_eq!(running.event().await, SessionEvent::Connected { resumed: false });
        broker.publish(TOPIC, 1, ["after".to_owned()]);
        assert_eq!(running.message().await.1, "after");
    }
}

#[tokio::test]
async fn an_oversized_message_of_a_device_does_not_stop_the_others() {
    for version in BOTH {
        let broker = Mosquitto::start("");
        let mut running = Running::start(&config(broker.port, version), 100);
        assert_eq!(running.event().await, SessionEvent::Connected { resumed: false });
        broker.publish(TOPIC, 1, ["x".repeat(200_000), "small".to_owned()]);
        let SessionEvent::Skipped(skipped) = running.event().await else {
            panic!()
        };
        assert!(skipped.bytes > 200_000 && skipped.topic == TOPIC && skipped.ticket.is_some());
        assert_eq!(running.message().await.1, "small");
    }
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_said_once() {
    let mut broker = Mosquitto::start("");
    broker.stop();
    let mut running = Running::start(&config(broker.port, MqttVersion::V5), 100);
    assert!(matches!(running.event().await, SessionEvent::Disconnected { .. }));
    broker.restart();
    assert_eq!(running.event().await, SessionEvent::Connected { resumed: false });
}

#[tokio::test]
async fn the_content_type_of_mqtt_5_arrives() {
    let broker = Mosquitto::start("");
    let mut running = Running::start(&config(broker.port, MqttVersion::V5), 100);
    assert_eq!(running.event().await, SessionEvent::Connected { resumed: false });
    broker.publish_v5(TOPIC, "application/vnd.vitals.v1+json", "{}");
    let SessionEvent::Message(message) = running.event().await else {
        panic!()
    };
    assert_eq!(message.content_type.as_deref(), Some("application/vnd.vitals.v1+json"));
    assert!(!message.retained && !message.dup);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_full_window_the_live_feed_still_hears_and_nothing_of_the_session_is_lost() {
    for version in BOTH {
        // 3.1.1 has no window of the client's, so this one is the broker's.
        let broker = Mosquitto::start("max_inflight_messages 16");
        let mut config = config(broker.port, version);
        config.receive_maximum = 16;
        let mut running = Running::start(&config, 100);
        assert_eq!(running.event().await, SessionEvent::Connected { resumed: false });
        let mut feed = Feed::start(&config);
        feed.wanted.send_replace(true);
        assert_eq!(feed.event().await, SessionEvent::LiveFeed { up: true });
        broker.publish(TOPIC, 1, numbers(0..50));
        for number in 0..50 {
            let SessionEvent::Message(message) = feed.event().await else {
                panic!()
            };
            assert_eq!(message.payload, number.to_string());
            assert!(message.live && message.ticket.is_none());
        }
        let (held, mut tickets) = running.payloads(16).await;
        assert_eq!(held, numbers(0..16));
        assert!(running.events.try_recv().is_err(), "{version:?}: the window is not full");
        for number in 16..50 {
            running.acker.ack([tickets.remove(0)]);
            let (_, payload, ticket) = running.message().await;
            assert_eq!(payload, number.to_string());
            tickets.extend(ticket);
        }
    }
}
