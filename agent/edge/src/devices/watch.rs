//! Looks at the certificates while the agent runs, so that nobody has to think of it.

use std::path::PathBuf;
use std::time::Duration;

use metrics::gauge;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, warn};
use wardlight_devices::rfc3339;

use super::{Registry, expiry};
use crate::clock::wall;
use crate::config::Config;
use crate::metrics as m;
use crate::session::Phase;

const EVERY: Duration = Duration::from_hours(1);

/// Logs each certificate that ends soon, once, and counts them in a metric, until the agent stops.
/// # Errors
/// Never; the signature is that of the agent's other tasks.
pub(crate) async fn watch(config: Config, mut phases: watch::Receiver<Phase>) -> anyhow::Result<()> {
    let registry = Registry::new(&config.devices.dir);
    let client = config.mqtt.tls.and_then(|files| files.client);
    let agent_file: Option<PathBuf> = client.map(|(certificate, _key)| certificate);
    let mut due = interval(EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut said = Vec::new();
    loop {
        tokio::select! {
            _ = due.tick() => {}
            _ = phases.wait_for(|phase| *phase != Phase::Run) => return Ok(()),
        }
        let (registry, agent_file) = (registry.clone(), agent_file.clone());
        // A disk that hangs must not hold up what else the runtime does.
        let looked = tokio::task::spawn_blocking(move || expiry::ending(&registry, agent_file.as_deref(), wall())).await?;
        match looked {
            Ok(ending) => {
                gauge!(m::CERTIFICATES_ENDING).set(ending.len() as f64);
                for one in ending.iter().filter(|one| !said.contains(*one)) {
                    let until = rfc3339(one.at);
                    warn!(whose = %one.whose, until, remedy = one.remedy(), "A certificate ends soon.");
                }
                said = ending;
            }
            Err(error) => error!(%error, "The certificates cannot be looked at."),
        }
    }
}
