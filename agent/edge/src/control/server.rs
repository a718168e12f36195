//! The agent's end of the socket.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};
use wardlight_core::ids::DeviceId;
use wardlight_journal::{Journal, JournalError, SiteKey, Submitter, Writer};
use wardlight_station::Station;

use super::{Answer, MAX_LINE, Order, Reported, socket};
use crate::agent::Input;
use crate::audit::Record;
use crate::clock::Clock;
use crate::config::{Config, JournalConfig};
use crate::desk::Ticket;
use crate::erasure::{Erasure, parse_stay};
use crate::keys;
use crate::keys::cli::left;
use crate::session::Phase;
use crate::whole_file;

/// The journal answers within this, unless its disk hangs.
const WITHIN: Duration = Duration::from_mins(1);

/// What an order needs.
pub(crate) struct Control {
    pub(crate) config: JournalConfig,
    pub(crate) journal: Submitter<Ticket>,
    inbox: mpsc::Sender<Input>,
    site: String,
    pub(crate) station: Station,
    pub(crate) clock: Clock,
}

/// Listens until the agent stops. Without the socket the agent runs all the same: only the command line cannot reach it.
/// # Errors
/// Never; the signature is that of the agent's other tasks.
pub(crate) async fn serve(control: Control, mut phases: watch::Receiver<Phase>) -> anyhow::Result<()> {
    let path = socket(&control.config.dir);
    let listener = listen(&path);
    if let Err(error) = &listener {
        error!(path = %path.display(), %error, "The command line cannot reach this agent.");
    }
    let control = Arc::new(control);
    loop {
        let connection = async {
            match &listener {
                Ok(listener) => listener.accept().await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = connection => match accepted {
                Ok((stream, _)) => drop(tokio::spawn(converse(Arc::clone(&control), stream))),
                Err(error) => warn!(%error, "A connection of the command line failed."),
            },
            _ = phases.wait_for(|phase| *phase != Phase::Run) => break,
        }
    }
    drop(listener);
    fs::remove_file(&path).ok();
    // The agent must not take the end of this task for a fault.
    phases.wait_for(|phase| *phase == Phase::Close).await.ok();
    Ok(())
}

/// The journal's lock says that no other agent listens here: what is there is left over from a kill.
fn listen(path: &Path) -> io::Result<UnixListener> {
    whole_file::absent(fs::remove_file(path))?;
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn converse(control: Arc<Control>, stream: UnixStream) {
    if let Err(error) = answer(control, stream).await {
        warn!(error = format!("{error:#}"), "The command line was not answered.");
    }
}

async fn answer(control: Arc<Control>, stream: UnixStream) -> anyhow::Result<()> {
    let ours = rustix::process::geteuid().as_raw();
    let theirs = stream.peer_cred()?.uid();
    if theirs != ours && theirs != 0 {
        bail!("user {theirs} may not ask");
    }
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(MAX_LINE)).read_line(&mut line).await?;
    let order: Order = serde_json::from_str(&line).context("another version's command line?")?;
    let done = tokio::task::spawn_blocking(move || control.carry_out(order)).await?;
    let answer: Answer = done.map_err(|error| format!("{error:#}"));
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    write.write_all(&text).await?;
    Ok(())
}

impl Control {
    /// Of an agent with this configuration.
    pub(crate) fn new(
        config: &Config,
        journal: &Writer<Ticket>,
        inbox: &mpsc::Sender<Input>,
        station: &Station,
        clock: Clock,
    ) -> Self {
        Self {
            config: config.journal.clone(),
            journal: journal.submitter(),
            inbox: inbox.clone(),
            site: config.site.to_string(),
            station: station.clone(),
            clock,
        }
    }

    fn carry_out(&self, order: Order) -> anyhow::Result<serde_json::Value> {
        match order {
            Order::Rotate { new_key, by } => self.rotate(&new_key, by),
            Order::Erase { stay, by } => self.erase(&stay, by),
            Order::Reported { device } => {
                let setup = self.station.setup_of(&DeviceId::new(&device)?);
                Ok(serde_json::to_value(setup.as_ref().map(Reported::of))?)
            }
            Order::BackedUp { to, by } => {
                let record = Record::at_command_line("journal_backed_up", by, to.display().to_string());
                self.inbox.blocking_send(Input::Audit(Box::new(record)))?;
                Ok(serde_json::Value::Null)
            }
        }
    }

    fn rotate(&self, new_key: &Path, by: String) -> anyhow::Result<serde_json::Value> {
        let key = SiteKey::load(new_key)?;
        let fingerprint = key.fingerprint()?;
        let record = Record::at_command_line("site_key_rotated", by, format!("to {fingerprint}"));
        let entry = record.entry(self.clock.now());
        let unreadable = self.with_journal(move |journal| journal.rotate_site_key(&key, &[entry]))?;
        let left = left(keys::take_over(&self.config.key_file, new_key));
        info!(fingerprint, "The site key was rotated.");
        if let Some(left) = &left {
            warn!(left, "The site key's file is not the journal's.");
        }
        Ok(serde_json::to_value((unreadable, left))?)
    }

    /// The Ward's thread allows it, the journal's does it.
    fn erase(&self, stay: &str, by: String) -> anyhow::Result<serde_json::Value> {
        let stay = parse_stay(stay).map_err(|problem| anyhow!(problem))?;
        let (told, outcome) = sync_channel(1);
        let site = self.site.clone();
        let erasure = Erasure { stay, by, site, told };
        self.inbox.blocking_send(Input::Erase(Box::new(erasure)))?;
        outcome.recv_timeout(WITHIN).map_err(|_late| late())??;
        info!("A stay was erased.");
        Ok(serde_json::Value::Null)
    }

    /// Has the journal's thread do something between two commits, and waits for it.
    fn with_journal<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Journal) -> Result<T, JournalError> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (tell, told) = sync_channel(1);
        // Who asked may have gone; what was asked for is done all the same.
        let task = Box::new(move |journal: &mut Journal| drop(tell.send(task(journal))));
        self.journal
            .try_task(task)
            .map_err(|_busy| anyhow!("the journal cannot keep up: try again when the agent is less busy"))?;
        let done = told.recv_timeout(WITHIN).map_err(|_late| late())?;
        Ok(done?)
    }
}

fn late() -> anyhow::Error {
    anyhow!("the journal cannot commit now; it is done as soon as it can: ask again then")
}
