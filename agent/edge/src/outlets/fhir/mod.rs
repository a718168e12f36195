//! The hospital's record gets vital signs, scores and flags from the journal, behind everything else.
//!
//! There is no queue. The outlet reads the journal on a connection of its own and remembers the place up to which the server has
//! everything; an outage and a restart are the same to it: it goes on from there. Every resource has an identity that follows from
//! what it says, so sending it again changes nothing. What has waited for longer than `fhir.keep_h` is passed over and counted.

mod feed;
mod login;
mod position;
mod server;
mod thinning;

use std::time::Duration;

use metrics::{counter, gauge};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::{error, info, warn};
use wardlight_core::ids::SiteId;
use wardlight_wire::fhir::{Mapping, Resource};

use crate::clock;
use crate::config::{FhirConfig, JournalConfig};
use crate::keys;
use crate::metrics as m;
use crate::session::{Backoff, Phase};
use feed::{Batch, Feed};
use position::{Position, PositionFile};
use server::{Answer, Server, Verdict};

/// Name of this outlet in metrics and logs.
const NAME: &str = "fhir";
/// How often the journal is looked at when there was nothing new.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The outlet, ready to run.
pub(crate) struct FhirOutlet {
    feed: Feed,
    server: Server,
    file: PositionFile,
    position: Position,
    /// The agent itself, told once in a run.
    agent: Option<Resource>,
}

/// Opens the outlet of a journal. The first time it begins at the journal's end.
/// # Errors
/// If the journal cannot be read, or a secret or certificate not be used.
pub(crate) fn start(config: &FhirConfig, site: &SiteId, journal: &JournalConfig) -> anyhow::Result<FhirOutlet> {
    let mapping = Mapping::new(config.version, site.clone());
    let agent = mapping.agent(env!("CARGO_PKG_VERSION"));
    let newest = keys::reader(journal)?.newest()?;
    let feed = Feed::new(journal, mapping, config);
    let file = PositionFile::new(&journal.dir);
    let position = match file.load() {
        Some(position) if position.seq <= newest => position,
        Some(_) => {
            warn!("The journal is another than the FHIR outlet knew: everything in it is sent.");
            Position::default()
        }
        None => feed.end(clock::wall())?,
    };
    file.save(&position);
    Ok(FhirOutlet {
        feed,
        server: Server::new(config)?,
        file,
        position,
        agent: Some(agent),
    })
}

impl FhirOutlet {
    /// Sends what the journal has and gets, until the agent stops.
    /// # Errors
    /// None: whatever happens here, alarms go on.
    pub(crate) async fn run(self, mut phases: watch::Receiver<Phase>) -> anyhow::Result<()> {
        let Self {
            mut feed,
            mut server,
            file,
            mut position,
            agent,
        } = self;
        // Behind the start of the agent, which does not wait for it.
        let recall = spawn_blocking(move || {
            let recalled = feed.recall(&mut position);
            (feed, position, recalled)
        });
        let Ok((returned, recalled_to, recalled)) = recall.await else {
            return ended(&mut phases).await;
        };
        (feed, position) = (returned, recalled_to);
        if let Err(error) = recalled {
            warn!(%error, "What the FHIR server has could not be read back: an interval may get a second value.");
        }
        let mut first: Vec<Resource> = agent.into_iter().collect();
        loop {
            let from = position.clone();
            // Reading is disk and decryption: not on the threads that the session runs on.
            let read = spawn_blocking(move || {
                let batch = feed.next(&from, clock::wall());
                (feed, batch)
            });
            let Ok((returned, batch)) = read.await else {
                return ended(&mut phases).await;
            };
            feed = returned;
            let batch = batch.unwrap_or_else(|error| {
                warn!(%error, "The journal cannot be read for the FHIR server.");
                nothing(&position)
            });
            gauge!(m::FHIR_BEHIND).set(behind_s(&batch));
            if batch.too_old > 0 {
                tally("too_old", batch.too_old);
                error!(
                    entries = batch.too_old,
                    "The FHIR server was away for longer than is kept: entries were not sent."
                );
            }
            first.extend(batch.resources);
            let is_news = !first.is_empty();
            let delivered = tokio::select! {
                () = deliver(&mut server, std::mem::take(&mut first)) => true,
                _ = phases.wait_for(|phase| *phase != Phase::Run) => false,
            };
            if !delivered {
                return Ok(());
            }
            position = batch.upto;
            if is_news {
                file.save(&position);
                continue;
            }
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                _ = phases.wait_for(|phase| *phase != Phase::Run) => return Ok(()),
            }
        }
    }
}

/// Reading the journal died. The task must not end before the agent: that would be taken for a fault of the whole.
async fn ended(phases: &mut watch::Receiver<Phase>) -> anyhow::Result<()> {
    error!("Reading the journal for the FHIR server died; nothing more is sent until the next start.");
    phases.wait_for(|phase| *phase != Phase::Run).await.ok();
    Ok(())
}

fn nothing(position: &Position) -> Batch {
    Batch {
        resources: Vec::new(),
        upto: position.clone(),
        oldest: None,
        too_old: 0,
    }
}

fn behind_s(batch: &Batch) -> f64 {
    let behind = batch.oldest.map(|oldest| clock::wall().since(oldest));
    behind.unwrap_or_default().as_secs_f64()
}

/// Sends until the server has judged every resource. A batch that it cannot take is halved, until the one that it refuses is alone.
async fn deliver(server: &mut Server, resources: Vec<Resource>) {
    let mut backoff = Backoff::default();
    let mut waiting = vec![resources];
    while let Some(part) = waiting.pop() {
        if part.is_empty() {
            continue;
        }
        let failed = match server.put(&part).await {
            Answer::Judged(verdicts) => {
                let again = settle(part, &verdicts);
                let all_judged = again.is_empty();
                waiting.push(again);
                (!all_judged).then(|| "it failed on some resources".to_owned())
            }
            Answer::Refused(status) => {
                if let [alone] = part.as_slice() {
                    refuse(alone, status.as_str());
                } else {
                    let (left, right) = part.split_at(part.len() / 2);
                    waiting.extend([right.to_vec(), left.to_vec()]);
                }
                None
            }
            Answer::Failed(reason) => {
                waiting.push(part);
                Some(reason)
            }
        };
        let Some(reason) = failed else {
            backoff.reset();
            continue;
        };
        tally("failed", 1);
        let wait = backoff.next();
        warn!(
            server = server.name,
            reason,
            wait_ms = wait.as_millis() as u64,
            "The FHIR server does not take a batch."
        );
        sleep(wait).await;
    }
}

/// Counts what was judged; returns what must be sent again.
fn settle(resources: Vec<Resource>, verdicts: &[Verdict]) -> Vec<Resource> {
    let mut again = Vec::new();
    let mut taken = 0;
    for (resource, verdict) in resources.into_iter().zip(verdicts) {
        match verdict {
            Verdict::Taken => taken += 1,
            Verdict::Failed => again.push(resource),
            Verdict::Refused(status) => refuse(&resource, status),
        }
    }
    tally("delivered", taken);
    if taken > 0 {
        info!(resources = taken, "The FHIR server took resources.");
    }
    again
}

fn refuse(resource: &Resource, status: &str) {
    tally("refused", 1);
    error!(kind = resource.kind, id = %resource.id, status, "The FHIR server refuses a resource.");
}

fn tally(outcome: &'static str, count: u64) {
    counter!(m::DELIVERIES, "outlet" => NAME, "outcome" => outcome).increment(count);
}

#[cfg(test)]
mod tests;
