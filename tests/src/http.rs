//! HTTP/1.1 as far as these tests need it: one request, one connection.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body, text.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Asks for a path.
/// # Errors
/// If nobody answers.
pub fn get(port: u16, path: &str) -> io::Result<Answer> {
    exchange(
        port,
        &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"),
    )
}

/// Posts JSON.
/// # Errors
/// If nobody answers.
pub fn post(port: u16, path: &str, body: &Value) -> io::Result<Answer> {
    let body = body.to_string();
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Type: application/json\r\n");
    exchange(port, &format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))
}

fn exchange(port: u16, request: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request.as_bytes())?;
    let bytes = read_answer(&mut stream)?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .ok_or(io::ErrorKind::InvalidData)?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunk(body) } else { body.to_owned() };
    Ok(Answer { status, body })
}

/// Reads to the end of the connection, or of the length that was told: not every server closes when asked to.
fn read_answer(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut bytes, mut block) = (Vec::new(), [0; 16_384]);
    loop {
        let read = stream.read(&mut block)?;
        bytes.extend(&block[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let told = text.split_once("\r\n\r\n").and_then(|(head, _)| {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            length.map(|length: usize| head.len() + 4 + length)
        });
        if read == 0 || told.is_some_and(|told| bytes.len() >= told) {
            return Ok(bytes);
        }
    }
}

fn unchunk(mut text: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || rest.len() < size {
            break;
        }
        whole.push_str(&rest[..size]);
        text = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
