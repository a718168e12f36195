//! The Minimal Lower Layer Protocol: a message between a start byte and two end bytes on a TCP stream.

/// Begins a message.
const START: u8 = 0x0B;
/// Ends a message, with [`RETURN`] after it.
const END: u8 = 0x1C;
const RETURN: u8 = 0x0D;

/// Why a stream cannot be read on: what follows is not known to be a message, so the connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MllpError {
    /// No message begins where one should.
    #[error("MLLP: byte {0:#04x} where a message should begin with 0x0b")]
    NoStart(u8),
    /// A message that is longer than the reader allows.
    #[error("MLLP: a message of more than {0} bytes")]
    TooLong(usize),
}

/// The message in its frame.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(message.len() + 3);
    framed.push(START);
    framed.extend(message);
    framed.extend([END, RETURN]);
    framed
}

/// Takes bytes as they come and gives messages as they are complete.
#[derive(Debug)]
pub struct Deframer {
    limit: usize,
    buffer: Vec<u8>,
}

impl Deframer {
    /// For messages of at most `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            buffer: Vec::new(),
        }
    }

    /// Adds what came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend(bytes);
    }

    /// The next message without its frame; `None` until it is complete.
    /// # Errors
    /// [`MllpError`] if the stream is not MLLP, or the message too long.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, MllpError> {
        match self.buffer.first() {
            None => return Ok(None),
            Some(&START) => {}
            Some(&other) => return Err(MllpError::NoStart(other)),
        }
        let end = self.buffer.windows(2).position(|pair| pair == [END, RETURN]);
        if end.unwrap_or(self.buffer.len()) > self.limit + 1 {
            return Err(MllpError::TooLong(self.limit));
        }
        Ok(end.map(|end| self.buffer.drain(..end + 2).skip(1).take(end - 1).collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn messages_come_back_however_the_stream_is_cut(
            messages in prop::collection::vec("[A-Z|^\r]{0,40}", 0..4),
            cut in 1_usize..7,
        ) {
            let stream: Vec<u8> = messages.iter().flat_map(|message| frame(message.as_bytes())).collect();
            let mut deframer = Deframer::new(64);
            let mut found = Vec::new();
            for piece in stream.chunks(cut) {
                deframer.push(piece);
                while let Some(message) = deframer.next_message().unwrap() {
                    found.push(String::from_utf8(message).unwrap());
                }
            }
            prop_assert_eq!(found, messages);
        }
    }

    #[test]
    fn a_stream_that_is_not_mllp_is_refused_at_its_first_byte() {
        let mut deframer = Deframer::new(64);
        deframer.push(b"GET / HTTP/1.1");
        assert_eq!(deframer.next_message(), Err(MllpError::NoStart(b'G')));
    }

    #[test]
    fn a_message_may_be_as_long_as_the_limit_and_no_longer() {
        for (length, fits) in [(8, true), (9, false)] {
            let mut deframer = Deframer::new(8);
            deframer.push(&frame(&vec![b'A'; length]));
            assert_eq!(deframer.next_message().is_ok(), fits, "{length} bytes");
        }
        let mut endless = Deframer::new(8);
        endless.push(&[START; 10]);
        assert_eq!(endless.next_message(), Err(MllpError::TooLong(8)));
    }
}
