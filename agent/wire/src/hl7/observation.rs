//! One OBX: its code, its unit, its value, and how far it can be believed.

use wardlight_core::codes::{self, Unit};
use wardlight_core::vitals::{Quality, Reading};

use super::read::{Field, Segment};
use crate::decode::number::Number;
use crate::decode::pull::quoted;
use crate::decode::readings::{self, Objection, Refused, without_value};
use crate::error::RejectReason;

/// Units of `MDC_DIM_*` that stand for ours. Minutes, mg/dL, degrees, millivolt and the number without a unit are general knowledge.
const DIMENSIONS: [(&str, Unit); 9] = [
    ("262688", Unit::Percent),
    ("266016", Unit::MmHg),
    ("264864", Unit::BeatsPerMinute),
    ("264928", Unit::BreathsPerMinute),
    ("268192", Unit::Celsius),
    ("266418", Unit::Millivolt),
    ("262656", Unit::Dimensionless),
    ("264352", Unit::Minutes),
    ("264274", Unit::MgPerDl),
];

/// The coded triplet of a field (code, text, system, or the alternate one) that is of this system.
fn of_system(field: Field<'_>, system: &str) -> Option<(String, String)> {
    [1, 4].into_iter().find_map(|first| {
        let is_it = field.component(first + 2) == system;
        is_it.then(|| (field.component(first).into_owned(), field.component(first + 1).into_owned()))
    })
}

/// What OBX-3 observes: the MDC code, and its reference id.
pub(super) fn observed(field: Field<'_>) -> Option<(u32, String)> {
    let (code, reference) = of_system(field, "MDC")?;
    let number = code.parse().ok().filter(|code| *code != 0);
    let named = || codes::numeric_named(&reference).map(|numeric| numeric.code);
    Some((number.or_else(named).unwrap_or(0), reference))
}

/// Whether OBX-6 is this unit, by its MDC code or in UCUM.
pub(super) fn is_unit(field: Field<'_>, unit: Unit) -> bool {
    match of_system(field, "MDC") {
        Some((code, _)) => {
            let known = DIMENSIONS.iter().find(|(known, _)| *known == code);
            // Beats and breaths are one unit in UCUM, and are mixed up often enough.
            known.is_some_and(|(_, known)| known.ucum() == unit.ucum())
        }
        None => !field.is_empty() && unit.matches(&field.text()),
    }
}

/// How far an OBX can be believed: OBX-11 and the flags of OBX-8. `None` where it has no value at all.
///
/// `DEMO` is known from monitors; the other flags are those of the profile's table of measurement states.
pub(super) fn quality(obx: Segment<'_>, demo: bool) -> (Quality, bool) {
    let obtained = !matches!(obx.field(11).raw(), "X" | "D" | "W" | "N" | "I" | "O");
    let mut quality = Quality::VALID;
    let mut there = obtained && !obx.field(5).is_empty();
    let mut is_demo = demo;
    for flag in obx.field(8).repetitions() {
        match flag.text().as_ref() {
            "DEMO" | "TEST" => is_demo = true,
            "QUES" => quality = Quality::QUESTIONABLE,
            "INV" => quality = quality.and(Quality::ARTEFACT),
            "CAL" | "CALIB" => quality = quality.and(Quality::CALIBRATING),
            "NAV" => there = false,
            // Outside its limits, in alarm, …: whether it alarms here, our limits say.
            _ => {}
        }
    }
    if is_demo {
        quality = quality.and(Quality::DEMO);
    }
    (quality, there)
}

/// The reading of an OBX whose code is that of a numeric.
pub(super) fn reading(obx: Segment<'_>, code: u32, demo: bool) -> Result<Reading, Refused> {
    let (quality, there) = quality(obx, demo);
    let refused = |objection: Objection| Refused {
        objection,
        remains: without_value(code, Some(quality)),
    };
    let Some(numeric) = codes::numeric(code) else {
        let expected = "a numeric code of vitals/v1".to_owned();
        return Err(refused((RejectReason::UnknownCode, code.to_string(), expected)));
    };
    if !there {
        return Reading::new(code, None, quality)
            .map_err(|error| refused((RejectReason::UnknownCode, code.to_string(), error.to_string())));
    }
    if !is_unit(obx.field(6), numeric.unit) {
        let expected = format!("OBX-6 {:?} or its MDC code", numeric.unit.ucum());
        return Err(refused((RejectReason::WrongUnit, quoted(obx.field(6).raw()), expected)));
    }
    let value = obx.field(5);
    let number = (obx.field(2).raw() == "NM").then(|| decimal(value.raw())).flatten();
    let Some(number) = number else {
        let expected = "NM, a decimal number".to_owned();
        return Err(refused((RejectReason::NotANumber, quoted(value.raw()), expected)));
    };
    readings::reading(code, Some(number), quality).map_err(refused)
}

/// HL7's NM: a sign, digits, a point; no exponent.
pub(super) fn decimal(text: &str) -> Option<Number> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let count = whole.len() + fraction.len();
    if !(1..=18).contains(&count) || !plain(whole) || !plain(fraction) {
        return None;
    }
    let mantissa: i64 = format!("{whole}{fraction}").parse().ok()?;
    let mantissa = if text.starts_with('-') { -mantissa } else { mantissa };
    Some(match i32::try_from(fraction.len()).ok()? {
        0 => Number::Int(mantissa),
        places => Number::Decimal {
            mantissa,
            exponent: -places,
        },
    })
}
