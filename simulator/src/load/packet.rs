//! The few MQTT 5 packets that a publisher needs.

/// `PUBACK` reason codes from here on are failures.
const FIRST_FAILURE: u8 = 0x80;

/// What the broker said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// Accepted, with the number of unacknowledged messages it takes at once; or refused with a reason code.
    ConnAck(Result<u16, u8>),
    /// A message was acknowledged; or refused with a reason code.
    PubAck { id: u16, refused: Option<u8> },
    /// The broker closes the connection, with a reason code.
    Disconnect(u8),
    /// Anything else.
    Other,
}

/// Appends a `CONNECT` with a clean start and without keep-alive.
pub(super) fn connect(out: &mut Vec<u8>, client: &str) {
    let mut body = Vec::with_capacity(32);
    string(&mut body, "MQTT");
    // Version 5, clean start, keep-alive 0, no properties.
    body.extend([5, 0b0000_0010, 0, 0, 0]);
    string(&mut body, client);
    packet(out, 0x10, &[&body]);
}

/// Appends a `PUBLISH` of QoS 1 that is not retained.
pub(super) fn publish(out: &mut Vec<u8>, topic: &str, id: u16, payload: &[u8]) {
    let length = u16::try_from(topic.len()).unwrap_or(u16::MAX).to_be_bytes();
    let [high, low] = id.to_be_bytes();
    packet(out, 0b0011_0010, &[&length, topic.as_bytes(), &[high, low, 0], payload]);
}

/// Appends a `DISCONNECT`.
pub(super) fn disconnect(out: &mut Vec<u8>) {
    out.extend([0xE0, 0]);
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(text.as_bytes());
}

fn packet(out: &mut Vec<u8>, first: u8, parts: &[&[u8]]) {
    out.push(first);
    let mut left: usize = parts.iter().map(|p| p.len()).sum();
    loop {
        let byte = (left % 128) as u8;
        left /= 128;
        out.push(if left > 0 { byte | 0x80 } else { byte });
        if left == 0 {
            break;
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Takes one packet from the front of `input`: the packet and how many bytes it took; `None` where more bytes are needed.
/// # Errors
/// When the bytes are no MQTT 5.
pub(super) fn parse(input: &[u8]) -> Result<Option<(Incoming, usize)>, &'static str> {
    let Some((first, rest)) = input.split_first() else {
        return Ok(None);
    };
    let Some((length, used)) = variable_integer(rest)? else {
        return Ok(None);
    };
    let start = 1 + used;
    let Some(body) = input.get(start..start + length) else {
        return Ok(None);
    };
    let incoming = match (first >> 4, body) {
        (2, [_flags, code, properties @ ..]) if *code < FIRST_FAILURE => Incoming::ConnAck(Ok(receive_maximum(properties)?)),
        (2, [_flags, code, ..]) => Incoming::ConnAck(Err(*code)),
        (4, [high, low, rest @ ..]) => Incoming::PubAck {
            id: u16::from_be_bytes([*high, *low]),
            refused: rest.first().copied().filter(|code| *code >= FIRST_FAILURE),
        },
        (14, body) => Incoming::Disconnect(body.first().copied().unwrap_or(0)),
        (2 | 4, _) => return Err("a packet is too short"),
        _ => Incoming::Other,
    };
    Ok(Some((incoming, start + length)))
}

/// A variable byte integer and how many bytes it took.
fn variable_integer(input: &[u8]) -> Result<Option<(usize, usize)>, &'static str> {
    let mut value = 0_usize;
    for (i, byte) in input.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * i);
        if byte & 0x80 == 0 {
            return Ok(Some((value, i + 1)));
        }
    }
    if input.len() >= 4 {
        Err("a packet's length has more than four bytes")
    } else {
        Ok(None)
    }
}

/// Receive Maximum (0x21) among the properties of a `CONNACK`; 65535 where it is absent.
fn receive_maximum(properties: &[u8]) -> Result<u16, &'static str> {
    let cut = "a CONNACK ends within its properties";
    let Some((length, used)) = variable_integer(properties)? else {
        return Ok(u16::MAX);
    };
    let mut rest = properties.get(used..used + length).ok_or(cut)?;
    while let Some((property, after)) = rest.split_first() {
        let text = |bytes: &[u8]| match bytes {
            [high, low, ..] => 2 + usize::from(u16::from_be_bytes([*high, *low])),
            _ => usize::MAX,
        };
        let size = match property {
            0x21 => {
                let value = after.first_chunk::<2>().ok_or(cut)?;
                return Ok(u16::from_be_bytes(*value).max(1));
            }
            0x24 | 0x25 | 0x28 | 0x29 | 0x2A => 1,
            0x13 | 0x22 => 2,
            0x11 | 0x27 => 4,
            0x12 | 0x15 | 0x16 | 0x1A | 0x1C | 0x1F => text(after),
            0x26 => {
                let name = text(after);
                name.saturating_add(text(after.get(name..).unwrap_or_default()))
            }
            _ => return Err("a CONNACK has an unknown property"),
        };
        rest = after.get(size..).ok_or(cut)?;
    }
    Ok(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_written_as_the_standard_says() {
        let mut out = Vec::new();
        connect(&mut out, "ab");
        assert_eq!(out, [0x10, 15, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 0, 0, 0, 2, b'a', b'b']);
        out.clear();
        publish(&mut out, "t", 258, b"xy");
        assert_eq!(out, [0x32, 8, 0, 1, b't', 1, 2, 0, b'x', b'y']);
        out.clear();
        publish(&mut out, "t", 1, &[0; 200]);
        assert_eq!(out[..3], [0x32, 0xCE, 1]);
    }

    #[test]
    fn answers_are_read_in_pieces() {
        let answers = [
            0x20, 6, 0, 0, 3, 0x21, 0, 20, 0x40, 2, 1, 2, 0x40, 3, 0, 7, 0x87, 0xE0, 1, 0x8B, 0xD0, 0,
        ];
        assert_eq!(parse(&answers[..7]), Ok(None));
        let mut rest = &answers[..];
        let mut found = Vec::new();
        while let Some((incoming, used)) = parse(rest).unwrap() {
            found.push(incoming);
            rest = &rest[used..];
        }
        assert_eq!(
            found,
            [
                Incoming::ConnAck(Ok(20)),
                Incoming::PubAck { id: 258, refused: None },
                Incoming::PubAck {
                    id: 7,
                    refused: Some(0x87)
                },
                Incoming::Disconnect(0x8B),
                Incoming::Other,
            ]
        );
    }

    #[test]
    fn other_properties_are_skipped_and_nonsense_is_refused() {
        let ack = |properties: &[u8]| {
            let mut bytes = vec![0x20, (properties.len() + 3) as u8, 0, 0, properties.len() as u8];
            bytes.extend(properties);
            parse(&bytes).map(|found| found.unwrap().0)
        };
        assert_eq!(ack(&[]), Ok(Incoming::ConnAck(Ok(u16::MAX))));
        assert_eq!(
            ack(&[0x22, 0, 10, 0x12, 0, 1, b'x', 0x26, 0, 1, b'a', 0, 0, 0x21, 1, 0]),
            Ok(Incoming::ConnAck(Ok(256)))
        );
        assert!(ack(&[0x99]).is_err());
        assert!(ack(&[0x12, 0, 9]).is_err());
        assert!(parse(&[0x20, 0x80, 0x80, 0x80, 0x80]).is_err());
        assert_eq!(parse(&[0x20, 2, 0, 0x87]), Ok(Some((Incoming::ConnAck(Err(0x87)), 4))));
    }
}
