//! What the agent must know of a person to score and alarm: set at admission, gone at discharge.

use serde::{Deserialize, Serialize};

use crate::codes::AgeGroup;

/// ACVPU scale of consciousness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Consciousness {
    /// Alert.
    Alert,
    /// New confusion.
    Confusion,
    /// Responds to voice.
    Voice,
    /// Responds to pain.
    Pain,
    /// Unresponsive.
    Unresponsive,
}

impl Consciousness {
    /// From its letter `A`, `C`, `V`, `P` or `U`.
    pub fn from_letter(letter: &str) -> Option<Self> {
        match letter {
            "A" => Some(Self::Alert),
            "C" => Some(Self::Confusion),
            "V" => Some(Self::Voice),
            "P" => Some(Self::Pain),
            "U" => Some(Self::Unresponsive),
            _ => None,
        }
    }

    /// Its letter.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Alert => "A",
            Self::Confusion => "C",
            Self::Voice => "V",
            Self::Pain => "P",
            Self::Unresponsive => "U",
        }
    }
}

/// Which SpO2 scale of NEWS2: 2 only where a clinician prescribed a target of 88–92 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Spo2Scale {
    /// Scale 1, everybody else.
    #[default]
    One,
    /// Scale 2, by prescription only.
    Two,
}

/// Facts about the patient that scores and limits depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientProfile {
    /// Name as shown on the tile; empty if not given. Leaves the site never, stands nowhere in clear.
    pub name: String,
    /// Age group; limits follow it.
    pub age_group: AgeGroup,
    /// Age in whole years, if known.
    pub age_years: Option<u8>,
    /// SpO2 scale of NEWS2.
    pub spo2_scale: Spo2Scale,
    /// Pregnancy: NEWS2 is not shown.
    pub pregnant: bool,
}
