//! One connection, from CONNACK to its loss: reads, acknowledges, publishes, keeps alive.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval, timeout};
use tracing::{info, warn};

use super::acks::{AckTicket, Acker, Outstanding};
use super::codec::{self, Packet, Publish};
use super::connect::Link;
use super::counters::SessionCounters;
use super::frames::{Frame, Frames};
use super::outgoing::{InFlight, SUBSCRIBE_ID};
use super::subscription::Subscription;
use super::{Inbound, Outgoing, Phase, SessionEvent, Skipped};
use crate::config::MqttVersion;
use crate::tls::Stream;

/// Room made for one read from the network.
const READ_BYTES: usize = 64 * 1024;
/// A read with less room than this is not worth its system call.
const LEAST_READ_BYTES: usize = 4 * 1024;
/// QoS 0 messages are dropped when less than one part in so many of the inbox is free.
const QOS0_RESERVE: usize = 8;
/// Packet identifiers are 16 bits, so no broker can have more messages waiting.
const MOST_OUTSTANDING: usize = 65_535;
/// Longest wait for the last bytes to leave.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What outlives a connection.
pub(super) struct Surroundings<T> {
    pub(super) version: MqttVersion,
    pub(super) subscription: Subscription,
    pub(super) acker: Acker,
    pub(super) counters: Arc<SessionCounters>,
    pub(super) inbox: mpsc::Sender<T>,
}

/// How a connection ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// We closed it.
    Closed,
    /// It broke, for this reason.
    Lost(String),
    /// Nobody takes messages any more.
    InboxClosed,
}

/// One connection.
pub(super) struct Connection<'a, T> {
    around: &'a Surroundings<T>,
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    frames: Frames,
    buffer: BytesMut,
    out: BytesMut,
    /// TLS may hold bytes back until it is flushed.
    unflushed: bool,
    outstanding: Outstanding,
    /// Reused for every batch of tickets.
    tickets: Vec<AckTicket>,
    /// Read and not yet taken by the inbox. While there is any, the network is not read.
    pending: VecDeque<SessionEvent>,
    /// What the broker said about our session, until the Ward has been told.
    resumed: bool,
    announced: bool,
    keep_alive: Duration,
    last_read: Instant,
    last_write: Instant,
}

impl<'a, T: From<SessionEvent>> Connection<'a, T> {
    pub(super) fn new(around: &'a Surroundings<T>, link: Link, epoch: u32, keep_alive: Duration) -> Self {
        let (reader, writer) = tokio::io::split(link.stream);
        let keep_alive = link
            .connack
            .keep_alive_s
            .map_or(keep_alive, |seconds| Duration::from_secs(u64::from(seconds.max(1))));
        let now = Instant::now();
        Self {
            around,
            reader,
            writer,
            frames: link.frames,
            buffer: link.buffer,
            out: BytesMut::new(),
            unflushed: false,
            outstanding: Outstanding::new(epoch),
            tickets: Vec::new(),
            pending: VecDeque::new(),
            resumed: link.connack.session_present,
            announced: false,
            keep_alive,
            last_read: now,
            last_write: now,
        }
    }

    /// Sends again what is unconfirmed, and subscribes. `retained_too` asks for the retained messages even if the broker
    /// had kept the subscription: a process that just started has seen none of them.
    ///
    /// # Errors
    /// What could not be encoded.
    pub(super) fn open(&mut self, in_flight: &InFlight, retained_too: bool) -> Result<(), String> {
        let version = self.around.version;
        in_flight.resend(version, &mut self.out)?;
        if self.around.subscription == Subscription::None {
            self.announce();
            return Ok(());
        }
        codec::subscribe(version, &self.around.subscription, SUBSCRIBE_ID, retained_too, &mut self.out)
    }

    /// Whether the Ward has been told of this connection.
    pub(super) fn was_announced(&self) -> bool {
        self.announced
    }

    /// Serves the connection until it ends.
    pub(super) async fn serve(
        &mut self,
        in_flight: &mut InFlight,
        outgoing: &mut mpsc::Receiver<Outgoing>,
        phase: &mut watch::Receiver<Phase>,
    ) -> Ending {
        if let Err(reason) = self.take_frames(in_flight) {
            return Ending::Lost(reason);
        }
        let mut ticker = interval(self.keep_alive / 4);
        loop {
            let current = *phase.borrow_and_update();
            match current {
                Phase::Close => {
                    self.close(in_flight, outgoing).await;
                    return Ending::Closed;
                }
                // Unread messages stay with the broker.
                Phase::Drain => self.pending.clear(),
                Phase::Run => {}
            }
            let reading = current == Phase::Run && self.pending.is_empty();
            self.make_room(reading);
            let result = tokio::select! {
                biased;
                changed = phase.changed() => match changed {
                    Ok(()) => Ok(()),
                    Err(_owner_is_gone) => return Ending::Closed,
                },
                () = self.around.acker.given_back() => {
                    self.acknowledge();
                    Ok(())
                }
                Some(message) = outgoing.recv(), if in_flight.has_room() => {
                    self.publish(in_flight, message);
                    Ok(())
                }
                written = push(&mut self.writer, &mut self.out, self.unflushed),
                    if self.unflushed || !self.out.is_empty() => self.wrote(written),
                permit = self.around.inbox.reserve(), if !self.pending.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(event) = self.pending.pop_front() {
                            permit.send(event.into());
                        }
                        self.hand_over();
                        Ok(())
                    }
                    Err(_closed) => return Ending::InboxClosed,
                },
                read = self.reader.read_buf(&mut self.buffer), if reading => self.read(read, in_flight),
                _now = ticker.tick() => self.keep_alive(reading),
            };
            if let Err(reason) = result {
                return Ending::Lost(reason);
            }
        }
    }

    fn make_room(&mut self, reading: bool) {
        if reading && self.buffer.capacity() - self.buffer.len() < LEAST_READ_BYTES {
            self.buffer.reserve(READ_BYTES);
        }
    }

    fn read(&mut self, read: io::Result<usize>, in_flight: &mut InFlight) -> Result<(), String> {
        match read {
            Ok(0) => Err("closed by the broker".to_owned()),
            Ok(_) => {
                self.last_read = Instant::now();
                self.take_frames(in_flight)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    fn take_frames(&mut self, in_flight: &mut InFlight) -> Result<(), String> {
        while let Some(frame) = self.frames.next(&mut self.buffer)? {
            match frame {
                Frame::Packet(packet) => self.take_packet(packet, in_flight)?,
                Frame::Skipped(skipped, packet_id) => self.take_skipped(skipped, packet_id)?,
            }
        }
        self.hand_over();
        Ok(())
    }

    fn take_packet(&mut self, packet: Packet, in_flight: &mut InFlight) -> Result<(), String> {
        match packet {
            Packet::Publish(publish) => self.take_message(publish),
            Packet::PubAck { packet_id, refused } => {
                let message = in_flight.confirm(packet_id);
                if let (Some(reason), Some(message)) = (refused, message) {
                    SessionCounters::add(&self.around.counters.publish_refused, 1);
                    warn!(topic = message.topic, reason, "The broker refused a message of ours.");
                }
                Ok(())
            }
            Packet::PingResp => Ok(()),
            Packet::SubAck { refused: None } => {
                self.announce();
                Ok(())
            }
            Packet::SubAck { refused: Some(reason) } => Err(format!(
                "the broker refuses the subscription to {}: {reason}",
                self.around.subscription.filters().join(", ")
            )),
            Packet::Disconnect { reason } => Err(format!("closed by the broker: {reason}")),
            Packet::ConnAck(_) => Err("a second CONNACK".to_owned()),
        }
    }

    /// Says once that the broker has us: at SUBACK, or before that at the first message of a session that it had kept.
    fn announce(&mut self) {
        if !self.announced {
            self.announced = true;
            let resumed = self.resumed;
            self.around.counters.set_connected(true);
            SessionCounters::add(&self.around.counters.connections, 1);
            match self.around.subscription {
                Subscription::Live(_) => {
                    self.pending.push_back(SessionEvent::LiveFeed { up: true });
                    info!("Messages are heard live.");
                }
                Subscription::Log(_) => info!("The broker's log is heard."),
                Subscription::Kept(_) | Subscription::None => {
                    self.pending.push_back(SessionEvent::Connected { resumed });
                    info!(resumed, "Connected to the broker.");
                }
            }
        }
    }

    fn take_message(&mut self, publish: Publish) -> Result<(), String> {
        self.announce();
        let counters = &self.around.counters;
        SessionCounters::add(&counters.received, 1);
        SessionCounters::add(&counters.received_bytes, publish.payload.len());
        let live = self.around.subscription.is_live();
        if live && publish.retained {
            // The broker's stored copy: the session that it keeps has brought it, or will.
            return Ok(());
        }
        if publish.packet_id.is_none() && !live && self.inbox_is_nearly_full() {
            SessionCounters::add(&counters.dropped_qos0, 1);
            return Ok(());
        }
        let ticket = self.admit(publish.packet_id)?;
        let topic = match String::from_utf8(publish.topic.into()) {
            Ok(topic) => topic,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        if topic.ends_with("/cmd") {
            // Ours to a device, or another agent's: nothing that was measured.
            self.outstanding.settle(ticket.as_slice());
            self.write_acknowledgements();
            return Ok(());
        }
        self.pending.push_back(SessionEvent::Message(Inbound {
            topic,
            payload: publish.payload,
            content_type: publish.content_type,
            retained: publish.retained,
            dup: publish.dup,
            ticket,
            live,
        }));
        Ok(())
    }

    fn take_skipped(&mut self, skipped: Skipped, packet_id: Option<u16>) -> Result<(), String> {
        self.announce();
        SessionCounters::add(&self.around.counters.skipped, 1);
        let ticket = self.admit(packet_id)?;
        self.pending.push_back(SessionEvent::Skipped(Skipped { ticket, ..skipped }));
        Ok(())
    }

    fn admit(&mut self, packet_id: Option<u16>) -> Result<Option<AckTicket>, String> {
        if self.outstanding.len() >= MOST_OUTSTANDING {
            return Err("the broker sends more unacknowledged messages than there are identifiers".to_owned());
        }
        Ok(packet_id.map(|packet_id| self.outstanding.admit(packet_id)))
    }

    fn inbox_is_nearly_full(&self) -> bool {
        let inbox = &self.around.inbox;
        inbox.capacity().saturating_sub(self.pending.len()) < inbox.max_capacity() / QOS0_RESERVE
    }

    fn hand_over(&mut self) {
        while !self.pending.is_empty() {
            let Ok(permit) = self.around.inbox.try_reserve() else { return };
            if let Some(event) = self.pending.pop_front() {
                permit.send(event.into());
            }
        }
    }

    fn acknowledge(&mut self) {
        self.around.acker.take(&mut self.tickets);
        let ours = self.outstanding.settle(&self.tickets);
        SessionCounters::add(&self.around.counters.stale_tickets, self.tickets.len() - ours);
        self.write_acknowledgements();
    }

    fn write_acknowledgements(&mut self) {
        let mut written = 0;
        while let Some(packet_id) = self.outstanding.pop_settled() {
            codec::puback(packet_id, &mut self.out);
            written += 1;
        }
        SessionCounters::add(&self.around.counters.acknowledged, written);
    }

    fn publish(&mut self, in_flight: &mut InFlight, message: Outgoing) {
        let topic = message.topic.clone();
        match in_flight.send(self.around.version, message, &mut self.out) {
            Ok(()) => SessionCounters::add(&self.around.counters.published, 1),
            Err(reason) => {
                SessionCounters::add(&self.around.counters.publish_refused, 1);
                warn!(topic, reason, "A message of ours cannot be sent.");
            }
        }
    }

    fn wrote(&mut self, written: io::Result<bool>) -> Result<(), String> {
        self.unflushed = !written.map_err(|error| error.to_string())?;
        self.last_write = Instant::now();
        Ok(())
    }

    fn keep_alive(&mut self, reading: bool) -> Result<(), String> {
        let now = Instant::now();
        if !reading {
            // What we do not read cannot prove that the broker is gone.
            self.last_read = now;
        }
        let silence = now - self.last_read;
        if silence > self.keep_alive + self.keep_alive / 2 {
            return Err(format!("the broker has been silent for {} s", silence.as_secs()));
        }
        if silence.max(now - self.last_write) >= self.keep_alive / 2 && self.out.is_empty() {
            codec::pingreq(&mut self.out);
        }
        Ok(())
    }

    /// Sends what is ready, says goodbye, and waits until the broker has read it.
    async fn close(&mut self, in_flight: &mut InFlight, outgoing: &mut mpsc::Receiver<Outgoing>) {
        self.acknowledge();
        while in_flight.has_room() {
            let Ok(message) = outgoing.try_recv() else { break };
            self.publish(in_flight, message);
        }
        codec::disconnect(&mut self.out);
        let farewell = async {
            self.writer.write_all(&self.out).await?;
            self.writer.shutdown().await?;
            // A socket closed with unread bytes resets the connection, and the broker might not see what we wrote.
            loop {
                self.buffer.clear();
                self.buffer.reserve(READ_BYTES);
                if self.reader.read_buf(&mut self.buffer).await? == 0 {
                    return Ok::<_, io::Error>(());
                }
            }
        };
        match timeout(CLOSE_TIMEOUT, farewell).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "The connection broke while it was being closed."),
            Err(_elapsed) => warn!("The broker did not close the connection in time."),
        }
    }
}

/// Writes some of `out`, or flushes; returns whether everything is out.
async fn push(writer: &mut WriteHalf<Box<dyn Stream>>, out: &mut BytesMut, unflushed: bool) -> io::Result<bool> {
    if out.is_empty() && unflushed {
        writer.flush().await?;
        return Ok(true);
    }
    if writer.write_buf(out).await? == 0 {
        return Err(io::ErrorKind::WriteZero.into());
    }
    Ok(false)
}
