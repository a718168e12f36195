//! Scores of a stay from its vitals and what nurses charted.

use std::time::Duration;

use super::stay::Stay;
use crate::alarms::{AlarmKind, Finding, Moment, Scope};
use crate::codes::{AgeGroup, Parameter};
use crate::drift::Histograms;
use crate::event::{ModelScore, RiskBand};
use crate::message::Priority;
use crate::scores::{Band, News2, News2Input};
use crate::time::Timestamp;
use crate::view::News2View;
use crate::vitals::Milli;

/// Older inputs count as missing (product choices; *ratify*).
const CONTINUOUS_MAX_AGE: Duration = Duration::from_mins(5);
const NIBP_MAX_AGE: Duration = Duration::from_hours(1);
const ABP_MAX_AGE: Duration = Duration::from_mins(1);
const TEMPERATURE_MAX_AGE: Duration = Duration::from_hours(4);
const CHARTED_MAX_AGE: Duration = Duration::from_hours(4);
const CHARTED_MAX_AGE_URGENT: Duration = Duration::from_hours(1);
/// A threshold of NEWS2 must be held for this long before it alarms.
const NEWS2_DELAY: Duration = Duration::from_mins(1);

/// Name and time of each input of NEWS2.
type InputTimes = [(&'static str, Option<Timestamp>); 7];

impl Stay {
    /// NEWS2 of now; `None` where it does not apply (under 16, pregnancy) or nothing at all is known.
    pub(crate) fn news2(&self, now: Timestamp) -> Option<News2View> {
        let (_, score, times) = self.score_news2(now)?;
        let oldest_input_at = times.iter().filter_map(|(_, at)| *at).min()?;
        let missing = times.iter().filter(|(_, at)| at.is_none()).map(|(name, _)| *name).collect();
        Some(News2View {
            score,
            oldest_input_at: Some(oldest_input_at),
            missing,
        })
    }

    /// Counts what the score is computed from now, for drift.
    pub(crate) fn count_into(&self, drift: &mut Histograms, now: Timestamp) {
        if let Some((input, score, _)) = self.score_news2(now) {
            drift.add_news2(&input, &score);
        }
    }

    /// NEWS2's inputs, the score, and the time of each input.
    fn score_news2(&self, now: Timestamp) -> Option<(News2Input, News2, InputTimes)> {
        if self.profile.age_group != AgeGroup::Adult || self.profile.pregnant {
            return None;
        }
        let resp_rate = self.vitals.median(Parameter::RespRate, CONTINUOUS_MAX_AGE, now);
        let spo2 = self.vitals.median(Parameter::Spo2, CONTINUOUS_MAX_AGE, now);
        let rate = |p| self.vitals.median(p, CONTINUOUS_MAX_AGE, now);
        let pulse = rate(Parameter::HeartRate).or_else(|| rate(Parameter::PulseRate));
        let arterial = self.vitals.usable(Parameter::AbpSys, ABP_MAX_AGE, now);
        let systolic = arterial.or_else(|| self.vitals.usable(Parameter::NibpSys, NIBP_MAX_AGE, now));
        let temperature = self.vitals.usable(Parameter::Temp, TEMPERATURE_MAX_AGE, now);
        let charted_max_age = if self.news2_was_urgent {
            CHARTED_MAX_AGE_URGENT
        } else {
            CHARTED_MAX_AGE
        };
        let consciousness = self.consciousness.filter(|(_, at)| now.since(*at) <= charted_max_age);
        let oxygen = self.oxygen.filter(|(_, at)| now.since(*at) <= charted_max_age);

        let whole = |v: Option<(Milli, Timestamp)>| v.map(|(value, _)| value.rounded());
        let input = News2Input {
            resp_rate: whole(resp_rate),
            spo2: whole(spo2),
            scale: self.profile.spo2_scale,
            oxygen: oxygen.map(|(given, _)| given),
            systolic: whole(systolic),
            pulse: whole(pulse),
            consciousness: consciousness.map(|(level, _)| level),
            temperature_tenths: temperature.map(|(value, _)| value.tenths()),
        };
        let times = [
            ("respiration", resp_rate.map(|v| v.1)),
            ("SpO2", spo2.map(|v| v.1)),
            ("air or oxygen", oxygen.map(|v| v.1)),
            ("systolic pressure", systolic.map(|v| v.1)),
            ("pulse", pulse.map(|v| v.1)),
            ("consciousness", consciousness.map(|v| v.1)),
            ("temperature", temperature.map(|v| v.1)),
        ];
        Some((input, News2::of(&input), times))
    }

    /// Lets NEWS2 begin and end its alarms. The lower bound counts: a missing temperature must not hide a high score.
    pub(crate) fn assess_news2(&mut self, at: Moment, scope: &mut Scope) {
        let Some(view) = self.news2(scope.now) else { return };
        let band = view.score.band;
        self.news2_was_urgent = band >= Band::Medium;
        for (kind, threshold, priority) in [
            (AlarmKind::News2High, Band::High, Priority::Medium),
            (AlarmKind::News2Medium, Band::Medium, Priority::Low),
        ] {
            let reached = Finding::Present {
                delay: NEWS2_DELAY,
                priority,
                cause: None,
            };
            let holds = match kind {
                AlarmKind::News2Medium => band >= threshold && !self.alarms.is_present(&AlarmKind::News2High),
                _ => band >= threshold,
            };
            let finding = if holds { reached } else { Finding::Absent };
            self.conditions.assess(&kind, finding, at, &mut self.alarms, scope);
        }
    }

    /// A risk estimate that was not renewed for three of its intervals says nothing about now.
    pub(crate) fn end_old_risk(&mut self, every: Duration, scope: &mut Scope) {
        let old = |(_, at): &(ModelScore, Timestamp)| scope.now.since(*at) > every * 3;
        if self.risk.as_ref().is_some_and(old) {
            self.risk = None;
            self.alarms.end(&AlarmKind::RiskHigh, scope);
        }
    }

    /// Takes the model's answer. Its highest band raises an advisory; it never touches another alarm.
    pub(crate) fn take_risk(&mut self, risk: ModelScore, scope: &mut Scope) {
        let kind = AlarmKind::RiskHigh;
        if risk.band == RiskBand::High {
            self.alarms.raise(&kind, Priority::Low, risk.asked_at, None, scope);
        } else {
            self.alarms.end(&kind, scope);
        }
        self.risk = Some((risk, scope.now));
    }
}
