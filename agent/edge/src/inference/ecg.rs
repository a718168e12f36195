//! The ECG models on the windows and beats of all beds, and what they saw when they began a condition.

use wardlight_core::codes::Waveform;
use wardlight_core::event::Sighting;
use wardlight_core::rhythm::Rhythm;
use wardlight_core::time::Timestamp;
use wardlight_models::{ModelError, StripExplanation, WaveformModel, ecg_beat, ecg_vf};

use super::beds::{Beds, Seen};
use super::shadow::{Beat, Instant, Shadow};

/// Beats or instants in one batch.
const BATCH: usize = 256;

/// Judges the windows that wait.
pub(super) fn windows(
    model: &WaveformModel,
    beds: &mut Beds,
    mut shadow: Option<&mut Shadow<WaveformModel, Instant>>,
) -> Result<(), ModelError> {
    while !beds.windows.is_empty() {
        let some: Vec<_> = beds.windows.drain(..beds.windows.len().min(BATCH)).collect();
        let (at, windows): (Vec<_>, Vec<_>) = some.into_iter().unzip();
        let shockable = ecg_vf::shockable(model, &windows)?;
        for ((bed, windows), shockable) in at.iter().zip(windows).zip(shockable) {
            if let Some(shadow) = &mut shadow {
                shadow.keep(|| (windows.clone(), shockable));
            }
            beds.window(bed, windows, shockable);
        }
    }
    Ok(())
}

/// Classifies the beats that wait.
pub(super) fn beats(
    model: &WaveformModel,
    beds: &mut Beds,
    mut shadow: Option<&mut Shadow<WaveformModel, Beat>>,
) -> Result<(), ModelError> {
    while !beds.beats.is_empty() {
        let some: Vec<_> = beds.beats.drain(..beds.beats.len().min(BATCH)).collect();
        let (at, beats): (Vec<_>, Vec<_>) = some.into_iter().unzip();
        let classes = ecg_beat::classify(model, &beats)?;
        for ((bed, beat), classes) in at.iter().zip(beats).zip(classes) {
            if let Some(shadow) = &mut shadow {
                shadow.keep(|| (beat.clone(), classes));
            }
            beds.beat(bed, beat, classes);
        }
    }
    Ok(())
}

/// What a model saw, and why it says so.
pub(super) fn sighting(model: &WaveformModel, rhythm: Rhythm, seen: &Seen) -> Result<Option<Sighting>, ModelError> {
    let (strip, explanation, probability) = match seen {
        Seen::Beat(beat, probability) => (Strip::of_beat(beat), ecg_beat::explain(model, beat)?, probability),
        Seen::Windows(windows, probability) => (Strip::of_windows(windows), ecg_vf::explain(model, windows)?, probability),
    };
    let StripExplanation { base, parts, beside } = explanation;
    let manifest = model.manifest();
    Ok(strip.map(|strip| Sighting {
        rhythm,
        model: format!("{} {}", manifest.id, manifest.version),
        permille: (probability.clamp(0.0, 1.0) * 1000.0).round() as u16,
        lead: strip.lead,
        from: Timestamp::from_millis(strip.from_ms),
        strip: strip.values.iter().map(|value| (value * 1000.0).round() as i16).collect(),
        base_ppm: ppm(base),
        parts_ppm: parts.into_iter().map(ppm).collect(),
        beside_ppm: beside.map(ppm),
    }))
}

fn ppm(probability: f64) -> i32 {
    (probability * 1e6).round() as i32
}

/// What is shown of what a model saw.
struct Strip<'a> {
    lead: Waveform,
    from_ms: i64,
    values: &'a [f32],
}

impl<'a> Strip<'a> {
    fn of_beat(beat: &'a ecg_beat::ReadyBeat) -> Option<Self> {
        let row = beat.rows.first()?;
        Some(Self {
            lead: row.lead,
            from_ms: beat.at_ms - ecg_beat::BEFORE_MS,
            values: row.window.get(..ecg_beat::WINDOW)?,
        })
    }

    fn of_windows(windows: &'a [ecg_vf::ReadyWindow]) -> Option<Self> {
        let window = windows.first()?;
        Some(Self {
            lead: window.lead,
            from_ms: window.start_ms,
            values: &window.values,
        })
    }
}
