//! MDC codes, units and ranges of ISO/IEEE 11073-10101, as far as `vitals/v1` carries them.
//!
//! A 32-bit code is partition × 65536 + term. Ranges marked *ratify* are product choices that a hospital must confirm.

use serde::{Deserialize, Serialize};

/// Unit of measure, one per parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Beats per minute, MDC_DIM_BEAT_PER_MIN.
    BeatsPerMinute,
    /// Breaths per minute, MDC_DIM_RESP_PER_MIN.
    BreathsPerMinute,
    /// Percent.
    Percent,
    /// Millimetres of mercury.
    MmHg,
    /// Degrees Celsius.
    Celsius,
    /// Millivolt.
    Millivolt,
    /// Milligrams per decilitre.
    MgPerDl,
    /// Minutes.
    Minutes,
    /// A number without a unit.
    Dimensionless,
}

impl Unit {
    /// UCUM code, case-sensitive.
    pub const fn ucum(self) -> &'static str {
        match self {
            Self::BeatsPerMinute | Self::BreathsPerMinute => "/min",
            Self::Percent => "%",
            Self::MmHg => "mm[Hg]",
            Self::Celsius => "Cel",
            Self::Millivolt => "mV",
            Self::MgPerDl => "mg/dL",
            Self::Minutes => "min",
            Self::Dimensionless => "1",
        }
    }

    /// Whether a UCUM (or SenML) unit names this unit: `/min` also as `{…}/min` and `beat/min`, `mm[Hg]` as `mmHg`.
    pub fn matches(self, text: &str) -> bool {
        let rate = text.ends_with("/min") && (text.starts_with('{') || text.len() == 4 || text == "beat/min");
        match self {
            Self::BeatsPerMinute | Self::BreathsPerMinute => rate,
            Self::Percent => matches!(text, "%" | "%RH"),
            Self::MmHg => matches!(text, "mm[Hg]" | "mmHg"),
            Self::Celsius => matches!(text, "Cel" | "degC"),
            Self::Dimensionless => matches!(text, "1" | "/" | ""),
            other => text == other.ucum(),
        }
    }
}

/// Age group, for limits and plausible ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum AgeGroup {
    /// Up to 28 days.
    Neonate,
    /// From 29 days to 15 years.
    Paediatric,
    /// 16 years and over.
    #[default]
    Adult,
}

/// What a numeric measures, whichever technique measured it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Parameter {
    /// Heart rate from the ECG.
    HeartRate,
    /// Pulse rate from oximetry, cuff or artery.
    PulseRate,
    /// Oxygen saturation by pulse oximetry.
    Spo2,
    /// Perfusion index of the oximeter.
    PerfusionIndex,
    /// Respiration rate.
    RespRate,
    /// Non-invasive systolic pressure.
    NibpSys,
    /// Non-invasive diastolic pressure.
    NibpDia,
    /// Non-invasive mean pressure.
    NibpMap,
    /// Arterial systolic pressure.
    AbpSys,
    /// Arterial diastolic pressure.
    AbpDia,
    /// Arterial mean pressure.
    AbpMap,
    /// Central venous pressure.
    Cvp,
    /// Body temperature.
    Temp,
    /// Skin temperature: shown, never scored.
    TempSkin,
    /// End-tidal carbon dioxide.
    EtCo2,
    /// Inspired carbon dioxide.
    FiCo2,
    /// Ventricular ectopic beats per minute.
    PvcRate,
    /// Glucose.
    Glucose,
    /// Battery charge.
    Battery,
    /// Battery time left.
    BatteryMinutes,
}

impl Parameter {
    /// All, in the order they are shown.
    pub const ALL: [Self; 20] = [
        Self::HeartRate,
        Self::PulseRate,
        Self::Spo2,
        Self::PerfusionIndex,
        Self::RespRate,
        Self::NibpSys,
        Self::NibpDia,
        Self::NibpMap,
        Self::AbpSys,
        Self::AbpDia,
        Self::AbpMap,
        Self::Cvp,
        Self::Temp,
        Self::TempSkin,
        Self::EtCo2,
        Self::FiCo2,
        Self::PvcRate,
        Self::Glucose,
        Self::Battery,
        Self::BatteryMinutes,
    ];

    /// Short machine name, as in alarm kinds, the page's data and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HeartRate => "hr",
            Self::PulseRate => "pr",
            Self::Spo2 => "spo2",
            Self::PerfusionIndex => "perfusion",
            Self::RespRate => "rr",
            Self::NibpSys => "nibp_sys",
            Self::NibpDia => "nibp_dia",
            Self::NibpMap => "nibp_map",
            Self::AbpSys => "abp_sys",
            Self::AbpDia => "abp_dia",
            Self::AbpMap => "abp_map",
            Self::Cvp => "cvp",
            Self::Temp => "temp",
            Self::TempSkin => "temp_skin",
            Self::EtCo2 => "etco2",
            Self::FiCo2 => "fico2",
            Self::PvcRate => "pvc",
            Self::Glucose => "glucose",
            Self::Battery => "battery",
            Self::BatteryMinutes => "battery_minutes",
        }
    }

    /// Plausible range in thousandths for the age group: outside is kept and flagged. (*ratify*)
    pub const fn plausible(self, age: AgeGroup) -> (i32, i32) {
        let neonate = matches!(age, AgeGroup::Neonate);
        let (low, high) = match self {
            Self::HeartRate | Self::PulseRate if neonate => (60, 230),
            Self::HeartRate | Self::PulseRate => (25, 220),
            Self::Spo2 => (50, 100),
            Self::RespRate if neonate => (10, 120),
            Self::RespRate => (3, 60),
            Self::NibpSys if neonate => (25, 130),
            Self::NibpSys => (50, 260),
            Self::AbpSys if neonate => (25, 120),
            Self::AbpSys => (40, 260),
            Self::AbpDia | Self::NibpDia => (15, 160),
            Self::Temp | Self::TempSkin if neonate => (30, 41),
            Self::Temp | Self::TempSkin => (28, 43),
            Self::EtCo2 if neonate => (5, 90),
            Self::EtCo2 => (5, 100),
            Self::Glucose => (20, 500),
            _ => return (i32::MIN, i32::MAX),
        };
        (low * 1000, high * 1000)
    }

    /// What any instrument can report of it, in thousandths.
    pub fn technical(self) -> (i32, i32) {
        let ranges = NUMERICS
            .iter()
            .filter(|numeric| numeric.parameter == self)
            .map(|numeric| numeric.technical);
        ranges
            .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
            .unwrap_or((i32::MIN, i32::MAX))
    }

    /// Largest step in thousandths per second that is still physiology and not artefact; `None` where steps are normal. (*ratify*)
    pub const fn max_step_per_second(self) -> Option<i32> {
        match self {
            Self::HeartRate | Self::PulseRate => Some(40_000),
            Self::Spo2 => Some(8_000),
            Self::RespRate => Some(15_000),
            Self::AbpSys | Self::AbpDia | Self::AbpMap => Some(30_000),
            Self::Temp | Self::TempSkin => Some(300),
            Self::EtCo2 => Some(20_000),
            _ => None,
        }
    }
}

/// One row of the table of numerics.
#[derive(Debug, PartialEq, Eq)]
pub struct Numeric {
    /// MDC code.
    pub code: u32,
    /// MDC reference id.
    pub reference: &'static str,
    /// What it measures.
    pub parameter: Parameter,
    /// Its unit.
    pub unit: Unit,
    /// What an instrument can report, in thousandths; outside is refused.
    pub technical: (i32, i32),
}

const fn row(code: u32, reference: &'static str, parameter: Parameter, unit: Unit, low: i32, high: i32) -> Numeric {
    Numeric {
        code,
        reference,
        parameter,
        unit,
        technical: (low * 1000, high * 1000),
    }
}

/// The numerics that `vitals/v1` knows, by code. Technical ranges: the widest over age groups that makers declare.
pub static NUMERICS: [Numeric; 41] = {
    use Parameter as P;
    use Unit as U;
    [
        row(67_976, "MDC_ATTR_TIME_BATT_REMAIN", P::BatteryMinutes, U::Minutes, 0, 100_000),
        row(67_996, "MDC_ATTR_VAL_BATT_CHARGE", P::Battery, U::Percent, 0, 100),
        row(147_842, "MDC_ECG_HEART_RATE", P::HeartRate, U::BeatsPerMinute, 15, 350),
        row(148_066, "MDC_ECG_V_P_C_RATE", P::PvcRate, U::BeatsPerMinute, 0, 300),
        row(149_514, "MDC_PULS_RATE", P::PulseRate, U::BeatsPerMinute, 15, 350),
        row(149_522, "MDC_BLD_PULS_RATE_INV", P::PulseRate, U::BeatsPerMinute, 15, 350),
        row(149_530, "MDC_PULS_OXIM_PULS_RATE", P::PulseRate, U::BeatsPerMinute, 15, 350),
        row(149_546, "MDC_PULS_RATE_NON_INV", P::PulseRate, U::BeatsPerMinute, 15, 350),
        row(150_017, "MDC_PRESS_BLD_SYS", P::AbpSys, U::MmHg, -50, 360),
        row(150_018, "MDC_PRESS_BLD_DIA", P::AbpDia, U::MmHg, -50, 360),
        row(150_019, "MDC_PRESS_BLD_MEAN", P::AbpMap, U::MmHg, -50, 360),
        row(150_021, "MDC_PRESS_BLD_NONINV_SYS", P::NibpSys, U::MmHg, 25, 290),
        row(150_022, "MDC_PRESS_BLD_NONINV_DIA", P::NibpDia, U::MmHg, 10, 250),
        row(150_023, "MDC_PRESS_BLD_NONINV_MEAN", P::NibpMap, U::MmHg, 15, 260),
        row(150_037, "MDC_PRESS_BLD_ART_ABP_SYS", P::AbpSys, U::MmHg, -50, 360),
        row(150_038, "MDC_PRESS_BLD_ART_ABP_DIA", P::AbpDia, U::MmHg, -50, 360),
        row(150_039, "MDC_PRESS_BLD_ART_ABP_MEAN", P::AbpMap, U::MmHg, -50, 360),
        row(150_084, "MDC_PRESS_BLD_VEN_CENT", P::Cvp, U::MmHg, -50, 360),
        row(150_301, "MDC_PRESS_CUFF_SYS", P::NibpSys, U::MmHg, 25, 290),
        row(150_302, "MDC_PRESS_CUFF_DIA", P::NibpDia, U::MmHg, 10, 250),
        row(150_303, "MDC_PRESS_CUFF_MEAN", P::NibpMap, U::MmHg, 15, 260),
        row(150_344, "MDC_TEMP", P::Temp, U::Celsius, 0, 50),
        row(150_348, "MDC_TEMP_FOLEY", P::Temp, U::Celsius, 0, 50),
        row(150_364, "MDC_TEMP_BODY", P::Temp, U::Celsius, 0, 50),
        row(150_368, "MDC_TEMP_CORE", P::Temp, U::Celsius, 0, 50),
        row(150_388, "MDC_TEMP_SKIN", P::TempSkin, U::Celsius, 0, 50),
        row(150_392, "MDC_TEMP_TYMP", P::Temp, U::Celsius, 0, 50),
        row(150_456, "MDC_PULS_OXIM_SAT_O2", P::Spo2, U::Percent, 0, 100),
        row(150_488, "MDC_BLD_PERF_INDEX", P::PerfusionIndex, U::Percent, 0, 100),
        row(151_562, "MDC_RESP_RATE", P::RespRate, U::BreathsPerMinute, 0, 200),
        row(151_570, "MDC_AWAY_RESP_RATE", P::RespRate, U::BreathsPerMinute, 0, 200),
        row(151_578, "MDC_TTHOR_RESP_RATE", P::RespRate, U::BreathsPerMinute, 0, 200),
        row(151_594, "MDC_CO2_RESP_RATE", P::RespRate, U::BreathsPerMinute, 0, 200),
        row(151_650, "MDC_ACOUSTIC_RESP_RATE", P::RespRate, U::BreathsPerMinute, 0, 200),
        row(
            151_658,
            "MDC_PULS_OXIM_PLETH_RESP_RATE",
            P::RespRate,
            U::BreathsPerMinute,
            0,
            200,
        ),
        row(151_708, "MDC_AWAY_CO2_ET", P::EtCo2, U::MmHg, 0, 150),
        row(151_716, "MDC_CONC_AWAY_CO2_INSP", P::FiCo2, U::MmHg, 0, 150),
        row(160_184, "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", P::Glucose, U::MgPerDl, 10, 600),
        row(160_188, "MDC_CONC_GLU_INTERSTITIAL", P::Glucose, U::MgPerDl, 10, 600),
        row(188_420, "MDC_TEMP_RECT", P::Temp, U::Celsius, 0, 50),
        row(188_424, "MDC_TEMP_ORAL", P::Temp, U::Celsius, 0, 50),
    ]
};

/// Looks up a numeric by its MDC code.
pub fn numeric(code: u32) -> Option<&'static Numeric> {
    NUMERICS
        .binary_search_by_key(&code, |n| n.code)
        .ok()
        .and_then(|i| NUMERICS.get(i))
}

/// Looks up a numeric by its MDC reference id, as systems write it that know names and no numbers.
pub fn numeric_named(reference: &str) -> Option<&'static Numeric> {
    NUMERICS.iter().find(|n| n.reference == reference)
}

/// A waveform channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Waveform {
    /// An ECG lead, by its MDC code (131329 I, 131330 II, 131331…131336 V1…V6, 131389 III, 131390 aVR, 131391 aVL, 131392 aVF, 131395 V).
    Ecg(u32),
    /// Photoplethysmogram, 150452.
    Pleth,
    /// Thoracic impedance respiration, 151780.
    Resp,
    /// Airway carbon dioxide, 151700.
    Co2,
    /// Arterial pressure, 150036.
    Abp,
}

impl Waveform {
    /// By MDC code; `None` for a code that is no waveform of `vitals/v1`.
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            131_329..=131_336 | 131_389..=131_392 | 131_395 => Some(Self::Ecg(code)),
            150_452 => Some(Self::Pleth),
            151_780 => Some(Self::Resp),
            151_700 => Some(Self::Co2),
            150_036 => Some(Self::Abp),
            _ => None,
        }
    }

    /// MDC code.
    pub const fn code(self) -> u32 {
        match self {
            Self::Ecg(code) => code,
            Self::Pleth => 150_452,
            Self::Resp => 151_780,
            Self::Co2 => 151_700,
            Self::Abp => 150_036,
        }
    }

    /// Unit of a scaled sample.
    pub const fn unit(self) -> Unit {
        match self {
            Self::Ecg(_) => Unit::Millivolt,
            Self::Pleth | Self::Resp => Unit::Dimensionless,
            Self::Co2 | Self::Abp => Unit::MmHg,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_code_is_found() {
        for n in &NUMERICS {
            assert_eq!(numeric(n.code), Some(n), "{}", n.reference);
            assert_eq!(numeric_named(n.reference), Some(n));
        }
    }

    #[test]
    fn codes_that_public_examples_get_wrong_are_refused() {
        assert_eq!(numeric(188_740), None);
        assert_eq!(numeric(131_330), None);
        assert_eq!(Waveform::from_code(65_624), None);
    }

    #[test]
    fn units_are_recognised_in_their_known_spellings_only() {
        assert!(Unit::BreathsPerMinute.matches("{Breaths}/min"));
        assert!(Unit::MmHg.matches("mm[Hg]"));
        assert!(!Unit::Celsius.matches("[degF]"));
        assert!(!Unit::Percent.matches("/min"));
    }
}
