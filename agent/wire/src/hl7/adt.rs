//! ADT: a patient comes (A01), goes to another bed (A02), leaves (A03), or is known better (A08).

use std::fmt;

use wardlight_core::codes::AgeGroup;
use wardlight_core::time::Timestamp;

use super::Refusal;
use super::pcd01::Clock;
use super::read::{Field, Hl7};
use super::status::{DATA_TYPE, REQUIRED_FIELD, SEGMENT_SEQUENCE};
use super::time::{Instant, years_between};

/// Longest name that is taken, in characters.
const MAX_NAME: usize = 64;
/// A neonate is at most so many days old, as in the limits' age groups.
const NEONATE_DAYS: i64 = 28;
/// Adults are so many years old, as in the limits' age groups.
const ADULT_YEARS: i64 = 16;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovementKind {
    /// A01.
    Admit,
    /// A02.
    Transfer,
    /// A03.
    Discharge,
    /// A08.
    Update,
}

impl MovementKind {
    pub(super) fn of(event: &str) -> Option<Self> {
        match event {
            "A01" => Some(Self::Admit),
            "A02" => Some(Self::Transfer),
            "A03" => Some(Self::Discharge),
            "A08" => Some(Self::Update),
            _ => None,
        }
    }
}

/// A patient's movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// What happened.
    pub kind: MovementKind,
    /// PV1-3, where the patient is (of A03: was): `unit^room^bed`, as it stands in the message.
    pub at: String,
    /// PV1-6 of A02: where the patient was.
    pub from: Option<String>,
    /// Who.
    pub patient: Patient,
}

/// Who moves.
#[derive(Clone, PartialEq, Eq)]
pub struct Patient {
    /// PID-3: the hospital's number.
    pub id: String,
    /// PID-5, `Family, Given`; empty if not given.
    pub name: String,
    /// In whole years by PID-7.
    pub age_years: Option<u8>,
    /// By PID-7; an adult if it is not given.
    pub age_group: AgeGroup,
}

/// Points at a person, so it keeps everything to itself.
impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patient(redacted)")
    }
}

pub(super) fn movement(message: &Hl7<'_>, kind: MovementKind, clock: Clock) -> Result<Movement, Refusal> {
    let segment = |name: &'static str| {
        let missing = || Refusal::at(name, 0, SEGMENT_SEQUENCE, "expected this segment");
        message.segment(name).ok_or_else(missing)
    };
    let (pid, pv1) = (segment("PID")?, segment("PV1")?);
    let id = pid.field(3).text().into_owned();
    if id.is_empty() {
        return Err(Refusal::at("PID", 3, REQUIRED_FIELD, "expected the patient's number"));
    }
    let from = match kind {
        MovementKind::Transfer => Some(location(pv1.field(6), 6)?),
        MovementKind::Admit | MovementKind::Discharge | MovementKind::Update => None,
    };
    let (age_years, age_group) = age(pid.field(7), clock.sent_at)?;
    Ok(Movement {
        kind,
        at: location(pv1.field(3), 3)?,
        from,
        patient: Patient {
            id,
            name: name(pid.field(5)),
            age_years,
            age_group,
        },
    })
}

/// The first three components of a location.
fn location(field: Field<'_>, number: usize) -> Result<String, Refusal> {
    let parts: Vec<_> = (1..=3).map(|n| field.component(n)).collect();
    if parts.iter().all(|part| part.is_empty()) {
        return Err(Refusal::at("PV1", number, REQUIRED_FIELD, "expected unit^room^bed"));
    }
    Ok(parts.join("^"))
}

fn name(field: Field<'_>) -> String {
    let (family, given) = (field.component(1), field.component(2));
    let whole = match (family.trim(), given.trim()) {
        (family, "") => family.to_owned(),
        ("", given) => given.to_owned(),
        (family, given) => format!("{family}, {given}"),
    };
    whole.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}

fn age(born: Field<'_>, now: Timestamp) -> Result<(Option<u8>, AgeGroup), Refusal> {
    if born.is_empty() {
        return Ok((None, AgeGroup::default()));
    }
    let wrong = |expected| Refusal::at("PID", 7, DATA_TYPE, expected);
    let born = Instant::read(&born.text()).ok_or_else(|| wrong("expected a date of birth, YYYYMMDD"))?;
    let today = now.as_millis().div_euclid(86_400_000);
    // In the east a child may be born tomorrow.
    let days = today - born.day();
    let years = years_between(born.day(), today.max(born.day()));
    let known = u8::try_from(years).ok().filter(|_| days >= -1);
    let known = known.ok_or_else(|| wrong("expected a date of birth in the past"))?;
    let group = match days {
        ..=NEONATE_DAYS => AgeGroup::Neonate,
        _ if years < ADULT_YEARS => AgeGroup::Paediatric,
        _ => AgeGroup::Adult,
    };
    Ok((Some(known), group))
}
