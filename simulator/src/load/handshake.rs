//! Opening a connection of a load.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::LoadSettings;
use super::packet::{self, Incoming};

/// Unacknowledged messages at most, whatever the broker would take.
const WINDOW: u16 = 4000;
/// How long to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a socket and exchanges `CONNECT` and `CONNACK`; returns the socket and the window.
pub(super) async fn connect(settings: &LoadSettings, index: usize) -> Result<(TcpStream, u16), String> {
    let attempt = async {
        let broker = &settings.broker;
        let mut socket = TcpStream::connect((broker.host.as_str(), broker.port))
            .await
            .map_err(|e| e.to_string())?;
        socket.set_nodelay(true).map_err(|e| e.to_string())?;
        let mut hello = Vec::new();
        packet::connect(&mut hello, &format!("wardlight-load-{}-{index}", settings.boot));
        socket.write_all(&hello).await.map_err(|e| e.to_string())?;
        let mut answer = Vec::new();
        loop {
            socket.readable().await.map_err(|e| e.to_string())?;
            match socket.try_read_buf(&mut answer) {
                Ok(0) => return Err("the broker closed the connection".to_owned()),
                Ok(_) => {}
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => continue,
                Err(e) => return Err(e.to_string()),
            }
            match packet::parse(&answer)? {
                Some((Incoming::ConnAck(Ok(window)), _)) => return Ok((socket, window.min(WINDOW))),
                Some((Incoming::ConnAck(Err(code)), _)) => return Err(format!("refused with reason 0x{code:02X}")),
                Some(_) => return Err("expected a CONNACK".to_owned()),
                None => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, attempt)
        .await
        .unwrap_or_else(|_elapsed| Err(format!("no answer within {} s", PATIENCE.as_secs())))
}
