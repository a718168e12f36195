//! The nurse's station: one page, its API, and the live data behind it.
//!
//! The agent calls [`Station::publish_beds`], [`Station::publish_alarm`] and [`Station::publish_wave`]; every open page
//! gets what it needs over one WebSocket. What people do on the page comes back as [`StationCommand`]s.
//! Nothing here decides anything clinical, reads a clock or touches a disk: the page shows what the Ward says.
//!
//! Serve with `TCP_NODELAY` set (`axum::serve::ListenerExt::tap_io`), or Nagle's algorithm may hold an alarm back by 40 ms.
//! The protocol is written down in `PROTOCOL.md` beside this crate.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )
)]

mod board;
mod burden;
mod command;
mod counters;
mod history;
mod http;
mod info;
mod people;
mod refusals;
mod setup;
mod socket;
mod station;
mod trends;
mod what_if;
mod wire;

pub use command::{CommandFailure, Reply, Request, StationCommand};
pub use counters::Counters;
pub use history::{Receipt, Receipts};
pub use info::{Health, Link, ModelHealth, StationInfo, Storage, UnitInfo};
pub use people::{Directory, Happening, Member, Origin, People, Reason, What};
pub use refusals::Refusal;
pub use setup::{DeviceSetup, SetupStep};
pub use station::{Past, Station};
pub use trends::TrendRow;
pub use what_if::{WhatIf, WhatIfAnswer, WhatIfSide};
pub use wire::WaveView;
