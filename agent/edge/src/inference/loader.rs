//! Loads the models beside everything else, follows what people promote and roll back, tries the GPU, and tries it again after it was
//! given up.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use metrics::counter;
use tokio::sync::mpsc::Sender as InputSender;
use tracing::{error, info, warn};
use wardlight_models::Card;
use wardlight_models::life::{Life, Limits, Stamp, State};
use wardlight_station::{Link, ModelHealth};

use super::Asked;
use super::beside::Beside;
use crate::agent::Input;
use crate::audit::{AGENT, Record};
use crate::certified::{ECG_PARTS, PARTS};
use crate::clock;
use crate::metrics as m;
use crate::packages::{Followed, Ledger, Packages};

/// How often it is looked whether another version is live, and whether the agent is still there.
const LOOK: Duration = Duration::from_secs(1);
/// A card that was given up is tried again after this, and then after twice as long each time, at most …
const RETRY: Duration = Duration::from_mins(1);
/// … this.
const MOST_RETRY: Duration = Duration::from_hours(1);

/// Says that a card was given up.
#[derive(Clone, Debug)]
pub(crate) struct LostCard(SyncSender<()>);

impl LostCard {
    pub(super) fn tell(&self) {
        // Told once is enough, and a loader that has ended tries nothing again.
        self.0.try_send(()).ok();
    }
}

/// See the [module](self).
pub(crate) struct Loader {
    followed: Followed,
    /// Digest of the package that was loaded last for each part.
    loaded: HashMap<&'static str, String>,
    beside: Beside,
    /// Parts whose live version should be taken back and cannot be, until the packages change.
    stuck: HashSet<&'static str>,
    life: Life,
    asked: SyncSender<Asked>,
    inputs: InputSender<Input>,
}

impl Loader {
    /// Nothing is loaded yet.
    pub(crate) fn new(packages: Packages, asked: SyncSender<Asked>, inputs: InputSender<Input>) -> Self {
        Self {
            followed: Followed::new(packages),
            life: Life::default(),
            loaded: HashMap::new(),
            beside: Beside::default(),
            stuck: HashSet::new(),
            asked,
            inputs,
        }
    }

    /// What the inference thread counts in how the unheard do.
    pub(crate) fn ledger(&self) -> Ledger {
        self.beside.ledger().clone()
    }

    /// What a lost card is told to, and what [`Loader::run`] hears it by.
    pub(crate) fn lost_card() -> (LostCard, Receiver<()>) {
        let (tell, told) = sync_channel(1);
        (LostCard(tell), told)
    }

    /// Loads every live model, and then follows the packages and looks after the GPU until the agent is gone.
    pub(crate) fn run(mut self, lost: &Receiver<()>) {
        self.start();
        let mut wait = RETRY;
        let mut retry_at = None;
        loop {
            match lost.recv_timeout(LOOK) {
                Ok(()) => {
                    retry_at.get_or_insert_with(|| clock::instant() + wait);
                }
                Err(RecvTimeoutError::Timeout) if !self.inputs.is_closed() => {}
                Err(_over) => return,
            }
            self.look();
            if retry_at.take_if(|at| clock::instant() >= *at).is_some() {
                wait = (wait * 2).min(MOST_RETRY);
                let Some(card) = self.followed.packages().card() else {
                    retry_at = Some(clock::instant() + wait);
                    continue;
                };
                self.audit("gpu_tried_again", card.name().to_owned());
                if self.try_again(&card) {
                    wait = RETRY;
                } else {
                    retry_at = Some(clock::instant() + wait);
                }
            }
        }
    }

    /// Loads what is live.
    fn start(&mut self) {
        self.followed.changed();
        self.life = self.life().unwrap_or_default();
        let card = self.followed.packages().card();
        for part in PARTS {
            self.load(part, card.as_ref());
        }
    }

    /// Follows what changed, looks after what is unheard, and takes back what does badly.
    fn look(&mut self) {
        self.follow();
        self.beside.look(self.followed.packages(), &self.life, &self.asked);
        self.guard();
    }

    /// If the life of the packages changed, audits what is new and loads what is live now. What runs goes on until then, and beyond if the
    /// other is refused.
    fn follow(&mut self) {
        if let Err(error) = self.followed.settle() {
            error!(
                error = format!("{error:#}"),
                "It is not remembered what of the packages was audited."
            );
        }
        if !self.followed.changed() {
            return;
        }
        let Some(life) = self.life() else { return };
        self.life = life;
        self.beside.try_again();
        self.stuck.clear();
        let mut card = None;
        for part in PARTS {
            let package = self.followed.packages().live(&self.life, part);
            // One that is refused is loaded too: that says why.
            if package.is_ok_and(|package| self.loaded.get(part).is_some_and(|loaded| loaded == package.digest())) {
                continue;
            }
            let card = card.get_or_insert_with(|| self.followed.packages().card());
            self.load(part, card.clone().as_ref());
        }
    }

    /// The life of the packages, with what is new of it in the audit trail; `None` if it cannot be believed.
    fn life(&mut self) -> Option<Life> {
        let life = match self.followed.packages().life() {
            Ok(life) => life,
            Err(error) => {
                error!(error = format!("{error:#}"), "The life of the packages cannot be read.");
                self.audit("models_unreadable", format!("{error:#}"));
                return None;
            }
        };
        if let Some(changes) = self.followed.unaudited(&life) {
            for change in changes {
                self.send(Input::Audit(Box::new(Record::package(change))));
            }
        } else {
            error!("The life of the packages is older than what was audited of it.");
            self.audit("models_set_back", "life.json is older than what was audited of it".to_owned());
        }
        Some(life)
    }

    /// Loads the live version for one part; one that is refused costs only itself.
    fn load(&mut self, part: &'static str, card: Option<&Arc<Card>>) {
        let packages = self.followed.packages();
        let package = packages.live(&self.life, part);
        let outcome = package.and_then(|package| Ok((packages.certificates().load(&package, card)?, package)));
        match outcome {
            Ok(((loaded, trial), package)) => {
                self.tell_trial(part, trial);
                self.loaded.insert(part, package.digest().to_owned());
                self.beside.forget(part);
                // The inference thread may have ended with the agent.
                self.asked.send(Asked::Put(Box::new(loaded))).ok();
                self.send(Input::TakenBack {
                    part,
                    why: self.taken_back(part),
                });
                match package.watched_inputs() {
                    Ok(inputs) => drop(self.asked.send(Asked::Watch(part, inputs))),
                    Err(error) => warn!(model = part, %error, "Its inputs are not watched."),
                }
            }
            Err(error) if self.loaded.contains_key(part) => {
                let error = format!("{error:#}");
                error!(model = part, error, "The live version is refused; the one that ran goes on.");
                self.audit("model_refused", format!("{part}: {error}; the one that ran goes on"));
            }
            Err(error) => {
                error!(
                    model = part,
                    error = format!("{error:#}"),
                    "The model does not go live: rules only."
                );
                self.send(Input::ModelHealth(ModelHealth {
                    id: part.to_owned(),
                    version: String::new(),
                    runs_on: String::new(),
                    link: Link::Down {
                        since: clock::wall(),
                        reason: "Not certified for this machine: see `wardlight check`.".to_owned(),
                    },
                    taken_back: None,
                }));
            }
        }
    }

    /// Loads the ECG models that run once more, with the card beside them. Returns whether it did well beside each.
    fn try_again(&self, card: &Arc<Card>) -> bool {
        let mut well = true;
        for part in ECG_PARTS {
            let packages = self.followed.packages();
            let package = packages.live(&self.life, part);
            match package.and_then(|package| packages.certificates().load(&package, Some(card))) {
                Ok((loaded, trial)) => {
                    well &= matches!(trial, Some(Ok(_)));
                    self.tell_trial(part, trial);
                    // The inference thread may have ended with the agent.
                    self.asked.send(Asked::Again(Box::new(loaded))).ok();
                }
                Err(error) => warn!(model = part, error = format!("{error:#}"), "It is not tried on the GPU."),
            }
        }
        well
    }

    /// Takes a live version back that does badly and has a predecessor. What was written is followed at the next look.
    fn guard(&mut self) {
        for part in PARTS {
            let packages = self.followed.packages();
            let (Some(running), Some(before)) = (self.life.live(part), self.life.predecessor(part)) else {
                continue;
            };
            if self.stuck.contains(part) {
                continue;
            }
            let before = match before {
                Some(version) => version.to_owned(),
                None => packages
                    .carried(part)
                    .map_or_else(|_| String::new(), |p| p.manifest().version().to_owned()),
            };
            let counted = self.beside.ledger().counted(part, &running.version, &before);
            let Some(trip) = counted.trip(&Limits::AGENT) else { continue };
            let why = format!("was taken back by itself: it {trip}");
            error!(
                model = part,
                version = running.version,
                why,
                "The live version does badly; the one before it goes live."
            );
            let stamp = Stamp {
                by: AGENT,
                at: clock::wall(),
            };
            match packages.roll_back(part, Some(&running.version), &why, stamp) {
                Ok(_version) => counter!(m::FALLBACKS, "model" => part).increment(1),
                Err(error) => {
                    let error = format!("{error:#}");
                    error!(model = part, error, "It could not be taken back.");
                    self.stuck.insert(part);
                    self.audit("model_not_taken_back", format!("{part}: {why}: {error}"));
                }
            }
        }
    }

    /// What is said on the page if the last step of a model was that the agent took a version back.
    fn taken_back(&self, part: &str) -> Option<String> {
        let mut steps = self.life.history().iter().rev().filter(|change| change.model == part);
        let own = steps.next().filter(|last| last.by == AGENT)?;
        let retired = [own].into_iter().chain(steps).find(|change| change.to == State::Retired)?;
        Some(format!("{} {}", retired.version, retired.why))
    }

    fn tell_trial(&self, part: &str, trial: Option<anyhow::Result<wardlight_models::GpuTrial>>) {
        match trial {
            Some(Ok(trial)) => {
                let used = trial.used_from.map_or_else(
                    || "never faster, not used".to_owned(),
                    |batch| format!("used for batches of {batch} and more"),
                );
                info!(model = part, gpu = trial.gpu, used, "GPU tried.");
                self.audit("gpu_tried", format!("{part} on {}: {used}", trial.gpu));
            }
            Some(Err(error)) => {
                warn!(model = part, error = format!("{error:#}"), "The GPU is not used.");
                self.audit("gpu_refused", format!("{part}: {error:#}"));
            }
            None => {}
        }
    }

    fn audit(&self, action: &'static str, detail: String) {
        self.send(Input::Audit(Box::new(Record::by_agent(action, detail))));
    }

    fn send(&self, input: Input) {
        // The Ward's thread may have ended with the agent.
        self.inputs.blocking_send(input).ok();
    }
}

#[cfg(test)]
mod tests;
