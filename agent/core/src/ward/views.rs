//! Read models of the Ward.

use std::time::Duration;

use super::Ward;
use super::stay::Stay;
use crate::alarms::AlarmState;
use crate::blind::BlindCause;
use crate::codes::Parameter;
use crate::event::RISK_INPUTS;
use crate::ids::{BedId, UnitId};
use crate::limits::Limit;
use crate::time::Timestamp;
use crate::trend::VITALS;
use crate::view::{BedView, DeviceView, Freshness, LimitView, NumericView, RiskInput, RiskView, StayView, WardView};

/// Names of the model's inputs, in its order.
const INPUT_NAMES: [&str; RISK_INPUTS] = ["HR", "RR", "systolic", "diastolic", "mean", "temperature", "age"];

impl Ward {
    /// All configured beds, in order.
    pub fn beds(&self) -> Vec<BedView> {
        self.config.beds.iter().map(|(unit, bed)| self.bed_view(unit, bed)).collect()
    }

    /// One configured bed.
    pub fn bed(&self, bed: &BedId) -> Option<BedView> {
        let (unit, bed) = self.config.beds.iter().find(|(_, known)| known == bed)?;
        Some(self.bed_view(unit, bed))
    }

    /// How many beds have a patient.
    pub fn occupied(&self) -> usize {
        self.state.stays.len()
    }

    /// The bed a device stands at.
    pub fn bed_of(&self, device: &crate::ids::DeviceId) -> Option<&BedId> {
        self.state.devices.get(device)?.bed.as_ref()
    }

    /// The facts about the patient in a bed.
    pub fn profile_in(&self, bed: &BedId) -> Option<&crate::patient::PatientProfile> {
        self.state.stays.get(bed).map(|stay| &stay.profile)
    }

    /// The stay in a bed.
    pub fn stay_in(&self, bed: &BedId) -> Option<crate::ids::StayToken> {
        self.state.stays.get(bed).map(|stay| stay.token)
    }

    /// The bed that a stay is in; `None` once the patient has left.
    pub fn bed_of_stay(&self, stay: crate::ids::StayToken) -> Option<&BedId> {
        let mut stays = self.state.stays.iter();
        stays.find(|(_, at)| at.token == stay).map(|(bed, _)| bed)
    }

    /// The whole ward in one line.
    pub fn overview(&self) -> WardView {
        let mut unacknowledged = [0; 3];
        for alarm in self.state.stays.values().flat_map(|stay| stay.alarms.views()) {
            let waiting = matches!(alarm.state, AlarmState::Active | AlarmState::Latched);
            if let (true, Some(count)) = (waiting, unacknowledged.get_mut(2 - alarm.priority as usize)) {
                *count += 1;
            }
        }
        let unassigned = self.state.devices.iter().filter(|(_, d)| d.bed.is_none());
        WardView {
            unacknowledged,
            model: self.state.model,
            unassigned: unassigned.map(|(id, d)| d.view(id, self.now())).collect(),
        }
    }

    fn bed_view(&self, unit: &UnitId, bed: &BedId) -> BedView {
        let now = self.now();
        let stay = self.state.stays.get(bed);
        BedView {
            bed: bed.clone(),
            unit: unit.clone(),
            stay: stay.map(Stay::view),
            devices: self.devices_at(bed),
            numerics: stay.map_or_else(Vec::new, |s| s.numerics(now)),
            news2: stay.and_then(|s| s.news2(now)),
            risk: stay.and_then(Stay::risk_view),
            alarms: stay.map_or_else(Vec::new, |s| s.alarms.views()),
            blind_since: stay.and_then(|s| s.blind.blind_since()),
            blind_ms: stay.map_or(0, |s| millis(s.blind.total(now))),
            blind_by_cause: stay.map_or_else(Vec::new, |s| s.blind_by_cause(now)),
            blind_recent: stay.map_or_else(Vec::new, |s| s.blind.recent().copied().collect()),
            audio_pause: stay.and_then(|s| s.alarms.pause().cloned()),
            inactivated: stay.map_or_else(Vec::new, |s| s.alarms.inactivated().to_vec()),
            limits: stay.map_or_else(Vec::new, |s| s.limit_views(now)),
            handover: stay.and_then(|s| s.handover.clone()),
            sighting: stay.and_then(|s| s.sighting.clone()),
            ecg: None,
        }
    }

    fn devices_at(&self, bed: &BedId) -> Vec<DeviceView> {
        let at_bed = self.state.devices.iter().filter(|(_, d)| d.bed.as_ref() == Some(bed));
        at_bed.map(|(id, d)| d.view(id, self.now())).collect()
    }
}

impl Stay {
    fn view(&self) -> StayView {
        StayView {
            stay: self.token,
            name: self.profile.name.clone(),
            age_group: self.profile.age_group,
            age_years: self.profile.age_years,
            spo2_scale: self.profile.spo2_scale,
            consciousness: self.consciousness.map(|(level, _)| level),
            oxygen: self.oxygen.map(|(given, _)| given),
            admitted_at: self.admitted_at,
        }
    }

    fn numerics(&self, now: Timestamp) -> Vec<NumericView> {
        let no_rate = self.has_no_rate();
        let gone = |parameter| no_rate && matches!(parameter, Parameter::HeartRate | Parameter::PulseRate);
        let view = |(parameter, latest): (Parameter, &super::vitals::Latest)| {
            let freshness = latest.freshness(parameter, now);
            let limit = self.limits.of(parameter);
            NumericView {
                parameter,
                value: latest
                    .usable()
                    .filter(|_| freshness != Freshness::Expired && !gone(parameter)),
                measured_at: latest.measured_at,
                freshness,
                implausible: latest.implausible,
                limits: (limit.and_then(|l| l.low), limit.and_then(|l| l.high)),
            }
        };
        self.vitals.iter().map(view).collect()
    }

    fn blind_by_cause(&self, now: Timestamp) -> Vec<(BlindCause, u64)> {
        let all = BlindCause::ALL.map(|cause| (cause, millis(self.blind.total_of(cause, now))));
        all.into_iter().filter(|(_, ms)| *ms > 0).collect()
    }

    fn limit_views(&self, now: Timestamp) -> Vec<LimitView> {
        let view = |limit: &Limit| {
            let parameter = limit.parameter;
            let latest = self.vitals.latest(parameter);
            let current = latest.filter(|l| l.freshness(parameter, now) != Freshness::Expired);
            let value = current.and_then(super::vitals::Latest::usable);
            LimitView {
                parameter,
                low: limit.low,
                high: limit.high,
                delay: limit.max_delay,
                default: self.limits.default_of(parameter),
                proposed: value.and_then(|value| self.limits.propose(parameter, value)),
                changed: self.limits.changed(parameter).map(|(by, at)| (by.to_owned(), at)),
            }
        };
        self.limits.iter().map(view).collect()
    }

    fn risk_view(&self) -> Option<RiskView> {
        let (score, computed_at) = self.risk.as_ref()?;
        let window = self.trend.window();
        let vital = |column: usize| window.iter().rev().find_map(|row| row.get(column).copied().flatten());
        let age = self.profile.age_years.map(f32::from);
        let latest = |column: usize| if column < VITALS { vital(column) } else { age };
        let inputs = INPUT_NAMES.iter().zip(&score.reasons.effects).enumerate();
        Some(RiskView {
            model: score.model.clone(),
            permille: score.permille,
            band: score.band,
            computed_at: *computed_at,
            completeness_percent: score.completeness_percent,
            base_ppm: score.reasons.base_ppm,
            inputs: inputs
                .map(|(i, (name, effect))| RiskInput {
                    name,
                    value: latest(i),
                    effect: *effect,
                })
                .collect(),
        })
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
