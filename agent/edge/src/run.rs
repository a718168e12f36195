//! Wires the agent together and takes it down again.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, anyhow};
use metrics_exporter_prometheus::PrometheusHandle;
use ring::rand::SystemRandom;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing::{error, info, warn};
use wardlight_core::bed_rhythms::BedRhythms;
use wardlight_core::event::ModelStatus;
use wardlight_core::ids::{BedId, UnitId};
use wardlight_core::people::Actor;
use wardlight_core::time::Timestamp;
use wardlight_core::ward::WardConfig;
use wardlight_journal::{Journal, Options, Reader, Writer, WriterOptions};
use wardlight_station::{Health, Link, Origin, Request, Station, StationCommand, StationInfo, UnitInfo};

use crate::agent::{Agent, EcgModels, Input};
use crate::audit_export::sign_heads;
use crate::broker::Broker;
use crate::clock::Clock;
use crate::config::{Config, JournalConfig, Unit, Waveforms};
use crate::control::{self, Control};
use crate::desk::{Desk, JournalEvents, Progress, Ticket};
use crate::devices;
use crate::heard::HeardLive;
use crate::http::{self, Readiness};
use crate::inference::{self, Inference, Loader};
use crate::keys;
use crate::outlets::Outlets;
use crate::packages::Packages;
use crate::people::{self, UsersFile};
use crate::pipeline::Pipeline;
use crate::recall;
use crate::remote::Remote;
use crate::restore::{self, Restored};
use crate::session::{LiveFeed, Phase, Session};
use crate::storage;
use crate::strips::Strips;
use crate::tls::PageTls;
use crate::what_ifs::WhatIfs;

/// Messages that may wait for the Ward. Beyond, the broker keeps them; see the session's policy.
const INBOX: usize = 8192;
/// Requests of people that may wait.
const STATION_QUEUE: usize = 256;
/// Alerts that may wait for the broker.
const OUTGOING_QUEUE: usize = 1024;
/// Room in the journal's queue beside the messages that the broker has not had confirmed.
const JOURNAL_SLACK: usize = 1024;
/// A binding from the file is waited for this long; a disk that fails then must not keep the agent from starting.
const ATTACH_WITHIN: Duration = Duration::from_secs(2);
/// A stop takes at most this long; what is not done then is done after the next start.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// And then the connections get this long to close.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// How this agent differs from one in a hospital.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mode {
    /// The patients are simulated: the page says so.
    pub(crate) simulated: bool,
}

/// A running agent.
pub(crate) struct Running {
    /// Where the page is.
    pub(crate) page: SocketAddr,
    /// Where the embedded broker listens, if it runs.
    pub(crate) broker: Option<SocketAddr>,
    /// What people ask for goes in here too, from inside this process.
    pub(crate) commands: mpsc::Sender<StationCommand>,
    inbox: mpsc::Sender<Input>,
    phase: watch::Sender<Phase>,
    stopping: Arc<AtomicBool>,
    ward: JoinHandle<Pipeline>,
    journal: Writer<Ticket>,
    tasks: JoinSet<anyhow::Result<()>>,
    embedded: Option<Broker>,
}

impl Running {
    /// Starts everything. When it returns, the Ward is as it was and takes messages.
    /// # Errors
    /// With what failed and what to do.
    pub(crate) async fn start(mut config: Config, mode: Mode, prometheus: PrometheusHandle) -> anyhow::Result<Self> {
        let listener = http::bind(config.http.listen).await?;
        let page = listener.local_addr()?;
        let page_tls = config.http.tls.as_ref().map(PageTls::new).transpose()?;
        let (journal, restored, reader, clock) = open(&config)?;
        let (stuck, journal_is_stuck) = watch::channel(false);
        let (live_feed, live_feed_is_wanted) = watch::channel(false);
        let broker = match &config.mqtt.embedded {
            Some(embedded) => Some(Broker::start(embedded, journal_is_stuck).await?),
            None => None,
        };
        if let Some(broker) = &broker {
            config.mqtt.port = broker.address().port();
        }

        let (inbox, inputs) = mpsc::channel(INBOX);
        let (commands, requests) = mpsc::channel(STATION_QUEUE);
        let (outgoing, to_broker) = mpsc::channel(OUTGOING_QUEUE);
        let (phase, phases) = watch::channel(Phase::Run);
        let mut tasks = JoinSet::new();
        let mut session = Session::new(&config.mqtt, &config.site)?;
        if let Some(broker) = &broker {
            session = session.through(broker.door());
        } else {
            let feed = LiveFeed::new(&config.mqtt, &config.site)?;
            let (inbox, phases) = (inbox.clone(), phases.clone());
            tasks.spawn(async move { Ok(feed.run(inbox, live_feed_is_wanted, phases).await?) });
        }
        let progress = Arc::<Progress>::default();
        let stopping = Arc::new(AtomicBool::new(false));
        let events = JournalEvents {
            acker: session.acker(),
            progress: Arc::clone(&progress),
            stopping: Arc::clone(&stopping),
            failing_since: None,
        };
        let journal = Writer::start(journal, writer_options(&config), events).context("the journal's thread")?;
        let (people, users) = people::open(&config)?;
        let station = Station::with_people(station_info(&config, mode, &clock), commands.clone(), people);
        let outlets = Outlets::start(&config.webhooks, outgoing, &mut tasks)?;
        let pipeline = Pipeline {
            site: config.site.clone(),
            units: units(&config),
            ward: restored.ward,
            station: station.clone(),
            outlets,
            desk: Desk::new(journal.submitter(), progress),
            rhythms: BedRhythms::default(),
            strips: Strips::new(config.journal.waveforms == Waveforms::Full),
            heard: HeardLive::restored(restored.heard_live_at, config.mqtt.session_expiry),
            remote: Remote::default(),
            inference: start_inference(&config, inbox.clone())?,
            clock,
        };
        let ready = Readiness {
            ward: Arc::new(AtomicBool::new(false)),
            session: session.counters(),
        };
        let agent = Agent {
            pipeline,
            inputs,
            timer: tokio::runtime::Builder::new_current_thread().enable_time().build()?,
            random: SystemRandom::new(),
            health: Health {
                journal: Link::Up,
                ..Health::default()
            },
            model: ModelStatus::Gone,
            ready: Arc::clone(&ready.ward),
            model_deadline: config.model.deadline,
            ecg_models: EcgModels::default(),
            clock_was_set_back: false,
            stuck,
            live_feed,
        };
        let ward = thread::Builder::new().name("ward".to_owned()).spawn(move || agent.run());
        let ward = ward.context("the Ward's thread")?;

        tasks.spawn(forward(requests, inbox.clone(), WhatIfs::new(config.clone(), clock)));
        follow_the_command_line(&config, users, &station, &inbox, &phases, &mut tasks);
        let (heard, session_phases) = (inbox.clone(), phases.clone());
        tasks.spawn(async move { Ok(session.run(heard, to_broker, session_phases).await?) });
        look_after_the_journal(Control::new(&config, &journal, &inbox, &station, clock), &mut tasks, &phases)?;
        recall_the_past(reader, station.clone(), clock.now())?;
        tasks.spawn(http::serve(listener, page_tls, station, prometheus, ready, phases));
        attach_from_file(&config, &commands).await;
        info!(%page, site = %config.site, beds = config.beds().count(), "The agent runs.");
        Ok(Self {
            page,
            broker: broker.as_ref().map(Broker::address),
            commands,
            inbox,
            phase,
            stopping,
            ward,
            journal,
            tasks,
            embedded: broker,
        })
    }

    /// Waits until a part of the agent ends by itself, which is a fault.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Err(panic)) => anyhow!("a part of the agent died: {panic}"),
            Some(Ok(Ok(()))) | None => anyhow!("a part of the agent ended"),
        }
    }

    /// Drains and stops: no more messages are read, what was read is committed and acknowledged, then everything closes.
    pub(crate) async fn stop(self) {
        info!("Stopping: draining.");
        self.phase.send_replace(Phase::Drain);
        if self.inbox.send(Input::Stop).await.is_err() {
            error!("The Ward's thread had ended.");
        }
        self.stopping.store(true, Ordering::Relaxed);
        let Self {
            ward,
            journal,
            embedded,
            phase,
            mut tasks,
            commands,
            inbox,
            ..
        } = self;
        // The task between the page and the Ward ends when nobody can ask any more.
        drop((commands, inbox));
        let drained = tokio::task::spawn_blocking(move || {
            if ward.join().is_err() {
                error!("The Ward's thread died.");
            }
            journal.close().uncommitted.len()
        });
        match tokio::time::timeout(STOP_WITHIN, drained).await {
            Ok(Ok(0)) => {}
            Ok(Ok(left)) => warn!(
                left,
                "Not stored before the stop: not acknowledged either, so it will be delivered again."
            ),
            Ok(Err(_)) | Err(_) => warn!("The journal did not finish in time; what is not stored will be delivered again."),
        }
        phase.send_replace(Phase::Close);
        let closed = async {
            while tasks.join_next().await.is_some() {}
            if let Some(broker) = embedded {
                broker.stop().await;
            }
        };
        if tokio::time::timeout(CLOSE_WITHIN, closed).await.is_err() {
            warn!("Not everything closed in time.");
        }
        info!("Stopped.");
    }
}

/// Beds in the order of the file, each with its unit.
pub(crate) fn beds(config: &Config) -> impl Iterator<Item = (UnitId, BedId)> {
    config
        .units
        .iter()
        .flat_map(|unit| unit.beds.iter().map(|bed| (unit.name.clone(), bed.clone())))
}

/// The unit of each bed.
fn units(config: &Config) -> HashMap<BedId, Arc<Unit>> {
    let units = config.units.iter().map(|unit| Arc::new(unit.clone()));
    units
        .flat_map(|unit| unit.beds.clone().into_iter().map(move |bed| (bed, Arc::clone(&unit))))
        .collect()
}

/// What the Ward is built for.
pub(crate) fn ward_config(config: &Config) -> WardConfig {
    WardConfig {
        beds: beds(config).collect(),
        max_unassigned: config.devices.max_unknown,
        infer_every: config.model.interval,
    }
}

/// The journal's own options for a configuration.
pub(crate) fn journal_options(config: &JournalConfig) -> Options {
    let defaults = Options::default();
    Options {
        keep_strips: defaults.keep_strips.min(config.keep),
        keep_stream: config.keep,
        keep_records: defaults.keep_records.max(config.keep),
        max_bytes: config.max_bytes,
        ..defaults
    }
}

fn writer_options(config: &Config) -> WriterOptions {
    WriterOptions {
        capacity: usize::from(config.mqtt.receive_maximum) + JOURNAL_SLACK,
        linger: config.journal.linger,
        ..WriterOptions::default()
    }
}

/// Opens the journal and rebuilds the Ward from it.
fn open(config: &Config) -> anyhow::Result<(Journal, Restored, Reader, Clock)> {
    let key = keys::settle(&config.journal)?;
    let opened = Journal::open(&config.journal.dir, &key, journal_options(&config.journal));
    let (journal, report) = keys::explained(opened)?;
    if let Some(replaced) = &report.replaced {
        error!(
            ?replaced,
            "The journal was damaged beyond opening; it was moved aside and a new one begun."
        );
    }
    if report.folder_open_to_others {
        warn!(dir = %config.journal.dir.display(), "The journal's folder is open to others: chmod 700 it.");
    }
    let mut reader = Reader::open(&config.journal.dir, &key)?;
    let restored = restore::restore(&mut reader, ward_config(config))?;
    if restored.unreadable > 0 {
        error!(
            count = restored.unreadable,
            "Parts of the journal cannot be read: `wardlight journal verify` says which."
        );
    }
    info!(
        newest = report.newest,
        replayed = restored.replayed,
        audit_head = %journal.audit_head(),
        "Journal open, state restored."
    );
    let clock = Clock::start(restored.ward.now());
    Ok((journal, restored, reader, clock))
}

/// Starts what looks at the files that the command line changes: the users' and those of the devices.
fn follow_the_command_line(
    config: &Config,
    users: Option<Arc<UsersFile>>,
    station: &Station,
    inbox: &mpsc::Sender<Input>,
    phases: &watch::Receiver<Phase>,
    tasks: &mut JoinSet<anyhow::Result<()>>,
) {
    if let Some(users) = users {
        tasks.spawn(people::watch(users, station.clone(), inbox.clone(), phases.clone()));
    }
    tasks.spawn(devices::watch(config.clone(), inbox.clone(), phases.clone()));
}

/// Starts what goes on around the journal: heads of the audit trail are signed, the command line is listened to, the disk is watched.
fn look_after_the_journal(
    control: Control,
    tasks: &mut JoinSet<anyhow::Result<()>>,
    phases: &watch::Receiver<Phase>,
) -> anyhow::Result<()> {
    let signing = keys::signing(&control.config)?;
    let dir = control.config.dir.clone();
    tasks.spawn(sign_heads(signing, control.journal.clone(), control.clock, phases.clone()));
    tasks.spawn(storage::watch(dir, control.station.clone(), phases.clone()));
    tasks.spawn(control::serve(control, phases.clone()));
    Ok(())
}

/// Reads the last day back for the pages, beside everything else.
fn recall_the_past(mut reader: Reader, station: Station, now: Timestamp) -> anyhow::Result<()> {
    let recall = move || recall::run(&mut reader, &station, now);
    thread::Builder::new()
        .name("recall".to_owned())
        .spawn(recall)
        .context("the thread that reads the last day back")?;
    Ok(())
}

/// Starts the inference thread, and beside it what loads the models. Without a model that verifies the agent runs on rules, and says
/// so.
fn start_inference(config: &Config, answers: mpsc::Sender<Input>) -> anyhow::Result<Inference> {
    let (ask, asked) = sync_channel(inference::QUEUE);
    if !config.model.enabled {
        info!("Models are switched off: rules only.");
        return Ok(Inference::new(ask));
    }
    let (tell_lost, lost) = Loader::lost_card();
    let loader = Loader::new(Packages::of(&config.model, &config.journal), ask.clone(), answers.clone());
    let ledger = loader.ledger();
    let deadline = config.model.deadline;
    let thread = |name: &str| thread::Builder::new().name(name.to_owned());
    thread("inference")
        .spawn(move || inference::run(&asked, answers, tell_lost, ledger, deadline))
        .context("the inference thread")?;
    thread("models")
        .spawn(move || loader.run(&lost))
        .context("the thread that loads the models")?;
    Ok(Inference::new(ask))
}

async fn forward(
    mut requests: mpsc::Receiver<StationCommand>,
    inbox: mpsc::Sender<Input>,
    what_ifs: WhatIfs,
) -> anyhow::Result<()> {
    while let Some(request) = requests.recv().await {
        let request = match request {
            StationCommand::WhatIf { question, reply } => {
                what_ifs.answer(question, reply);
                continue;
            }
            other => other,
        };
        if inbox.send(Input::Station(request)).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Devices that the file puts to beds; those that stand somewhere already stay there.
async fn attach_from_file(config: &Config, commands: &mpsc::Sender<StationCommand>) {
    for (device, bed) in &config.devices.attach {
        let (reply, outcome) = tokio::sync::oneshot::channel();
        let request = Request::Attach {
            device: device.clone(),
            bed: bed.clone(),
        };
        let command = StationCommand::Request {
            request,
            by: Actor::agent(),
            from: Origin::default(),
            reply,
        };
        let sent = commands.send(command).await;
        let outcome = tokio::time::timeout(ATTACH_WITHIN, outcome).await;
        if let (Ok(()), Ok(Ok(Err(failure)))) = (sent, outcome) {
            warn!(%device, %bed, %failure, "devices.attach was not carried out.");
        }
    }
}

fn station_info(config: &Config, mode: Mode, clock: &Clock) -> StationInfo {
    StationInfo {
        site: config.site.clone(),
        site_name: config.site.to_string(),
        units: config
            .units
            .iter()
            .map(|unit| UnitInfo {
                unit: unit.name.clone(),
                name: unit.name.to_string(),
                beds: unit.beds.clone(),
                roster: unit.roster.clone(),
            })
            .collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: clock.now(),
        simulated: mode.simulated,
        role: "Secondary display: the bedside monitor stays the primary alarm".to_owned(),
        hosts: config.http.hosts.clone(),
    }
}
