//! A broker of a few lines for tests: it answers CONNECT, PUBLISH and SUBSCRIBE on every socket, and keeps what was published.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Topics and payloads, in the order of arrival.
pub(crate) type Seen = Arc<Mutex<Vec<(String, Vec<u8>)>>>;
/// Clients whose session is kept.
type Sessions = Arc<Mutex<BTreeSet<Vec<u8>>>>;

/// How the broker behaves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manners {
    /// Receive Maximum; 0 is not sent.
    pub(crate) window: u8,
    /// The first connection is cut after this many packets.
    pub(crate) cut_after: Option<usize>,
    /// Each subscription is answered with this payload on its topic.
    pub(crate) command: Option<&'static [u8]>,
}

/// Listens on a free port, until the test's runtime ends.
pub(crate) async fn start(mut manners: Manners) -> (u16, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let sessions = Sessions::default();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, manners, Arc::clone(&noted), Arc::clone(&sessions)));
            manners.cut_after = None;
        }
    });
    (port, seen)
}

async fn serve(mut socket: TcpStream, manners: Manners, seen: Seen, sessions: Sessions) {
    let mut packets = 0;
    while let Some((first, body)) = packet(&mut socket).await {
        packets += 1;
        if manners.cut_after.is_some_and(|most| packets > most) {
            return;
        }
        let answer = match first >> 4 {
            1 if manners.window == 0 => vec![0x20, 3, present(&body, &sessions), 0, 0],
            1 => vec![0x20, 6, present(&body, &sessions), 0, 3, 0x21, 0, manners.window],
            3 => publish(first, &body, &seen),
            8 => subscribe(&body, manners.command),
            12 => vec![0xD0, 0],
            _ => Vec::new(),
        };
        if socket.write_all(&answer).await.is_err() {
            return;
        }
    }
}

async fn packet(socket: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let first = socket.read_u8().await.ok()?;
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let byte = socket.read_u8().await.ok()?;
        length |= usize::from(byte & 0x7F) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.ok()?;
    Some((first, body))
}

/// Session Present: 1 for a client that was here before, left its session and does not ask for a clean start.
fn present(connect: &[u8], sessions: &Sessions) -> u8 {
    let clean_start = connect[7] & 0b10 != 0;
    let id = 11 + usize::from(connect[10]);
    let length = usize::from(connect[id + 1]);
    let client = connect[id + 2..id + 2 + length].to_vec();
    let mut sessions = sessions.lock().unwrap();
    if clean_start {
        sessions.remove(&client);
        return 0;
    }
    u8::from(!sessions.insert(client))
}

/// Notes a message and answers with its PUBACK. Properties are shorter than 128 bytes.
fn publish(first: u8, body: &[u8], seen: &Seen) -> Vec<u8> {
    let topic_end = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
    let topic = String::from_utf8(body[2..topic_end].to_vec()).unwrap();
    let acknowledged = first & 0b0110 != 0;
    let properties = topic_end + if acknowledged { 2 } else { 0 };
    let payload = properties + 1 + usize::from(body[properties]);
    seen.lock().unwrap().push((topic, body[payload..].to_vec()));
    if acknowledged {
        vec![0x40, 2, body[topic_end], body[topic_end + 1]]
    } else {
        Vec::new()
    }
}

/// SUBACK for one topic, and the command on it.
fn subscribe(body: &[u8], command: Option<&[u8]>) -> Vec<u8> {
    let mut answer = vec![0x90, 4, body[0], body[1], 0, 1];
    if let Some(payload) = command {
        // Packet id, no properties, then the topic with its length, then options.
        let topic = &body[3..body.len() - 1];
        answer.extend([0x30, (topic.len() + 1 + payload.len()) as u8]);
        answer.extend(topic);
        answer.push(0);
        answer.extend(payload);
    }
    answer
}
