//! What each bed's waveforms are made into for the models, and what has been found there.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use wardlight_core::bed_rhythms::Hearing;
use wardlight_core::event::Sighting;
use wardlight_core::ids::BedId;
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
    hearing: Hearing,
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
    pub(super) beats: Vec<(Place, ReadyBeat)>,
    /// The windows of one instant of a bed.
    pub(super) windows: Vec<(Place, Vec<ReadyWindow>)>,
    /// Conditions that have begun and are not explained yet.
    begun: Vec<(Place, Rhythm)>,
}

/// A bed, and in which hearing of it.
pub(super) type Place = (BedId, Hearing);

/// What a model is to explain.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    Beat(&'a ReadyBeat, f32),
    Windows(&'a [ReadyWindow], f32),
}

impl Beds {
    /// Takes what was heard in a block. Another hearing begins anew.
    pub(super) fn hear(&mut self, block: HeardAtBed, now: Instant) {
        let HeardAtBed { bed, hearing, heard, .. } = block;
        if self.at.get(&bed).is_none_or(|known| known.hearing != hearing) {
            self.at.insert(bed.clone(), Bed::new(hearing, now));
        }
        let Some(at) = self.at.get_mut(&bed) else { return };
        at.heard_at = now;
        let place = (bed, hearing);
        for heard in &heard {
            at.beats.hear(heard, &mut |beat| self.beats.push((place.clone(), beat)));
            at.windows
                .hear(heard, &mut |windows| self.windows.push((place.clone(), windows)));
            if let Heard::Judged(judged) = heard {
                at.rhythm.judged(*judged, &mut at.findings);
            }
        }
    }

    /// The model has classified a beat; `None` if no lead shows it.
    pub(super) fn beat(&mut self, place: &Place, beat: ReadyBeat, classes: Option<Probabilities>) {
        let (Some(at), Some(classes)) = (self.at(place), classes) else {
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
    pub(super) fn window(&mut self, place: &Place, windows: Vec<ReadyWindow>, shockable: f32) {
        let (Some(at), Some(first)) = (self.at(place), windows.first()) else {
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

    /// The bed, if this hearing of it goes on.
    fn at(&mut self, (bed, hearing): &Place) -> Option<&mut Bed> {
        self.at.get_mut(bed).filter(|known| known.hearing == *hearing)
    }

    /// What has been found since the last time. What a model saw is not explained yet.
    pub(super) fn found(&mut self) -> Vec<Found> {
        let with_news = self.at.iter_mut().filter(|(_, bed)| !bed.findings.is_empty());
        let mut all = Vec::new();
        for (bed, at) in with_news {
            let findings = std::mem::take(&mut at.findings);
            let begun = findings.iter().filter(|finding| finding.present);
            self.begun
                .extend(begun.map(|finding| ((bed.clone(), at.hearing), finding.rhythm)));
            all.push(Found {
                bed: bed.clone(),
                hearing: at.hearing,
                findings,
                sightings: Vec::new(),
            });
        }
        all
    }

    /// What models saw when they began conditions, explained by `explain`.
    pub(super) fn explained(&mut self, mut explain: impl FnMut(Rhythm, Seen) -> Option<Sighting>) -> Vec<Found> {
        let begun = std::mem::take(&mut self.begun);
        let explained = begun.into_iter().filter_map(|(place, rhythm)| {
            let sighting = explain(rhythm, self.at(&place)?.seen(rhythm)?)?;
            let (bed, hearing) = place;
            Some(Found {
                bed,
                hearing,
                findings: Vec::new(),
                sightings: vec![sighting],
            })
        });
        explained.collect()
    }

    /// Forgets the beds that are not heard any more.
    pub(super) fn forget_silent(&mut self, now: Instant) {
        self.at
            .retain(|_, bed| now.saturating_duration_since(bed.heard_at) < FORGET_AFTER);
    }

    /// The model of beats is gone or another takes its place: what the old one said is over.
    pub(super) fn forget_beats(&mut self) {
        for bed in self.at.values_mut() {
            bed.rhythm.forget_beats(&mut bed.findings);
        }
    }

    /// The same for the model of windows.
    pub(super) fn forget_windows(&mut self) {
        for bed in self.at.values_mut() {
            bed.rhythm.forget_windows(&mut bed.findings);
        }
    }
}

impl Bed {
    fn new(hearing: Hearing, now: Instant) -> Self {
        Self {
            hearing,
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
