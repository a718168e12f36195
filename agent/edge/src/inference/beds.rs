//! What each bed's waveforms are made into for the models, and what has been found there.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use wardlight_core::event::Sighting;
use wardlight_core::ids::{BedId, StayToken};
use wardlight_core::rhythm::{Heard, ModelledRhythm, Opinion, Rhythm, RhythmFinding};
use wardlight_core::time::Timestamp;
use wardlight_models::ecg_beat::{Extractor, Probabilities, ReadyBeat};
use wardlight_models::ecg_vf::{ReadyWindow, Windows};

use super::{Found, HeardAtBed};

/// A bed that was not heard for so long is forgotten: nothing of its patient is held.
const FORGET_AFTER: Duration = Duration::from_mins(1);

/// One bed.
#[derive(Debug)]
struct Bed {
    stay: StayToken,
    heard_at: Instant,
    beats: Extractor,
    windows: Windows,
    rhythm: ModelledRhythm,
    findings: Vec<RhythmFinding>,
    /// What the models saw last of each condition that they can begin.
    ventricular: Option<(ReadyBeat, f32)>,
    shockable: Option<(Vec<ReadyWindow>, f32)>,
}

/// All beds, and what waits for the models.
#[derive(Debug, Default)]
pub(super) struct Beds {
    at: HashMap<BedId, Bed>,
    /// Beats that are ready, in the order in which they came.
    pub(super) beats: Vec<(BedId, ReadyBeat)>,
    /// The windows of one instant of a bed.
    pub(super) windows: Vec<(BedId, Vec<ReadyWindow>)>,
}

/// What a model is to explain.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    Beat(&'a ReadyBeat, f32),
    Windows(&'a [ReadyWindow], f32),
}

impl Beds {
    /// Takes what was heard in a block. Another stay is another bed.
    pub(super) fn hear(&mut self, block: HeardAtBed, now: Instant) {
        let HeardAtBed { bed, stay, heard, .. } = block;
        if self.at.get(&bed).is_none_or(|known| known.stay != stay) {
            self.at.insert(bed.clone(), Bed::new(stay, now));
        }
        let Some(at) = self.at.get_mut(&bed) else { return };
        at.heard_at = now;
        for heard in &heard {
            at.beats.hear(heard, &mut |beat| self.beats.push((bed.clone(), beat)));
            at.windows
                .hear(heard, &mut |windows| self.windows.push((bed.clone(), windows)));
            if let Heard::Judged(judged) = heard {
                at.rhythm.judged(*judged, &mut at.findings);
            }
        }
    }

    /// The model has classified a beat; `None` if no lead shows it.
    pub(super) fn beat(&mut self, bed: &BedId, beat: ReadyBeat, classes: Option<Probabilities>) {
        let (Some(at), Some(classes)) = (self.at.get_mut(bed), classes) else {
            return;
        };
        let ventricular = classes.ventricular();
        let opinion = Opinion::Beat {
            at: Timestamp::from_millis(beat.at_ms),
            ventricular,
        };
        if opinion.counts() {
            at.ventricular = Some((beat, ventricular));
        }
        at.rhythm.hear(opinion, &mut at.findings);
    }

    /// The model has judged the windows of an instant.
    pub(super) fn window(&mut self, bed: &BedId, windows: Vec<ReadyWindow>, shockable: f32) {
        let (Some(at), Some(first)) = (self.at.get_mut(bed), windows.first()) else {
            return;
        };
        let opinion = Opinion::Window {
            from: Timestamp::from_millis(first.start_ms),
            shockable,
        };
        if opinion.counts() {
            at.shockable = Some((windows, shockable));
        }
        at.rhythm.hear(opinion, &mut at.findings);
    }

    /// What has been found since the last time. What a model saw when it began a condition is explained by `explain`.
    pub(super) fn found(&mut self, mut explain: impl FnMut(Rhythm, Seen) -> Option<Sighting>) -> Vec<Found> {
        let with_news = self.at.iter_mut().filter(|(_, bed)| !bed.findings.is_empty());
        with_news
            .map(|(bed, at)| {
                let findings = std::mem::take(&mut at.findings);
                let begun = findings.iter().filter(|finding| finding.present);
                let sightings = begun
                    .filter_map(|finding| explain(finding.rhythm, at.seen(finding.rhythm)?))
                    .collect();
                Found {
                    bed: bed.clone(),
                    stay: at.stay,
                    findings,
                    sightings,
                }
            })
            .collect()
    }

    /// Forgets the beds that are not heard any more.
    pub(super) fn forget_silent(&mut self, now: Instant) {
        self.at
            .retain(|_, bed| now.saturating_duration_since(bed.heard_at) < FORGET_AFTER);
    }

    /// A model is gone or another takes its place: what the old one said no longer counts.
    pub(super) fn begin_anew(&mut self) {
        for bed in self.at.values_mut() {
            bed.rhythm = ModelledRhythm::default();
            bed.findings.clear();
        }
    }
}

impl Bed {
    fn new(stay: StayToken, now: Instant) -> Self {
        Self {
            stay,
            heard_at: now,
            beats: Extractor::default(),
            windows: Windows::default(),
            rhythm: ModelledRhythm::default(),
            findings: Vec::new(),
            ventricular: None,
            shockable: None,
        }
    }

    fn seen(&self, rhythm: Rhythm) -> Option<Seen<'_>> {
        match rhythm {
            Rhythm::VentricularFibrillation => self.shockable.as_ref().map(|(windows, p)| Seen::Windows(windows, *p)),
            Rhythm::VentricularTachycardia => self.ventricular.as_ref().map(|(beat, p)| Seen::Beat(beat, *p)),
            // Told from intervals, not seen in a strip.
            _ => None,
        }
    }
}
