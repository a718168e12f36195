//! Cuts the byte stream into packets, and skips a message that is too large or malformed instead of giving up on the
//! connection: a persistent session would bring it again after every reconnect.

use bytes::{Buf, BytesMut};

use super::codec::{self, Packet};
use super::{SkipReason, Skipped};
use crate::config::MqttVersion;

/// Type nibble of PUBLISH.
const PUBLISH: u8 = 3;
/// Longest topic that is repeated in a report.
const MAX_TOPIC_SHOWN: usize = 256;

/// What was cut off the stream.
#[derive(Debug)]
pub(super) enum Frame {
    Packet(Packet),
    /// A message that nobody can read, and its packet identifier at QoS 1.
    Skipped(Skipped, Option<u16>),
}

/// Where the stream stands.
#[derive(Debug)]
pub(super) struct Frames {
    version: MqttVersion,
    max_packet_bytes: usize,
    /// Bytes of a skipped message that are still to come.
    discard: usize,
}

impl Frames {
    pub(super) fn new(version: MqttVersion, max_packet_bytes: usize) -> Self {
        Self {
            version,
            max_packet_bytes,
            discard: 0,
        }
    }

    /// Cuts the next frame off `buffer`; `None` when more bytes are needed.
    ///
    /// # Errors
    /// What is wrong with the stream, as a clause. Nothing after it can be understood.
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, String> {
        let discarded = self.discard.min(buffer.len());
        buffer.advance(discarded);
        self.discard -= discarded;
        let Some(header) = Header::peek(buffer)? else {
            return Ok(None);
        };
        let is_publish = header.first >> 4 == PUBLISH;
        if header.frame_bytes > self.max_packet_bytes {
            if !is_publish {
                return Err(format!("a packet of {} bytes that is not a message", header.frame_bytes));
            }
            return self.skip_oversized(&header, buffer);
        }
        if buffer.len() < header.frame_bytes {
            return Ok(None);
        }
        let mut frame = buffer.split_to(header.frame_bytes);
        if !is_publish {
            return codec::decode(self.version, &mut frame).map(|packet| Some(Frame::Packet(packet)));
        }
        let message = frame.clone();
        match codec::decode(self.version, &mut frame) {
            Ok(packet) => Ok(Some(Frame::Packet(packet))),
            Err(problem) => skip_malformed(&header, &message, problem).map(Some),
        }
    }

    fn skip_oversized(&mut self, header: &Header, buffer: &mut BytesMut) -> Result<Option<Frame>, String> {
        let Some(head) = PublishHead::peek(header, buffer)? else {
            return Ok(None);
        };
        let here = header.frame_bytes.min(buffer.len());
        buffer.advance(here);
        self.discard = header.frame_bytes - here;
        let reason = SkipReason::Oversized {
            limit_bytes: self.max_packet_bytes,
        };
        Ok(Some(head.skipped(header.frame_bytes, reason)))
    }
}

fn skip_malformed(header: &Header, message: &[u8], problem: String) -> Result<Frame, String> {
    match PublishHead::peek(header, message)? {
        Some(head) => Ok(head.skipped(header.frame_bytes, SkipReason::Malformed(problem))),
        None => Err(problem),
    }
}

struct Header {
    first: u8,
    body_at: usize,
    frame_bytes: usize,
}

impl Header {
    fn peek(buffer: &[u8]) -> Result<Option<Self>, String> {
        let Some((&first, rest)) = buffer.split_first() else {
            return Ok(None);
        };
        let mut remaining = 0;
        for (place, &byte) in rest.iter().take(4).enumerate() {
            remaining |= usize::from(byte & 0x7F) << (7 * place);
            if byte & 0x80 == 0 {
                let body_at = place + 2;
                return Ok(Some(Self {
                    first,
                    body_at,
                    frame_bytes: body_at + remaining,
                }));
            }
        }
        if rest.len() < 4 {
            return Ok(None);
        }
        Err("a packet length of more than four bytes".to_owned())
    }
}

/// The part of a PUBLISH that is needed to report and to acknowledge it.
struct PublishHead {
    topic: String,
    packet_id: Option<u16>,
}

impl PublishHead {
    fn peek(header: &Header, buffer: &[u8]) -> Result<Option<Self>, String> {
        let at_least_once = match (header.first >> 1) & 3 {
            0 => false,
            1 => true,
            _ => return Err("a message at QoS 2, though the subscription says 1".to_owned()),
        };
        let body = buffer.get(header.body_at..).unwrap_or_default();
        let Some((length, body)) = split_u16(body) else {
            return Ok(None);
        };
        let topic_bytes = usize::from(length);
        let needed = 2 + topic_bytes + if at_least_once { 2 } else { 0 };
        if header.body_at + needed > header.frame_bytes {
            return Err("a message that is shorter than its topic".to_owned());
        }
        let Some((topic, body)) = body.split_at_checked(topic_bytes) else {
            return Ok(None);
        };
        let packet_id = match split_u16(body) {
            Some((packet_id, _)) if at_least_once => Some(packet_id),
            None if at_least_once => return Ok(None),
            _ => None,
        };
        let shown = topic.get(..MAX_TOPIC_SHOWN).unwrap_or(topic);
        Ok(Some(Self {
            topic: String::from_utf8_lossy(shown).into_owned(),
            packet_id,
        }))
    }

    fn skipped(self, bytes: usize, reason: SkipReason) -> Frame {
        let skipped = Skipped {
            topic: self.topic,
            bytes,
            reason,
            ticket: None,
        };
        Frame::Skipped(skipped, self.packet_id)
    }
}

fn split_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*head), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A QoS 1 PUBLISH on `topic` with `payload` bytes, as 3.1.1 frames it.
    fn publish(topic: &[u8], packet_id: u16, payload: usize) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
        body.extend(topic);
        body.extend(packet_id.to_be_bytes());
        body.extend(vec![0; payload]);
        let mut frame = vec![0x32];
        let mut left = body.len();
        while left > 127 {
            frame.push((left & 0x7F) as u8 | 0x80);
            left >>= 7;
        }
        frame.push(left as u8);
        frame.extend(body);
        frame
    }

    /// Feeds the stream in pieces and tells what came out.
    fn cut(stream: &[u8], piece: usize) -> Vec<String> {
        let mut frames = Frames::new(MqttVersion::V311, 1000);
        let mut buffer = BytesMut::new();
        let mut seen = Vec::new();
        for piece in stream.chunks(piece) {
            buffer.extend_from_slice(piece);
            while let Some(frame) = frames.next(&mut buffer).unwrap() {
                seen.push(match frame {
                    Frame::Packet(Packet::Publish(publish)) => {
                        format!("publish {:?} {}", publish.packet_id, publish.payload.len())
                    }
                    Frame::Packet(other) => format!("{other:?}"),
                    Frame::Skipped(skipped, id) => format!("skipped {} {id:?} {}", skipped.topic, skipped.bytes),
                });
            }
        }
        assert!(buffer.is_empty());
        seen
    }

    #[test]
    fn an_oversized_message_costs_only_itself_however_the_stream_is_cut() {
        let mut stream = publish(b"vitals/v1/s/a/num", 1, 100);
        stream.extend(publish(b"vitals/v1/s/b/num", 2, 5000));
        stream.extend(publish(b"vitals/v1/s/c/num", 3, 200));
        let expected = [
            "publish Some(1) 100",
            "skipped vitals/v1/s/b/num Some(2) 5024",
            "publish Some(3) 200",
        ];
        for piece in [1, 7, 1024, stream.len()] {
            assert_eq!(cut(&stream, piece), expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_malformed_message_is_skipped_with_its_packet_identifier() {
        let mut stream = publish(b"vitals/\xFF/num", 9, 10);
        stream.extend(publish(b"vitals/v1/s/c/num", 3, 20));
        assert_eq!(
            cut(&stream, 5),
            ["skipped vitals/\u{FFFD}/num Some(9) 28", "publish Some(3) 20"]
        );
    }

    #[test]
    fn a_length_of_five_bytes_is_an_error() {
        let mut buffer = BytesMut::from(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01][..]);
        assert!(Frames::new(MqttVersion::V5, 1000).next(&mut buffer).is_err());
    }

    #[test]
    fn a_large_packet_that_is_no_message_is_an_error() {
        let mut buffer = BytesMut::from(&[0x20, 0xFF, 0x7F][..]);
        assert!(Frames::new(MqttVersion::V5, 1000).next(&mut buffer).is_err());
    }
}
