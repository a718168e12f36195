//! For tests: the Ward's thread of one ward, taken apart. Its journal is real and in a folder of its own; broker, pages
//! and time are the test's.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wardlight_core::alarms::Roster;
use wardlight_core::bed_rhythms::BedRhythms;
use wardlight_core::codes::AgeGroup;
use wardlight_core::event::{Command, Event, Order};
use wardlight_core::ids::{BedId, DeviceId, SiteId, StayToken, UnitId};
use wardlight_core::patient::PatientProfile;
use wardlight_core::people::{Actor, Role};
use wardlight_core::time::Timestamp;
use wardlight_core::ward::{Ward, WardConfig};
use wardlight_journal::{Entry, Filter, Journal, Kind, Options, Reader, SiteKey, Writer, WriterOptions};
use wardlight_station::{Station, StationInfo};

use crate::adapters::Adapters;
use crate::clock::Clock;
use crate::config::Unit;
use crate::desk::{Desk, JournalEvents, Progress, Ticket};
use crate::heard::HeardLive;
use crate::inference::{self, Asked, Inference};
use crate::outlets::Outlets;
use crate::pipeline::Pipeline;
use crate::record::Stored;
use crate::remote::Remote;
use crate::restore::{self, Restored};
use crate::session::{AckTicket, Acker, Inbound};
use crate::strips::Strips;

/// The patient at bed B1.
pub(crate) const STAY: StayToken = StayToken::from_bytes([7; 16]);
const KEY: [u8; 32] = [3; 32];

/// What the pipeline is wired to.
pub(crate) struct Fixture {
    pub(crate) pipeline: Pipeline,
    /// Tickets for messages of QoS 1.
    pub(crate) acker: Acker,
    /// How far the Ward's thread believes the journal to be: only what a test says.
    pub(crate) progress: Arc<Progress>,
    /// What the model is asked; nobody answers.
    pub(crate) requests: Receiver<Asked>,
    journal: Writer<Ticket>,
    folder: TempDir,
    _outlets: (Runtime, JoinSet<anyhow::Result<()>>, mpsc::Receiver<crate::session::Outgoing>),
}

/// Milliseconds after some morning.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + ms)
}

impl Fixture {
    /// A ward with the device `mon` at its one bed, B1, and a patient of 70 in it.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(folder.path(), &SiteKey::from_bytes(KEY), Options::default()).unwrap();
        let acker = Acker::default();
        let progress = Arc::<Progress>::default();
        let events = JournalEvents {
            acker: acker.clone(),
            progress: Arc::default(),
            stopping: Arc::default(),
            failing_since: None,
        };
        let journal = Writer::start(journal, WriterOptions::default(), events).unwrap();
        let runtime = Builder::new_current_thread().build().unwrap();
        let (outgoing, to_broker) = mpsc::channel(64);
        let mut tasks = JoinSet::new();
        let outlets = {
            let _inside = runtime.enter();
            Outlets::start(&[], None, outgoing, &mut tasks).unwrap()
        };
        let (ask, requests) = sync_channel(inference::QUEUE);
        let bed = BedId::new("B1").unwrap();
        let unit = Arc::new(Unit {
            name: UnitId::new("u").unwrap(),
            beds: vec![bed.clone()],
            roster: Roster::default(),
        });
        let pipeline = Pipeline {
            site: SiteId::new("s").unwrap(),
            units: HashMap::from([(bed, unit)]),
            ward: Ward::new(config()),
            station: Station::new(info(), mpsc::channel(8).0),
            outlets,
            desk: Desk::new(journal.submitter(), Arc::clone(&progress)),
            rhythms: BedRhythms::default(),
            strips: Strips::new(false),
            heard: HeardLive::restored(None, Duration::from_hours(24)),
            remote: Remote::default(),
            inference: Inference::new(ask),
            adapters: Adapters::default(),
            clock: Clock::start(at(0)),
        };
        let mut fixture = Self {
            pipeline,
            acker,
            progress,
            requests,
            journal,
            folder,
            _outlets: (runtime, tasks, to_broker),
        };
        fixture.admit();
        fixture
    }

    fn admit(&mut self) {
        let (bed, device) = (BedId::new("B1").unwrap(), DeviceId::new("mon").unwrap());
        let profile = PatientProfile {
            age_group: AgeGroup::Adult,
            age_years: Some(70),
            ..PatientProfile::default()
        };
        let admit = Command::Admit {
            bed: bed.clone(),
            stay: STAY,
            profile,
        };
        for command in [admit, Command::Attach { device, bed }] {
            let by = Actor::new("anna", Role::ChargeNurse);
            self.pipeline.on_event(Event::Order(Order { by, command }), None, at(0));
        }
    }

    /// What a start after this finds.
    pub(crate) fn restored(self) -> Restored {
        assert!(self.journal.close().uncommitted.is_empty());
        let mut reader = Reader::open(self.folder.path(), &SiteKey::from_bytes(KEY)).unwrap();
        restore::restore(&mut reader, config()).unwrap()
    }

    /// How many items are in quarantine.
    pub(crate) fn quarantined(self) -> usize {
        assert!(self.journal.close().uncommitted.is_empty());
        let mut reader = Reader::open(self.folder.path(), &SiteKey::from_bytes(KEY)).unwrap();
        reader.quarantine().unwrap().len()
    }

    /// Everything that the journal holds of these kinds, read back from the disk.
    pub(crate) fn stored(self, kinds: &[Kind]) -> Vec<Entry> {
        assert!(self.journal.close().uncommitted.is_empty());
        let mut reader = Reader::open(self.folder.path(), &SiteKey::from_bytes(KEY)).unwrap();
        let stored = reader.entries(0, Filter::of_kinds(kinds));
        stored.map(|item| item.unwrap().entry).collect()
    }
}

/// A message of the device `mon` on this topic, sent at this time.
pub(crate) fn message(kind: &str, seq: u32, sent_at: Timestamp, fields: &Value, ticket: Option<AckTicket>) -> Inbound {
    let mut body = json!({"v": 1, "seq": seq, "t": sent_at.as_millis(), "boot": 1});
    for (key, value) in fields.as_object().unwrap() {
        body[key] = value.clone();
    }
    Inbound {
        topic: format!("vitals/v1/s/mon/{kind}"),
        payload: Bytes::from(body.to_string()),
        content_type: None,
        retained: false,
        dup: false,
        ticket,
        live: false,
    }
}

/// The number of a stored message.
pub(crate) fn number(entry: &Entry) -> u64 {
    let Stored::Message(raw) = Stored::read(&entry.body).unwrap() else {
        panic!("not a message")
    };
    let body: Value = serde_json::from_slice(raw.payload).unwrap();
    body["seq"].as_u64().unwrap()
}

fn config() -> WardConfig {
    WardConfig {
        beds: vec![(UnitId::new("u").unwrap(), BedId::new("B1").unwrap())],
        max_unassigned: 16,
        infer_every: Duration::from_mins(1),
    }
}

fn info() -> StationInfo {
    StationInfo {
        site: SiteId::new("s").unwrap(),
        site_name: String::new(),
        units: Vec::new(),
        version: String::new(),
        started_at: at(0),
        simulated: false,
        role: String::new(),
        hosts: Vec::new(),
    }
}
