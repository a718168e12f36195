//! Runs a simulated ward against a broker until it is told to stop.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wardlight_core::ids::DeviceId;
use wardlight_core::time::Timestamp;
use wardlight_wire::Cmd;

use super::broker::Broker;
use super::connection::Connection;
use crate::SimulatorError;
use crate::device::Publication;
use crate::ward::SimulatedWard;

/// Up to this many devices each has its own connection, and so its own last will; more share a few connections.
const OWN_CONNECTIONS: usize = 256;
/// Shared connections.
const SHARED_CONNECTIONS: usize = 16;
/// Messages waiting for a connection. When it is full the newest is discarded and counted, and its number shows the gap.
const QUEUE: usize = 2048;
/// Without any connection for this long after the start, the ward gives up.
const FIRST_CONNECTION: Duration = Duration::from_secs(15);
/// After this the connections that have not ended are cut.
const LONGEST_GOODBYE: Duration = Duration::from_secs(4);
/// The ward is looked after at least this often.
const LONGEST_SLEEP: Duration = Duration::from_millis(100);

/// What happened so far; may be read at any time.
#[derive(Debug, Default)]
pub struct Counters {
    /// Messages of QoS 1 handed to a connection.
    pub published: AtomicU64,
    /// Messages of QoS 1 that the broker acknowledged.
    pub acknowledged: AtomicU64,
    /// Wave blocks (QoS 0) handed to a connection.
    pub waves: AtomicU64,
    /// Messages discarded because a connection's queue was full.
    pub discarded: AtomicU64,
    /// Connections that were established, again after each loss.
    pub connections: AtomicU64,
    failure: Mutex<Option<String>>,
}

impl Counters {
    /// The last thing that went wrong with a connection.
    pub fn last_failure(&self) -> Option<String> {
        self.failure.lock().ok().and_then(|failure| failure.clone())
    }

    pub(super) fn note_failure(&self, what: &str) {
        if let Ok(mut failure) = self.failure.lock() {
            *failure = Some(what.to_owned());
        }
    }
}

/// Lets the ward live in real time and publishes what its devices say, until `stop` is ready; then every device says that it is
/// off, and what is under way is acknowledged or four seconds pass.
///
/// `clock` gives the time that the devices' clocks follow.
/// # Errors
/// [`SimulatorError::Broker`] when no connection is established within 15 s of the start, or a certificate cannot be read.
pub async fn run<C, S>(
    mut ward: SimulatedWard,
    broker: &Broker,
    clock: C,
    counters: Arc<Counters>,
    stop: S,
) -> Result<(), SimulatorError>
where
    C: Fn() -> Timestamp + Send,
    S: Future<Output = ()> + Send,
{
    let (commands, mut told) = mpsc::channel(256);
    let mut connections = JoinSet::new();
    let routes = connect(&mut ward, broker, &counters, &commands, &mut connections)?;
    let first_connection_by = clock().plus(FIRST_CONNECTION);
    let mut out = Vec::new();
    tokio::pin!(stop);
    loop {
        let now = clock();
        if counters.connections.load(Ordering::Relaxed) == 0 && now > first_connection_by {
            let why = counters.last_failure().unwrap_or_else(|| "no answer".into());
            return Err(broker.fault(format!("no connection within {} s: {why}", FIRST_CONNECTION.as_secs())));
        }
        ward.advance(now, &mut out);
        route(&routes, &mut out, &counters);
        let sleep = ward
            .next_at()
            .map_or(LONGEST_SLEEP, |at| at.since(clock()))
            .clamp(Duration::from_millis(1), LONGEST_SLEEP);
        tokio::select! {
            () = &mut stop => break,
            Some((device, cmd)) = told.recv() => ward.obey(&device, &cmd, clock(), &mut out),
            () = tokio::time::sleep(sleep) => {}
        }
    }
    ward.switch_off(clock(), &mut out);
    route(&routes, &mut out, &counters);
    drop(routes);
    let all_left = async { while connections.join_next().await.is_some() {} };
    // A connection that cannot hand over what is in its queue is left as it is.
    let _in_time = tokio::time::timeout(LONGEST_GOODBYE, all_left).await;
    Ok(())
}

type Routes = HashMap<DeviceId, mpsc::Sender<Publication>>;

/// Opens the connections and returns which device uses which.
fn connect(
    ward: &mut SimulatedWard,
    broker: &Broker,
    counters: &Arc<Counters>,
    commands: &mpsc::Sender<(DeviceId, Cmd)>,
    connections: &mut JoinSet<()>,
) -> Result<Routes, SimulatorError> {
    let mut routes = Routes::new();
    let devices = ward.wills();
    let own = devices.len() <= OWN_CONNECTIONS;
    let groups = if own { devices.len() } else { SHARED_CONNECTIONS };
    let mut members: Vec<Vec<Publication>> = vec![Vec::new(); groups];
    for (i, will) in devices.into_iter().enumerate() {
        if let Some(group) = members.get_mut(i % groups) {
            group.push(will);
        }
    }
    for (i, group) in members.into_iter().enumerate() {
        let client = match group.first() {
            Some(will) if own => will.device.to_string(),
            _ => format!("wardlight-sim-{i}"),
        };
        let (sender, queue) = mpsc::channel(QUEUE);
        routes.extend(group.iter().map(|will| (will.device.clone(), sender.clone())));
        let command_topics = group.iter().map(|will| will.topic.replace("/state", "/cmd")).collect();
        let connection = Connection {
            options: broker.options(&client)?,
            will: group.into_iter().next().filter(|_| own),
            command_topics,
            queue,
            commands: commands.clone(),
            counters: Arc::clone(counters),
        };
        connections.spawn(connection.run());
    }
    Ok(routes)
}

fn route(routes: &Routes, out: &mut Vec<Publication>, counters: &Counters) {
    for publication in out.drain(..) {
        let taken = routes.get(&publication.device).map(|queue| queue.try_send(publication));
        if !matches!(taken, Some(Ok(()))) {
            counters.discarded.fetch_add(1, Ordering::Relaxed);
        }
    }
}
