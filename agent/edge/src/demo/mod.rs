//! `wardlight demo`: broker, simulated ward, agent and page in one process, and a report of what came of it.

mod report;
mod watcher;

use std::future::pending;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use wardlight_core::ids::{BedId, SiteId};
use wardlight_core::patient::{Consciousness, PatientProfile};
use wardlight_core::people::{Actor, Role};
use wardlight_core::time::Timestamp;
use wardlight_journal::SiteKey;
use wardlight_simulator::mqtt::{self, Counters};
use wardlight_simulator::scenario;
use wardlight_simulator::ward::{SimulatedWard, WardSettings};
use wardlight_station::{Origin, Request, StationCommand};

use crate::certified::Certificates;
use crate::cli::DemoArgs;
use crate::config::{BrokerUrl, Config};
use crate::run::{Mode, Running};
use crate::{Stop, clock, keys, metrics};
use report::{Report, Seen, Taken};
use watcher::Watcher;

/// Names for made-up people: one for each bed, again from the start when there are more.
const NAMES: [&str; 12] = [
    "A. Archer",
    "B. Baker",
    "C. Cooper",
    "D. Draper",
    "E. Eastman",
    "F. Fisher",
    "G. Glover",
    "H. Hunter",
    "I. Ironside",
    "J. Joiner",
    "K. Keeler",
    "L. Lister",
];
const SITE: &str = "demo";
/// The devices are switched on so long after the start, when the agent is there.
const SETTING_UP: Duration = Duration::from_secs(2);

/// Runs the demo; returns whether every alarm that had to come came and no message was lost.
/// # Errors
/// With what could not start and what to do.
pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<bool> {
    let mut stop = Stop::listen()?;
    let folder = Folder::make()?;
    let settings = WardSettings {
        site: SiteId::new(SITE)?,
        seed: args.seed,
        beds: Some(usize::from(args.beds)),
        recordings: args.recordings.clone(),
        start: clock::wall().plus(SETTING_UP),
    };
    let ward = SimulatedWard::new(&settings, &scenario::builtin("demo")?)?;
    let config = config(&args, &ward, folder.path())?;
    let prometheus = metrics::install()?;
    let mut running = Running::start(config.clone(), Mode { simulated: true }, prometheus.clone()).await?;
    let watcher = Watcher::connect(running.page).await?;
    occupy(&ward, &running.commands).await?;
    let expected = ward.expected().to_vec();
    let recorded = ward.recorded_beds().to_vec();
    let host = config.mqtt.host.clone();
    let port = running.broker.map_or(config.mqtt.port, |address| address.port());
    if !args.headless {
        greet(&args, &running, port);
    }
    let counters = Arc::new(Counters::default());
    let (end, ended) = watch::channel(false);
    let devices = start_devices(
        ward,
        mqtt::Broker {
            host,
            port,
            encrypted: false,
            tls: None,
        },
        Arc::clone(&counters),
        ended,
    );

    let outcome = tokio::select! {
        () = stop.asked() => Ok(()),
        () = for_a_while(args.duration, args.headless) => Ok(()),
        failure = running.failed() => Err(failure),
    };
    let ended_at = clock::wall();
    end.send_replace(true);
    devices.await.context("the simulated devices died")??;
    settle(&prometheus, &counters).await;
    running.stop().await;
    outcome?;
    let key = keys::load(&config.journal.key_file, &config.journal.dir)?;
    let duplicates = metrics::total(&prometheus, metrics::DUPLICATES, "");
    let quarantined = metrics::total(&prometheus, metrics::REFUSED, "qos=\"1\"");
    let taken = Taken::count(&config.journal.dir, &key, duplicates, quarantined)?;
    let seen = Seen {
        changes: watcher.finish().await?,
        expected,
        recorded,
        ended_at,
    };
    let report = Report::new(&seen, &counters, &taken);
    if let Some(file) = &args.report {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(file, text + "\n").with_context(|| format!("--report {}", file.display()))?;
    }
    write!(io::stdout(), "{report}")?;
    Ok(report.passed())
}

/// Waits until the agent has taken everything that the broker confirmed to the devices, for five seconds at most:
/// what a real broker still holds then would come at the next start, which a demo does not have.
async fn settle(prometheus: &PrometheusHandle, counters: &Counters) {
    for _ in 0..100 {
        let waves = metrics::total(prometheus, metrics::MESSAGES, "kind=\"wave\"");
        let refused = metrics::total(prometheus, metrics::REFUSED, "qos=\"1\"");
        let taken = metrics::total(prometheus, metrics::MESSAGES, "") - waves + refused;
        if taken >= counters.acknowledged.load(Ordering::Relaxed) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn for_a_while(duration: Option<Duration>, quiet: bool) {
    let Some(duration) = duration else { return pending().await };
    let mut left = duration;
    while !left.is_zero() {
        let step = left.min(Duration::from_secs(1));
        tokio::time::sleep(step).await;
        left -= step;
        if quiet && io::stderr().is_terminal() {
            // Progress is a courtesy; without a terminal nobody misses it.
            write!(io::stderr(), "\r{:>4} s left ", left.as_secs()).ok();
        }
    }
}

fn config(args: &DemoArgs, ward: &SimulatedWard, folder: &Path) -> anyhow::Result<Config> {
    let beds: Vec<String> = ward.beds().iter().map(|bed| format!("\"{bed}\"")).collect();
    let broker = match &args.broker {
        Some(url) => {
            BrokerUrl::parse(url).map_err(|problem| anyhow!("--broker {problem}"))?;
            format!(
                "[mqtt]\nurl = \"{url}\"\nclient_id = \"wardlight-demo-{}\"\n",
                std::process::id()
            )
        }
        None => "[mqtt.embedded]\nenabled = true\nlisten = \"127.0.0.1:0\"\ndir = \"broker\"\n".to_owned(),
    };
    let listen = if args.headless {
        "127.0.0.1:0".to_owned()
    } else {
        args.listen.to_string()
    };
    let text = format!(
        "[site]\nname = \"{SITE}\"\n[[unit]]\nname = \"icu\"\nbeds = [{}]\n{broker}\
         [journal]\ndir = \"journal\"\nkey_file = \"site.key\"\n[http]\nlisten = \"{listen}\"\n[model]\ninterval_s = 10\n",
        beds.join(", ")
    );
    SiteKey::create(&folder.join("site.key"))?;
    let config = Config::parse(&text, &folder.join("demo.toml"))?;
    Certificates::of(&config.journal).issue_shipped(config.model.gpu)?;
    Ok(config)
}

/// Admits somebody to every bed, attaches the devices, and charts what a nurse would.
async fn occupy(ward: &SimulatedWard, commands: &mpsc::Sender<StationCommand>) -> anyhow::Result<()> {
    for (bed, name) in ward.beds().into_iter().zip(NAMES.iter().cycle()) {
        let profile = PatientProfile {
            name: (*name).to_owned(),
            age_years: Some(64),
            ..PatientProfile::default()
        };
        ask(
            commands,
            Request::Admit {
                bed: bed.clone(),
                profile,
            },
        )
        .await?;
        ask(
            commands,
            Request::Chart {
                bed,
                consciousness: Some(Consciousness::Alert),
                oxygen: Some(false),
            },
        )
        .await?;
    }
    for attachment in ward.attachments() {
        ask(
            commands,
            Request::Attach {
                device: attachment.device,
                bed: attachment.bed,
            },
        )
        .await?;
    }
    Ok(())
}

async fn ask(commands: &mpsc::Sender<StationCommand>, request: Request) -> anyhow::Result<()> {
    let (reply, outcome) = oneshot::channel();
    let command = StationCommand::Request {
        request,
        by: Actor::new("the demo", Role::ChargeNurse),
        from: Origin::default(),
        reply,
    };
    let sent = commands.send(command).await;
    if sent.is_err() {
        bail!("the agent ended while the demo was set up");
    }
    Ok(outcome.await.context("the agent did not answer")??)
}

fn start_devices(
    ward: SimulatedWard,
    broker: mqtt::Broker,
    counters: Arc<Counters>,
    mut ended: watch::Receiver<bool>,
) -> JoinHandle<Result<(), wardlight_simulator::SimulatorError>> {
    tokio::spawn(async move {
        let stop = async move {
            ended.wait_for(|ended| *ended).await.ok();
        };
        mqtt::run(ward, &broker, clock::wall, counters, stop).await
    })
}

fn greet(args: &DemoArgs, running: &Running, port: u16) {
    let broker = match &args.broker {
        Some(url) => url.clone(),
        None => format!("mqtt://127.0.0.1:{port} (embedded)"),
    };
    let text = format!(
        "\n  Wardlight demo: {} simulated beds, seed {}\n\n  Page    http://{}\n  Broker  {broker}\n  Metrics http://{}/metrics\n\n  \
         Within a minute: bed 2 goes into ventricular fibrillation (red), bed 3 desaturates, bed 6 stops breathing,\n  \
         bed 7 into asystole, bed 10 loses its electrodes and calls, bed 12 has a wrong clock. Acknowledge on the page.\n  \
         Ctrl-C stops.\n\n",
        args.beds, args.seed, running.page, running.page
    );
    // Nobody reads a closed standard output.
    io::stdout().write_all(text.as_bytes()).ok();
}

/// A folder of this demo alone, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let path = std::env::temp_dir().join(format!("wardlight-demo-{}", std::process::id()));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("{}: cannot be made", path.display()))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in the system's temporary folder, sealed under a key beside it.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// One change of an alarm as a page got it.
#[derive(Clone, Debug)]
struct Change {
    bed: BedId,
    kind: String,
    priority: String,
    state: String,
    revision: u64,
    technical: bool,
    raised_at: Timestamp,
    /// When the message behind it reached the agent, if one did.
    received_at: Option<Timestamp>,
    /// When it arrived here.
    arrived_at: Timestamp,
}
