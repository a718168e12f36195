//! From MDC codes, which everything inside uses, to LOINC, which only FHIR does.
//!
//! The rows follow public value sets: the vital signs profiles of HL7, DK Core, and the ICU module of the German core data set.
//! Where a profile of HL7 asks for one LOINC code, that code comes first and a more special one after it.
//! Codes marked *ratify* stand on no public source and need a look by the hospital's terminologists.

use serde_json::{Value, json};
use wardlight_core::codes::{Numeric, Waveform};

use crate::contract::WAVEFORMS;

/// ISO/IEEE 11073-10101.
pub(super) const MDC: &str = "urn:iso:std:iso:11073:10101";
/// LOINC.
const LOINC: &str = "http://loinc.org";
/// SNOMED CT.
pub(super) const SNOMED: &str = "http://snomed.info/sct";
/// UCUM.
pub(super) const UCUM: &str = "http://unitsofmeasure.org";
/// Categories of observations.
const CATEGORIES: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// What kind of observation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Category {
    /// Falls under the vital signs profile.
    VitalSigns,
    /// From a laboratory's or a meter's analysis.
    Laboratory,
    /// Read from an instrument, and no vital sign by the profile.
    Procedure,
    /// A score made of several observations.
    Survey,
}

impl Category {
    /// As `Observation.category`.
    pub(super) fn concept(self) -> Value {
        let code = match self {
            Self::VitalSigns => "vital-signs",
            Self::Laboratory => "laboratory",
            Self::Procedure => "procedure",
            Self::Survey => "survey",
        };
        json!([{"coding": [{"system": CATEGORIES, "code": code}]}])
    }
}

/// One pressure that is told with its others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Panel {
    /// MDC code of the group.
    pub(super) code: u32,
    /// Its reference id.
    pub(super) reference: &'static str,
    loinc: &'static str,
}

const CUFF: Panel = Panel {
    code: 150_020,
    reference: "MDC_PRESS_BLD_NONINV",
    loinc: "85354-9",
};
const ARTERY: Panel = Panel {
    code: 150_036,
    reference: "MDC_PRESS_BLD_ART_ABP",
    loinc: "76212-0",
};
const UNLABELLED: Panel = Panel {
    code: 150_016,
    reference: "MDC_PRESS_BLD",
    loinc: "85354-9",
};

impl Panel {
    /// The panel that a pressure is a component of.
    pub(super) const fn of(code: u32) -> Option<Self> {
        match code {
            150_017..=150_019 => Some(UNLABELLED),
            150_021..=150_023 | 150_301..=150_303 => Some(CUFF),
            150_037..=150_039 => Some(ARTERY),
            _ => None,
        }
    }

    /// As `Observation.code`.
    pub(super) fn concept(self) -> Value {
        concept(&[self.loinc], self.code, self.reference)
    }
}

/// LOINC codes of a numeric, the one of the profile first; none where public maps have none.
pub(super) const fn loinc(code: u32) -> &'static [&'static str] {
    match code {
        147_842 | 149_514 | 149_522 | 149_546 => &["8867-4"],
        149_530 => &["8867-4", "8889-8"],
        150_456 => &["2708-6", "59408-5"],
        151_562 | 151_570 | 151_578 | 151_594 | 151_650 | 151_658 => &["9279-1"],
        150_017 => &["8480-6"],
        150_018 => &["8462-4"],
        150_019 => &["8478-0"],
        150_021 | 150_301 => &["8480-6", "76534-7"],
        150_022 | 150_302 => &["8462-4", "76535-4"],
        150_023 | 150_303 => &["8478-0", "76536-2"],
        150_037 => &["76215-3"],
        150_038 => &["76213-8"],
        150_039 => &["76214-6"],
        150_084 => &["60985-9"],
        150_344 | 150_364 => &["8310-5"],
        150_368 => &["8310-5", "8329-5"],
        // *ratify*: skin is not the body temperature that the profile means, so its code stands alone.
        150_388 => &["39106-0"],
        188_420 => &["8310-5", "8332-9"],
        188_424 => &["8310-5", "8331-1"],
        150_392 => &["8310-5", "8333-7"],
        150_348 => &["8310-5", "8334-5"],
        151_708 => &["19891-1"],
        // *ratify*
        160_184 => &["41653-7"],
        // *ratify*
        160_188 => &["99504-3"],
        _ => &[],
    }
}

/// How an observation of this numeric is filed; `None` for what is about the device and not the patient.
pub(super) const fn category(code: u32) -> Option<Category> {
    match code {
        // Battery charge, and the time it lasts.
        67_976 | 67_996 => None,
        160_184 | 160_188 => Some(Category::Laboratory),
        // Ectopic beats, perfusion and inspired gas have no LOINC code in use.
        148_066 | 150_488 | 151_716 => Some(Category::Procedure),
        _ => Some(Category::VitalSigns),
    }
}

/// The code of a numeric, LOINC first and the MDC code last.
pub(super) fn numeric(numeric: &Numeric) -> Value {
    concept(loinc(numeric.code), numeric.code, numeric.reference)
}

/// The code of a waveform: MDC alone, LOINC has none in use.
pub(super) fn waveform(waveform: Waveform) -> Value {
    let known = WAVEFORMS.iter().find(|(known, _)| *known == waveform);
    concept(&[], waveform.code(), known.map_or("", |(_, reference)| reference))
}

fn concept(loinc: &[&str], code: u32, reference: &str) -> Value {
    let loinc = loinc.iter().map(|code| json!({"system": LOINC, "code": code}));
    let mdc = json!({"system": MDC, "code": code.to_string(), "display": reference});
    json!({"coding": loinc.chain([mdc]).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use wardlight_core::codes::{NUMERICS, Unit};

    use super::*;

    #[test]
    fn whatever_is_a_vital_sign_has_a_loinc_code() {
        for numeric in &NUMERICS {
            let vital = category(numeric.code) == Some(Category::VitalSigns);
            assert!(!vital || !loinc(numeric.code).is_empty(), "{}", numeric.reference);
        }
    }

    #[test]
    fn the_codes_and_units_of_the_vital_signs_profiles_come_first() {
        let profile = |loinc: &str| match loinc {
            "8867-4" | "9279-1" => Some("/min"),
            "2708-6" => Some("%"),
            "8310-5" => Some("Cel"),
            "8480-6" | "8462-4" | "8478-0" => Some("mm[Hg]"),
            _ => None,
        };
        for numeric in &NUMERICS {
            let first = loinc(numeric.code).first().and_then(|code| profile(code));
            assert!(first.is_none_or(|unit| unit == numeric.unit.ucum()), "{}", numeric.reference);
        }
        let rates = NUMERICS.iter().filter(|n| n.unit == Unit::BreathsPerMinute);
        assert!(rates.into_iter().all(|n| loinc(n.code) == ["9279-1"]));
    }

    #[test]
    fn a_pressure_belongs_to_the_group_that_its_code_counts_from() {
        for numeric in NUMERICS.iter().filter(|n| Panel::of(n.code).is_some()) {
            let panel = Panel::of(numeric.code).unwrap();
            let cuff = matches!(numeric.code, 150_301..=150_303);
            assert!(
                cuff || (1..=3).contains(&(numeric.code - panel.code)),
                "{}",
                numeric.reference
            );
        }
    }
}
