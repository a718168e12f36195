//! Golden vectors of a risk model: raw hourly grids with everything that must come out of them.

use serde::Deserialize;

use super::{FLOAT_TOLERANCE, compare, differs};
use crate::ModelError;
use crate::certificate::Outcome;
use crate::deterioration::{self, HOURLY_VALUES, VITAL_COUNT, VITALS};
use crate::model::Model;
use crate::package::Precision;

/// Two libraries' `exp` may differ in the last digit.
const PROBABILITY_TOLERANCE: f32 = 1e-6;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RiskGolden {
    vital_order: Vec<String>,
    vectors: Vec<Vector>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    age_years: Option<f32>,
    hours: Vec<[Option<f32>; VITAL_COUNT]>,
    features: Vec<Option<f32>>,
    float_logit: f32,
    int8_logit: f32,
    probability: f32,
}

impl RiskGolden {
    pub(crate) fn parse(content: &[u8]) -> Result<Self, ModelError> {
        let golden: Self = serde_json::from_slice(content).map_err(|cause| ModelError::GoldenFormat(cause.to_string()))?;
        if golden.vectors.is_empty() {
            return Err(ModelError::GoldenFormat("holds no vectors".to_owned()));
        }
        if golden.vital_order.iter().ne(VITALS.iter().map(|v| v.name)) {
            return Err(ModelError::GoldenFormat(format!("vital_order is {:?}", golden.vital_order)));
        }
        Ok(golden)
    }

    /// Runs every vector alone, then all in one batch, and compares.
    pub(crate) fn check(&self, model: &Model, precision: Precision) -> Result<(), ModelError> {
        let rows = self.vectors.iter().map(Vector::checked_row).collect::<Result<Vec<_>, _>>()?;
        let together = model.logits(&rows)?;
        let probabilities = model.predict(&rows)?;
        for (((vector, row), logit), probability) in self.vectors.iter().zip(rows).zip(together).zip(probabilities) {
            let alone = model.logits(&[row])?;
            compare(&vector.name, "result in a batch, against alone", &[logit], &alone, 0.0)?;
            match precision {
                Precision::Int8 => {
                    compare(&vector.name, "int8 logit", &[logit], &[vector.int8_logit], 0.0)?;
                    compare(
                        &vector.name,
                        "probability",
                        &[probability],
                        &[vector.probability],
                        PROBABILITY_TOLERANCE,
                    )?;
                }
                Precision::Float => compare(&vector.name, "float logit", &[logit], &[vector.float_logit], FLOAT_TOLERANCE)?,
            }
        }
        Ok(())
    }

    /// What `model` says about each vector: the probability, and its band.
    pub(crate) fn outcomes(&self, model: &Model) -> Result<Vec<Outcome>, ModelError> {
        let outcome = |vector: &Vector| {
            let values = model.predict(&[vector.checked_row()?])?;
            Ok(Outcome {
                groups: vec![vector.age_group().to_owned()],
                decision: values.first().map_or(0, |probability| model.band(*probability) as usize),
                values,
            })
        };
        self.vectors.iter().map(outcome).collect()
    }
}

impl Vector {
    /// The subgroups of the model's card.
    fn age_group(&self) -> &'static str {
        match self.age_years {
            None => "age unknown",
            Some(age) if age < 50.0 => "age 15-49",
            Some(age) if age < 65.0 => "age 50-64",
            Some(age) if age < 80.0 => "age 65-79",
            Some(_) => "age 80 and over",
        }
    }

    /// The row of this vector as computed here, if its features are the expected ones bit for bit.
    fn checked_row(&self) -> Result<Vec<f32>, ModelError> {
        let row = deterioration::features(self.age_years, &self.hours).into_row();
        let count = row.len() - HOURLY_VALUES;
        if count != self.features.len() {
            return Err(differs(&self.name, "number of features", &count, &self.features.len()));
        }
        for ((name, found), expected) in deterioration::feature_names().iter().zip(&row).zip(&self.features) {
            if (!found.is_nan()).then_some(*found) != *expected {
                return Err(differs(&self.name, name, found, expected));
            }
        }
        Ok(row)
    }
}
