//! A WebSocket that collects what it hears: the agent's live frames, or a browser's tools.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tungstenite::{Error, Message, WebSocket, client};

use crate::wait;

/// An open WebSocket on loopback.
#[derive(Debug)]
pub struct Live(WebSocket<TcpStream>);

impl Live {
    /// Opens `ws://127.0.0.1:{port}{path}`.
    pub fn open(port: u16, path: &str) -> Self {
        Self::try_open(port, path).expect("the WebSocket opens")
    }

    /// As [`Live::open`]; `None` if nobody answers.
    pub fn try_open(port: u16, path: &str) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let (socket, _) = client(format!("ws://127.0.0.1:{port}{path}"), stream).ok()?;
        socket.get_ref().set_read_timeout(Some(Duration::from_millis(100))).ok()?;
        Some(Self(socket))
    }

    /// The next text frame as JSON: `Ok(None)` if none came within 100 ms.
    /// # Errors
    /// When the socket is closed.
    pub fn frame(&mut self) -> Result<Option<Value>, Closed> {
        match self.0.read() {
            Ok(Message::Text(text)) => Ok(serde_json::from_str(text.as_str()).ok()),
            Ok(Message::Close(_)) => Err(Closed),
            Ok(_) => Ok(None),
            Err(Error::Io(error)) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Ok(None),
            Err(_) => Err(Closed),
        }
    }

    /// The first frame that fits, within 15 s; the others are passed over.
    pub fn find(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        wait::until(what, 15, || self.frame().expect("the socket stays open").filter(&fits))
    }

    /// The first `alarm` frame of this kind and state, within 15 s.
    pub fn alarm(&mut self, kind: &str, state: &str) -> Value {
        let fits = |f: &Value| f["type"] == "alarm" && f["alarm"]["kind"] == kind && f["alarm"]["state"] == state;
        self.find(&format!("an alarm frame with {kind}, {state}"), fits)["alarm"].take()
    }

    /// Sends a text frame.
    pub fn send(&mut self, value: &Value) {
        self.0.send(Message::text(value.to_string())).unwrap();
    }
}

/// The socket was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;
