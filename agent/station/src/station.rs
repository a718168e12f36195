//! The handle that the agent holds.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;
use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use wardlight_core::alarms::AlarmId;
use wardlight_core::event::AlarmChange;
use wardlight_core::ids::{BedId, DeviceId, StayToken};
use wardlight_core::time::Timestamp;
use wardlight_core::view::{BedView, WardView};

use crate::board::Board;
use crate::command::{CommandFailure, Request, StationCommand};
use crate::counters::{Counters, Counting, count};
use crate::history::{History, Receipt, Receipts};
use crate::info::{Health, StationInfo, Storage};
use crate::people::{Caller, Desk, People};
use crate::refusals::Refusal;
use crate::setup::DeviceSetup;
use crate::trends::{Trend, TrendRow, Trends};
use crate::what_if::{WhatIf, WhatIfAnswer};
use crate::wire::{self, WaveView};

/// Pages open at the same time; one more is told to try later.
pub(crate) const MAX_PAGES: u64 = 64;
/// Alarm, bed and heartbeat frames kept for a slow page; one that falls behind further gets a snapshot instead.
const LIVE_FRAMES: usize = 256;
/// Wave frames kept for a slow page; what it misses is lost to it and counted.
const WAVE_FRAMES: usize = 1024;
/// Beds in one frame, so that an alarm never waits behind a whole ward.
const BEDS_PER_FRAME: usize = 16;
/// How long a page waits for the outcome of a request.
const REPLY_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);
/// How long a page waits for a replay.
const REPLAY_WITHIN: std::time::Duration = std::time::Duration::from_mins(2);

/// The station. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Station {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    info: StationInfo,
    commands: mpsc::Sender<StationCommand>,
    board: Mutex<Board>,
    history: Mutex<History>,
    trends: Mutex<Trends>,
    desk: Desk,
    live: broadcast::Sender<Arc<LiveFrame>>,
    waves: broadcast::Sender<WaveFrame>,
    closing: watch::Sender<bool>,
    counting: Counting,
}

/// A text frame for every page. One with patients has two readings, each made once, when the first page needs it.
#[derive(Debug)]
pub(crate) enum LiveFrame {
    /// The same for all.
    Same(Utf8Bytes),
    /// Beds, with the names of patients and without.
    Beds {
        beds: Vec<Arc<BedView>>,
        now: Timestamp,
        named: OnceLock<Utf8Bytes>,
        nameless: OnceLock<Utf8Bytes>,
    },
}

impl LiveFrame {
    fn beds(beds: Vec<Arc<BedView>>, now: Timestamp) -> Self {
        Self::Beds {
            beds,
            now,
            named: OnceLock::new(),
            nameless: OnceLock::new(),
        }
    }

    /// The frame for a page that shows names, or for one that does not.
    pub(crate) fn text(&self, names: bool) -> Utf8Bytes {
        match self {
            Self::Same(text) => text.clone(),
            Self::Beds {
                beds,
                now,
                named,
                nameless,
            } => {
                let text = if names { named } else { nameless };
                text.get_or_init(|| wire::beds_frame(beds, *now, names)).clone()
            }
        }
    }
}

/// A wave frame and the bed that it is of, so that a page which did not ask for the bed is spared it.
#[derive(Clone, Debug)]
pub(crate) struct WaveFrame {
    pub(crate) bed: BedId,
    pub(crate) bytes: Bytes,
}

/// What a page gets when it connects or has fallen behind: the state, and everything after it.
pub(crate) struct Attachment {
    pub(crate) snapshot: Utf8Bytes,
    pub(crate) live: broadcast::Receiver<Arc<LiveFrame>>,
}

/// What was recorded before a restart, put together in the order of the record.
#[derive(Debug, Default)]
pub struct Past {
    history: History,
    trends: Trends,
}

impl Past {
    /// An alarm changed.
    pub fn alarm(&mut self, change: &AlarmChange) {
        self.history.note(change, Some(change.changed_at), false);
    }

    /// A page reported a time.
    pub fn receipt(&mut self, alarm: &AlarmId, receipt: Receipt, at: Timestamp) {
        self.history.confirm(alarm, receipt, at);
    }

    /// A minute of a bed's trend was over.
    pub fn trend(&mut self, bed: &BedId, stay: StayToken, at: Timestamp, row: &TrendRow) {
        self.trends.recall(bed, stay, at, row);
    }
}

impl Station {
    /// A station without a login that shows `info` and sends what people ask for into `commands`.
    pub fn new(info: StationInfo, commands: mpsc::Sender<StationCommand>) -> Self {
        Self::with_people(info, commands, People::open())
    }

    /// The same for these people.
    pub fn with_people(info: StationInfo, commands: mpsc::Sender<StationCommand>, people: People) -> Self {
        let board = Mutex::new(Board::new(&info));
        Self {
            shared: Arc::new(Shared {
                info,
                desk: Desk::new(people, commands.clone()),
                commands,
                board,
                history: Mutex::default(),
                trends: Mutex::default(),
                live: broadcast::Sender::new(LIVE_FRAMES),
                waves: broadcast::Sender::new(WAVE_FRAMES),
                closing: watch::Sender::new(false),
                counting: Counting::default(),
            }),
        }
    }

    /// The page, its WebSocket (`/ws`) and its API (`/api/v1/…`).
    pub fn router(&self) -> Router {
        crate::http::router(self.clone())
    }

    /// Shows beds and the ward's line. This is also the page's heartbeat, on purpose from here and not from a timer:
    /// call it about once a second, with no beds if none changed. When it stops, pages say within 3 s that the link is lost.
    ///
    /// It also logs off whose time is over. Beds are serialised by the pages, once for all that show the same of them.
    /// Returns the rows of the trends' minutes that are over, to be kept.
    pub fn publish_beds(
        &self,
        beds: Vec<BedView>,
        ward: WardView,
        now: Timestamp,
    ) -> Vec<(StayToken, Arc<BedView>, Timestamp, TrendRow)> {
        let beds: Vec<Arc<BedView>> = beds.into_iter().map(Arc::new).collect();
        let rows = self.note_trends(&beds, now);
        for chunk in beds.chunks(BEDS_PER_FRAME) {
            let mut board = self.board();
            for view in chunk {
                board.put(Arc::clone(view));
            }
            if self.anybody_watches() {
                self.send(LiveFrame::beds(chunk.to_vec(), now));
            }
        }
        self.shared.desk.sweep(now);
        let mut board = self.board();
        // Taken as it is: a clock that was set back is followed, or the heartbeat would seem to stand still.
        board.now = now;
        board.ward = ward;
        if self.anybody_watches() {
            self.send(LiveFrame::Same(wire::heartbeat_frame(&board)));
        }
        rows
    }

    /// Shows a changed alarm on every open page at once; `at` is when it left.
    pub fn publish_alarm(&self, change: &AlarmChange, at: Timestamp) {
        let watched = {
            let mut board = self.board();
            board.apply(change);
            let watched = self.anybody_watches();
            if watched {
                self.send(LiveFrame::Same(wire::alarm_frame(change)));
            }
            watched
        };
        self.history().note(change, Some(at), watched);
    }

    /// Notes a time that a page reports; returns the alarm's receipts if it is the first such report.
    pub fn confirm(&self, alarm: &AlarmId, receipt: Receipt, at: Timestamp) -> Option<Receipts> {
        self.history().confirm(alarm, receipt, at)
    }

    /// Puts what was recorded before a restart, complete from `since` on, under what has happened since.
    pub fn recall(&self, past: Past, since: Timestamp) {
        self.history().precede(past.history, since);
        self.trends().precede(past.trends);
    }

    /// Forgets the alarms and trends of a stay that is erased. What open pages have drawn goes when they ask again.
    pub fn forget(&self, stay: StayToken) {
        self.history().forget(stay);
        self.trends().forget(stay);
    }

    /// Shows a block of a waveform.
    pub fn publish_wave(&self, bed: &BedId, block: &WaveView) {
        if self.shared.waves.receiver_count() > 0 {
            let frame = WaveFrame {
                bed: bed.clone(),
                bytes: wire::wave_frame(bed, block),
            };
            // No receiver left is no loss.
            self.shared.waves.send(frame).ok();
        }
    }

    /// Shows how the agent itself is; goes out with the next [`Self::publish_beds`].
    pub fn publish_health(&self, health: Health) {
        self.board().health = health;
    }

    /// Shows how full the disk is.
    pub fn publish_storage(&self, storage: Storage) {
        self.board().storage = storage;
    }

    /// Shows what is asked of devices from afar.
    pub fn publish_setups(&self, setups: Vec<DeviceSetup>) {
        self.board().setups = setups.into();
    }

    /// What is asked of a device from afar, as it was shown last; `None` if nothing is.
    pub fn setup_of(&self, device: &DeviceId) -> Option<DeviceSetup> {
        self.board().setups.iter().find(|setup| setup.device == *device).cloned()
    }

    /// Somebody was turned away at one of the agent's doors. Returns whether that is news: whether the page does not show the like already.
    pub fn refused(&self, what: Refusal) -> bool {
        let mut board = self.board();
        let now = board.now;
        board.refusals.add(what, now)
    }

    /// The users changed: whoever was removed, or got another role or password, is logged off.
    pub fn people_changed(&self) {
        self.shared.desk.recheck();
    }

    /// What was discarded or refused, for metrics.
    pub fn counters(&self) -> Counters {
        self.shared.counting.read()
    }

    /// Tells every page that the agent stops, and closes it: without this, open pages would hold up a graceful shutdown.
    pub fn close(&self) {
        self.shared.closing.send_replace(true);
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.shared.desk
    }

    pub(crate) fn info(&self) -> &StationInfo {
        &self.shared.info
    }

    pub(crate) fn counting(&self) -> &Counting {
        &self.shared.counting
    }

    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.shared.closing.subscribe()
    }

    pub(crate) fn waves(&self) -> broadcast::Receiver<WaveFrame> {
        self.shared.waves.subscribe()
    }

    /// The agent's clock as it was last heard.
    pub(crate) fn now(&self) -> Timestamp {
        self.board().now
    }

    /// A copy of the state, for the API.
    pub(crate) fn state(&self) -> Board {
        self.board().clone()
    }

    /// The state, with names or without, and, without a gap, everything that follows it.
    pub(crate) fn attach(&self, names: bool) -> Attachment {
        let (board, live) = {
            let board = self.board();
            (board.clone(), self.shared.live.subscribe())
        };
        Attachment {
            snapshot: wire::snapshot_frame(&self.shared.info, &board, names),
            live,
        }
    }

    /// Asks the agent and waits for its answer.
    pub(crate) async fn ask(&self, request: Request, caller: Caller) -> Result<(), CommandFailure> {
        let (reply, answer) = oneshot::channel();
        let Caller { by, from } = caller;
        let command = StationCommand::Request {
            request,
            by,
            from,
            reply,
        };
        if self.shared.commands.try_send(command).is_err() {
            count(&self.shared.counting.commands_refused);
            return Err(CommandFailure::Busy);
        }
        match tokio::time::timeout(REPLY_WITHIN, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(CommandFailure::Unconfirmed),
        }
    }

    /// Asks what other limits would have done, and waits for the replay.
    pub(crate) async fn what_if(&self, question: WhatIf) -> Result<WhatIfAnswer, CommandFailure> {
        let (reply, answer) = oneshot::channel();
        if self
            .shared
            .commands
            .try_send(StationCommand::WhatIf { question, reply })
            .is_err()
        {
            count(&self.shared.counting.commands_refused);
            return Err(CommandFailure::Busy);
        }
        match tokio::time::timeout(REPLAY_WITHIN, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(CommandFailure::Failed(
                "the replay took too long: ask for fewer hours".to_owned(),
            )),
        }
    }

    /// Hands over a display receipt, unless the queue is half full: requests of people come first.
    pub(crate) fn receipt(&self, receipt: StationCommand) {
        let commands = &self.shared.commands;
        let crowded = commands.capacity() * 2 < commands.max_capacity();
        if crowded || commands.try_send(receipt).is_err() {
            count(&self.shared.counting.receipts_dropped);
        }
    }

    /// The trend of a bed.
    pub(crate) fn trend(&self, bed: &BedId, now: Timestamp) -> Trend {
        self.trends().get(bed, now)
    }

    /// Looks at the history.
    pub(crate) fn with_history<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&self.history())
    }

    fn note_trends(&self, beds: &[Arc<BedView>], now: Timestamp) -> Vec<(StayToken, Arc<BedView>, Timestamp, TrendRow)> {
        let mut trends = self.trends();
        let row = |view: &Arc<BedView>| {
            let (stay, at, row) = trends.note(view, now)?;
            Some((stay, Arc::clone(view), at, row))
        };
        beds.iter().filter_map(row).collect()
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.shared.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trends(&self) -> MutexGuard<'_, Trends> {
        self.shared.trends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn anybody_watches(&self) -> bool {
        self.shared.live.receiver_count() > 0
    }

    /// Called with the board locked, so that frames leave in the order of the states they show.
    fn send(&self, frame: LiveFrame) {
        // No receiver left is no loss: whoever comes gets a snapshot.
        self.shared.live.send(Arc::new(frame)).ok();
    }

    /// A panic elsewhere must not take the page down: the board is whole between any two of its statements.
    fn board(&self) -> MutexGuard<'_, Board> {
        self.shared.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
