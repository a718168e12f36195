//! From nothing to an accepted connection: TCP, TLS, CONNECT, CONNACK.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use metrics::counter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::codec::{self, ConnAck, Hello, Packet};
use super::frames::{Frame, Frames};
use crate::config::{MqttConfig, secret};
use crate::metrics as m;
use crate::tls::{Connector, Refusal, Stream};

/// Longest wait for TCP, TLS and CONNACK together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that the broker accepted.
pub(super) struct Link {
    pub(super) stream: Box<dyn Stream>,
    pub(super) frames: Frames,
    /// Bytes that came after CONNACK.
    pub(super) buffer: BytesMut,
    pub(super) connack: ConnAck,
}

/// With `clean` the broker begins a session that ends with the connection, else it goes on with ours.
///
/// # Errors
/// Which step failed and why.
pub(super) async fn connect(config: &MqttConfig, clean: bool) -> Result<Link, String> {
    match timeout(CONNECT_TIMEOUT, attempt(config, clean)).await {
        Ok(result) => result,
        Err(_elapsed) => Err(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs())),
    }
}

/// Ends the connection that is open under this client identifier, by opening one in its place and closing that. Its session, with what the
/// broker kept for it, is gone.
///
/// # Errors
/// Which step failed and why.
pub(crate) async fn cut(config: &MqttConfig, client_id: &str) -> Result<(), String> {
    let mut config = config.clone();
    client_id.clone_into(&mut config.client_id);
    connect(&config, true).await.map(drop)
}

async fn attempt(config: &MqttConfig, clean: bool) -> Result<Link, String> {
    let tcp = TcpStream::connect((config.host.as_str(), config.port))
        .await
        .map_err(|error| format!("TCP: {error}"))?;
    tcp.set_nodelay(true).map_err(|error| format!("TCP: {error}"))?;
    let stream: Box<dyn Stream> = match &config.tls {
        None => Box::new(tcp),
        Some(files) => {
            // Read anew each time, so that changed certificates need no restart.
            let connector = Connector::new(files, &config.host).map_err(|error| format!("TLS: {error}"))?;
            connector.connect(tcp).await.map_err(|error| said("TLS", &error))?
        }
    };
    greet(config, stream, clean).await
}

async fn greet(config: &MqttConfig, mut stream: Box<dyn Stream>, clean: bool) -> Result<Link, String> {
    // Read anew each time, so that a changed password needs no restart.
    let password = match &config.login {
        Some((_, file)) => Some(secret::read(file)?),
        None => None,
    };
    let username = config.login.as_ref().map(|(username, _)| username.as_str());
    let hello = Hello {
        client_id: &config.client_id,
        clean,
        login: username.zip(password.as_deref()),
        keep_alive_s: u16::try_from(config.keep_alive.as_secs()).unwrap_or(u16::MAX),
        session_expiry_s: if clean {
            0
        } else {
            u32::try_from(config.session_expiry.as_secs()).unwrap_or(u32::MAX)
        },
        receive_maximum: config.receive_maximum,
    };
    let mut out = BytesMut::new();
    codec::connect(config.version, &hello, &mut out)?;
    let sent = async {
        stream.write_all(&out).await?;
        stream.flush().await
    };
    sent.await.map_err(|error| format!("CONNECT: {error}"))?;
    let mut frames = Frames::new(config.version, config.max_packet_bytes);
    let mut buffer = BytesMut::new();
    let first = loop {
        if let Some(frame) = frames.next(&mut buffer)? {
            break frame;
        }
        match stream.read_buf(&mut buffer).await {
            Ok(0) => return Err("closed by the broker before CONNACK".to_owned()),
            Ok(_) => {}
            // In TLS 1.3 what the broker says of our certificate comes here.
            Err(error) => return Err(said("CONNACK", &error)),
        }
    };
    match first {
        Frame::Packet(Packet::ConnAck(connack)) => match &connack.refused {
            Some(reason) => Err(format!("refused by the broker: {reason}")),
            None => Ok(Link {
                stream,
                frames,
                buffer,
                connack,
            }),
        },
        Frame::Packet(_) | Frame::Skipped(..) => Err("the broker did not answer with CONNACK".to_owned()),
    }
}

/// The words of a failed step; a refusal of TLS is counted.
fn said(step: &str, error: &io::Error) -> String {
    if let Some(reason) = Refusal::of(error) {
        counter!(m::BROKER_TLS, "reason" => reason.label()).increment(1);
    }
    format!("{step}: {error}")
}
