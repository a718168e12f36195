//! What a technician wants to know of the agent.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::device::DeviceJson;
use super::setup::SetupJson;
use super::ward::{LinkJson, ModelJson, model};
use crate::board::Board;
use crate::counters::Counters;
use crate::info::StationInfo;
use crate::refusals::Refused;

/// One kind of refusal at a door.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Refused")]
struct RefusedJson<'a> {
    /// `page` or `broker`.
    door: &'static str,
    /// An address, or the name of a device.
    who: &'a str,
    reason: &'a str,
    count: u64,
    first: i64,
    last: i64,
}

/// The agent itself.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "System")]
pub(crate) struct SystemJson<'a> {
    now: i64,
    version: &'a str,
    uptime_s: i64,
    broker: LinkJson<'a>,
    journal: LinkJson<'a>,
    #[schemars(extend("enum" = ["live", "late", "gone"]))]
    model: &'static str,
    models: Vec<ModelJson<'a>>,
    journal_bytes: Option<u64>,
    disk_free_bytes: Option<u64>,
    /// Who was turned away at the doors, the newest first.
    refused: Vec<RefusedJson<'a>>,
    /// Devices of which something is asked from afar.
    setups: Vec<SetupJson<'a>>,
    /// Devices at no bed.
    unassigned: Vec<DeviceJson<'a>>,
    /// What was discarded or refused since the start.
    counters: BTreeMap<&'static str, u64>,
}

impl<'a> SystemJson<'a> {
    pub(crate) fn new(info: &'a StationInfo, board: &'a Board, counters: &Counters) -> Self {
        Self {
            now: board.now.as_millis(),
            version: &info.version,
            uptime_s: board.now.millis_after(info.started_at).max(0) / 1000,
            broker: (&board.health.broker).into(),
            journal: (&board.health.journal).into(),
            model: model(board.ward.model),
            models: board.health.models.iter().map(Into::into).collect(),
            journal_bytes: board.storage.journal_bytes,
            disk_free_bytes: board.storage.free_bytes,
            refused: board.refusals.iter().map(Into::into).collect(),
            setups: board.setups.iter().map(Into::into).collect(),
            unassigned: board.ward.unassigned.iter().map(Into::into).collect(),
            counters: BTreeMap::from([
                ("pages_open", counters.pages),
                ("pages_refused", counters.pages_refused),
                ("pages_stuck", counters.pages_stuck),
                ("resyncs", counters.resyncs),
                ("wave_frames_dropped", counters.wave_frames_dropped),
                ("bad_frames", counters.bad_frames),
                ("foreign_requests", counters.foreign_requests),
                ("commands_refused", counters.commands_refused),
                ("receipts_dropped", counters.receipts_dropped),
            ]),
        }
    }
}

impl<'a> From<&'a Refused> for RefusedJson<'a> {
    fn from(refused: &'a Refused) -> Self {
        Self {
            door: refused.what.door,
            who: &refused.what.who,
            reason: &refused.what.reason,
            count: refused.count,
            first: refused.first.as_millis(),
            last: refused.last.as_millis(),
        }
    }
}
