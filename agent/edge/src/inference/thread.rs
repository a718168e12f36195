//! The thread itself.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Sender;
use tracing::{error, warn};
use wardlight_core::event::{InferRequest, ModelStatus, RiskBand};
use wardlight_core::rhythm::Rhythm;
use wardlight_models::{Model, ModelError, WaveformModel};
use wardlight_station::{Link, ModelHealth};

use super::beds::{Beds, Seen};
use super::loader::LostCard;
use super::shadow::Shadows;
use super::tally::Tally;
use super::{Asked, Heard, Loaded, ecg, risk};
use crate::agent::Input;
use crate::audit::Record;
use crate::clock;
use crate::packages::Ledger;

/// A micro-batch is gathered for so long from its first request on, or until it is full.
const GATHER: Duration = Duration::from_millis(20);
/// Requests in one micro-batch.
const BATCH: usize = 1024;
/// How often an idle thread looks whether it is still needed.
const IDLE: Duration = Duration::from_secs(1);

/// The Ward's thread is gone: nobody is there to answer.
struct Stop;

/// Answers until the Ward's thread is gone. `lost` is told when a card is given up.
pub(crate) fn run(asked: &Receiver<Asked>, answers: Sender<Input>, lost: LostCard, ledger: Ledger, deadline: Duration) {
    let mut thread = Thread {
        risk: None,
        beats: None,
        shockable: None,
        shadows: Shadows {
            ledger,
            ..Shadows::default()
        },
        tally: Tally::default(),
        deadline,
        beds: Beds::default(),
        risks: VecDeque::new(),
        blocks: 0,
        answers,
        lost,
    };
    while thread.turn(asked).is_ok() {}
}

/// The two models of the ECG.
#[derive(Clone, Copy, Debug)]
enum Ecg {
    Beats,
    Shockable,
}

/// To a request that gets no estimate.
const NO_SCORE: Input = Input::Scored {
    score: None,
    took: Duration::ZERO,
};

struct Thread {
    risk: Option<Model>,
    beats: Option<WaveformModel>,
    shockable: Option<WaveformModel>,
    shadows: Shadows,
    tally: Tally,
    /// A batch that takes longer is late.
    deadline: Duration,
    beds: Beds,
    risks: VecDeque<InferRequest>,
    /// Blocks taken in this turn.
    blocks: usize,
    answers: Sender<Input>,
    lost: LostCard,
}

impl Thread {
    /// Gathers a micro-batch and answers it, what may be lethal first.
    fn turn(&mut self, asked: &Receiver<Asked>) -> Result<(), Stop> {
        self.gather(asked)?;
        let asked_at = clock::instant();
        self.tally.looked(self.beds.windows.len());
        let heard = Heard {
            blocks: std::mem::take(&mut self.blocks),
            windows: self.windows()?,
            beats: self.beats()?,
            took: asked_at.elapsed(),
        };
        if heard.blocks > 0 {
            self.send(Input::Heard(heard))?;
        }
        self.explain()?;
        self.risks()?;
        // Everything has been answered.
        self.shadows.compare();
        self.shadows.ledger.count(self.tally.all());
        Ok(())
    }

    fn gather(&mut self, asked: &Receiver<Asked>) -> Result<(), Stop> {
        let patience = if self.risks.is_empty() { IDLE } else { Duration::ZERO };
        match asked.recv_timeout(patience) {
            Ok(first) => self.take(first)?,
            Err(RecvTimeoutError::Timeout) if self.answers.is_closed() => return Err(Stop),
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(RecvTimeoutError::Disconnected) => return Err(Stop),
        }
        let began = clock::instant();
        for _ in 1..BATCH {
            match asked.recv_timeout(GATHER.saturating_sub(began.elapsed())) {
                Ok(next) => self.take(next)?,
                Err(_nothing_more) => break,
            }
        }
        self.beds.forget_silent(began);
        Ok(())
    }

    fn take(&mut self, asked: Asked) -> Result<(), Stop> {
        match asked {
            Asked::Risk(request) => return self.take_risk(request),
            Asked::Heard(block) => {
                self.blocks += 1;
                self.beds.hear(block, clock::instant());
            }
            Asked::Put(loaded) => return self.put(*loaded),
            Asked::Again(loaded) => return self.put_again(*loaded),
            Asked::Watch(part, inputs) => self.tally.watch(part, inputs),
            Asked::Unheard(loaded) => {
                let live = self.version(loaded.part());
                self.shadows.put(*loaded, live);
            }
            Asked::NoUnheard(part) => self.shadows.clear(part),
        }
        Ok(())
    }

    /// One request of a bed waits, the newest: when the clock is set forward by an hour, a bed asks for each minute of it at once.
    fn take_risk(&mut self, request: InferRequest) -> Result<(), Stop> {
        if let Some(waiting) = self.risks.iter_mut().find(|waiting| waiting.bed == request.bed) {
            *waiting = request;
            return self.send(NO_SCORE);
        }
        self.risks.push_back(request);
        Ok(())
    }

    fn put(&mut self, loaded: Loaded) -> Result<(), Stop> {
        self.shadows.clear(loaded.part());
        self.tally.live(loaded.part(), loaded.version(), clock::instant());
        match loaded {
            Loaded::Risk(model) => {
                self.send(healthy(model.id(), model.version(), model.engine().to_string()))?;
                self.risk = Some(model);
                self.send(Input::Model(ModelStatus::Live))
            }
            Loaded::Beats(model) => self.put_ecg(model, Ecg::Beats),
            Loaded::Shockable(model) => self.put_ecg(model, Ecg::Shockable),
        }
    }

    fn put_ecg(&mut self, model: WaveformModel, ecg: Ecg) -> Result<(), Stop> {
        let manifest = model.manifest();
        self.send(healthy(&manifest.id, &manifest.version, model.runs_on()))?;
        if self.place(ecg).replace(model).is_some() {
            self.forget(ecg);
        }
        Ok(())
    }

    /// The same model, with another try of the GPU: nothing begins anew.
    fn put_again(&mut self, loaded: Loaded) -> Result<(), Stop> {
        let (model, ecg) = match loaded {
            Loaded::Beats(model) => (model, Ecg::Beats),
            Loaded::Shockable(model) => (model, Ecg::Shockable),
            Loaded::Risk(_) => return Ok(()),
        };
        let (id, version) = (model.manifest().id.clone(), model.manifest().version.clone());
        let runs = self
            .place(ecg)
            .as_ref()
            .is_some_and(|running| running.manifest().version == version);
        if !runs {
            return Ok(());
        }
        let runs_on = model.runs_on();
        *self.place(ecg) = Some(model);
        self.send(healthy(&id, &version, runs_on))
    }

    const fn place(&mut self, ecg: Ecg) -> &mut Option<WaveformModel> {
        match ecg {
            Ecg::Beats => &mut self.beats,
            Ecg::Shockable => &mut self.shockable,
        }
    }

    /// What a model said that is gone, or another, is over.
    fn forget(&mut self, ecg: Ecg) {
        match ecg {
            Ecg::Beats => self.beds.forget_beats(),
            Ecg::Shockable => self.beds.forget_windows(),
        }
    }

    /// Judges the windows that wait; returns how many.
    fn windows(&mut self) -> Result<usize, Stop> {
        let Some(model) = &self.shockable else {
            self.beds.windows.clear();
            return Ok(0);
        };
        let waiting = self.beds.windows.len();
        let began = clock::instant();
        self.tally.windows(&self.beds.windows, began);
        let outcome = ecg::windows(model, &mut self.beds, self.shadows.shockable.as_mut());
        let fault = model.take_gpu_fault();
        self.took("ecg-vf", waiting, began);
        self.after_ecg(outcome, fault, Ecg::Shockable)?;
        Ok(waiting)
    }

    /// Classifies the beats that wait; returns how many.
    fn beats(&mut self) -> Result<usize, Stop> {
        let Some(model) = &self.beats else {
            self.beds.beats.clear();
            return Ok(0);
        };
        let waiting = self.beds.beats.len();
        let began = clock::instant();
        self.tally.beats(&self.beds.beats, model.manifest(), began);
        let outcome = ecg::beats(model, &mut self.beds, self.shadows.beats.as_mut());
        let fault = model.take_gpu_fault();
        self.took("ecg-beat", waiting, began);
        self.after_ecg(outcome, fault, Ecg::Beats)?;
        Ok(waiting)
    }

    /// Hands on what was found; a card that was given up is told of, and a model that failed is gone.
    fn after_ecg(&mut self, outcome: Result<(), ModelError>, fault: Option<ModelError>, ecg: Ecg) -> Result<(), Stop> {
        if let (Some(fault), Some(model)) = (fault, self.place(ecg).as_ref()) {
            warn!(error = %fault, "The GPU is given up: the processor goes on.");
            let manifest = model.manifest();
            let on_cpu = healthy(&manifest.id, &manifest.version, model.runs_on());
            self.send(on_cpu)?;
            self.send(Input::Audit(Box::new(Record::by_agent("gpu_given_up", fault.to_string()))))?;
            self.lost.tell();
        }
        if let Err(failure) = outcome
            && let Some(model) = self.place(ecg).take()
        {
            let manifest = model.manifest();
            self.gone(&manifest.id, &manifest.version, &failure)?;
            self.forget(ecg);
        }
        let found = self.beds.found();
        for found in &found {
            self.tally.found(&found.findings);
        }
        if found.is_empty() {
            Ok(())
        } else {
            self.send(Input::Found(found))
        }
    }

    /// What models saw when they began conditions, which are told already: no alarm waits for its explanation.
    fn explain(&mut self) -> Result<(), Stop> {
        let Self {
            beds, beats, shockable, ..
        } = self;
        let explained = beds.explained(|rhythm: Rhythm, seen: Seen| {
            let model = match seen {
                Seen::Beat(..) => beats.as_ref()?,
                Seen::Windows(..) => shockable.as_ref()?,
            };
            let explained = ecg::sighting(model, rhythm, &seen);
            explained
                .inspect_err(|failure| error!(error = %failure, "What a model saw is not explained."))
                .ok()
                .flatten()
        });
        if explained.is_empty() {
            Ok(())
        } else {
            self.send(Input::Found(explained))
        }
    }

    /// One at a time: an explanation takes long, and a window may be waiting. Without a model all are answered at once.
    fn risks(&mut self) -> Result<(), Stop> {
        while self.risk.is_none() && self.risks.pop_front().is_some() {
            self.send(NO_SCORE)?;
        }
        let Some(request) = self.risks.pop_front() else {
            return Ok(());
        };
        let asked_at = clock::instant();
        let shadow = self.shadows.risk.as_mut();
        let scored = self
            .risk
            .as_ref()
            .map_or(Ok(None), |model| risk::score(model, &request, shadow));
        match scored {
            Ok(score) => {
                let took = asked_at.elapsed();
                if let Some(score) = &score {
                    self.tally.risk(&request, score.band == RiskBand::High, asked_at);
                    self.took("deterioration", 1, asked_at);
                }
                self.send(Input::Scored {
                    score: score.map(Box::new),
                    took,
                })
            }
            Err(failure) => {
                self.send(NO_SCORE)?;
                let Some(model) = self.risk.take() else { return Ok(()) };
                self.gone(model.id(), model.version(), &failure)?;
                self.send(Input::Model(ModelStatus::Gone))
            }
        }
    }

    fn gone(&self, id: &str, version: &str, failure: &ModelError) -> Result<(), Stop> {
        error!(model = id, error = %failure, "The model failed: it is gone until the next start.");
        self.send(Input::Audit(Box::new(Record::by_agent("model_failed", failure.to_string()))))?;
        self.send(Input::ModelHealth(ModelHealth {
            id: id.to_owned(),
            version: version.to_owned(),
            runs_on: String::new(),
            link: Link::Down {
                since: clock::wall(),
                reason: "The model failed and is gone until the next start.".to_owned(),
            },
            taken_back: None,
        }))
    }

    /// A batch of the live model has been judged.
    fn took(&mut self, part: &str, rows: usize, began: Instant) {
        if rows > 0 {
            self.tally.batch(part, began.elapsed(), self.deadline, clock::instant());
        }
    }

    /// Version of the live model for a part; empty where there is none.
    fn version(&self, part: &str) -> String {
        let ecg = |model: &Option<WaveformModel>| model.as_ref().map(|model| model.manifest().version.clone());
        let version = match part {
            "ecg-beat" => ecg(&self.beats),
            "ecg-vf" => ecg(&self.shockable),
            _ => self.risk.as_ref().map(|model| model.version().to_owned()),
        };
        version.unwrap_or_default()
    }

    fn send(&self, answer: Input) -> Result<(), Stop> {
        self.answers.blocking_send(answer).map_err(|_gone| Stop)
    }
}

fn healthy(id: &str, version: &str, runs_on: String) -> Input {
    Input::ModelHealth(ModelHealth {
        id: id.to_owned(),
        version: version.to_owned(),
        runs_on,
        link: Link::Up,
        taken_back: None,
    })
}
