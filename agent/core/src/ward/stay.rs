//! One patient's stay at a bed: vitals, limits, alarms, scores, blind time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::vitals::{Taken, Vitals};
use super::words::Said;
use crate::alarms::{AlarmKind, Conditions, Finding, Moment, Scope, Side, StandingAlarms};
use crate::blind::BlindLedger;
use crate::codes::Parameter;
use crate::event::{Cause, ModelScore, Sighting};
use crate::handover::Handover;
use crate::ids::StayToken;
use crate::limits::{AlarmLimits, Limit};
use crate::message::Priority;
use crate::patient::{Consciousness, PatientProfile};
use crate::rhythm::{EcgSignal, Rhythm};
use crate::time::Timestamp;
use crate::trend::HourlyTrend;
use crate::view::Freshness;
use crate::vitals::{Milli, Reading};

/// A pulse stands in for the heart rate only while the ECG gives none for this long.
pub(super) const RATE_MAX_AGE: Duration = Duration::from_secs(10);

/// A stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stay {
    pub(crate) token: StayToken,
    pub(crate) profile: PatientProfile,
    pub(crate) admitted_at: Timestamp,
    pub(crate) consciousness: Option<(Consciousness, Timestamp)>,
    pub(crate) oxygen: Option<(bool, Timestamp)>,
    pub(crate) limits: AlarmLimits,
    pub(crate) vitals: Vitals,
    pub(crate) conditions: Conditions,
    pub(crate) alarms: StandingAlarms,
    pub(crate) trend: HourlyTrend,
    pub(crate) risk: Option<(ModelScore, Timestamp)>,
    pub(crate) next_inference_at: Timestamp,
    pub(crate) blind: BlindLedger,
    /// What the devices say of themselves.
    pub(crate) said: Said,
    /// Rhythm conditions that are present.
    pub(crate) rhythms: Vec<Rhythm>,
    /// What a model saw last.
    pub(crate) sighting: Option<Sighting>,
    /// How far the ECG can be believed, and since when on the device's clock.
    pub(crate) ecg_signal: Option<(EcgSignal, Timestamp)>,
    /// What the last shift wrote down.
    pub(crate) handover: Option<Handover>,
    /// The last NEWS2 total reached the urgent threshold: charted inputs then age faster.
    pub(crate) news2_was_urgent: bool,
}

impl Stay {
    pub(crate) fn begin(token: StayToken, profile: PatientProfile, now: Timestamp) -> Self {
        let limits = AlarmLimits::for_age(profile.age_group);
        Self {
            token,
            profile,
            admitted_at: now,
            consciousness: None,
            oxygen: None,
            limits,
            vitals: Vitals::default(),
            conditions: Conditions::default(),
            alarms: StandingAlarms::default(),
            trend: HourlyTrend::default(),
            risk: None,
            next_inference_at: now,
            blind: BlindLedger::default(),
            said: Said::new(),
            rhythms: Vec::new(),
            sighting: None,
            ecg_signal: None,
            handover: None,
            news2_was_urgent: false,
        }
    }

    /// Takes one reading: trend, newest value, limits.
    pub(crate) fn take(&mut self, reading: &Reading, at: Moment, interval: Duration, scope: &mut Scope) {
        let parameter = reading.parameter();
        let implausible = !reading.plausible(self.profile.age_group);
        if let Some(value) = reading.usable() {
            self.trend.add(parameter, value, at.measured_at);
        }
        if self.vitals.take(reading, at, implausible, interval) == Taken::Newest {
            self.assess(parameter, reading.usable(), at, scope);
        }
    }

    /// Judges a parameter's newest value again: its limits have changed.
    pub(crate) fn reassess(&mut self, parameter: Parameter, scope: &mut Scope) {
        let Some(latest) = self
            .vitals
            .latest(parameter)
            .filter(|l| l.freshness(parameter, scope.now) != Freshness::Expired)
        else {
            return;
        };
        let at = Moment {
            sent_at: latest.sent_at,
            measured_at: latest.measured_at,
            received_at: latest.received_at,
        };
        let value = latest.usable();
        self.assess(parameter, value, at, scope);
    }

    /// Back to the age group's limits.
    pub(crate) fn reset_limits(&mut self, scope: &mut Scope) {
        self.limits = AlarmLimits::for_age(self.profile.age_group);
        self.limits.chart_oxygen(self.oxygen.map(|(given, _)| given));
        for parameter in Parameter::ALL {
            self.reassess(parameter, scope);
        }
    }

    /// The patient leaves the bed for another: alarms and what was on its way to one begin anew there. Without the devices
    /// their values and words stay behind.
    pub(crate) fn leave_bed(&mut self, with_devices: bool, scope: &mut Scope) {
        self.alarms.clear_all(scope);
        self.conditions = Conditions::default();
        self.rhythms.clear();
        self.ecg_signal = None;
        if !with_devices {
            self.said = Said::new();
            self.vitals = Vitals::default();
        }
    }

    /// A value that comes no more says nothing about now: its alarms end, and "no data" or "lead off" speaks instead. Latched
    /// ones stay. Nothing has expired before somebody has watched for as long as a value may stand.
    pub(crate) fn end_expired(&mut self, watching_since: Timestamp, scope: &mut Scope) {
        let now = scope.now;
        let vitals = &self.vitals;
        let expired = |parameter| match vitals.latest(parameter) {
            Some(latest) => {
                latest.freshness(parameter, now) == Freshness::Expired && now.since(watching_since) > latest.patience()
            }
            None => true,
        };
        let rhythms = &self.rhythms;
        let shown = |side: &Side| match side {
            Side::Low => rhythms.contains(&Rhythm::ExtremeBradycardia),
            Side::High => rhythms.contains(&Rhythm::ExtremeTachycardia),
        };
        let rate = |kind: &AlarmKind| matches!(kind, AlarmKind::ExtremeRate(side) if !shown(side));
        let rates_expired = expired(Parameter::HeartRate) && expired(Parameter::PulseRate);
        self.alarms.end_all(
            |kind| kind.parameter().is_some_and(expired) || (rate(kind) && rates_expired),
            scope,
        );
    }

    fn assess(&mut self, parameter: Parameter, value: Option<Milli>, at: Moment, scope: &mut Scope) {
        let heart_rate = self.vitals.usable(Parameter::HeartRate, RATE_MAX_AGE, at.measured_at);
        let stands_in = parameter == Parameter::PulseRate && heart_rate.is_none();
        if parameter == Parameter::HeartRate && value.is_some() {
            // The pulse's own limits rest while the ECG counts.
            self.assess_limit(Parameter::PulseRate, None, at, scope);
        }
        if parameter == Parameter::PulseRate && !stands_in {
            return;
        }
        if parameter == Parameter::HeartRate || stands_in {
            self.assess_extreme_rates(parameter, value, at, scope);
        }
        match parameter {
            Parameter::Spo2 => self.assess_desaturation(value, at, scope),
            Parameter::RespRate => self.assess_apnoea(value, at, scope),
            _ => {}
        }
        self.assess_limit(parameter, value, at, scope);
    }

    fn assess_limit(&mut self, parameter: Parameter, value: Option<Milli>, at: Moment, scope: &mut Scope) {
        let Some(limit) = self.limits.of(parameter) else { return };
        for side in [Side::Low, Side::High] {
            let kind = AlarmKind::Limit(parameter, side);
            let finding = value.map_or(Finding::Absent, |value| beyond(limit, side, value));
            self.conditions.assess(&kind, finding, at, &mut self.alarms, scope);
        }
    }

    fn assess_extreme_rates(&mut self, parameter: Parameter, value: Option<Milli>, at: Moment, scope: &mut Scope) {
        let limit = self.limits.extreme_rate();
        for side in [Side::Low, Side::High] {
            let finding = match value.map_or(Finding::Absent, |value| of_parameter(beyond(limit, side, value), parameter)) {
                // A rate lags behind: it does not end what the waveform shows.
                Finding::Absent if self.waveform_says(side) => Finding::Between,
                finding => finding,
            };
            self.conditions
                .assess(&AlarmKind::ExtremeRate(side), finding, at, &mut self.alarms, scope);
        }
    }

    fn assess_desaturation(&mut self, value: Option<Milli>, at: Moment, scope: &mut Scope) {
        let limit = self.limits.desaturation();
        let finding = value.map_or(Finding::Absent, |value| beyond(limit, Side::Low, value));
        self.conditions
            .assess(&AlarmKind::Desaturation, finding, at, &mut self.alarms, scope);
    }

    /// No breath counted for the apnoea time. The monitor's own apnoea alarm comes through beside this.
    fn assess_apnoea(&mut self, value: Option<Milli>, at: Moment, scope: &mut Scope) {
        let finding = match value {
            Some(value) if value.rounded() < 1 => Finding::Present {
                delay: self.limits.apnoea(),
                priority: Priority::High,
                cause: Some(Cause {
                    parameter: Parameter::RespRate,
                    value,
                    limit: Milli::from_int(1),
                }),
            },
            _ => Finding::Absent,
        };
        self.conditions
            .assess(&AlarmKind::Apnoea, finding, at, &mut self.alarms, scope);
    }
}

/// What a value says about one side of a limit.
fn beyond(limit: &Limit, side: Side, value: Milli) -> Finding {
    let (bound, crosses, clears, delay, priority) = match side {
        Side::Low => (
            limit.low,
            limit.crosses_low(value),
            limit.clears_low(value),
            limit.delay_low(value),
            limit.priority_low,
        ),
        Side::High => (
            limit.high,
            limit.crosses_high(value),
            limit.clears_high(value),
            limit.delay_high(value),
            limit.priority_high,
        ),
    };
    match bound {
        Some(limit_value) if crosses => {
            let cause = Some(Cause {
                parameter: limit.parameter,
                value,
                limit: limit_value,
            });
            Finding::Present { delay, priority, cause }
        }
        Some(_) if !clears => Finding::Between,
        _ => Finding::Absent,
    }
}

/// The same finding with the parameter that was really measured: a pulse judged by the heart rate's limits.
fn of_parameter(finding: Finding, parameter: Parameter) -> Finding {
    match finding {
        Finding::Present {
            delay,
            priority,
            cause: Some(cause),
        } => Finding::Present {
            delay,
            priority,
            cause: Some(Cause { parameter, ..cause }),
        },
        other => other,
    }
}
