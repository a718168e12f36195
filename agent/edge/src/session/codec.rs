//! MQTT 5 and 3.1.1 packets as the session needs them. Encoding and decoding are `rumqttc`'s.

use bytes::{BufMut, Bytes, BytesMut};
use rumqttc_v4::mqttbytes as v4;
use rumqttc_v5::mqttbytes as v5;

use super::Outgoing;
use super::subscription::Subscription;
use crate::config::MqttVersion;

/// What `rumqttc` needs as "no limit" for 3.1.1; frames are cut to the limit before they get here.
const NO_LIMIT: usize = usize::MAX;

/// A packet from the broker.
#[derive(Debug)]
pub(super) enum Packet {
    ConnAck(ConnAck),
    Publish(Publish),
    PubAck {
        packet_id: u16,
        /// Why the broker did not take our message, where MQTT 5 says so.
        refused: Option<String>,
    },
    SubAck {
        /// Why the broker does not let us subscribe.
        refused: Option<String>,
    },
    PingResp,
    Disconnect {
        reason: String,
    },
}

/// The broker's answer to CONNECT.
#[derive(Debug)]
pub(super) struct ConnAck {
    pub(super) session_present: bool,
    pub(super) refused: Option<String>,
    /// How many unconfirmed messages the broker takes.
    pub(super) receive_maximum: u16,
    /// Largest packet the broker takes, in bytes.
    pub(super) max_packet_bytes: usize,
    /// The broker's own wish for our keep-alive, in seconds.
    pub(super) keep_alive_s: Option<u16>,
}

/// An incoming PUBLISH.
#[derive(Debug)]
pub(super) struct Publish {
    pub(super) topic: Bytes,
    pub(super) payload: Bytes,
    pub(super) content_type: Option<String>,
    /// `Some` at QoS 1.
    pub(super) packet_id: Option<u16>,
    pub(super) retained: bool,
    pub(super) dup: bool,
}

/// What goes into CONNECT.
#[derive(Clone, Debug)]
pub(super) struct Hello<'a> {
    pub(super) client_id: &'a str,
    /// Begins a session anew instead of going on with the one that the broker kept.
    pub(super) clean: bool,
    pub(super) login: Option<(&'a str, &'a [u8])>,
    pub(super) keep_alive_s: u16,
    pub(super) session_expiry_s: u32,
    pub(super) receive_maximum: u16,
}

/// Decodes one whole frame.
///
/// # Errors
/// What is wrong with it, as a clause.
pub(super) fn decode(version: MqttVersion, frame: &mut BytesMut) -> Result<Packet, String> {
    match version {
        MqttVersion::V5 => from_v5(v5::v5::Packet::read(frame, None).map_err(|error| error.to_string())?),
        MqttVersion::V311 => from_v4(v4::v4::Packet::read(frame, NO_LIMIT).map_err(|error| error.to_string())?),
    }
}

fn from_v5(packet: v5::v5::Packet) -> Result<Packet, String> {
    use v5::v5::{ConnectReturnCode, Packet as P, PubAckReason, SubscribeReasonCode};
    match packet {
        P::Publish(publish) => Ok(Packet::Publish(Publish {
            packet_id: packet_id(publish.qos as u8, publish.pkid)?,
            topic: publish.topic,
            payload: publish.payload,
            content_type: publish.properties.and_then(|properties| properties.content_type),
            retained: publish.retain,
            dup: publish.dup,
        })),
        P::PubAck(ack) => Ok(Packet::PubAck {
            packet_id: ack.pkid,
            refused: match ack.reason {
                PubAckReason::Success | PubAckReason::NoMatchingSubscribers => None,
                reason => Some(format!("{reason:?}")),
            },
        }),
        P::ConnAck(ack) => {
            let limits = ack.properties.as_ref();
            Ok(Packet::ConnAck(ConnAck {
                session_present: ack.session_present,
                refused: (ack.code != ConnectReturnCode::Success).then(|| format!("{:?}", ack.code)),
                receive_maximum: limits.and_then(|limits| limits.receive_max).unwrap_or(u16::MAX),
                max_packet_bytes: limits
                    .and_then(|limits| limits.max_packet_size)
                    .map_or(usize::MAX, |bytes| bytes as usize),
                keep_alive_s: limits.and_then(|limits| limits.server_keep_alive),
            }))
        }
        P::SubAck(ack) => Ok(Packet::SubAck {
            refused: ack.return_codes.iter().find_map(|code| match code {
                SubscribeReasonCode::Success(_) => None,
                refused => Some(format!("{refused:?}")),
            }),
        }),
        P::PingResp => Ok(Packet::PingResp),
        P::Disconnect(disconnect) => Ok(Packet::Disconnect {
            reason: format!("{:?}", disconnect.reason_code),
        }),
        other => Err(unexpected(other.packet_type() as u8)),
    }
}

fn from_v4(packet: v4::v4::Packet) -> Result<Packet, String> {
    use v4::v4::{ConnectReturnCode, Packet as P, SubscribeReasonCode};
    match packet {
        P::Publish(publish) => Ok(Packet::Publish(Publish {
            packet_id: packet_id(publish.qos as u8, publish.pkid)?,
            topic: publish.topic,
            payload: publish.payload,
            content_type: None,
            retained: publish.retain,
            dup: publish.dup,
        })),
        P::PubAck(ack) => Ok(Packet::PubAck {
            packet_id: ack.pkid,
            refused: None,
        }),
        P::ConnAck(ack) => Ok(Packet::ConnAck(ConnAck {
            session_present: ack.session_present,
            refused: (ack.code != ConnectReturnCode::Success).then(|| format!("{:?}", ack.code)),
            receive_maximum: u16::MAX,
            max_packet_bytes: usize::MAX,
            keep_alive_s: None,
        })),
        P::SubAck(ack) => Ok(Packet::SubAck {
            refused: ack
                .return_codes
                .contains(&SubscribeReasonCode::Failure)
                .then(|| "not authorised".to_owned()),
        }),
        P::PingResp => Ok(Packet::PingResp),
        other => Err(unexpected(other.packet_type() as u8)),
    }
}

/// We subscribe at QoS 1, so nothing comes at QoS 2.
fn packet_id(qos: u8, packet_id: u16) -> Result<Option<u16>, String> {
    match qos {
        0 => Ok(None),
        1 => Ok(Some(packet_id)),
        _ => Err("a message at QoS 2, though the subscription says 1".to_owned()),
    }
}

fn unexpected(packet_type: u8) -> String {
    format!("packet type {packet_type} has no business here")
}

/// Appends CONNECT.
pub(super) fn connect(version: MqttVersion, hello: &Hello<'_>, out: &mut BytesMut) -> Result<(), String> {
    match version {
        MqttVersion::V5 => {
            let mut properties = v5::v5::ConnectProperties::new();
            properties.session_expiry_interval = Some(hello.session_expiry_s);
            properties.receive_maximum = Some(hello.receive_maximum);
            let connect = v5::v5::Connect {
                keep_alive: hello.keep_alive_s,
                client_id: hello.client_id.to_owned(),
                clean_start: hello.clean,
                properties: Some(properties),
            };
            let auth = hello.login.map_or(v5::v5::ConnectAuth::None, |(username, password)| {
                v5::v5::ConnectAuth::UsernamePassword {
                    username: username.to_owned(),
                    password: Bytes::copy_from_slice(password),
                }
            });
            write_v5(&v5::v5::Packet::Connect(connect, None, auth), out)
        }
        MqttVersion::V311 => {
            let mut connect = v4::v4::Connect::new(hello.client_id);
            connect.keep_alive = hello.keep_alive_s;
            connect.clean_session = hello.clean;
            if let Some((username, password)) = hello.login {
                connect.set_credentials(username, Bytes::copy_from_slice(password));
            }
            write_v4(&v4::v4::Packet::Connect(connect), out)
        }
    }
}

/// Appends SUBSCRIBE: at QoS 0 for a live feed, else at QoS 1. `retained_too`: whether the broker sends its retained
/// messages although we had the subscription already; to a live feed it sends none. 3.1.1 knows no such wishes.
pub(super) fn subscribe(
    version: MqttVersion,
    subscription: &Subscription,
    packet_id: u16,
    retained_too: bool,
    out: &mut BytesMut,
) -> Result<(), String> {
    let live = subscription.is_live();
    let filters = subscription.filters().iter();
    match version {
        MqttVersion::V5 => {
            let qos = if live { v5::QoS::AtMostOnce } else { v5::QoS::AtLeastOnce };
            let retained = match (live, retained_too) {
                (true, _) => v5::v5::RetainForwardRule::Never,
                (false, true) => v5::v5::RetainForwardRule::OnEverySubscribe,
                (false, false) => v5::v5::RetainForwardRule::OnNewSubscribe,
            };
            let filters = filters.map(|filter| {
                let mut filter = v5::v5::SubscribeFilter::new(filter, qos);
                filter.nolocal = true;
                // A live feed wants no stored copies, and what was published as one is news to it.
                filter.preserve_retain = !live;
                filter.retain_forward_rule = retained.clone();
                filter
            });
            let mut subscribe = v5::v5::Subscribe::new_many(filters, None);
            subscribe.pkid = packet_id;
            write_v5(&v5::v5::Packet::Subscribe(subscribe), out)
        }
        MqttVersion::V311 => {
            let qos = if live { v4::QoS::AtMostOnce } else { v4::QoS::AtLeastOnce };
            let filters = filters.map(|filter| v4::v4::SubscribeFilter::new(filter.clone(), qos));
            let mut subscribe = v4::v4::Subscribe::new_many(filters);
            subscribe.pkid = packet_id;
            write_v4(&v4::v4::Packet::Subscribe(subscribe), out)
        }
    }
}

/// Appends PUBLISH; `packet_id` 0 means QoS 0.
pub(super) fn publish(
    version: MqttVersion,
    message: &Outgoing,
    packet_id: u16,
    dup: bool,
    out: &mut BytesMut,
) -> Result<(), String> {
    match version {
        MqttVersion::V5 => {
            let qos = if packet_id == 0 {
                v5::QoS::AtMostOnce
            } else {
                v5::QoS::AtLeastOnce
            };
            let properties = v5::v5::PublishProperties {
                content_type: Some(message.content_type.to_owned()),
                message_expiry_interval: message.expiry_s,
                ..Default::default()
            };
            let mut publish = v5::v5::Publish::new(message.topic.clone(), qos, message.payload.clone(), Some(properties));
            publish.pkid = packet_id;
            publish.dup = dup;
            publish.retain = message.retain;
            write_v5(&v5::v5::Packet::Publish(publish), out)
        }
        MqttVersion::V311 => {
            let qos = if packet_id == 0 {
                v4::QoS::AtMostOnce
            } else {
                v4::QoS::AtLeastOnce
            };
            let mut publish = v4::v4::Publish::from_bytes(message.topic.clone(), qos, message.payload.clone());
            publish.pkid = packet_id;
            publish.dup = dup;
            publish.retain = message.retain;
            write_v4(&v4::v4::Packet::Publish(publish), out)
        }
    }
}

/// Appends PUBACK with success: the same four bytes in both versions, written thousands of times a second.
pub(super) fn puback(packet_id: u16, out: &mut BytesMut) {
    out.put_u8(0x40);
    out.put_u8(2);
    out.put_u16(packet_id);
}

/// Appends PINGREQ, the same in both versions.
pub(super) fn pingreq(out: &mut BytesMut) {
    out.put_slice(&[0xC0, 0]);
}

/// Appends DISCONNECT with "normal", the same in both versions. The session stays with the broker.
pub(super) fn disconnect(out: &mut BytesMut) {
    out.put_slice(&[0xE0, 0]);
}

fn write_v5(packet: &v5::v5::Packet, out: &mut BytesMut) -> Result<(), String> {
    packet.write(out, None).map(drop).map_err(|error| error.to_string())
}

fn write_v4(packet: &v4::v4::Packet, out: &mut BytesMut) -> Result<(), String> {
    packet.write(out, NO_LIMIT).map(drop).map_err(|error| error.to_string())
}
