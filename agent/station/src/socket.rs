//! One open page: its WebSocket from the snapshot to the close.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinSet;
use wardlight_core::alarms::AlarmId;
use wardlight_core::people::{Actor, Role};
use wardlight_core::time::Timestamp;

use crate::command::{Request, StationCommand};
use crate::counters::count;
use crate::history::Receipt;
use crate::http::person;
use crate::station::{MAX_PAGES, Station, WaveFrame};
use crate::wire::{self, ClientFrame, WaveChoice};

/// Longest frame that a page may send, in bytes.
const MAX_CLIENT_FRAME: usize = 4096;
/// A page that takes nothing for so long is closed; it comes back by itself if it lives.
const STUCK_AFTER: Duration = Duration::from_secs(10);
/// How long a closed page may take to say goodbye.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// Nonsense frames after which a page is closed.
const MAX_NONSENSE: u32 = 20;
/// Acknowledgements of one page that may wait for the agent at a time.
const MAX_PENDING: usize = 8;
/// WebSocket close code "policy violation".
const POLICY: u16 = 1008;
/// WebSocket close code "going away".
const GOING_AWAY: u16 = 1001;

/// Holds a place among the open pages.
pub(crate) struct Seat(Station);

impl Seat {
    /// A place, unless too many pages are open.
    pub(crate) fn take(station: &Station) -> Option<Self> {
        let counting = station.counting();
        let free = |pages| (pages < MAX_PAGES).then_some(pages + 1);
        if counting.pages.fetch_update(Relaxed, Relaxed, free).is_ok() {
            return Some(Self(station.clone()));
        }
        count(&counting.pages_refused);
        None
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.counting().pages.fetch_sub(1, Relaxed);
    }
}

/// Serves a page until it leaves, gets stuck or misbehaves, or the agent stops.
pub(crate) async fn serve(socket: WebSocket, seat: Seat) {
    let station = seat.0.clone();
    let attached = station.attach();
    let mut page = Page {
        socket,
        live: attached.live,
        waves: station.waves(),
        wanted: WaveChoice::ALL,
        pending: JoinSet::new(),
        nonsense: 0,
        station,
    };
    if page.send(Message::Text(attached.snapshot)).await.is_continue() {
        page.run().await;
    }
}

struct Page {
    socket: WebSocket,
    station: Station,
    live: Receiver<Utf8Bytes>,
    waves: Receiver<WaveFrame>,
    wanted: WaveChoice,
    /// Acknowledgements that the agent has not answered yet.
    pending: JoinSet<(String, Result<(), String>)>,
    nonsense: u32,
}

impl Page {
    /// Alarms and beds first, then what the page says, waves last.
    async fn run(&mut self) {
        let mut closing = self.station.closing();
        loop {
            let flow = tokio::select! {
                biased;
                () = stopped(&mut closing) => {
                    self.say_goodbye().await;
                    return;
                }
                frame = self.live.recv() => self.on_live(frame).await,
                Some(done) = self.pending.join_next() => match done {
                    Ok((alarm, outcome)) => self.answer(&alarm, outcome).await,
                    Err(_) => ControlFlow::Continue(()),
                },
                message = self.socket.recv() => match message {
                    Some(Ok(message)) => self.on_message(message).await,
                    Some(Err(_)) | None => return,
                },
                frame = self.waves.recv() => self.on_wave(frame).await,
            };
            if flow.is_break() {
                return;
            }
        }
    }

    async fn on_live(&mut self, frame: Result<Utf8Bytes, RecvError>) -> ControlFlow<()> {
        match frame {
            Ok(frame) => self.send(Message::Text(frame)).await,
            Err(RecvError::Lagged(skipped)) => self.resync(skipped).await,
            Err(RecvError::Closed) => ControlFlow::Break(()),
        }
    }

    /// The page was too slow: says so, and gives it the whole state, so that no alarm is lost silently.
    async fn resync(&mut self, skipped: u64) -> ControlFlow<()> {
        let counting = self.station.counting();
        count(&counting.resyncs);
        counting.live_frames_skipped.fetch_add(skipped, Relaxed);
        let attached = self.station.attach();
        self.live = attached.live;
        self.send(Message::Text(wire::resync_frame(self.now(), skipped))).await?;
        self.send(Message::Text(attached.snapshot)).await
    }

    async fn on_wave(&mut self, frame: Result<WaveFrame, RecvError>) -> ControlFlow<()> {
        match frame {
            Ok(frame) if self.wanted.wants(frame.bed.as_str()) => self.send(Message::Binary(frame.bytes)).await,
            Ok(_) => ControlFlow::Continue(()),
            Err(RecvError::Lagged(missed)) => {
                self.station.counting().wave_frames_dropped.fetch_add(missed, Relaxed);
                ControlFlow::Continue(())
            }
            Err(RecvError::Closed) => ControlFlow::Break(()),
        }
    }

    async fn on_message(&mut self, message: Message) -> ControlFlow<()> {
        match message {
            Message::Text(text) if text.len() > MAX_CLIENT_FRAME => {
                let problem = format!("frame of {} bytes: at most {MAX_CLIENT_FRAME} expected", text.len());
                self.complain(&problem).await
            }
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(frame) => self.on_frame(frame).await,
                Err(error) => self.complain(&format!("not a frame of the protocol: {error}")).await,
            },
            Message::Binary(_) => self.complain("binary frame: only text frames are expected from a page").await,
            // A close is answered by the next read, which then ends.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => ControlFlow::Continue(()),
        }
    }

    async fn on_frame(&mut self, frame: ClientFrame) -> ControlFlow<()> {
        match frame {
            ClientFrame::Ack { alarm, by } => self.acknowledge(alarm, &by).await,
            ClientFrame::Displayed { alarm, at, .. } => self.receipt(&alarm, Receipt::Displayed, at),
            ClientFrame::Seen { alarm, at } => self.receipt(&alarm, Receipt::Seen, at),
            ClientFrame::Subscribe { waves } => {
                self.wanted = waves;
                ControlFlow::Continue(())
            }
        }
    }

    fn receipt(&self, alarm: &str, receipt: Receipt, at: i64) -> ControlFlow<()> {
        self.station.receipt(StationCommand::Receipt {
            alarm: AlarmId::from_text(alarm),
            receipt,
            at: Timestamp::from_millis(at),
        });
        ControlFlow::Continue(())
    }

    async fn acknowledge(&mut self, alarm: String, by: &str) -> ControlFlow<()> {
        let by = match person(by) {
            Ok(by) => by,
            Err(problem) => return self.answer(&alarm, Err(problem)).await,
        };
        if self.pending.len() >= MAX_PENDING {
            let problem = format!("{MAX_PENDING} acknowledgements are waiting already: not sent");
            return self.answer(&alarm, Err(problem)).await;
        }
        let station = self.station.clone();
        self.pending.spawn(async move {
            let request = Request::Acknowledge {
                alarm: AlarmId::from_text(&alarm),
            };
            let by = Actor::new(by, Role::ChargeNurse);
            let outcome = station.ask(request, by).await.map_err(|failure| failure.to_string());
            (alarm, outcome)
        });
        ControlFlow::Continue(())
    }

    async fn answer(&mut self, alarm: &str, outcome: Result<(), String>) -> ControlFlow<()> {
        let outcome = outcome.as_ref().map(|&()| ()).map_err(String::as_str);
        let frame = wire::ack_result_frame(self.now(), alarm, outcome);
        self.send(Message::Text(frame)).await
    }

    /// Tells the page what was wrong with its frame; one that goes on and on is closed.
    async fn complain(&mut self, problem: &str) -> ControlFlow<()> {
        count(&self.station.counting().bad_frames);
        self.nonsense += 1;
        let frame = wire::error_frame(self.now(), problem);
        self.send(Message::Text(frame)).await?;
        if self.nonsense < MAX_NONSENSE {
            return ControlFlow::Continue(());
        }
        self.close(POLICY, "too many frames that are not of the protocol").await;
        ControlFlow::Break(())
    }

    async fn say_goodbye(&mut self) {
        let frame = wire::bye_frame(self.now());
        if self.send(Message::Text(frame)).await.is_continue() {
            self.close(GOING_AWAY, "the agent stops").await;
        }
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        // The page answers with its own close; one that does not is left.
        if self.send(Message::Close(Some(frame))).await.is_continue() {
            let rest = async { while let Some(Ok(_)) = self.socket.recv().await {} };
            tokio::time::timeout(CLOSE_WITHIN, rest).await.ok();
        }
    }

    async fn send(&mut self, message: Message) -> ControlFlow<()> {
        match tokio::time::timeout(STUCK_AFTER, self.socket.send(message)).await {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) => ControlFlow::Break(()),
            Err(_) => {
                count(&self.station.counting().pages_stuck);
                ControlFlow::Break(())
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.station.now()
    }
}

/// Resolves when the agent stops. The sender lives as long as the station: its loss cannot come, and would mean the same.
async fn stopped(closing: &mut watch::Receiver<bool>) {
    closing.wait_for(|&closing| closing).await.ok();
}
