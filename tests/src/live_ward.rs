//! A simulated ward on the wire: what its devices publish reaches the agent's broker as time goes by.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wardlight_core::ids::SiteId;
use wardlight_core::time::Timestamp;
use wardlight_simulator::scenario::parse;
use wardlight_simulator::ward::{SimulatedWard, WardSettings};

use crate::agent::{Agent, Site};
use crate::mqtt::Client;
use crate::wait::now_ms;

/// What is due is published so often.
const PACE: Duration = Duration::from_millis(50);

/// A ward whose devices are attached and switched on, until it is dropped.
#[derive(Debug)]
pub struct LiveWard {
    start: Timestamp,
    /// The thread ends when this does.
    alive: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl LiveWard {
    /// Occupies B01, B02 … for the beds of the script, which has no wearables, and begins.
    pub fn start(site: &Site, agent: &Agent<'_>, script: &str) -> Self {
        let start = Timestamp::from_millis(now_ms());
        let settings = WardSettings {
            site: SiteId::new("site").unwrap(),
            seed: 1,
            beds: None,
            recordings: None,
            start,
        };
        let mut simulated = SimulatedWard::new(&settings, &parse("live", script).unwrap()).unwrap();
        for (number, attachment) in (1..).zip(simulated.attachments()) {
            agent.occupy(&format!("B{number:02}"), attachment.device.as_str());
        }
        let mut wire = Client::connect(site.broker, "live-ward").unwrap();
        let (alive, ends) = sync_channel(0);
        let thread = thread::spawn(move || {
            while ends.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
                publish_due(&mut simulated, &mut wire);
            }
        });
        Self {
            start,
            alive: Some(alive),
            thread: Some(thread),
        }
    }

    /// How long it has been there.
    pub fn age(&self) -> Duration {
        Timestamp::from_millis(now_ms()).since(self.start)
    }
}

impl Drop for LiveWard {
    fn drop(&mut self) {
        self.alive.take();
        // A thread that panicked has said so.
        self.thread.take().map(JoinHandle::join);
    }
}

fn publish_due(simulated: &mut SimulatedWard, wire: &mut Client) {
    let mut due = Vec::new();
    simulated.advance(Timestamp::from_millis(now_ms()), &mut due);
    for publication in due {
        wire.publish(&publication.topic, &publication.payload).unwrap();
    }
    // Whether they are confirmed is of no interest here.
    while wire.heard.try_recv().is_ok() {}
}
