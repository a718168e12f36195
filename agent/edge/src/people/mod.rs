//! The people who may log in: the users' file, read anew when it changes, and the station's [`Directory`] over it.

mod directory;
pub(crate) mod password;
pub(crate) mod users;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};
use wardlight_station::{Directory, People, Station};

pub(crate) use directory::UsersFile;

use crate::agent::Input;
use crate::audit::Record;
use crate::config::Config;
use crate::keys;
use crate::session::Phase;

/// What the key that signs the right of displays is derived for.
const DISPLAY_LABEL: &str = "station display";
/// How often the users' file is looked at, beside every login.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Who may use the page, and the file that says so, if one does.
/// # Errors
/// If the users' file or the site key cannot be used.
pub(crate) fn open(config: &Config) -> anyhow::Result<(People, Option<Arc<UsersFile>>)> {
    let Some(path) = &config.people.users_file else {
        warn!(listen = %config.http.listen, "No login: everybody who reaches the page can act.");
        return Ok((People::open(), None));
    };
    let file = Arc::new(UsersFile::open(path).map_err(anyhow::Error::msg)?);
    let key = keys::derive(&config.journal.key_file, &config.journal.dir, DISPLAY_LABEL).context("the displays' key")?;
    let directory: Arc<dyn Directory> = Arc::<UsersFile>::clone(&file);
    let people = People::with_login(directory, config.people.display_for, config.people.logoff_after, key);
    Ok((people, Some(file)))
}

/// Watches the users' file: who was removed or changed is logged off, and every change is audited.
/// # Errors
/// Never; the signature is that of the agent's other tasks.
pub(crate) async fn watch(
    file: Arc<UsersFile>,
    station: Station,
    inbox: mpsc::Sender<Input>,
    mut phase: watch::Receiver<Phase>,
) -> anyhow::Result<()> {
    let list = Record::by_agent("users", file.summary());
    if inbox.send(Input::Audit(Box::new(list))).await.is_err() {
        return Ok(());
    }
    loop {
        let stopping = phase.wait_for(|phase| *phase != Phase::Run);
        if tokio::time::timeout(LOOK_EVERY, stopping).await.is_ok() {
            // The agent must not take the end of this task for a fault.
            phase.wait_for(|phase| *phase == Phase::Close).await.ok();
            return Ok(());
        }
        let looked = Arc::clone(&file);
        let changes = tokio::task::spawn_blocking(move || looked.changes()).await?;
        match changes {
            Ok(changes) if changes.is_empty() => {}
            Ok(changes) => {
                info!(changes = changes.len(), "The users changed.");
                station.people_changed();
                for change in changes {
                    let record = Record::by_agent(change.action, change.detail);
                    if inbox.send(Input::Audit(Box::new(record))).await.is_err() {
                        return Ok(());
                    }
                }
            }
            Err(problem) => error!(problem, "The users' file cannot be used; the users stay as they were."),
        }
    }
}
