//! The ward's line, the agent's health, and the facts that do not change.

use schemars::JsonSchema;
use serde::Serialize;
use wardlight_core::event::ModelStatus;
use wardlight_core::view::WardView;

use super::device::DeviceJson;
use crate::info::{Health, Link, ModelHealth, StationInfo, UnitInfo};

/// Twin of [`WardView`].
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Ward", description = "The whole ward in a line.")]
pub(crate) struct WardJson<'a> {
    unacknowledged: ByPriority,
    #[schemars(extend("enum" = ["live", "late", "gone"]))]
    model: &'static str,
    unassigned: Vec<DeviceJson<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct ByPriority {
    high: u32,
    medium: u32,
    low: u32,
}

/// Twin of [`Health`].
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Health", description = "How the agent itself is.")]
pub(crate) struct HealthJson<'a> {
    broker: LinkJson<'a>,
    journal: LinkJson<'a>,
    models: Vec<ModelJson<'a>>,
}

/// Twin of [`ModelHealth`].
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ModelHealth")]
pub(super) struct ModelJson<'a> {
    id: &'a str,
    version: &'a str,
    runs_on: &'a str,
    link: LinkJson<'a>,
    taken_back: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Link")]
pub(super) struct LinkJson<'a> {
    #[schemars(extend("enum" = ["up", "down", "unknown"]))]
    state: &'static str,
    since: Option<i64>,
    reason: Option<&'a str>,
}

/// Twin of [`StationInfo`].
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Info", description = "What does not change while the agent runs.")]
pub(crate) struct InfoJson<'a> {
    site: &'a str,
    site_name: &'a str,
    units: Vec<UnitJson<'a>>,
    version: &'a str,
    simulated: bool,
    role: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Unit")]
struct UnitJson<'a> {
    unit: &'a str,
    name: &'a str,
    beds: Vec<&'a str>,
    receivers: RosterJson<'a>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "Receivers",
    description = "Who is called at each step of a call, by the names that the hospital gave; empty where it gave none."
)]
struct RosterJson<'a> {
    primary: &'a [String],
    second: &'a [String],
    charge_nurse: &'a [String],
}

pub(super) const fn model(status: ModelStatus) -> &'static str {
    match status {
        ModelStatus::Live => "live",
        ModelStatus::Late => "late",
        ModelStatus::Gone => "gone",
    }
}

impl<'a> From<&'a WardView> for WardJson<'a> {
    fn from(ward: &'a WardView) -> Self {
        let [high, medium, low] = ward.unacknowledged;
        Self {
            unacknowledged: ByPriority { high, medium, low },
            model: model(ward.model),
            unassigned: ward.unassigned.iter().map(Into::into).collect(),
        }
    }
}

impl<'a> From<&'a Health> for HealthJson<'a> {
    fn from(health: &'a Health) -> Self {
        Self {
            broker: (&health.broker).into(),
            journal: (&health.journal).into(),
            models: health.models.iter().map(Into::into).collect(),
        }
    }
}

impl<'a> From<&'a ModelHealth> for ModelJson<'a> {
    fn from(model: &'a ModelHealth) -> Self {
        Self {
            id: &model.id,
            version: &model.version,
            runs_on: &model.runs_on,
            link: (&model.link).into(),
            taken_back: model.taken_back.as_deref(),
        }
    }
}

impl<'a> From<&'a Link> for LinkJson<'a> {
    fn from(link: &'a Link) -> Self {
        let (state, since, reason) = match link {
            Link::Unknown => ("unknown", None, None),
            Link::Up => ("up", None, None),
            Link::Down { since, reason } => ("down", Some(since.as_millis()), Some(reason.as_str())),
        };
        Self { state, since, reason }
    }
}

impl<'a> From<&'a StationInfo> for InfoJson<'a> {
    fn from(info: &'a StationInfo) -> Self {
        Self {
            site: info.site.as_str(),
            site_name: &info.site_name,
            units: info.units.iter().map(Into::into).collect(),
            version: &info.version,
            simulated: info.simulated,
            role: &info.role,
        }
    }
}

impl<'a> From<&'a UnitInfo> for UnitJson<'a> {
    fn from(unit: &'a UnitInfo) -> Self {
        Self {
            unit: unit.unit.as_str(),
            name: &unit.name,
            beds: unit.beds.iter().map(wardlight_core::ids::BedId::as_str).collect(),
            receivers: RosterJson {
                primary: &unit.roster.primary,
                second: &unit.roster.second,
                charge_nurse: &unit.roster.charge_nurse,
            },
        }
    }
}
