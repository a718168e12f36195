//! Conditions that the annotations of a record amount to, by the definitions of the PhysioNet/CinC Challenge 2015.

use wardlight_core::rhythm::Rhythm;

use super::Recording;
use super::load::Say;

/// A condition that is there, in seconds from the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) rhythm: Rhythm,
    pub(crate) from_s: f64,
    pub(crate) to_s: f64,
}

/// A beat by the annotations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrueBeat {
    pub(crate) at_s: f64,
    pub(crate) ventricular: bool,
}

/// Segments of ventricular flutter, in which no beats are annotated.
pub(crate) fn flutter(recording: &Recording) -> Vec<(f64, f64)> {
    let mut segments = Vec::new();
    let mut from = None;
    for mark in &recording.marks {
        match mark.say {
            Say::FlutterBegins => from = Some(mark.at_s),
            Say::FlutterEnds => segments.extend(from.take().map(|f| (f, mark.at_s))),
            Say::Beat { .. } | Say::Rhythm { .. } | Say::Other => {}
        }
    }
    segments.extend(from.map(|f| (f, recording.seconds())));
    segments
}

/// The beats.
pub(crate) fn beats(recording: &Recording) -> Vec<TrueBeat> {
    let beat = |m: &super::load::Mark| match m.say {
        Say::Beat { ventricular } => Some(TrueBeat {
            at_s: m.at_s,
            ventricular,
        }),
        _ => None,
    };
    recording.marks.iter().filter_map(beat).collect()
}

/// All conditions of a record.
pub(crate) fn events(recording: &Recording) -> Vec<Event> {
    let beats = beats(recording);
    let flutter = flutter(recording);
    let mut events: Vec<Event> = flutter
        .iter()
        .filter(|(from, to)| to - from >= 4.0)
        .map(|(from_s, to_s)| Event {
            rhythm: Rhythm::VentricularFibrillation,
            from_s: *from_s,
            to_s: *to_s,
        })
        .collect();
    let mut windows = |rhythm, count: usize, holds: &dyn Fn(&[TrueBeat], f64) -> bool| {
        let mut found: Vec<Event> = Vec::new();
        for window in beats.windows(count) {
            let (from_s, to_s) = (window[0].at_s, window[count - 1].at_s);
            let across = flutter.iter().any(|(from, to)| from_s < *to && to_s > *from);
            let rate = 60.0 * (count - 1) as f64 / (to_s - from_s);
            if across || !holds(window, rate) {
                continue;
            }
            match found.last_mut().filter(|last| from_s <= last.to_s) {
                Some(last) => last.to_s = to_s,
                None => found.push(Event { rhythm, from_s, to_s }),
            }
        }
        events.append(&mut found);
    };
    windows(Rhythm::Asystole, 2, &|_, rate| rate <= 15.0);
    windows(Rhythm::Pause, 2, &|_, rate| rate < 20.0);
    windows(Rhythm::VentricularTachycardia, 5, &|w, rate| {
        rate > 100.0 && w.iter().all(|b| b.ventricular)
    });
    windows(Rhythm::ExtremeBradycardia, 5, &|_, rate| rate < 40.0);
    windows(Rhythm::ExtremeTachycardia, 17, &|_, rate| rate > 140.0);
    events
}

/// Intervals of atrial fibrillation, in seconds.
pub(crate) fn atrial_fibrillation(recording: &Recording) -> Vec<(f64, f64)> {
    let changes = recording.marks.iter().filter_map(|mark| match mark.say {
        Say::Rhythm { atrial_fibrillation } => Some((mark.at_s, atrial_fibrillation)),
        _ => None,
    });
    let changes: Vec<(f64, bool)> = changes.collect();
    let ends = changes.iter().skip(1).map(|(at, _)| *at).chain([recording.seconds()]);
    let intervals = changes.iter().zip(ends);
    intervals
        .filter(|((_, atrial), _)| *atrial)
        .map(|((from, _), to)| (*from, to))
        .collect()
}
