//! The Ward's thread: one loop that takes inputs one at a time and lets time pass between them.

use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tracing::{info, warn};
use wardlight_core::event::{Command, Event, ModelScore, ModelStatus, Order};
use wardlight_core::ids::StayToken;
use wardlight_core::people::Actor;
use wardlight_core::time::Timestamp;
use wardlight_journal::Journal;
use wardlight_station::{CommandFailure, Health, Link, ModelHealth, Origin, Reply, Request, StationCommand};

use crate::adapters::hl7::Hl7Message;
use crate::audit::Record;
use crate::certified::ECG_PARTS;
use crate::clock;
use crate::desk::Ticket;
use crate::erasure::{self, Erasure};
use crate::inference::{Found, Heard};
use crate::metrics as m;
use crate::pipeline::{Asked, Pipeline};
use crate::record;
use crate::remote::WantedOfAll;
use crate::session::SessionEvent;
use crate::ticks;

/// Everything that can reach the Ward's thread.
#[derive(Debug)]
pub(crate) enum Input {
    /// From the broker.
    Session(SessionEvent),
    /// From a page or the API.
    Station(StationCommand),
    /// From the inference thread: the answer to a request, none for too little history, and how long it took.
    Scored { score: Option<Box<ModelScore>>, took: Duration },
    /// From the inference thread: so many blocks of waveform have been through the models.
    Heard(Heard),
    /// From the inference thread: what models found in waveforms.
    Found(Vec<Found>),
    /// The inference thread says how the risk stands.
    Model(ModelStatus),
    /// How a model is now.
    ModelHealth(ModelHealth),
    /// Whether the version before a model's live one was taken back by itself, and why.
    TakenBack { part: &'static str, why: Option<String> },
    /// For the audit trail, from the agent's own parts.
    Audit(Box<Record>),
    /// From the registry: what is wanted of devices.
    Wanted(WantedOfAll),
    /// From the command line: a stay is to be erased.
    Erase(Box<Erasure>),
    /// A message of HL7, whose sender waits for the answer.
    Hl7(Box<Hl7Message>),
    /// Stop: nothing follows.
    Stop,
}

impl From<SessionEvent> for Input {
    fn from(event: SessionEvent) -> Self {
        Self::Session(event)
    }
}

/// How often the whole state is checkpointed; a start replays at most this much.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(30);
/// How often the page gets every bed.
const SHOW_EVERY: Duration = Duration::from_secs(1);
/// For nurses, while the journal cannot commit …
const ALARMS_GO_ON: &str = "Records cannot be stored. Alarms go on.";
/// … and while the live feed is not to be had either.
const NOT_HEARD: &str = "Records cannot be stored, and new values may not be heard. Watch the bedside monitors.";
/// What ECG models said so long ago says nothing about now: as long as a bed without a waveform is believed.
const ECG_MODELS_LOST: Duration = Duration::from_secs(5);
/// A system clock behind ours by more was set back; less is time synchronisation.
const SET_BACK: Duration = Duration::from_secs(5);
/// Inputs taken between two looks at the clock's other duties, so that a flood cannot starve them.
const INPUTS_PER_TURN: usize = 256;

/// See the [module](self).
pub(crate) struct Agent {
    pub(crate) pipeline: Pipeline,
    pub(crate) inputs: Receiver<Input>,
    /// Only for its timer, while the thread waits for an input.
    pub(crate) timer: Runtime,
    pub(crate) random: SystemRandom,
    pub(crate) health: Health,
    pub(crate) model: ModelStatus,
    /// Set when the restored state stands on the page and time runs.
    pub(crate) ready: Arc<AtomicBool>,
    /// An answer that takes longer than this is late.
    pub(crate) model_deadline: Duration,
    pub(crate) ecg_models: EcgModels,
    /// Whether the journal cannot commit.
    pub(crate) clock_was_set_back: bool,
    pub(crate) stuck: watch::Sender<bool>,
    /// Whether the live feed is wanted: from then until the messages that are acknowledged have caught up with it.
    pub(crate) live_feed: watch::Sender<bool>,
}

/// How the ECG models keep up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EcgModels {
    /// Since when they do not answer in time.
    late_since: Option<Timestamp>,
    /// For so long that what they said is no longer believed.
    lost: bool,
}

/// What others are told by the Ward's thread.
pub(crate) struct Signals {
    /// Whether the journal cannot commit.
    pub(crate) stuck: watch::Sender<bool>,
    /// Whether the live feed is wanted.
    pub(crate) live_feed: watch::Sender<bool>,
}

impl Agent {
    /// With nothing known of models yet. `ready` is set when it runs.
    /// # Errors
    /// If there can be no timer.
    pub(crate) fn new(
        pipeline: Pipeline,
        inputs: Receiver<Input>,
        ready: Arc<AtomicBool>,
        model_deadline: Duration,
        signals: Signals,
    ) -> io::Result<Self> {
        Ok(Self {
            pipeline,
            inputs,
            timer: tokio::runtime::Builder::new_current_thread().enable_time().build()?,
            random: SystemRandom::new(),
            health: Health {
                journal: Link::Up,
                ..Health::default()
            },
            model: ModelStatus::Gone,
            ready,
            model_deadline,
            ecg_models: EcgModels::default(),
            clock_was_set_back: false,
            stuck: signals.stuck,
            live_feed: signals.live_feed,
        })
    }

    /// Runs until told to stop; returns the pipeline after a last checkpoint.
    pub(crate) fn run(mut self) -> Pipeline {
        let mut now = self.pipeline.clock.now();
        self.pipeline.on_event(Event::Restart, None, now);
        self.checkpoint(now);
        self.show(now);
        self.ready.store(true, Ordering::Relaxed);
        let (mut next_show, mut next_checkpoint) = (now.plus(SHOW_EVERY), now.plus(CHECKPOINT_EVERY));
        loop {
            now = self.pipeline.clock.now();
            self.pipeline.tick(now);
            self.watch_model(now);
            self.watch_journal(now, clock::instant());
            if now >= next_show {
                next_show = now.plus(SHOW_EVERY);
                self.show(now);
            }
            if now >= next_checkpoint {
                next_checkpoint = now.plus(CHECKPOINT_EVERY);
                self.checkpoint(now);
            }
            let wait = ticks::following(now).since(now);
            if !self.take_turn(wait) {
                self.checkpoint(self.pipeline.clock.now());
                return self.pipeline;
            }
        }
    }

    /// Waits for an input and takes those that are there; returns whether to go on.
    fn take_turn(&mut self, wait: Duration) -> bool {
        let inputs = &mut self.inputs;
        let first = match self.timer.block_on(async { tokio::time::timeout(wait, inputs.recv()).await }) {
            Ok(Some(input)) => input,
            Ok(None) => return false,
            Err(_elapsed) => return true,
        };
        if !self.take(first) {
            return false;
        }
        for _ in 1..INPUTS_PER_TURN {
            // Only what will be taken is received: an input in hand at the end of the turn would be lost.
            let Ok(input) = self.inputs.try_recv() else { return true };
            if !self.take(input) {
                return false;
            }
        }
        true
    }

    fn take(&mut self, input: Input) -> bool {
        let now = self.pipeline.clock.now();
        match input {
            Input::Session(event) => self.on_session(event, now),
            Input::Station(StationCommand::Request {
                request,
                by,
                from,
                reply,
            }) => self.on_request(request, by, from, reply, now),
            Input::Station(StationCommand::Happened(happening)) => {
                let record = Record::happening(happening, &self.pipeline.ward);
                self.pipeline.audit(&record, now);
            }
            Input::Audit(record) => self.pipeline.audit(&record, now),
            Input::Station(StationCommand::Receipt { alarm, receipt, at }) => self.pipeline.on_receipt(alarm, receipt, at, now),
            // Answered on the way here.
            Input::Station(StationCommand::WhatIf { .. }) => {}
            Input::Scored { score, took } => self.on_score(score, took, now),
            Input::Heard(heard) => self.on_heard(heard),
            Input::Found(found) => {
                for found in found {
                    self.pipeline.on_found(found, now);
                }
            }
            Input::ModelHealth(health) => self.on_model_health(health),
            Input::TakenBack { part, why } => self.change_model(part, |known| known.taken_back = why),
            Input::Model(status) => self.on_model(status, now),
            Input::Wanted(wanted) => self.pipeline.remote.want(wanted),
            Input::Erase(erasure) => self.on_erase(*erasure, now),
            Input::Hl7(message) => self.on_hl7(*message, now),
            Input::Stop => return false,
        }
        true
    }

    fn on_session(&mut self, event: SessionEvent, now: Timestamp) {
        match event {
            SessionEvent::Message(inbound) if inbound.live => self.pipeline.on_live(&inbound, now),
            SessionEvent::Message(inbound) => self.pipeline.on_inbound(&inbound, now),
            SessionEvent::LiveFeed { up } => {
                gauge!(m::LIVE_FEED_UP).set(f64::from(u8::from(up)));
                if let Link::Down { reason, .. } = &mut self.health.journal {
                    (if up { ALARMS_GO_ON } else { NOT_HEARD }).clone_into(reason);
                    self.show(now);
                }
            }
            SessionEvent::Skipped(skipped) => {
                counter!(m::SKIPPED).increment(1);
                let reason = format!("{} bytes: {}", skipped.bytes, skipped.reason);
                warn!(topic = skipped.topic, reason, "Message skipped unread.");
                let ticket = skipped.ticket.map_or(Ticket::Nothing, Ticket::Puback);
                self.pipeline.on_unread(skipped.topic, reason, ticket, now);
            }
            SessionEvent::Connected { .. } => {
                gauge!(m::BROKER_UP).set(1.0);
                self.health.broker = Link::Up;
                self.show(now);
            }
            SessionEvent::Disconnected { .. } => {
                gauge!(m::BROKER_UP).set(0.0);
                self.health.broker = Link::Down {
                    since: now,
                    reason: "No connection to the message broker: devices cannot be heard.".to_owned(),
                };
                self.show(now);
            }
        }
    }

    /// Without commits nothing is acknowledged, so the broker soon holds messages back: alarms then go on by the live feed.
    fn watch_journal(&mut self, now: Timestamp, instant: Instant) {
        let stuck = self.pipeline.desk.is_stuck(instant);
        if stuck != *self.stuck.borrow() {
            self.health.journal = if stuck {
                Link::Down {
                    since: now,
                    reason: ALARMS_GO_ON.to_owned(),
                }
            } else {
                Link::Up
            };
            self.stuck.send_replace(stuck);
            self.show(now);
        }
        let wanted = stuck || (*self.live_feed.borrow() && self.pipeline.heard.is_behind(now));
        self.live_feed
            .send_if_modified(|before| mem::replace(before, wanted) != wanted);
    }

    pub(crate) fn on_request(&mut self, request: Request, by: Actor, from: Origin, reply: Reply, now: Timestamp) {
        let mut token = [0; 16];
        if self.random.fill(&mut token).is_err() {
            // Nobody waiting needs no answer.
            reply
                .send(Err(CommandFailure::Failed("no randomness for a new stay".to_owned())))
                .ok();
            return;
        }
        if let Request::Admit { bed, .. } | Request::Discharge { bed } | Request::Other(Command::Transfer { from: bed, .. }) =
            &request
        {
            self.pipeline.forget_waves(bed);
        }
        let command = request.into_command(StayToken::from_bytes(token));
        let record = Record::command(&command, &by, from, &self.pipeline.ward);
        let order = Order { by, command };
        self.pipeline
            .on_event(Event::Order(order), Some(Asked { reply, record }), now);
        self.show(now);
    }

    /// Everything that was recorded of the stay so far is before the journal's task in its queue; what comes later is refused there.
    fn on_erase(&mut self, erasure: Erasure, now: Timestamp) {
        let Erasure { stay, by, site, told } = erasure;
        let Pipeline { ward, heard, .. } = &self.pipeline;
        let state = record::checkpoint(ward.state(), heard.last(), now);
        let allowed = erasure::refuse_present(ward, stay).and_then(|()| state.ok_or_else(erasure::busy));
        let outcome = match allowed {
            Ok(_) if *self.stuck.borrow() => Err(erasure::busy()),
            Ok(state) => {
                let done = told.clone();
                let task = move |journal: &mut Journal| {
                    let erased = erasure::erase(journal, (stay, &site, by), &state, now);
                    done.send(erased.map_err(Into::into)).ok();
                };
                self.pipeline.desk.task(Box::new(task)).map_err(|_task| erasure::busy())
            }
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => self.pipeline.station.forget(stay),
            // Who asked may have gone.
            Err(error) => drop(told.send(Err(error))),
        }
    }

    fn watch_model(&mut self, now: Timestamp) {
        if self.pipeline.inference.is_gone() {
            self.on_model(ModelStatus::Gone, now);
        } else if self.model == ModelStatus::Live && self.pipeline.inference.risks().is_overdue(now, self.model_deadline) {
            self.on_model(ModelStatus::Late, now);
        }
        self.watch_ecg_models(now);
    }

    fn on_heard(&mut self, heard: Heard) {
        histogram!(m::INFERENCE, "of" => "ecg").record(heard.took.as_secs_f64());
        counter!(m::MODEL_BEATS).increment(heard.beats as u64);
        counter!(m::MODEL_WINDOWS).increment(heard.windows as u64);
        self.pipeline.inference.blocks().answered(heard.blocks);
    }

    /// The ECG models are late while a block of waveform has waited for too long; the rules do not wait for them. What they said long ago, or
    /// before their thread ended, says nothing about now.
    fn watch_ecg_models(&mut self, now: Timestamp) {
        if !self.health.models.iter().any(is_of_ecg) {
            return;
        }
        let inference = &mut self.pipeline.inference;
        let gone = inference.is_gone();
        let late = gone || inference.blocks().is_overdue(now, self.model_deadline);
        let lost = gone || inference.blocks().is_overdue(now, ECG_MODELS_LOST);
        if late != self.ecg_models.late_since.is_some() {
            self.ecg_models.late_since = late.then_some(now);
            if late {
                warn!(gone, "The ECG models do not answer in time: rules only.");
            } else {
                info!("The ECG models answer in time.");
                self.ecg_models.lost = false;
            }
            self.show(now);
        }
        if lost && !self.ecg_models.lost {
            self.ecg_models.lost = true;
            self.pipeline.forget_models(now);
        }
    }

    /// That a version was taken back stays said.
    fn on_model_health(&mut self, health: ModelHealth) {
        let id = health.id.clone();
        self.change_model(&id, |known| {
            *known = ModelHealth {
                taken_back: known.taken_back.take(),
                ..health
            }
        });
    }

    /// Changes what is known of a model; the list is in the order of their names.
    fn change_model(&mut self, id: &str, change: impl FnOnce(&mut ModelHealth)) {
        let models = &mut self.health.models;
        let place = models.partition_point(|known| known.id.as_str() < id);
        if models.get(place).is_none_or(|known| known.id != id) {
            let unknown = ModelHealth {
                id: id.to_owned(),
                ..ModelHealth::default()
            };
            models.insert(place, unknown);
        }
        models.get_mut(place).map(change);
    }

    fn on_score(&mut self, score: Option<Box<ModelScore>>, took: Duration, now: Timestamp) {
        histogram!(m::INFERENCE, "of" => "risk").record(took.as_secs_f64());
        let risks = self.pipeline.inference.risks();
        let asked_at = risks.answered(1);
        if self.model == ModelStatus::Gone {
            return;
        }
        let late = asked_at.is_some_and(|asked_at| now.since(asked_at) > self.model_deadline);
        let late = late || risks.is_overdue(now, self.model_deadline);
        self.on_model(if late { ModelStatus::Late } else { ModelStatus::Live }, now);
        if let Some(score) = score {
            counter!(m::SCORES).increment(1);
            self.pipeline.on_event(Event::Score(*score), None, now);
        }
    }

    fn on_model(&mut self, status: ModelStatus, now: Timestamp) {
        if status == self.model {
            return;
        }
        match status {
            ModelStatus::Live => info!("Risk estimates come in time."),
            ModelStatus::Late => warn!("Risk estimates come too late."),
            ModelStatus::Gone => warn!("No risk estimates: rules only."),
        }
        self.model = status;
        self.pipeline.on_event(Event::Model(status), None, now);
        self.show(now);
    }

    fn show(&mut self, now: Timestamp) {
        if let Some(step) = self.pipeline.clock.follow() {
            counter!(m::CLOCK_STEPS).increment(1);
            warn!(step_s = step.as_secs_f64(), "The system clock was set forward; followed.");
            let record = Record::by_agent("clock_set_forward", format!("by {:.0} s, followed", step.as_secs_f64()));
            self.pipeline.audit(&record, now);
        }
        self.watch_clock(now);
        if self.health.broker == Link::Up {
            self.pipeline.tell_devices(now);
        }
        self.pipeline.desk.flush();
        self.pipeline.station.publish_health(self.health_now());
        self.pipeline.show(now);
    }

    /// While the ECG models are late, they say so.
    fn health_now(&self) -> Health {
        let mut health = self.health.clone();
        let Some(since) = self.ecg_models.late_since else {
            return health;
        };
        for model in health
            .models
            .iter_mut()
            .filter(|model| is_of_ecg(model) && model.link == Link::Up)
        {
            model.link = Link::Down {
                since,
                reason: "The model does not answer in time: rules only.".to_owned(),
            };
        }
        health
    }

    /// None while the journal cannot commit: whole states would pile up beside it.
    /// A system clock that was set back is put on record once; ours runs on until it has caught up.
    fn watch_clock(&mut self, now: Timestamp) {
        let ahead = self.pipeline.clock.ahead();
        gauge!(m::CLOCK_AHEAD).set(ahead.as_secs_f64());
        let set_back = ahead > SET_BACK;
        if set_back && !self.clock_was_set_back {
            warn!(
                ahead_s = ahead.as_secs_f64(),
                "The system clock was set back; the agent's runs on."
            );
            let detail = format!("by {:.0} s, the agent's clock runs on", ahead.as_secs_f64());
            self.pipeline.audit(&Record::by_agent("clock_set_back", detail), now);
        }
        self.clock_was_set_back = set_back;
    }

    fn checkpoint(&mut self, now: Timestamp) {
        if *self.stuck.borrow() {
            return;
        }
        let Pipeline { ward, heard, .. } = &self.pipeline;
        if let Some(checkpoint) = record::checkpoint(ward.state(), heard.last(), now) {
            self.pipeline.desk.checkpoint(checkpoint);
        } else {
            warn!("The state could not be written as a checkpoint; the journal's entries still hold it.");
        }
    }
}

fn is_of_ecg(model: &ModelHealth) -> bool {
    ECG_PARTS.contains(&model.id.as_str())
}

#[cfg(test)]
#[path = "agent_tests.rs"]
mod tests;
