//! What an alarm is about: its name, whether it latches, and its text for people.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::codes::Parameter;
use crate::rhythm::Rhythm;

/// Which limit was crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Below the low limit.
    Low,
    /// Above the high limit.
    High,
}

/// Something wrong with the way of the data and not with the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Technical {
    /// Nothing arrives from any monitor of the bed.
    NoData,
    /// A sensor is off.
    LeadOff,
    /// A device in demo mode stands at the bed.
    DemoDevice,
    /// The device's clock is wrong by more than five seconds.
    ClockSkew,
    /// The device's battery is low.
    LowBattery,
    /// A signal is too disturbed to be used.
    Artefact,
    /// The agent was away for longer than a moment; settings are as they were.
    Restarted,
}

impl Technical {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::NoData,
        Self::LeadOff,
        Self::DemoDevice,
        Self::ClockSkew,
        Self::LowBattery,
        Self::Artefact,
        Self::Restarted,
    ];
}

/// What an alarm is about. Its `Display` is the machine name that topics, reports and the page use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AlarmKind {
    /// A parameter beyond its limit: `spo2_low`, `hr_high`, `nibp_sys_low`, …
    Limit(Parameter, Side),
    /// Heart rate beyond the extreme limit: `extreme_tachy`, `extreme_brady`.
    ExtremeRate(Side),
    /// Saturation below the red limit: `desaturation`.
    Desaturation,
    /// No breath: `apnoea`.
    Apnoea,
    /// A rhythm found in the waveform: `asystole`, `vf`, `vt`, `pause`.
    Rhythm(Rhythm),
    /// The monitor's own alarm, passed through: `device_alarm_asystole`, `device_alarm_vf`, …
    Device(String),
    /// NEWS2 at or above the emergency threshold of 7: `news2_high`.
    News2High,
    /// NEWS2 of 5 or 6, the urgent threshold: `news2_medium`.
    News2Medium,
    /// The deterioration model's risk in its highest band: `risk_high`. Advisory only.
    RiskHigh,
    /// Somebody pressed the call button of a wearable: `call_button`.
    CallButton,
    /// A technical condition: `no_data`, `lead_off`, …
    Technical(Technical),
}

impl AlarmKind {
    /// Whether it is about what kills at once: lethal rhythms, extreme rates, apnoea, desaturation. Such an alarm latches
    /// and cannot be switched off.
    pub fn is_red(&self) -> bool {
        match self {
            Self::ExtremeRate(_) | Self::Desaturation | Self::Apnoea => true,
            Self::Rhythm(rhythm) => !matches!(rhythm, Rhythm::Pause | Rhythm::AtrialFibrillation),
            Self::Device(condition) => is_red_device_condition(condition),
            _ => false,
        }
    }

    /// Whether signals continue after the condition ended until somebody acknowledges: red alarms do, and what is over at
    /// once but must be read.
    pub fn latches(&self) -> bool {
        self.is_red() || matches!(self, Self::CallButton | Self::Technical(Technical::Restarted))
    }

    /// The kind with this machine name, as `Display` writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(condition) = name.strip_prefix("device_alarm_") {
            return Some(Self::Device(condition.to_owned()));
        }
        let fixed = [
            Self::ExtremeRate(Side::Low),
            Self::ExtremeRate(Side::High),
            Self::Desaturation,
            Self::Apnoea,
            Self::News2High,
            Self::News2Medium,
            Self::RiskHigh,
            Self::CallButton,
            Self::Rhythm(Rhythm::Asystole),
            Self::Rhythm(Rhythm::VentricularFibrillation),
            Self::Rhythm(Rhythm::VentricularTachycardia),
            Self::Rhythm(Rhythm::Pause),
            Self::Rhythm(Rhythm::AtrialFibrillation),
        ];
        let technical = Technical::ALL.map(Self::Technical);
        let limits = Parameter::ALL.map(|p| [Self::Limit(p, Side::Low), Self::Limit(p, Side::High)]);
        let mut all = fixed.into_iter().chain(technical).chain(limits.into_iter().flatten());
        all.find(|kind| kind.to_string() == name)
    }

    /// The parameter whose value it is about: without a value that is measured it says nothing.
    pub const fn parameter(&self) -> Option<Parameter> {
        match self {
            Self::Limit(parameter, _) => Some(*parameter),
            Self::Desaturation => Some(Parameter::Spo2),
            Self::Apnoea => Some(Parameter::RespRate),
            _ => None,
        }
    }

    /// Whether this is a technical condition.
    pub const fn is_technical(&self) -> bool {
        matches!(self, Self::Technical(_))
    }

    /// Text for the nurse, without the value.
    pub fn text(&self) -> String {
        match self {
            Self::Limit(p, side) => {
                let side = match side {
                    Side::Low => "low",
                    Side::High => "high",
                };
                format!("{} {side}", label(*p))
            }
            Self::ExtremeRate(Side::High) => "Extreme tachycardia".into(),
            Self::ExtremeRate(Side::Low) => "Extreme bradycardia".into(),
            Self::Desaturation => "Desaturation".into(),
            Self::Apnoea => "Apnoea".into(),
            Self::Rhythm(rhythm) => match rhythm {
                Rhythm::Asystole => "Asystole",
                Rhythm::VentricularFibrillation => "Ventricular fibrillation",
                Rhythm::VentricularTachycardia => "Ventricular tachycardia",
                Rhythm::ExtremeBradycardia => "Extreme bradycardia",
                Rhythm::ExtremeTachycardia => "Extreme tachycardia",
                Rhythm::Pause => "Pause",
                Rhythm::AtrialFibrillation => "Irregular, perhaps atrial fibrillation",
            }
            .into(),
            Self::Device(condition) => match condition.as_str() {
                "asystole" => "Asystole (monitor)".into(),
                "vf" => "Ventricular fibrillation (monitor)".into(),
                "vt" => "Ventricular tachycardia (monitor)".into(),
                other => format!("Monitor: {other}"),
            },
            Self::News2High => "NEWS2 7 or more".into(),
            Self::News2Medium => "NEWS2 5 or 6".into(),
            Self::RiskHigh => "Risk estimate high".into(),
            Self::CallButton => "Call button".into(),
            Self::Technical(t) => match t {
                Technical::NoData => "No data",
                Technical::LeadOff => "Lead off",
                Technical::DemoDevice => "Device in demo mode",
                Technical::ClockSkew => "Device clock wrong",
                Technical::LowBattery => "Battery low",
                Technical::Artefact => "Signal disturbed",
                Technical::Restarted => "Agent was away: settings restored",
            }
            .into(),
        }
    }
}

/// Conditions of a monitor's own alarm that are red whatever priority it claims.
pub fn is_red_device_condition(condition: &str) -> bool {
    matches!(
        condition,
        "asystole" | "vf" | "vt" | "extreme_tachy" | "extreme_brady" | "apnoea" | "desaturation"
    )
}

/// The parameter's name as a nurse reads it.
pub const fn label(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::HeartRate => "HR",
        Parameter::PulseRate => "PR",
        Parameter::Spo2 => "SpO2",
        Parameter::PerfusionIndex => "PI",
        Parameter::RespRate => "RR",
        Parameter::NibpSys => "NIBP systolic",
        Parameter::NibpDia => "NIBP diastolic",
        Parameter::NibpMap => "NIBP mean",
        Parameter::AbpSys => "ABP systolic",
        Parameter::AbpDia => "ABP diastolic",
        Parameter::AbpMap => "ABP mean",
        Parameter::Cvp => "CVP",
        Parameter::Temp => "Temperature",
        Parameter::TempSkin => "Skin temperature",
        Parameter::EtCo2 => "EtCO2",
        Parameter::FiCo2 => "FiCO2",
        Parameter::PvcRate => "PVC",
        Parameter::Glucose => "Glucose",
        Parameter::Battery => "Battery",
        Parameter::BatteryMinutes => "Battery minutes",
    }
}

impl fmt::Display for AlarmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(p, Side::Low) => write!(f, "{}_low", p.name()),
            Self::Limit(p, Side::High) => write!(f, "{}_high", p.name()),
            Self::ExtremeRate(Side::Low) => f.write_str("extreme_brady"),
            Self::ExtremeRate(Side::High) => f.write_str("extreme_tachy"),
            Self::Desaturation => f.write_str("desaturation"),
            Self::Apnoea => f.write_str("apnoea"),
            Self::Rhythm(rhythm) => f.write_str(rhythm.name()),
            Self::Device(condition) => write!(f, "device_alarm_{condition}"),
            Self::News2High => f.write_str("news2_high"),
            Self::News2Medium => f.write_str("news2_medium"),
            Self::RiskHigh => f.write_str("risk_high"),
            Self::CallButton => f.write_str("call_button"),
            Self::Technical(t) => f.write_str(match t {
                Technical::NoData => "no_data",
                Technical::LeadOff => "lead_off",
                Technical::DemoDevice => "demo_device",
                Technical::ClockSkew => "clock_skew",
                Technical::LowBattery => "low_battery",
                Technical::Artefact => "artefact",
                Technical::Restarted => "restarted",
            }),
        }
    }
}
