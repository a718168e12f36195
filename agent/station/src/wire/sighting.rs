//! What a model saw in a bed's ECG, and why.

use schemars::JsonSchema;
use serde::Serialize;
use wardlight_core::event::Sighting;
use wardlight_core::rhythm::GRID_MS;

/// Twin of [`Sighting`].
#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "Sighting",
    description = "What a model saw when a condition began by its word: the strip, and what each part of it adds to the probability. Base, parts and beside add up to it."
)]
pub(super) struct SightingJson<'a> {
    #[schemars(extend("enum" = ["vf", "vt"]))]
    rhythm: &'static str,
    model: &'a str,
    permille: u16,
    /// MDC code.
    lead: u32,
    from: i64,
    /// Milliseconds from one value of the strip to the next.
    step_ms: i64,
    strip: &'a [i16],
    base_ppm: i32,
    parts_ppm: &'a [i32],
    beside_ppm: Option<i32>,
}

impl<'a> From<&'a Sighting> for SightingJson<'a> {
    fn from(seen: &'a Sighting) -> Self {
        Self {
            rhythm: seen.rhythm.name(),
            model: &seen.model,
            permille: seen.permille,
            lead: seen.lead.code(),
            from: seen.from.as_millis(),
            step_ms: GRID_MS,
            strip: &seen.strip,
            base_ppm: seen.base_ppm,
            parts_ppm: &seen.parts_ppm,
            beside_ppm: seen.beside_ppm,
        }
    }
}
