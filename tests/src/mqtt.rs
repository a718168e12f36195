//! An MQTT 3.1.1 client of a few lines, so that a test knows exactly which message was confirmed.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use crate::tls::{Identity, Tls};

/// What a client speaks over: one thread reads while another writes.
pub(crate) trait Wire: Send + Sync {
    /// Reads some bytes; 0 at the end.
    fn read(&self, into: &mut [u8]) -> io::Result<usize>;
    /// Writes all bytes.
    fn write_all(&self, bytes: &[u8]) -> io::Result<()>;
    /// The connection below.
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut stream = self;
        Read::read(&mut stream, into)
    }

    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stream = self;
        Write::write_all(&mut stream, bytes)
    }

    fn socket(&self) -> &TcpStream {
        self
    }
}

/// What the broker sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It has the message of this packet identifier.
    Puback(u16),
    /// It has the subscription.
    Suback,
    /// A message, confirmed already.
    Message(String, Vec<u8>),
}

/// A connection with a clean session.
pub struct Client {
    wire: Arc<dyn Wire>,
    /// What was heard, in order; closed with the connection.
    pub heard: Receiver<Heard>,
    next_id: u16,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client of {:?}", self.wire.socket())
    }
}

/// What may wait to be looked at. The room is taken at once.
const QUEUE: usize = 262_144;
/// The same of a device: there may be thousands in one test.
const DEVICE_QUEUE: usize = 1024;

impl Client {
    /// Connects to a broker on loopback.
    /// # Errors
    /// If it does not answer, or refuses.
    pub fn connect(port: u16, client_id: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        Self::greet(Arc::new(stream), client_id, QUEUE)
    }

    /// Connects to a broker on loopback over TLS, with a certificate.
    /// # Errors
    /// If it does not answer, or one of both refuses the other.
    pub fn connect_as(identity: &Identity, port: u16, client_id: &str) -> io::Result<Self> {
        Self::greet(Arc::new(Tls::connect(identity, port)?), client_id, DEVICE_QUEUE)
    }

    fn greet(wire: Arc<dyn Wire>, client_id: &str, queue: usize) -> io::Result<Self> {
        wire.socket().set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0];
        put_text(&mut body, client_id);
        wire.write_all(&packet(0x10, &body))?;
        let (kind, answer) = read_packet(&*wire)?;
        if kind != 0x20 || answer.get(1) != Some(&0) {
            return Err(io::Error::other(format!("refused: {kind:#x} {answer:?}")));
        }
        wire.socket().set_read_timeout(None)?;
        let (sender, heard) = sync_channel(queue);
        let reader = Arc::clone(&wire);
        thread::spawn(move || {
            while let Ok((kind, body)) = read_packet(&*reader) {
                let Some(one) = understand(&*reader, kind, &body) else {
                    continue;
                };
                if sender.send(one).is_err() {
                    return;
                }
            }
        });
        Ok(Self { wire, heard, next_id: 0 })
    }

    /// Sends a message at QoS 1; returns the identifier that its PUBACK will have.
    /// # Errors
    /// If the connection is gone.
    pub fn publish(&mut self, topic: &str, payload: &[u8]) -> io::Result<u16> {
        self.send(0x32, topic, payload)
    }

    /// The same for a message that the broker keeps.
    /// # Errors
    /// If the connection is gone.
    pub fn keep(&mut self, topic: &str, payload: &[u8]) -> io::Result<u16> {
        self.send(0x33, topic, payload)
    }

    fn send(&mut self, kind: u8, topic: &str, payload: &[u8]) -> io::Result<u16> {
        self.next_id = self.next_id % 65_000 + 1;
        let mut body = Vec::with_capacity(payload.len() + topic.len() + 4);
        put_text(&mut body, topic);
        body.extend(self.next_id.to_be_bytes());
        body.extend(payload);
        self.wire.write_all(&packet(kind, &body))?;
        Ok(self.next_id)
    }

    /// Sends a message at QoS 1 and waits for its PUBACK; nothing else may be underway.
    pub fn deliver(&mut self, topic: &str, payload: &[u8]) {
        let id = self.publish(topic, payload).unwrap();
        loop {
            match self
                .heard
                .recv_timeout(Duration::from_secs(10))
                .expect("no PUBACK within 10 s")
            {
                Heard::Puback(confirmed) if confirmed == id => return,
                Heard::Puback(_) | Heard::Suback | Heard::Message(..) => {}
            }
        }
    }

    /// Subscribes at QoS 1 and waits until it holds. Returns the topics of kept messages that came before the broker's answer.
    pub fn subscribe(&mut self, filter: &str) -> Vec<String> {
        let mut body = vec![0, 1];
        put_text(&mut body, filter);
        body.push(1);
        self.wire.write_all(&packet(0x82, &body)).unwrap();
        let mut kept = Vec::new();
        loop {
            match self
                .heard
                .recv_timeout(Duration::from_secs(10))
                .expect("no SUBACK within 10 s")
            {
                Heard::Suback => return kept,
                Heard::Message(topic, _) => kept.push(topic),
                Heard::Puback(_) => {}
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // The reader thread ends with the connection.
        self.wire.socket().shutdown(Shutdown::Both).ok();
    }
}

fn understand(wire: &dyn Wire, kind: u8, body: &[u8]) -> Option<Heard> {
    match kind & 0xf0 {
        0x40 => Some(Heard::Puback(u16::from_be_bytes([*body.first()?, *body.get(1)?]))),
        0x90 => Some(Heard::Suback),
        0x30 => {
            let length = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
            let topic = String::from_utf8_lossy(body.get(2..2 + length)?).into_owned();
            let mut rest = body.get(2 + length..)?;
            if kind & 0x06 != 0 {
                wire.write_all(&packet(0x40, rest.get(..2)?)).ok();
                rest = rest.get(2..)?;
            }
            Some(Heard::Message(topic, rest.to_vec()))
        }
        _ => None,
    }
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    let mut left = body.len();
    loop {
        let low = (left % 128) as u8;
        left /= 128;
        bytes.push(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    body.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    body.extend(text.as_bytes());
}

fn read_packet(wire: &dyn Wire) -> io::Result<(u8, Vec<u8>)> {
    let mut byte = [0];
    read_exact(wire, &mut byte)?;
    let kind = byte[0];
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        read_exact(wire, &mut byte)?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 || shift > 21 {
            break;
        }
    }
    let mut body = vec![0; length];
    read_exact(wire, &mut body)?;
    Ok((kind, body))
}

fn read_exact(wire: &dyn Wire, mut into: &mut [u8]) -> io::Result<()> {
    while !into.is_empty() {
        match wire.read(into)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => into = &mut into[read..],
        }
    }
    Ok(())
}
