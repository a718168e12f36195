//! One open page: its WebSocket from the snapshot to the close.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinSet;
use wardlight_core::alarms::AlarmId;
use wardlight_core::time::Timestamp;

use crate::command::{Request, StationCommand};
use crate::counters::count;
use crate::history::Receipt;
use crate::http::{ApiError, CARE, named};
use crate::people::{Caller, Sight, Standing, Visitor};
use crate::station::{LiveFrame, MAX_PAGES, Station, WaveFrame};
use crate::wire::{self, ClientFrame, SessionJson, WaveChoice};

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
pub(crate) async fn serve(socket: WebSocket, seat: Seat, visitor: Visitor) {
    let station = seat.0.clone();
    let shown = look(&station, &visitor);
    let names = shown.sees_names();
    let attached = station.attach(names);
    let mut page = Page {
        visitor,
        shown,
        names,
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

/// What whoever is at an open page is now. A page that was let in once is a display ever after: no date may blind a ward.
fn look(station: &Station, visitor: &Visitor) -> Standing {
    match station.desk().standing(visitor, station.now()) {
        Standing::Stranger => Standing::Display,
        other => other,
    }
}

struct Page {
    socket: WebSocket,
    station: Station,
    visitor: Visitor,
    /// What the page was told that it is.
    shown: Standing,
    /// Whether it is shown the names of patients.
    names: bool,
    live: Receiver<Arc<LiveFrame>>,
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

    async fn on_live(&mut self, frame: Result<Arc<LiveFrame>, RecvError>) -> ControlFlow<()> {
        let standing = look(&self.station, &self.visitor);
        if !standing.is_as(&self.shown) || standing.sees_names() != self.names {
            return self.turn_to(standing).await;
        }
        match frame {
            Ok(frame) => self.send(Message::Text(frame.text(self.names))).await,
            Err(RecvError::Lagged(skipped)) => self.resync(skipped).await,
            Err(RecvError::Closed) => ControlFlow::Break(()),
        }
    }

    /// Somebody logged off, or broke the glass: says so, and shows the state anew, with names or without. The frame that was
    /// in hand is in that state.
    async fn turn_to(&mut self, standing: Standing) -> ControlFlow<()> {
        self.names = match &standing {
            Standing::Person(person) if person.sees_names() => {
                let (desk, address) = (self.station.desk(), self.visitor.address);
                desk.saw(person, address, &Sight::Ward, self.station.now())
            }
            other => other.sees_names(),
        };
        let session = SessionJson::new(self.station.desk().people(), &self.visitor, &standing, self.now());
        let frame = wire::session_frame(session);
        self.shown = standing;
        let attached = self.station.attach(self.names);
        self.live = attached.live;
        self.send(Message::Text(frame)).await?;
        self.send(Message::Text(attached.snapshot)).await
    }

    /// The page was too slow: says so, and gives it the whole state, so that no alarm is lost silently.
    async fn resync(&mut self, skipped: u64) -> ControlFlow<()> {
        let counting = self.station.counting();
        count(&counting.resyncs);
        counting.live_frames_skipped.fetch_add(skipped, Relaxed);
        let attached = self.station.attach(self.names);
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
            ClientFrame::Ack { alarm, by } => self.acknowledge(alarm, by.as_deref()).await,
            ClientFrame::Gesture {} => {
                self.station.desk().gesture(&self.visitor, self.now());
                ControlFlow::Continue(())
            }
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

    /// Who acts on this page, if somebody may.
    fn caller(&self, by: Option<&str>) -> Result<Caller, String> {
        let standing = look(&self.station, &self.visitor);
        let caller = CARE
            .caller(&standing, None, self.visitor.address)
            .map_err(ApiError::message)?;
        let caller = caller.ok_or_else(|| "log in to act".to_owned())?;
        self.station.desk().gesture(&self.visitor, self.now());
        named(caller, &standing, by)
    }

    async fn acknowledge(&mut self, alarm: String, by: Option<&str>) -> ControlFlow<()> {
        let caller = match self.caller(by) {
            Ok(caller) => caller,
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
            let outcome = station.ask(request, caller).await.map_err(|failure| failure.to_string());
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
