//! Whole-system tests: the agent as a binary, a real broker, a real browser, real kills.
//!
//! Nothing here links the agent. What the tests know of it is what an integrator knows: its command line, MQTT, HTTP,
//! its WebSocket and its files. Only loopback addresses and free ports are used; every process is ended by its own id.
//! The [`fast_ward`] alone meets the rules themselves: a day of a simulated ward in a minute.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    reason = "tests fail by panicking, and these meet real processes on real time"
)]

pub mod agent;
pub mod bedside;
pub mod browser;
pub mod burden;
pub mod certificates;
pub mod contract;
pub mod device;
pub mod fast_ward;
pub mod firmware;
pub mod hl7;
pub mod hospital;
pub mod http;
pub mod live;
pub mod live_ward;
pub mod mosquitto;
pub mod mqtt;
pub mod planted;
pub mod proxy;
pub mod secured;
pub mod sparkplug;
pub mod system_clock;
pub mod tls;
pub mod wait;
pub mod workshop;

use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// A port on loopback that nobody listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The folder that the tests are built into, `target` unless told otherwise.
pub fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let deps = test.parent().unwrap();
    deps.parent().and_then(Path::parent).unwrap().to_path_buf()
}

/// The agent's binary: `WARDLIGHT_BIN`, or the one beside this test.
pub fn wardlight() -> PathBuf {
    let built = std::env::current_exe()
        .unwrap()
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("wardlight");
    let binary = std::env::var_os("WARDLIGHT_BIN").map_or(built, PathBuf::from);
    assert!(
        binary.is_file(),
        "{}: no such file. These tests run the agent's binary; build it with `cargo build -p wardlight`, or name one in WARDLIGHT_BIN",
        binary.display()
    );
    binary
}

/// A number that looks random and is the same in each run: xorshift64.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Starts the row that belongs to this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The next number below `bound`.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
