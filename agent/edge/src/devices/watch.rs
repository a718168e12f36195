//! Looks at the registry while the agent runs: what changed goes into the audit trail, and nobody has to think of certificates that end.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use metrics::gauge;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{error, warn};
use wardlight_devices::rfc3339;

use super::changes::Known;
use super::expiry::{self, Ending};
use super::{Registry, broker};
use crate::agent::Input;
use crate::audit::Record;
use crate::clock::wall;
use crate::config::Config;
use crate::metrics as m;
use crate::session::Phase;

/// How often it is asked whether the command line changed something.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often certificates are looked at though nothing changed.
const EXPIRY_EVERY: Duration = Duration::from_hours(1);

/// Audits what the command line changes, logs each certificate that ends soon, once, and counts them in a metric, until the agent stops.
/// # Errors
/// Never; the signature is that of the agent's other tasks.
pub(crate) async fn watch(config: Config, inbox: mpsc::Sender<Input>, mut phases: watch::Receiver<Phase>) -> anyhow::Result<()> {
    let client = config.mqtt.tls.and_then(|files| files.client);
    let registry = Registry::new(&config.devices.dir);
    // Where there are no devices yet, the first that comes is a change.
    let known = (!registry.broker().join(broker::ACCESS).exists()).then(|| Known::of(&[]));
    let mut eye = Eye {
        agent_file: client.map(|(certificate, _key)| certificate),
        stamp: None,
        expiry_due: Instant::now(),
        known,
        registry,
        said: Vec::new(),
    };
    let mut due = interval(LOOK_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = due.tick() => {}
            _ = phases.wait_for(|phase| *phase != Phase::Run) => return Ok(()),
        }
        // A disk that hangs must not hold up what else the runtime does.
        let (back, records) = tokio::task::spawn_blocking(move || {
            let records = eye.look();
            (eye, records)
        })
        .await?;
        eye = back;
        for record in records {
            if inbox.send(Input::Audit(Box::new(record))).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// What was seen last.
struct Eye {
    registry: Registry,
    agent_file: Option<PathBuf>,
    /// When the broker's access list was written: every command that changes something writes it.
    stamp: Option<SystemTime>,
    expiry_due: Instant,
    known: Option<Known>,
    said: Vec<Ending>,
}

impl Eye {
    /// What is to be audited since the last look.
    fn look(&mut self) -> Vec<Record> {
        let stamp = fs::metadata(self.registry.broker().join(broker::ACCESS));
        let stamp = stamp.and_then(|metadata| metadata.modified()).ok();
        let changed = stamp != self.stamp;
        if !changed && Instant::now() < self.expiry_due {
            return Vec::new();
        }
        self.stamp = stamp;
        self.expiry_due = Instant::now() + EXPIRY_EVERY;
        match expiry::ending(&self.registry, self.agent_file.as_deref(), wall()) {
            Ok(ending) => self.say(ending),
            Err(error) => error!(%error, "The certificates cannot be looked at."),
        }
        if !changed {
            return Vec::new();
        }
        match self.registry.records() {
            Ok(records) => {
                let now = Known::of(&records);
                let audited = match &self.known {
                    Some(before) => before.changes(&records),
                    None => vec![now.summary()],
                };
                self.known = Some(now);
                audited
            }
            Err(error) => {
                error!(%error, "The registry of devices cannot be read.");
                Vec::new()
            }
        }
    }

    fn say(&mut self, ending: Vec<Ending>) {
        gauge!(m::CERTIFICATES_ENDING).set(ending.len() as f64);
        for one in ending.iter().filter(|one| !self.said.contains(*one)) {
            let until = rfc3339(one.at);
            warn!(whose = %one.whose, until, remedy = one.remedy(), "A certificate ends soon.");
        }
        self.said = ending;
    }
}
