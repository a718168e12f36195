//! A link that a test can cut: a TCP proxy in front of a broker.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It carries everything.
    Up,
    /// Connections are closed, and new ones are closed at once.
    Cut,
    /// Connections stand and nothing passes: what goes in is lost, as behind a dead access point.
    Silent,
}

#[derive(Debug)]
struct State {
    link: Link,
    open: Vec<TcpStream>,
}

/// A proxy on a free port of loopback.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// One in front of this port.
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            link: Link::Up,
            open: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                connect(&client, target, &shared);
            }
        });
        Self { port, state }
    }

    /// Changes the link. Connections that were silent are closed when it comes back: what they lost is gone.
    pub fn set(&self, link: Link) {
        let mut state = self.state.lock().unwrap();
        if link == Link::Cut || state.link == Link::Silent {
            for stream in state.open.drain(..) {
                stream.shutdown(Shutdown::Both).ok();
            }
        }
        state.link = link;
    }
}

fn connect(client: &TcpStream, target: u16, shared: &Arc<Mutex<State>>) {
    let mut state = shared.lock().unwrap();
    if state.link == Link::Cut {
        return;
    }
    let Ok(broker) = TcpStream::connect(("127.0.0.1", target)) else {
        return;
    };
    for (from, to) in [(client, &broker), (&broker, client)] {
        state.open.push(from.try_clone().unwrap());
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let shared = Arc::clone(shared);
        thread::spawn(move || carry(from, to, &shared));
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, shared: &Mutex<State>) {
    let mut bytes = [0; 16_384];
    while let Ok(size @ 1..) = from.read(&mut bytes) {
        let silent = shared.lock().unwrap().link == Link::Silent;
        if !silent && to.write_all(&bytes[..size]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Both).ok();
}
