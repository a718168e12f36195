//! A bed as the page and the API see it.

use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use wardlight_core::alarms::{AudioPause, Inactivated};
use wardlight_core::codes::{AgeGroup, Parameter};
use wardlight_core::event::RiskBand;
use wardlight_core::patient::{Consciousness, Spo2Scale};
use wardlight_core::rhythm::{EcgSignal, RhythmState};
use wardlight_core::scores::Band;
use wardlight_core::time::Timestamp;
use wardlight_core::view::{BedView, Freshness, News2View, NumericView, RiskInput, RiskView, StayView};
use wardlight_core::vitals::Milli;

use super::alarm::AlarmJson;
use super::device::DeviceJson;

/// Twin of [`BedView`]. The stay's token stays in the agent.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Bed", description = "A bed and everything that is shown of it.")]
pub(crate) struct BedJson<'a> {
    bed: &'a str,
    unit: &'a str,
    stay: Option<StayJson<'a>>,
    devices: Vec<DeviceJson<'a>>,
    numerics: BTreeMap<&'static str, NumericJson>,
    news2: Option<News2Json<'a>>,
    risk: Option<RiskJson<'a>>,
    alarms: Vec<AlarmJson>,
    blind_since: Option<i64>,
    blind_ms: u64,
    audio_pause: Option<AudioPauseJson<'a>>,
    inactivated: Vec<InactivatedJson<'a>>,
    ecg: Option<EcgJson>,
}

/// Rhythm as the analysis of the waveform sees it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Ecg")]
struct EcgJson {
    heart_rate: Option<i32>,
    signal: &'static str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AudioPause")]
struct AudioPauseJson<'a> {
    until: i64,
    by: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Inactivated")]
struct InactivatedJson<'a> {
    kind: String,
    text: String,
    how: &'static str,
    by: &'a str,
    at: i64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Stay")]
struct StayJson<'a> {
    name: &'a str,
    #[schemars(extend("enum" = ["adult", "paediatric", "neonate"]))]
    age_group: &'static str,
    age_years: Option<u8>,
    spo2_scale: u8,
    #[schemars(extend("enum" = ["A", "C", "V", "P", "U", null]))]
    consciousness: Option<&'static str>,
    oxygen: Option<bool>,
    admitted_at: i64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Numeric")]
struct NumericJson {
    value: Option<f64>,
    measured_at: i64,
    #[schemars(extend("enum" = ["fresh", "ageing", "expired"]))]
    freshness: &'static str,
    implausible: bool,
    low: Option<f64>,
    high: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "News2")]
struct News2Json<'a> {
    total: Option<u8>,
    at_least: u8,
    parts: PartsJson,
    any_three: bool,
    #[schemars(extend("enum" = ["low", "low-medium", "medium", "high"]))]
    band: &'static str,
    oldest_input_at: Option<i64>,
    missing: &'a [&'static str],
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "News2Parts")]
struct PartsJson {
    rr: Option<u8>,
    spo2: Option<u8>,
    oxygen: Option<u8>,
    sbp: Option<u8>,
    pulse: Option<u8>,
    acvpu: Option<u8>,
    temp: Option<u8>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Risk")]
struct RiskJson<'a> {
    model: &'a str,
    permille: u16,
    #[schemars(extend("enum" = ["low", "raised", "high"]))]
    band: &'static str,
    computed_at: i64,
    completeness_percent: u8,
    base_ppm: i32,
    inputs: Vec<InputJson>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RiskInput")]
struct InputJson {
    name: &'static str,
    value: Option<f32>,
    effect_ppm: i32,
    hour_ago_ppm: Option<i32>,
}

/// The number that a person sees: rounded as scores and limits round it, so that a value never looks beyond a limit that it did not cross.
pub(crate) fn shown(parameter: Parameter, value: Milli) -> f64 {
    match parameter {
        Parameter::Temp | Parameter::TempSkin | Parameter::PerfusionIndex => f64::from(value.tenths()) / 10.0,
        _ => f64::from(value.rounded()),
    }
}

impl<'a> BedJson<'a> {
    /// The bed; without `names` the patient's is empty.
    pub(crate) fn shown(view: &'a BedView, names: bool) -> Self {
        Self {
            bed: view.bed.as_str(),
            unit: view.unit.as_str(),
            stay: view.stay.as_ref().map(|stay| StayJson::shown(stay, names)),
            devices: view.devices.iter().map(Into::into).collect(),
            numerics: view.numerics.iter().map(|n| (n.parameter.name(), n.into())).collect(),
            news2: view.news2.as_ref().map(Into::into),
            risk: view.risk.as_ref().map(Into::into),
            alarms: view.alarms.iter().map(Into::into).collect(),
            blind_since: view.blind_since.map(Timestamp::as_millis),
            blind_ms: view.blind_ms,
            audio_pause: view.audio_pause.as_ref().map(Into::into),
            inactivated: view.inactivated.iter().map(Into::into).collect(),
            ecg: view.ecg.as_ref().map(Into::into),
        }
    }
}

impl<'a> From<&'a AudioPause> for AudioPauseJson<'a> {
    fn from(pause: &'a AudioPause) -> Self {
        Self {
            until: pause.until.as_millis(),
            by: &pause.by,
        }
    }
}

impl<'a> From<&'a Inactivated> for InactivatedJson<'a> {
    fn from(i: &'a Inactivated) -> Self {
        Self {
            kind: i.kind.to_string(),
            text: i.kind.text(),
            how: i.how.name(),
            by: &i.by,
            at: i.at.as_millis(),
        }
    }
}

impl From<&RhythmState> for EcgJson {
    fn from(state: &RhythmState) -> Self {
        Self {
            heart_rate: state.heart_rate.map(Milli::rounded),
            signal: match state.signal {
                EcgSignal::None => "none",
                EcgSignal::LeadOff => "lead_off",
                EcgSignal::Noisy => "noisy",
                EcgSignal::Learning => "learning",
                EcgSignal::Good => "good",
            },
        }
    }
}

impl<'a> StayJson<'a> {
    fn shown(stay: &'a StayView, names: bool) -> Self {
        Self {
            name: if names { &stay.name } else { "" },
            age_group: match stay.age_group {
                AgeGroup::Neonate => "neonate",
                AgeGroup::Paediatric => "paediatric",
                AgeGroup::Adult => "adult",
            },
            age_years: stay.age_years,
            spo2_scale: match stay.spo2_scale {
                Spo2Scale::One => 1,
                Spo2Scale::Two => 2,
            },
            consciousness: stay.consciousness.map(Consciousness::letter),
            oxygen: stay.oxygen,
            admitted_at: stay.admitted_at.as_millis(),
        }
    }
}

impl From<&NumericView> for NumericJson {
    fn from(n: &NumericView) -> Self {
        let number = |v: Option<Milli>| v.map(|v| shown(n.parameter, v));
        Self {
            value: number(n.value),
            measured_at: n.measured_at.as_millis(),
            freshness: match n.freshness {
                Freshness::Fresh => "fresh",
                Freshness::Ageing => "ageing",
                Freshness::Expired => "expired",
            },
            implausible: n.implausible,
            low: number(n.limits.0),
            high: number(n.limits.1),
        }
    }
}

impl<'a> From<&'a News2View> for News2Json<'a> {
    fn from(view: &'a News2View) -> Self {
        let parts = view.score.parts;
        Self {
            total: view.score.total,
            at_least: view.score.at_least,
            parts: PartsJson {
                rr: parts.resp_rate,
                spo2: parts.spo2,
                oxygen: parts.oxygen,
                sbp: parts.systolic,
                pulse: parts.pulse,
                acvpu: parts.consciousness,
                temp: parts.temperature,
            },
            any_three: view.score.any_three,
            band: match view.score.band {
                Band::Low => "low",
                Band::LowMedium => "low-medium",
                Band::Medium => "medium",
                Band::High => "high",
            },
            oldest_input_at: view.oldest_input_at.map(Timestamp::as_millis),
            missing: &view.missing,
        }
    }
}

impl<'a> From<&'a RiskView> for RiskJson<'a> {
    fn from(risk: &'a RiskView) -> Self {
        Self {
            model: &risk.model,
            permille: risk.permille,
            band: match risk.band {
                RiskBand::Low => "low",
                RiskBand::Raised => "raised",
                RiskBand::High => "high",
            },
            computed_at: risk.computed_at.as_millis(),
            completeness_percent: risk.completeness_percent,
            base_ppm: risk.base_ppm,
            inputs: risk.inputs.iter().map(InputJson::from).collect(),
        }
    }
}

impl From<&RiskInput> for InputJson {
    fn from(input: &RiskInput) -> Self {
        Self {
            name: input.name,
            value: input.value,
            effect_ppm: input.effect.ppm,
            hour_ago_ppm: input.effect.hour_ago_ppm,
        }
    }
}
