//! int8 against float on the golden vectors, for each engine and subgroup.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::refused;
use crate::network::{Backend, Engine};
use crate::package::Precision;
use crate::{ModelError, Package};

/// The name of the subgroup that every vector is in.
const ALL: &str = "all";

/// How near int8 must be to float.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// The largest gap that any probability may have.
    pub largest_gap: f64,
    /// The smallest share of vectors on which both decide the same, over all.
    pub same_decision_share: f64,
    /// The same, for each subgroup. Below it a subgroup is where the model must not be used.
    pub same_decision_share_of_group: f64,
}

/// What one engine of the machine gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineAgreement {
    /// The engine of the int8 graph.
    pub engine: String,
    /// All vectors first, then each subgroup.
    pub groups: Vec<Agreement>,
}

/// int8 against float on some golden vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The subgroup, such as `sex female`.
    pub group: String,
    /// How many vectors it has.
    pub vectors: usize,
    /// How far the results are apart.
    pub gap: Gap,
    /// Share of vectors on which both decide the same: the band of a risk, the class of a waveform.
    pub same_decision_share: f64,
}

/// Absolute gaps between the results of int8 and float.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The mean.
    pub mean: f64,
    /// The largest.
    pub largest: f64,
}

/// What a graph says about one golden vector.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The subgroups that the vector is in, without [`ALL`].
    pub(crate) groups: Vec<String>,
    /// What is compared.
    pub(crate) values: Vec<f32>,
    /// What would be done about it.
    pub(crate) decision: usize,
}

impl Bounds {
    pub(super) fn check(&self, model: &str, engine: &str, found: &Agreement) -> Result<(), ModelError> {
        let share = if found.group == ALL {
            self.same_decision_share
        } else {
            self.same_decision_share_of_group
        };
        // Written so that a bound or a figure that is no number refuses.
        if found.gap.largest <= self.largest_gap && found.same_decision_share >= share {
            return Ok(());
        }
        let figures = format!(
            "largest gap {} and same decisions {} of {} vectors in {:?} on {engine}",
            found.gap.largest, found.same_decision_share, found.vectors, found.group
        );
        let expected = "must be within the bounds; quantize again, or do not use the model here";
        Err(refused(model, "agreement", figures, expected))
    }
}

/// Compares on every engine of this machine that can run the int8 graph.
pub(super) fn of_every_engine(package: &Package) -> Result<Vec<EngineAgreement>, ModelError> {
    let (_, float) = package.outcomes(Precision::Float, None)?;
    let (fastest, _) = package.outcomes(Precision::Int8, None)?;
    let engines = match fastest {
        Engine::Plan(_) => Backend::available().into_iter().map(Engine::Plan).collect(),
        Engine::Tract => vec![Engine::Tract],
    };
    engines
        .into_iter()
        .map(|engine| {
            let (engine, int8) = package.outcomes(Precision::Int8, Some(engine))?;
            Ok(EngineAgreement {
                engine: engine.to_string(),
                groups: groups(&int8, &float),
            })
        })
        .collect()
}

fn groups(int8: &[Outcome], float: &[Outcome]) -> Vec<Agreement> {
    let mut groups: BTreeMap<&str, Vec<(&Outcome, &Outcome)>> = BTreeMap::new();
    for pair in int8.iter().zip(float) {
        for group in &pair.0.groups {
            groups.entry(group).or_default().push(pair);
        }
    }
    let all: Vec<(&Outcome, &Outcome)> = int8.iter().zip(float).collect();
    std::iter::once((ALL, all))
        .chain(groups)
        .map(|(group, pairs)| agreement(group, &pairs))
        .collect()
}

fn agreement(group: &str, pairs: &[(&Outcome, &Outcome)]) -> Agreement {
    let values = |(int8, float): &(&Outcome, &Outcome)| {
        let pairs = int8.values.iter().zip(&float.values);
        pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs()).collect::<Vec<_>>()
    };
    let gaps: Vec<f64> = pairs.iter().flat_map(values).collect();
    let same = pairs.iter().filter(|(int8, float)| int8.decision == float.decision).count();
    Agreement {
        group: group.to_owned(),
        vectors: pairs.len(),
        gap: Gap {
            mean: gaps.iter().sum::<f64>() / gaps.len() as f64,
            largest: gaps.iter().copied().fold(0.0, f64::max),
        },
        same_decision_share: same as f64 / pairs.len() as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::{Agreement, Bounds, Gap, Outcome, groups};

    fn outcome(group: &str, value: f32, decision: usize) -> Outcome {
        Outcome {
            groups: vec![group.to_owned()],
            values: vec![value],
            decision,
        }
    }

    #[test]
    fn a_subgroup_s_figures_are_its_own() {
        let int8 = [
            outcome("sex female", 0.5, 1),
            outcome("sex male", 0.25, 0),
            outcome("sex male", 0.5, 1),
        ];
        let float = [
            outcome("sex female", 0.5, 1),
            outcome("sex male", 0.5, 1),
            outcome("sex male", 0.5, 1),
        ];
        let expected = |group: &str, vectors, mean, largest, share| Agreement {
            group: group.to_owned(),
            vectors,
            gap: Gap { mean, largest },
            same_decision_share: share,
        };
        assert_eq!(
            groups(&int8, &float),
            [
                expected("all", 3, 0.25 / 3.0, 0.25, 2.0 / 3.0),
                expected("sex female", 1, 0.0, 0.0, 1.0),
                expected("sex male", 2, 0.125, 0.25, 0.5),
            ]
        );
    }

    #[test]
    fn bounds_refuse_what_is_beyond_them_and_what_is_no_number() {
        let bounds = Bounds {
            largest_gap: 0.1,
            same_decision_share: 0.9,
            same_decision_share_of_group: 0.8,
        };
        for (group, largest, share, passes) in [
            ("all", 0.1, 0.9, true),
            ("all", 0.11, 1.0, false),
            ("all", 0.0, 0.89, false),
            ("sex male", 0.0, 0.8, true),
            ("sex male", 0.0, 0.79, false),
            ("all", f64::NAN, 1.0, false),
            ("all", 0.0, f64::NAN, false),
        ] {
            let found = Agreement {
                group: group.to_owned(),
                vectors: 10,
                gap: Gap { mean: 0.0, largest },
                same_decision_share: share,
            };
            assert_eq!(bounds.check("m", "e", &found).is_ok(), passes, "{found:?}");
        }
    }
}
