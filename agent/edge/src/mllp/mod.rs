//! The door for HL7 v2 over MLLP. A message is acknowledged when its record is committed, and a sender waits for that before its next.
//!
//! Connections and the size of a message are bounded. While the Ward's inbox is full nothing is read, and TCP slows the senders down.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};
use wardlight_wire::hl7::mllp::{self, Frame, Frames};
use wardlight_wire::hl7::{self, Refusal};

use crate::adapters::hl7::{Answer, Hl7Message};
use crate::agent::Input;
use crate::clock::Clock;
use crate::config::Hl7Listen;
use crate::session::Phase;
use crate::tls::{ServerTls, handshake};

/// MSH-3 of what we say.
const APPLICATION: &str = "Wardlight";
/// Room for one read.
const READ_BYTES: usize = 16 * 1024;
/// A connection on which nothing has come for this long is closed, so that a sender that vanished does not hold its place for ever.
const IDLE: Duration = Duration::from_hours(1);
/// The writing of an answer takes at most this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open door.
pub(crate) struct Listener {
    socket: TcpListener,
    tls: Option<ServerTls>,
    max_message_bytes: usize,
    places: Arc<Semaphore>,
}

impl Listener {
    /// Opens it.
    /// # Errors
    /// If the address cannot be had, or a certificate not used.
    pub(crate) async fn bind(config: &Hl7Listen) -> anyhow::Result<Self> {
        let tls = config.tls.as_ref().map(ServerTls::new).transpose()?;
        let socket = TcpListener::bind(config.address).await;
        let socket = socket.with_context(|| format!("hl7.listen.address {}", config.address))?;
        info!(address = %config.address, tls = tls.is_some(), "HL7 is taken.");
        Ok(Self {
            socket,
            tls,
            max_message_bytes: config.max_message_bytes,
            places: Arc::new(Semaphore::new(config.max_connections)),
        })
    }

    /// Serves until the agent stops. `stuck` says when the journal cannot commit.
    /// # Errors
    /// Never: a connection that fails costs only itself.
    pub(crate) async fn serve(mut self, way: Way, mut phase: watch::Receiver<Phase>) -> anyhow::Result<()> {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = leaves_run(&mut phase) => break,
                accepted = self.accept() => match accepted {
                    Ok((stream, from, place)) => {
                        let tls = self.tls.as_mut().map(ServerTls::acceptor);
                        let (way, limit) = (way.clone(), self.max_message_bytes);
                        connections.spawn(async move {
                            if let Err(error) = converse(stream, tls, from.ip(), limit, &way).await {
                                warn!(%from, %error, "HL7 connection lost.");
                            }
                            drop(place);
                        });
                    }
                    Err(error) => {
                        warn!(%error, "HL7 connection not taken.");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_ended) = connections.join_next() => {}
            }
        }
        // What was read is still answered; then the agent's own time to close ends it.
        drop(phase.wait_for(|phase| *phase == Phase::Close).await);
        connections.shutdown().await;
        Ok(())
    }

    /// The next connection; beyond the bound they wait in the system's queue.
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, from) = self.socket.accept().await?;
        stream.set_nodelay(true)?;
        Ok((stream, from, place))
    }
}

/// Returns when messages are no longer wanted.
async fn leaves_run(phase: &mut watch::Receiver<Phase>) {
    // An error means that the owner is gone, which ends this as well.
    drop(phase.wait_for(|phase| *phase != Phase::Run).await);
}

/// The way of a message to the Ward.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) inbox: mpsc::Sender<Input>,
    pub(crate) stuck: watch::Receiver<bool>,
    pub(crate) clock: Clock,
}

async fn converse(tcp: TcpStream, tls: Option<TlsAcceptor>, from: IpAddr, limit: usize, way: &Way) -> anyhow::Result<()> {
    let mut stream = handshake(tcp, tls).await?;
    let mut frames = Frames::new(limit);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = timeout(IDLE, stream.read(&mut buffer))
            .await
            .context("silent for too long")??;
        let mut bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        while !bytes.is_empty() {
            let (taken, frame) = frames.take(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            let Some(frame) = frame else { continue };
            let Some(answer) = way.answer(frame, from, limit).await else {
                // Nobody takes messages any more. Without an answer the sender sends it again.
                return Ok(());
            };
            let written = async {
                stream.write_all(&mllp::frame(&answer)).await?;
                stream.flush().await
            };
            timeout(PATIENCE, written).await.context("the answer is not read")??;
        }
    }
}

impl Way {
    /// Brings a message to the Ward and back its acknowledgement.
    async fn answer(&self, frame: Frame, from: IpAddr, limit: usize) -> Option<Vec<u8>> {
        let bytes = match frame {
            Frame::Message(bytes) => Ok(bytes),
            Frame::Oversized { .. } => Err(Refusal::misframed(format!("expected at most {limit} bytes"))),
            Frame::Broken { .. } => Err(Refusal::misframed("expected the end of a message before the next begins")),
        };
        let (answer, answered) = oneshot::channel();
        let message = Hl7Message { bytes, from, answer };
        self.inbox.send(Input::Hl7(Box::new(message))).await.ok()?;
        let Answer {
            head,
            outcome,
            committed,
        } = answered.await.ok()?;
        let outcome = match committed {
            None => outcome,
            Some(committed) => {
                let mut stuck = self.stuck.clone();
                tokio::select! {
                    biased;
                    committed = committed => match committed {
                        Ok(Ok(())) => outcome,
                        Ok(Err(failure)) => Err(Refusal::not_done(failure.to_string())),
                        Err(_dropped) => return None,
                    },
                    _stuck = stuck.wait_for(|stuck| *stuck) => Err(Refusal::not_done("cannot be stored now: send it again")),
                }
            }
        };
        let now = self.clock.now();
        Some(hl7::ack(
            &head,
            outcome.as_ref().copied(),
            APPLICATION,
            &format!("{now}"),
            now,
        ))
    }
}
