//! What the analysis of the waveforms says of a bed's rhythm, and the alarms that follow from it.
//!
//! Waveforms are not events of the Ward; what was found in them is, so that a replay needs no waveform.

use super::stay::Stay;
use super::{Ward, WardState};
use crate::alarms::{AlarmKind, Scope, Side};
use crate::codes::{AgeGroup, Parameter};
use crate::event::{Effect, RhythmNews, RhythmReport, Trigger};
use crate::ids::BedId;
use crate::message::Priority;
use crate::rhythm::{EcgSignal, Rhythm, RhythmFinding};
use crate::time::Timestamp;

impl Ward {
    /// What was found in a bed's waveforms. For adults only: the definitions are those of adults. (*ratify*)
    pub(super) fn on_rhythm(&mut self, report: &RhythmReport, now: Timestamp, effects: &mut Vec<Effect>) {
        let WardState { stays, .. } = &mut self.state;
        let Some(stay) = stays.get_mut(&report.bed).filter(|stay| stay.token == report.stay) else {
            return;
        };
        if stay.profile.age_group != AgeGroup::Adult {
            return;
        }
        let trigger = Some(Trigger {
            sampled_at: report.sampled_at,
            received_at: now,
        });
        let mut scope = Scope {
            bed: &report.bed,
            stay: report.stay,
            now,
            trigger,
            out: effects,
        };
        match &report.news {
            RhythmNews::Finding(finding) => stay.take_finding(*finding, &mut scope),
            RhythmNews::Signal(signal) => stay.ecg_signal = Some((*signal, report.sampled_at)),
            RhythmNews::Sighting(sighting) => stay.sighting = Some(sighting.clone()),
        }
    }

    /// Rhythm conditions that are present at a bed as far as the Ward knows.
    pub fn rhythms_in(&self, bed: &BedId) -> Vec<Rhythm> {
        let stay = self.state.stays.get(bed);
        stay.map_or_else(Vec::new, |stay| stay.rhythms.clone())
    }
}

impl Stay {
    fn take_finding(&mut self, finding: RhythmFinding, scope: &mut Scope) {
        let RhythmFinding {
            rhythm,
            present,
            onset_at,
        } = finding;
        let (kind, priority) = alarm_of(rhythm);
        self.rhythms.retain(|known| *known != rhythm);
        if present {
            self.rhythms.push(rhythm);
            self.alarms.raise(&kind, priority, onset_at, None, scope);
        } else if !self.numeric_says(&kind, scope.now) {
            self.alarms.end(&kind, scope);
        }
    }

    /// Whether the waveform says that the extreme rate of this side is present, whatever the numeric says.
    pub(crate) fn waveform_says(&self, side: Side) -> bool {
        self.rhythms.contains(match side {
            Side::Low => &Rhythm::ExtremeBradycardia,
            Side::High => &Rhythm::ExtremeTachycardia,
        })
    }

    /// Whether the heart has no rhythm that a rate could be counted of: numbers of it are then averages of the past.
    pub(crate) fn has_no_rate(&self) -> bool {
        let none = [Rhythm::Asystole, Rhythm::VentricularFibrillation];
        self.rhythms.iter().any(|rhythm| none.contains(rhythm))
    }

    /// Since when the analysis finds the ECG lost or too disturbed, on the device's clock.
    pub(crate) fn ecg_is(&self, signal: EcgSignal) -> Option<Timestamp> {
        self.ecg_signal.filter(|(now, _)| *now == signal).map(|(_, since)| since)
    }

    /// Whether a rate that stands is itself extreme: it keeps the alarm when the waveform's own finding ends.
    fn numeric_says(&self, kind: &AlarmKind, now: Timestamp) -> bool {
        let AlarmKind::ExtremeRate(side) = kind else { return false };
        let rate = self.vitals.usable(Parameter::HeartRate, super::stay::RATE_MAX_AGE, now);
        let limit = self.limits.extreme_rate();
        rate.is_some_and(|(value, _)| match side {
            Side::Low => limit.crosses_low(value),
            Side::High => limit.crosses_high(value),
        })
    }
}

/// A rate is one alarm, whether the waveform or the numeric says so.
const fn alarm_of(rhythm: Rhythm) -> (AlarmKind, Priority) {
    match rhythm {
        Rhythm::ExtremeBradycardia => (AlarmKind::ExtremeRate(Side::Low), Priority::High),
        Rhythm::ExtremeTachycardia => (AlarmKind::ExtremeRate(Side::High), Priority::High),
        Rhythm::Pause => (AlarmKind::Rhythm(rhythm), Priority::Medium),
        // An advisory.
        Rhythm::AtrialFibrillation => (AlarmKind::Rhythm(rhythm), Priority::Low),
        Rhythm::Asystole | Rhythm::VentricularFibrillation | Rhythm::VentricularTachycardia => {
            (AlarmKind::Rhythm(rhythm), Priority::High)
        }
    }
}
