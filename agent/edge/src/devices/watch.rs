//! Looks at the registry while the agent runs: what changed goes into the audit trail, what is wanted of devices to the Ward's thread, and
//! nobody has to think of certificates that end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use metrics::gauge;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{error, warn};
use wardlight_devices::rfc3339;

use super::changes::Known;
use super::expiry::{self, Ending};
use super::{Registry, broker, wanted};
use crate::agent::Input;
use crate::clock::wall;
use crate::config::Config;
use crate::metrics as m;
use crate::session::Phase;

/// How often it is asked whether the command line changed something.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often certificates are looked at though nothing changed.
const EXPIRY_EVERY: Duration = Duration::from_hours(1);

/// Audits what the command line changes, hands on what is wanted of devices, logs each certificate that ends soon, once, and counts them in a metric, until the agent stops.
/// # Errors
/// Never; the signature is that of the agent's other tasks.
pub(crate) async fn watch(config: Config, inbox: mpsc::Sender<Input>, mut phases: watch::Receiver<Phase>) -> anyhow::Result<()> {
    let client = config.mqtt.tls.and_then(|files| files.client);
    let registry = Registry::new(&config.devices.dir);
    // Where there are no devices yet, the first that comes is a change.
    let known = (!registry.broker().join(broker::ACCESS).exists()).then(|| Known::of(&[], &BTreeMap::new()));
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
        let (back, inputs) = tokio::task::spawn_blocking(move || {
            let inputs = eye.look();
            (eye, inputs)
        })
        .await?;
        eye = back;
        for input in inputs {
            if inbox.send(input).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// What was seen last.
struct Eye {
    registry: Registry,
    agent_file: Option<PathBuf>,
    /// When the registry was written; `None` before the first look.
    stamp: Option<[Option<SystemTime>; 4]>,
    expiry_due: Instant,
    known: Option<Known>,
    said: Vec<Ending>,
}

impl Eye {
    /// What the Ward's thread is to know since the last look.
    fn look(&mut self) -> Vec<Input> {
        let stamp = Some(self.registry.stamp());
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
        self.read().unwrap_or_else(|error| {
            error!(error = format!("{error:#}"), "The registry of devices cannot be read.");
            Vec::new()
        })
    }

    /// What changed, for the audit trail, and what is wanted of devices now.
    fn read(&mut self) -> anyhow::Result<Vec<Input>> {
        let records = self.registry.records()?;
        let noted = self.registry.firmware_noted()?;
        let wanted = wanted(&records, &noted);
        let now = Known::of(&records, &noted);
        let audited = match &self.known {
            Some(before) => before.changes(&records, &noted),
            None => vec![now.summary()],
        };
        self.known = Some(now);
        let audited = audited.into_iter().map(|record| Input::Audit(Box::new(record)));
        Ok(audited.chain([Input::Wanted(wanted)]).collect())
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
