//! The inference thread: gathers what all beds ask for into micro-batches and answers; it never holds anything else up.
//!
//! It owns all models. Windows that may show a lethal rhythm go first, then beats, then one risk estimate with its explanation; then it
//! looks at what has come meanwhile. A model that fails is gone and the others go on.

mod beds;
mod beside;
mod ecg;
mod loader;
mod risk;
mod shadow;
mod tally;
#[cfg(test)]
mod tests;
mod thread;

use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use wardlight_core::bed_rhythms::Hearing;
use wardlight_core::event::{InferRequest, Sighting};
use wardlight_core::ids::BedId;
use wardlight_core::rhythm::{self, RhythmFinding};
use wardlight_core::time::Timestamp;
use wardlight_models::{Model, WaveformModel, life};

pub(crate) use loader::Loader;
pub(crate) use thread::run;

/// What may wait; the Ward drops and counts what does not fit: a risk is asked for again at its next interval, and the windows of a bed
/// begin anew behind a gap.
pub(crate) const QUEUE: usize = 4096;

/// What the thread takes.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The risk of a bed.
    Risk(InferRequest),
    /// What was heard in a block of waveform.
    Heard(HeardAtBed),
    /// A model to use from the next batch on, in place of the one that has its part.
    Put(Box<Loaded>),
    /// The model that has its part already, loaded anew to try the GPU again. Nothing if it failed meanwhile, or another took its place.
    Again(Box<Loaded>),
    /// Inputs of the live version of a part whose distribution is watched.
    Watch(&'static str, Vec<life::Input>),
    /// A version that gets what the live one of its part gets, and that nobody hears.
    Unheard(Box<Loaded>),
    /// None for this part.
    NoUnheard(&'static str),
}

/// What was heard of a bed.
#[derive(Debug)]
pub(crate) struct HeardAtBed {
    pub(crate) bed: BedId,
    pub(crate) hearing: Hearing,
    pub(crate) asked_at: Timestamp,
    pub(crate) heard: Vec<rhythm::Heard>,
}

/// A model that has passed every check, for its part.
#[derive(Debug)]
pub(crate) enum Loaded {
    Risk(Model),
    Beats(WaveformModel),
    Shockable(WaveformModel),
}

impl Loaded {
    /// The name of the part.
    pub(crate) const fn part(&self) -> &'static str {
        match self {
            Self::Risk(_) => "deterioration",
            Self::Beats(_) => "ecg-beat",
            Self::Shockable(_) => "ecg-vf",
        }
    }

    /// Its version.
    pub(crate) fn version(&self) -> &str {
        match self {
            Self::Risk(model) => model.version(),
            Self::Beats(model) | Self::Shockable(model) => &model.manifest().version,
        }
    }
}

/// What was made of the blocks of one micro-batch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heard {
    pub(crate) blocks: usize,
    /// Beats that were classified.
    pub(crate) beats: usize,
    /// Windows that were judged, the leads together.
    pub(crate) windows: usize,
    pub(crate) took: Duration,
}

/// What models found at a bed.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) bed: BedId,
    pub(crate) hearing: Hearing,
    pub(crate) findings: Vec<RhythmFinding>,
    pub(crate) sightings: Vec<Sighting>,
}

/// The Ward's side of it: asks, and knows for how long no answer has come.
#[derive(Debug)]
pub(crate) struct Inference {
    asked: SyncSender<Asked>,
    risks: Unanswered,
    blocks: Unanswered,
    gone: bool,
}

impl Inference {
    pub(crate) fn new(asked: SyncSender<Asked>) -> Self {
        Self {
            asked,
            risks: Unanswered::default(),
            blocks: Unanswered::default(),
            gone: false,
        }
    }

    /// Asks for a risk; `false` if there is no room, or nobody to answer.
    pub(crate) fn ask(&mut self, request: InferRequest) -> bool {
        let asked_at = request.asked_at;
        let sent = self.send(Asked::Risk(request));
        if sent {
            self.risks.asked(asked_at);
        }
        sent
    }

    /// Hands on what was heard of a bed; `false` if there is no room, or nobody to listen.
    pub(crate) fn tell(&mut self, heard: HeardAtBed) -> bool {
        let asked_at = heard.asked_at;
        let sent = self.send(Asked::Heard(heard));
        if sent {
            self.blocks.asked(asked_at);
        }
        sent
    }

    fn send(&mut self, asked: Asked) -> bool {
        let sent = self.asked.try_send(asked);
        self.gone = matches!(sent, Err(TrySendError::Disconnected(_)));
        sent.is_ok()
    }

    /// The risks that are asked for.
    pub(crate) const fn risks(&mut self) -> &mut Unanswered {
        &mut self.risks
    }

    /// The blocks of waveform that are told.
    pub(crate) const fn blocks(&mut self) -> &mut Unanswered {
        &mut self.blocks
    }

    /// Whether the thread has ended.
    pub(crate) const fn is_gone(&self) -> bool {
        self.gone
    }
}

/// When the requests of one kind without an answer were made, oldest first: answers come in that order. As many as may wait, and those
/// of the batch in hand.
#[derive(Debug, Default)]
pub(crate) struct Unanswered(VecDeque<Timestamp>);

impl Unanswered {
    fn asked(&mut self, at: Timestamp) {
        self.0.push_back(at);
    }

    /// So many have been answered; returns when the oldest of them was made.
    pub(crate) fn answered(&mut self, requests: usize) -> Option<Timestamp> {
        let requests = requests.min(self.0.len());
        self.0.drain(..requests).next()
    }

    /// Whether a request has waited for longer than `deadline`.
    pub(crate) fn is_overdue(&self, now: Timestamp, deadline: Duration) -> bool {
        self.0.front().is_some_and(|asked_at| now.since(*asked_at) > deadline)
    }
}
