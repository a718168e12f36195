//! The serialised twins of the views, and the frames of the page's protocol (`PROTOCOL.md`).

mod alarm;
mod bed;
mod client;
mod detail;
mod device;
mod session;
mod setup;
mod sighting;
mod system;
mod ward;
mod wave;

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use wardlight_core::event::AlarmChange;
use wardlight_core::time::Timestamp;
use wardlight_core::view::BedView;

use crate::board::Board;
use crate::info::StationInfo;

pub(crate) use alarm::{AlarmAtBedJson, ChangeJson};
pub(crate) use bed::BedJson;
pub(crate) use client::{ClientFrame, WaveChoice};
pub(crate) use detail::DetailJson;
pub(crate) use device::DeviceJson;
pub(crate) use session::SessionJson;
pub(crate) use system::SystemJson;
pub(crate) use ward::{HealthJson, InfoJson, WardJson};
pub use wave::WaveView;
pub(crate) use wave::wave_frame;

/// A text frame from the station to a page. Every one carries `now`, the agent's clock in milliseconds since 1970.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame<'a> {
    Snapshot {
        now: i64,
        info: InfoJson<'a>,
        beds: Vec<BedJson<'a>>,
        ward: WardJson<'a>,
        health: HealthJson<'a>,
    },
    Beds {
        now: i64,
        beds: Vec<BedJson<'a>>,
    },
    Alarm {
        now: i64,
        alarm: ChangeJson<'a>,
    },
    Heartbeat {
        now: i64,
        ward: WardJson<'a>,
        health: HealthJson<'a>,
    },
    Resync {
        now: i64,
        skipped: u64,
    },
    AckResult {
        now: i64,
        alarm: &'a str,
        ok: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
    },
    Session(SessionJson<'a>),
    Error {
        now: i64,
        error: &'a str,
    },
    Bye {
        now: i64,
    },
}

/// Our types always serialise: they hold no maps with odd keys and no foreign types. An empty frame would be ignored by the page.
fn text(frame: &Frame<'_>) -> Utf8Bytes {
    serde_json::to_string(frame).unwrap_or_default().into()
}

/// The whole state; without `names` no patient is named in it.
pub(crate) fn snapshot_frame(info: &StationInfo, board: &Board, names: bool) -> Utf8Bytes {
    text(&Frame::Snapshot {
        now: board.now.as_millis(),
        info: info.into(),
        beds: board.seen().map(|view| BedJson::shown(view, names)).collect(),
        ward: (&board.ward).into(),
        health: (&board.health).into(),
    })
}

pub(crate) fn beds_frame(beds: &[Arc<BedView>], now: Timestamp, names: bool) -> Utf8Bytes {
    text(&Frame::Beds {
        now: now.as_millis(),
        beds: beds.iter().map(|view| BedJson::shown(view, names)).collect(),
    })
}

pub(crate) fn alarm_frame(change: &AlarmChange) -> Utf8Bytes {
    text(&Frame::Alarm {
        now: change.changed_at.as_millis(),
        alarm: change.into(),
    })
}

pub(crate) fn heartbeat_frame(board: &Board) -> Utf8Bytes {
    text(&Frame::Heartbeat {
        now: board.now.as_millis(),
        ward: (&board.ward).into(),
        health: (&board.health).into(),
    })
}

pub(crate) fn resync_frame(now: Timestamp, skipped: u64) -> Utf8Bytes {
    text(&Frame::Resync {
        now: now.as_millis(),
        skipped,
    })
}

pub(crate) fn ack_result_frame(now: Timestamp, alarm: &str, outcome: Result<(), &str>) -> Utf8Bytes {
    text(&Frame::AckResult {
        now: now.as_millis(),
        alarm,
        ok: outcome.is_ok(),
        error: outcome.err(),
    })
}

pub(crate) fn session_frame(session: SessionJson<'_>) -> Utf8Bytes {
    text(&Frame::Session(session))
}

pub(crate) fn error_frame(now: Timestamp, error: &str) -> Utf8Bytes {
    text(&Frame::Error {
        now: now.as_millis(),
        error,
    })
}

pub(crate) fn bye_frame(now: Timestamp) -> Utf8Bytes {
    text(&Frame::Bye { now: now.as_millis() })
}
