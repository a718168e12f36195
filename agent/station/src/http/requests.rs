//! The bodies of the API's requests, checked once, here.

use schemars::JsonSchema;
use serde::Deserialize;
use wardlight_core::codes::AgeGroup;
use wardlight_core::ids::DeviceId;
use wardlight_core::patient::{Consciousness, PatientProfile, Spo2Scale};

use super::body::ApiError;
use crate::people::{Caller, Standing};

/// Longest name of a person, in characters.
const MAX_NAME: usize = 64;
/// Oldest age that is taken for true, in years.
const MAX_AGE: u8 = 130;
/// From this age on a patient counts as an adult, in years.
const ADULT_FROM: u8 = 16;

/// Body of `POST /beds/{bed}/admit`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Admit {
    #[serde(default)]
    name: String,
    #[schemars(range(max = 130))]
    age_years: Option<u8>,
    age_group: Option<AgeGroupJson>,
    #[serde(default = "scale_one")]
    #[schemars(range(min = 1, max = 2))]
    spo2_scale: u8,
    #[serde(default)]
    pregnant: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "AgeGroup")]
enum AgeGroupJson {
    Neonate,
    Paediatric,
    Adult,
}

/// Body of `POST /beds/{bed}/attach`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Attach {
    device: String,
}

/// Body of `POST /alarms/{id}/acknowledge`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Acknowledge {
    /// Who acts, at a station without a login; elsewhere it is whoever is logged in.
    by: Option<String>,
}

/// Body of `POST /beds/{bed}/chart`; what is absent stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Chart {
    consciousness: Option<String>,
    oxygen: Option<bool>,
}

/// Body of a request that says everything in its path: `{}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

const fn scale_one() -> u8 {
    1
}

/// Checks the name of the person who acts.
/// # Errors
/// A sentence that says what was expected.
pub(crate) fn person(by: &str) -> Result<String, String> {
    let by = by.trim();
    if by.is_empty() || !is_name(by) {
        return Err(format!(
            "by {by:?}: expected the name of a person, 1 to {MAX_NAME} characters"
        ));
    }
    Ok(by.to_owned())
}

fn is_name(text: &str) -> bool {
    text.chars().count() <= MAX_NAME && !text.chars().any(char::is_control)
}

impl Admit {
    pub(super) fn profile(self) -> Result<PatientProfile, ApiError> {
        let name = self.name.trim();
        if !is_name(name) {
            return Err(ApiError::field(
                "name",
                "",
                "at most 64 characters, none of them a control character",
            ));
        }
        if let Some(age) = self.age_years.filter(|&age| age > MAX_AGE) {
            return Err(ApiError::field("age_years", &age.to_string(), "0 to 130"));
        }
        let spo2_scale = match self.spo2_scale {
            1 => Spo2Scale::One,
            2 => Spo2Scale::Two,
            other => {
                return Err(ApiError::field(
                    "spo2_scale",
                    &other.to_string(),
                    "1, or 2 where a clinician prescribed 88 to 92 %",
                ));
            }
        };
        Ok(PatientProfile {
            name: name.to_owned(),
            age_group: self.age_group()?,
            age_years: self.age_years,
            spo2_scale,
            pregnant: self.pregnant,
        })
    }

    /// As given, else by age, else adult. Limits follow it, so a group that contradicts the age is refused.
    fn age_group(&self) -> Result<AgeGroup, ApiError> {
        match (self.age_group, self.age_years) {
            (Some(AgeGroupJson::Adult), Some(age)) if age < ADULT_FROM => Err(ApiError::field(
                "age_group",
                "adult",
                "paediatric or neonate at an age under 16",
            )),
            (Some(AgeGroupJson::Paediatric), Some(age)) if age >= ADULT_FROM => {
                Err(ApiError::field("age_group", "paediatric", "adult at an age of 16 or more"))
            }
            (Some(AgeGroupJson::Neonate), Some(age)) if age > 0 => Err(ApiError::field(
                "age_group",
                "neonate",
                "paediatric or adult at an age of 1 or more",
            )),
            (Some(AgeGroupJson::Neonate), _) => Ok(AgeGroup::Neonate),
            (Some(AgeGroupJson::Paediatric), _) => Ok(AgeGroup::Paediatric),
            (None, Some(age)) if age < ADULT_FROM => Ok(AgeGroup::Paediatric),
            (Some(AgeGroupJson::Adult) | None, _) => Ok(AgeGroup::Adult),
        }
    }
}

impl Attach {
    pub(super) fn device(&self) -> Result<DeviceId, ApiError> {
        let expected = "1 to 64 characters of A-Z a-z 0-9 . _ -";
        DeviceId::new(&self.device).map_err(|error| ApiError::sentence("device", error.to_string(), expected))
    }
}

impl Acknowledge {
    pub(super) fn caller(&self, caller: Caller, standing: &Standing) -> Result<Caller, ApiError> {
        let expected = "the name of a person, 1 to 64 characters";
        let named = named(caller, standing, self.by.as_deref());
        named.map_err(|error| ApiError::sentence("by", error, expected))
    }
}

/// Whoever acts: the person logged in or, at a station without a login, the name that was typed.
/// # Errors
/// A sentence that says what was expected.
pub(crate) fn named(caller: Caller, standing: &Standing, by: Option<&str>) -> Result<Caller, String> {
    match standing {
        Standing::Anybody => Ok(Caller::anybody(
            &person(by.unwrap_or_default())?,
            caller.by.role,
            caller.from.address,
        )),
        Standing::Person(_) | Standing::Display | Standing::Stranger => Ok(caller),
    }
}

impl Chart {
    /// Consciousness and oxygen; at least one of them.
    pub(super) fn parts(&self) -> Result<(Option<Consciousness>, Option<bool>), ApiError> {
        let consciousness = match self.consciousness.as_deref() {
            None => None,
            Some(letter) => Some(
                Consciousness::from_letter(letter)
                    .ok_or_else(|| ApiError::field("consciousness", &format!("{letter:?}"), "one of A, C, V, P, U"))?,
            ),
        };
        if consciousness.is_none() && self.oxygen.is_none() {
            return Err(ApiError::field("body", "{}", "consciousness, oxygen or both"));
        }
        Ok((consciousness, self.oxygen))
    }
}
