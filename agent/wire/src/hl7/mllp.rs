//! MLLP, the framing of HL7 v2 over TCP: `0x0B message 0x1C 0x0D`.
//!
//! The stream is cut incrementally, whatever its bytes are and however they come; a message never takes more than its bound.

/// Begins a message.
const START: u8 = 0x0B;
/// Ends a message, together with [`CARRIAGE_RETURN`].
const END: u8 = 0x1C;
const CARRIAGE_RETURN: u8 = 0x0D;

/// What was cut off the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole message, without its framing.
    Message(Vec<u8>),
    /// A message larger than the bound; its bytes were passed over.
    Oversized {
        /// Bytes seen until its end.
        bytes: usize,
    },
    /// A message that another one's start cut short.
    Broken {
        /// Bytes seen until then.
        bytes: usize,
    },
}

/// Cuts a byte stream into messages.
#[derive(Clone, Debug)]
pub struct Frames {
    max_bytes: usize,
    /// The message so far; `None` between messages, where any byte but a start is passed over.
    open: Option<Open>,
}

#[derive(Clone, Debug, Default)]
struct Open {
    /// At most the bound and one byte.
    kept: Vec<u8>,
    /// Bytes seen, kept or not.
    seen: usize,
    /// The last byte was [`END`].
    ending: bool,
}

impl Frames {
    /// Takes messages of up to `max_bytes` bytes.
    pub const fn new(max_bytes: usize) -> Self {
        Self { max_bytes, open: None }
    }

    /// Takes the next bytes of the stream, up to the end of one frame: returns how many were taken, and the frame if one ended.
    /// Call it again with the rest.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, Option<Frame>) {
        for (index, &byte) in bytes.iter().enumerate() {
            if let Some(frame) = self.step(byte) {
                return (index + 1, Some(frame));
            }
        }
        (bytes.len(), None)
    }

    /// Whether a message has begun and not ended.
    pub const fn is_inside(&self) -> bool {
        self.open.is_some()
    }

    fn step(&mut self, byte: u8) -> Option<Frame> {
        let Some(open) = &mut self.open else {
            if byte == START {
                self.open = Some(Open::default());
            }
            return None;
        };
        if byte == START {
            // HL7 text never holds this byte, so the sender gave up on what came before.
            let bytes = open.seen;
            *open = Open::default();
            return (bytes > 0).then_some(Frame::Broken { bytes });
        }
        if open.ending && byte == CARRIAGE_RETURN {
            let Open { mut kept, seen, .. } = self.open.take()?;
            // The end byte was kept as one of the message.
            let bytes = seen - 1;
            if bytes > self.max_bytes {
                return Some(Frame::Oversized { bytes });
            }
            kept.pop();
            return Some(Frame::Message(kept));
        }
        open.ending = byte == END;
        open.seen += 1;
        if open.kept.len() <= self.max_bytes {
            open.kept.push(byte);
        }
        None
    }
}

/// A message in its framing.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(message.len() + 3);
    framed.push(START);
    framed.extend_from_slice(message);
    framed.extend([END, CARRIAGE_RETURN]);
    framed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts the stream in pieces of this size.
    fn cut(stream: &[u8], piece: usize, max_bytes: usize) -> Vec<Frame> {
        let mut frames = Frames::new(max_bytes);
        let mut found = Vec::new();
        for mut bytes in stream.chunks(piece) {
            while !bytes.is_empty() {
                let (taken, frame) = frames.take(bytes);
                bytes = &bytes[taken..];
                found.extend(frame);
            }
        }
        found
    }

    #[test]
    fn messages_are_found_however_the_stream_is_cut_and_whatever_lies_between_them() {
        let mut stream = b"noise\r\n".to_vec();
        stream.extend(frame(b"MSH|one"));
        stream.extend(b"\r\n\x1C\r");
        stream.extend(frame(b"two\x1Cand \x1C\x1C"));
        stream.extend(frame(b""));
        for piece in 1..stream.len() {
            let expected = [&b"MSH|one"[..], b"two\x1Cand \x1C\x1C", b""].map(|m| Frame::Message(m.to_vec()));
            assert_eq!(cut(&stream, piece, 100), expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_message_at_the_bound_is_taken_and_one_byte_more_costs_only_itself() {
        let mut stream = frame(&[b'x'; 10]);
        stream.extend(frame(&[b'y'; 11]));
        stream.extend(frame(&[b'y'; 5000]));
        stream.extend(frame(b"z"));
        let expected = [
            Frame::Message(vec![b'x'; 10]),
            Frame::Oversized { bytes: 11 },
            Frame::Oversized { bytes: 5000 },
            Frame::Message(b"z".to_vec()),
        ];
        for piece in [1, 3, 64, stream.len()] {
            assert_eq!(cut(&stream, piece, 10), expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_message_that_was_cut_short_is_told_and_the_next_is_whole() {
        let mut stream = b"\x0Bhalf".to_vec();
        stream.extend(frame(b"whole"));
        assert_eq!(
            cut(&stream, 3, 100),
            [Frame::Broken { bytes: 4 }, Frame::Message(b"whole".to_vec())]
        );
    }

    #[test]
    fn any_bytes_leave_it_bounded_and_ready_for_the_next_message() {
        let mut state = 7_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // Framing bytes come often, or nothing would be tried.
            let choice = [0x0B, 0x1C, 0x0D, b'a', 0xFF];
            choice[usize::try_from(state >> 33).unwrap() % choice.len()]
        };
        let mut frames = Frames::new(16);
        for _ in 0..20_000 {
            if let (_, Some(Frame::Message(message))) = frames.take(&[random()]) {
                assert!(message.len() <= 16);
            }
            assert!(frames.open.as_ref().is_none_or(|open| open.kept.len() <= 17));
        }
        frames.take(&frame(b""));
        assert!(frames.take(&frame(b"after")).1.is_some());
    }
}
