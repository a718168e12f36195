//! One connection of a load: what is due is written, what is acknowledged is measured, and after a loss of the connection what
//! was not acknowledged is sent again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;
use wardlight_core::time::Timestamp;

use super::handshake::connect;
use super::message::LoadDevice;
use super::outcome::Outcome;
use super::packet::{self, Incoming};
use super::{Acknowledged, LoadProgress, LoadSettings};
use crate::SimulatorError;

/// How long to wait for the last acknowledgements.
const PATIENCE: Duration = Duration::from_secs(10);
/// Wait between attempts to connect again.
const RETRY: Duration = Duration::from_millis(200);
/// Bytes written at once.
const BATCH: usize = 64 * 1024;

/// A message under way.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    /// Index of the device within this connection.
    device: usize,
    seq: u32,
    due: Instant,
    sent_at: Timestamp,
    /// A birth is not measured.
    birth: bool,
}

/// A connection.
pub(super) struct Connection {
    settings: Arc<LoadSettings>,
    index: usize,
    clock: fn() -> Timestamp,
    progress: Arc<LoadProgress>,
    devices: Vec<LoadDevice>,
    socket: TcpStream,
    output: Vec<u8>,
    input: Vec<u8>,
    under_way: Vec<Option<UnderWay>>,
    free: Vec<u16>,
    /// Messages scheduled so far, without births.
    next: u64,
    /// How many messages this connection sends.
    share: u64,
    /// Births not yet written.
    births: usize,
    outcome: Outcome,
}

impl Connection {
    /// Connects.
    pub(super) async fn open(
        settings: Arc<LoadSettings>,
        index: usize,
        clock: fn() -> Timestamp,
        progress: Arc<LoadProgress>,
    ) -> Result<Self, SimulatorError> {
        let of_connection = (index..settings.devices).step_by(settings.connections);
        let devices: Result<Vec<LoadDevice>, _> = of_connection
            .map(|number| LoadDevice::new(&settings.site, number, settings.boot))
            .collect();
        let devices = devices?;
        let (socket, window) = connect(&settings, index).await.map_err(|what| settings.broker.fault(what))?;
        let share = share(&settings, devices.len());
        Ok(Self {
            births: if settings.births { devices.len() } else { 0 },
            index,
            clock,
            progress,
            devices,
            socket,
            output: Vec::with_capacity(2 * BATCH),
            input: Vec::with_capacity(BATCH),
            under_way: vec![None; usize::from(window)],
            free: (0..window).rev().collect(),
            next: 0,
            share,
            outcome: Outcome::default(),
            settings,
        })
    }

    /// Sends everything that is due from `start` on.
    pub(super) async fn run(mut self, start: Instant) -> Outcome {
        let mut waiting_since = None;
        loop {
            let now = Instant::now();
            self.write_due(start, now);
            if self.is_finished() {
                let since = *waiting_since.get_or_insert(now);
                if self.nothing_under_way() || now - since > PATIENCE {
                    break;
                }
            }
            if let Err(what) = self.exchange(start).await {
                self.outcome.failure = Some(what);
                if !self.reconnect().await {
                    break;
                }
            }
        }
        self.leave().await
    }

    /// Whether everything was scheduled, or it is time to stop.
    fn is_finished(&self) -> bool {
        self.births == 0 && (self.next >= self.share || self.progress.stopping.load(Ordering::Relaxed))
    }

    fn nothing_under_way(&self) -> bool {
        self.free.len() == self.under_way.len() && self.output.is_empty()
    }

    /// When message `k` of this connection is due: the devices of all connections take turns.
    fn due(&self, start: Instant, k: u64) -> Instant {
        let rate = self.settings.rate * self.devices.len() as f64 / self.settings.devices as f64;
        let phase = self.index as f64 / self.settings.connections as f64;
        start + Duration::from_secs_f64((k as f64 + phase) / rate)
    }

    fn write_due(&mut self, start: Instant, now: Instant) {
        while self.births > 0 && self.output.len() < BATCH && !self.free.is_empty() {
            self.births -= 1;
            let device = self.births;
            self.begin(device, 1, now, true);
        }
        if self.births > 0 {
            return;
        }
        let first = if self.settings.births { 2 } else { 1 };
        let count = self.devices.len() as u64;
        while !self.is_finished() && self.output.len() < BATCH && !self.free.is_empty() {
            let due = self.due(start, self.next);
            if due > now {
                break;
            }
            let (device, round) = ((self.next % count) as usize, (self.next / count) as u32);
            self.next += 1;
            self.begin(device, first + round, due, false);
        }
    }

    /// Gives a message a packet id and writes it.
    fn begin(&mut self, device: usize, seq: u32, due: Instant, birth: bool) {
        let Some(slot) = self.free.pop() else { return };
        let message = UnderWay {
            device,
            seq,
            due,
            sent_at: (self.clock)(),
            birth,
        };
        if let Some(place) = self.under_way.get_mut(usize::from(slot)) {
            *place = Some(message);
        }
        self.write(slot, message);
        if !birth {
            self.outcome.sent += 1;
            self.progress.sent.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn write(&mut self, slot: u16, message: UnderWay) {
        let Some(device) = self.devices.get(message.device) else {
            return;
        };
        let format = self.settings.format;
        if message.birth {
            let (topic, payload) = device.birth(message.sent_at, format);
            packet::publish(&mut self.output, topic, slot + 1, &payload);
        } else {
            let payload = device.numerics(message.seq, message.sent_at, format);
            self.outcome.bytes += payload.len() as u64;
            packet::publish(&mut self.output, &device.topic, slot + 1, &payload);
        }
    }

    /// Waits until something can be read, written or sent, and does it.
    async fn exchange(&mut self, start: Instant) -> Result<(), String> {
        let next = self.due(start, self.next);
        let can_send = !self.is_finished() && !self.free.is_empty();
        let wake = if can_send { next } else { Instant::now() + RETRY };
        tokio::select! {
            readable = self.socket.readable() => {
                readable.map_err(|e| e.to_string())?;
                self.read()?;
            }
            writable = self.socket.writable(), if !self.output.is_empty() => {
                writable.map_err(|e| e.to_string())?;
                self.flush()?;
            }
            () = tokio::time::sleep_until(wake) => {}
        }
        // What was read or came due is most often followed by a socket with room.
        self.flush()
    }

    fn flush(&mut self) -> Result<(), String> {
        if self.output.is_empty() {
            return Ok(());
        }
        match self.socket.try_write(&self.output) {
            Ok(written) => {
                self.output.drain(..written);
                Ok(())
            }
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            Err(e) => Err(e.to_string()),
        }
    }

    fn read(&mut self) -> Result<(), String> {
        match self.socket.try_read_buf(&mut self.input) {
            Ok(0) => return Err("the broker closed the connection".into()),
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e.to_string()),
        }
        let now = Instant::now();
        let mut done = 0;
        while let Some((incoming, used)) = packet::parse(self.input.get(done..).unwrap_or_default())? {
            done += used;
            match incoming {
                Incoming::PubAck { id, refused } => self.settle(id, refused.is_some(), now),
                Incoming::Disconnect(code) => return Err(format!("the broker disconnects with reason 0x{code:02X}")),
                Incoming::ConnAck(_) | Incoming::Other => {}
            }
        }
        self.input.drain(..done);
        Ok(())
    }

    fn settle(&mut self, id: u16, refused: bool, now: Instant) {
        let slot = id.wrapping_sub(1);
        let Some(message) = self.under_way.get_mut(usize::from(slot)).and_then(Option::take) else {
            return;
        };
        self.free.push(slot);
        if refused {
            self.outcome.refused += 1;
            return;
        }
        if self.settings.list_acknowledged
            && let Some(device) = self.devices.get(message.device)
        {
            let (device, seq) = (device.number, message.seq);
            self.outcome.acknowledged.push(Acknowledged { device, seq });
        }
        if !message.birth {
            self.outcome.latency.add(now - message.due);
            self.progress.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Connects again and writes what was not acknowledged, oldest first; `false` when the broker stays away.
    async fn reconnect(&mut self) -> bool {
        let given_up_at = Instant::now() + 3 * PATIENCE;
        while Instant::now() < given_up_at {
            tokio::time::sleep(RETRY).await;
            if let Ok((socket, window)) = connect(&self.settings, self.index).await {
                self.socket = socket;
                self.outcome.reconnects += 1;
                self.input.clear();
                self.output.clear();
                self.repeat(window);
                return true;
            }
        }
        false
    }

    /// Writes again what was not acknowledged, in the window that the broker gives now.
    fn repeat(&mut self, window: u16) {
        let mut again: Vec<UnderWay> = self.under_way.iter().flatten().copied().collect();
        again.sort_by_key(|m| (m.due, m.device));
        let size = window.max(again.len() as u16);
        self.under_way = vec![None; usize::from(size)];
        self.free = (again.len() as u16..size).rev().collect();
        for (slot, message) in again.into_iter().enumerate() {
            if let Some(place) = self.under_way.get_mut(slot) {
                *place = Some(message);
            }
            self.write(slot as u16, message);
        }
    }

    async fn leave(mut self) -> Outcome {
        self.output.clear();
        packet::disconnect(&mut self.output);
        // The broker may be gone already.
        let _left = self.socket.write_all(&self.output).await;
        self.outcome.unacknowledged = (self.under_way.len() - self.free.len()) as u64;
        self.outcome.unsent = self.share - self.next;
        self.outcome
    }
}

/// How many messages a connection with so many devices sends.
fn share(settings: &LoadSettings, devices: usize) -> u64 {
    let by_time = settings.rate * settings.duration.as_secs_f64();
    let total = (settings.messages as f64).min(by_time);
    (total * devices as f64 / settings.devices as f64).round() as u64
}
