//! Technical conditions of a bed: is anything arriving, are the sensors on, can the bed alarm at all?

use std::time::Duration;

use super::device::Device;
use super::stay::Stay;
use crate::alarms::{AlarmKind, Finding, Moment, Scope, Technical};
use crate::blind::BlindCause;
use crate::codes::{Parameter, Waveform};
use crate::message::Priority;
use crate::rhythm::EcgSignal;
use crate::time::Timestamp;
use crate::view::Freshness;
use crate::vitals::Quality;

/// A disturbance must last this long to alarm (product choice; *ratify*).
const ARTEFACT_DELAY: Duration = Duration::from_secs(10);
/// A lead must be off this long to alarm: a loose electrode that is pressed back at once is no news. (*ratify*)
const LEAD_OFF_DELAY: Duration = Duration::from_secs(3);

/// Vitals of which at least one must be there for a bed to be watched.
const LIFE_SIGNS: [Parameter; 3] = [Parameter::HeartRate, Parameter::PulseRate, Parameter::Spo2];

impl Stay {
    /// Judges all technical conditions, with every tick. Each begins at a device's own time, so that its alarm's identity
    /// does not depend on when we looked.
    pub(crate) fn assess_technical(&mut self, devices: &[&Device], scope: &mut Scope) {
        let now = scope.now;
        let heard = devices.iter().filter(|d| d.last_received_at.is_some());
        let last_sent_at = heard.map(|d| d.last_sent_at).max();
        let silent = last_sent_at.filter(|_| devices.iter().all(|d| !d.is_live(now)));
        let since = |of: fn(&Device) -> Option<Timestamp>| devices.iter().filter_map(|d| of(d)).min();
        let demo = since(|d| d.demo_since);
        let lead_off = self.lead_off_since().filter(|_| silent.is_none());
        let disturbed = self.disturbed_since(now).filter(|_| silent.is_none());
        let conditions = [
            (Technical::NoData, silent, Duration::ZERO, Priority::Medium),
            (Technical::DemoDevice, demo, Duration::ZERO, Priority::Medium),
            (Technical::ClockSkew, since(|d| d.skewed_since), Duration::ZERO, Priority::Low),
            (
                Technical::LowBattery,
                since(|d| d.battery_low_since),
                Duration::ZERO,
                Priority::Low,
            ),
            (Technical::LeadOff, lead_off, LEAD_OFF_DELAY, self.lead_off_priority(now)),
            (Technical::Artefact, disturbed, ARTEFACT_DELAY, Priority::Low),
        ];
        for (technical, onset, delay, priority) in conditions {
            let kind = AlarmKind::Technical(technical);
            let finding = onset.map_or(Finding::Absent, |_| Finding::Present {
                delay,
                priority,
                cause: None,
            });
            let at = Moment {
                sent_at: onset.unwrap_or(now),
                measured_at: now,
                received_at: now,
            };
            self.conditions.assess(&kind, finding, at, &mut self.alarms, scope);
        }
        self.note_blindness(silent.is_some() || devices.is_empty(), demo.is_some(), now);
    }

    fn lead_off_since(&self) -> Option<Timestamp> {
        let by_quality = self
            .vitals
            .iter()
            .filter_map(|(_, latest)| latest.marked_since(Quality::LEAD_OFF));
        let by_analysis = self.ecg_is(EcgSignal::LeadOff);
        self.leads_off()
            .map(|(_, since)| since)
            .chain(by_quality)
            .chain(by_analysis)
            .min()
    }

    /// Losing the ECG where no pulse is measured hides a lethal rhythm: high. Otherwise medium.
    fn lead_off_priority(&self, now: Timestamp) -> Priority {
        let ecg_lost = self
            .leads_off()
            .any(|(c, _)| c == 0 || matches!(Waveform::from_code(c), Some(Waveform::Ecg(_))))
            || self.ecg_is(EcgSignal::LeadOff).is_some()
            || self
                .vitals
                .latest(Parameter::HeartRate)
                .is_some_and(|l| l.quality().has(Quality::LEAD_OFF));
        let other_source = self.is_measured(Parameter::PulseRate, now) || self.is_measured(Parameter::Spo2, now);
        if ecg_lost && !other_source {
            Priority::High
        } else {
            Priority::Medium
        }
    }

    fn disturbed_since(&self, now: Timestamp) -> Option<Timestamp> {
        let current = |p: &Parameter| self.vitals.latest(*p).filter(|l| l.freshness(*p, now) != Freshness::Expired);
        LIFE_SIGNS
            .iter()
            .filter_map(current)
            .filter_map(|l| l.marked_since(Quality::ARTEFACT))
            .chain(self.ecg_is(EcgSignal::Noisy))
            .min()
    }

    fn is_measured(&self, parameter: Parameter, now: Timestamp) -> bool {
        let latest = self.vitals.latest(parameter);
        latest.is_some_and(|l| l.usable().is_some() && now.since(l.received_at) <= l.patience())
    }

    /// A bed is blind while no sign of life is measured; the cause is the first that explains it.
    fn note_blindness(&mut self, silent: bool, demo: bool, now: Timestamp) {
        let watched = !silent && LIFE_SIGNS.iter().any(|p| self.is_measured(*p, now));
        let cause = match () {
            () if watched => None,
            () if silent => Some(BlindCause::NoData),
            () if demo => Some(BlindCause::DemoDevice),
            () if self.lead_off_since().is_some() => Some(BlindCause::LeadOff),
            () if self.disturbed_since(now).is_some() => Some(BlindCause::Artefact),
            () => Some(BlindCause::NoData),
        };
        for other in [
            BlindCause::NoData,
            BlindCause::DemoDevice,
            BlindCause::LeadOff,
            BlindCause::Artefact,
        ] {
            if Some(other) == cause {
                self.blind.open(other, now);
            } else {
                self.blind.close(other, now);
            }
        }
    }
}
