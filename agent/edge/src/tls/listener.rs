//! The page's door: TCP, or TLS over it. A slow handshake holds up nobody else.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{error, warn};

use super::{Refusal, ServerTls, Stream, handshake};

/// Most handshakes at once; further connections wait in the system's queue.
const HANDSHAKES: usize = 128;
/// Rest after the system could not accept, as when there are no descriptors left.
const REST: Duration = Duration::from_millis(100);

type Shaken = (SocketAddr, io::Result<Box<dyn Stream>>);

/// Accepts whoever gets through.
pub(crate) struct PageListener {
    tcp: TcpListener,
    tls: Option<ServerTls>,
    handshakes: JoinSet<Shaken>,
    /// Who is told of those who did not.
    refused: Box<dyn Fn(IpAddr, Refusal) + Send>,
}

impl PageListener {
    /// On a port that is bound; `refused` is told of every refused handshake.
    pub(crate) fn new(tcp: TcpListener, tls: Option<ServerTls>, refused: impl Fn(IpAddr, Refusal) + Send + 'static) -> Self {
        Self {
            tcp,
            tls,
            handshakes: JoinSet::new(),
            refused: Box::new(refused),
        }
    }

    fn begin(&mut self, tcp: TcpStream, peer: SocketAddr) {
        // Without this, small frames such as alarms may wait 40 ms for the ones before them to be confirmed.
        tcp.set_nodelay(true).ok();
        let acceptor = self.tls.as_mut().map(ServerTls::acceptor);
        self.handshakes.spawn(async move { (peer, handshake(tcp, acceptor).await) });
    }

    fn refuse(&self, peer: SocketAddr, error: &io::Error) {
        // A browser that looks whether somebody is there, and goes, is no refusal.
        let Some(reason) = Refusal::of(error) else { return };
        warn!(%peer, reason = reason.label(), %error, "A connection to the page was refused.");
        (self.refused)(peer.ip(), reason);
    }
}

impl Listener for PageListener {
    type Io = Box<dyn Stream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                Some(done) = self.handshakes.join_next() => match done {
                    Ok((peer, Ok(stream))) => return (stream, peer),
                    Ok((peer, Err(error))) => self.refuse(peer, &error),
                    Err(panic) => error!(%panic, "A handshake of the page died."),
                },
                accepted = self.tcp.accept(), if self.handshakes.len() < HANDSHAKES => match accepted {
                    Ok((tcp, peer)) => self.begin(tcp, peer),
                    Err(error) => {
                        warn!(%error, "The page cannot accept a connection.");
                        sleep(REST).await;
                    }
                },
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}
