//! Loads the models beside everything else, tries the GPU, and tries it again after it was given up.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::mpsc::Sender as InputSender;
use tracing::{error, info, warn};
use wardlight_models::Card;
use wardlight_station::{Link, ModelHealth};

use super::Asked;
use crate::agent::Input;
use crate::audit::Record;
use crate::certified::{self, Certificates, PARTS};
use crate::clock;
use crate::config::{JournalConfig, ModelConfig};

/// How often it is looked whether the agent is still there.
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
    pub(crate) model: ModelConfig,
    pub(crate) journal: JournalConfig,
    pub(crate) asked: SyncSender<Asked>,
    pub(crate) inputs: InputSender<Input>,
}

impl Loader {
    /// What a lost card is told to, and what [`Loader::run`] hears it by.
    pub(crate) fn lost_card() -> (LostCard, Receiver<()>) {
        let (tell, told) = sync_channel(1);
        (LostCard(tell), told)
    }

    /// Loads every model, and then looks after the GPU until the agent is gone.
    pub(crate) fn run(self, lost: &Receiver<()>) {
        let card = certified::card(self.model.gpu);
        for part in PARTS {
            self.load(part, card.as_ref());
        }
        drop(card);
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
            if retry_at.take_if(|at| clock::instant() >= *at).is_some() {
                wait = (wait * 2).min(MOST_RETRY);
                let Some(card) = certified::card(self.model.gpu) else {
                    retry_at = Some(clock::instant() + wait);
                    continue;
                };
                self.audit("gpu_tried_again", card.name().to_owned());
                for part in PARTS {
                    self.load(part, Some(&card));
                }
            }
        }
    }

    /// Loads one model; one that is refused costs only itself.
    fn load(&self, part: &'static str, card: Option<&Arc<Card>>) {
        match Certificates::of(&self.journal).load(part, &self.model, card) {
            Ok((loaded, trial)) => {
                self.tell_trial(part, trial);
                // The inference thread may have ended with the agent.
                self.asked.send(Asked::Put(Box::new(loaded))).ok();
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
                }));
            }
        }
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
