//! The Ward: beds, stays and devices as one deterministic state machine.
//!
//! `step(event, now)` takes what happened and returns what to do. There is no I/O, no clock and no chance in here, so the
//! same events at the same times give the same alarms, bit for bit, in service, after a crash, and in a replay.

mod clock;
mod commands;
mod device;
mod messages;
mod rhythms;
mod scoring;
mod sequence;
mod stay;
mod technical;
mod views;
mod vitals;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alarms::{AlarmKind, Scope, Technical};
use crate::blind::BlindCause;
use crate::drift::Histograms;
use crate::event::{Effect, Event, InferRequest, ModelScore, ModelStatus};
use crate::ids::{BedId, DeviceId, UnitId};
use crate::message::Priority;
use crate::time::Timestamp;
use device::Device;
use stay::Stay;

/// Every occupied bed is counted into the drift histograms this often.
const COUNT_EVERY_MS: i64 = 60_000;

/// Settings that come back after a longer absence are said to have (*ratify*).
const NOTICED_ABSENCE: Duration = Duration::from_secs(30);

/// Grid of the ticks.
pub const TICK: Duration = Duration::from_millis(250);

/// What the Ward is built for; not part of its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WardConfig {
    /// Beds in the order they are shown, each with its unit.
    pub beds: Vec<(UnitId, BedId)>,
    /// Devices at no bed that are tracked at most; the one not heard for longest goes first.
    pub max_unassigned: usize,
    /// How often a risk estimate is asked for each bed.
    pub infer_every: Duration,
}

/// The state machine. See the [module](self).
#[derive(Clone, Debug)]
pub struct Ward {
    config: WardConfig,
    state: WardState,
}

/// Everything the Ward remembers: the agent's checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WardState {
    now: Timestamp,
    /// Since when somebody watches without a break.
    watching_since: Timestamp,
    stays: BTreeMap<BedId, Stay>,
    devices: BTreeMap<DeviceId, Device>,
    model: ModelStatus,
    drift: Histograms,
}

impl Ward {
    /// An empty ward.
    pub fn new(config: WardConfig) -> Self {
        Self {
            config,
            state: WardState::default(),
        }
    }

    /// A ward as it was. Stays in beds that are configured no more are kept until discharged, but not shown.
    pub fn restore(config: WardConfig, state: WardState) -> Self {
        Self { config, state }
    }

    /// The state, for a checkpoint.
    pub const fn state(&self) -> &WardState {
        &self.state
    }

    /// How often each vital and score had which value, over all beds, one count per bed and minute.
    pub const fn drift(&self) -> &Histograms {
        &self.state.drift
    }

    /// The time of the last step.
    pub const fn now(&self) -> Timestamp {
        self.state.now
    }

    /// Takes one event and appends its effects. Time never goes back: an earlier `now` counts as the last one.
    pub fn step(&mut self, event: Event, now: Timestamp, effects: &mut Vec<Effect>) {
        let now = now.max(self.state.now);
        let before = std::mem::replace(&mut self.state.now, now);
        match event {
            Event::Message(message) => self.on_message(&message, now, effects),
            Event::Order(order) => match self.on_order(order, now, effects) {
                Ok(()) => effects.push(Effect::Done),
                Err(refusal) => effects.push(Effect::Refused(refusal)),
            },
            Event::Score(score) => self.on_score(score, now, effects),
            Event::Model(status) => self.state.model = status,
            Event::Rhythm(report) => self.on_rhythm(&report, now, effects),
            Event::Restart => self.on_restart(before, now, effects),
            Event::Tick => self.on_tick(before, now, effects),
        }
    }

    /// An answer for a patient who has left is dropped.
    fn on_score(&mut self, risk: ModelScore, now: Timestamp, effects: &mut Vec<Effect>) {
        let bed = risk.bed.clone();
        if let Some(stay) = self.state.stays.get_mut(&bed).filter(|stay| stay.token == risk.stay) {
            let mut scope = Scope::without_message(&bed, stay.token, now, effects);
            stay.take_risk(risk, &mut scope);
        }
    }

    fn on_tick(&mut self, before: Timestamp, now: Timestamp, effects: &mut Vec<Effect>) {
        for (id, device) in &mut self.state.devices {
            if device.take_overdue_birth(now) {
                effects.push(Effect::RequestBirth(id.clone()));
            }
        }
        let WardState {
            stays,
            devices,
            drift,
            watching_since,
            ..
        } = &mut self.state;
        let mut at_beds: BTreeMap<&BedId, Vec<&Device>> = BTreeMap::new();
        for device in devices.values() {
            if let Some(bed) = &device.bed {
                at_beds.entry(bed).or_default().push(device);
            }
        }
        for (index, (bed, stay)) in stays.iter_mut().enumerate() {
            let at_bed = at_beds.remove(bed).unwrap_or_default();
            let mut scope = Scope::without_message(bed, stay.token, now, effects);
            stay.alarms.tick(&mut scope);
            stay.conditions.tick(&mut stay.alarms, &mut scope);
            stay.assess_technical(&at_bed, &mut scope);
            stay.end_expired(*watching_since, &mut scope);
            stay.end_old_risk(self.config.infer_every, &mut scope);
            if now > before && now.as_millis() % COUNT_EVERY_MS == 0 {
                stay.count_into(drift, now);
            }
            stay.ask_for_risk(bed, index, self.config.infer_every, now, effects);
        }
    }

    /// Nobody watched from `before` to `now`: that is blind time, devices get a fresh chance to be heard, and what stood
    /// is said again.
    fn on_restart(&mut self, before: Timestamp, now: Timestamp, effects: &mut Vec<Effect>) {
        self.state.model = ModelStatus::Gone;
        self.state.watching_since = now;
        let away = before > Timestamp::default() && now.since(before) > NOTICED_ABSENCE;
        for device in self.state.devices.values_mut() {
            if device.is_live(before) {
                device.last_received_at = Some(now);
            }
        }
        for (bed, stay) in &mut self.state.stays {
            if before > Timestamp::default() {
                stay.blind.open(BlindCause::AgentDown, before);
                stay.blind.close(BlindCause::AgentDown, now);
            }
            let mut scope = Scope::without_message(bed, stay.token, now, effects);
            stay.alarms.announce(&mut scope);
            if away {
                let notice = AlarmKind::Technical(Technical::Restarted);
                stay.alarms.raise(&notice, Priority::Low, before, None, &mut scope);
                stay.alarms.end(&notice, &mut scope);
            }
        }
    }
}

impl Stay {
    fn ask_for_risk(&mut self, bed: &BedId, index: usize, every: Duration, now: Timestamp, effects: &mut Vec<Effect>) {
        if now < self.next_inference_at || self.trend.is_empty() || self.profile.age_group != crate::codes::AgeGroup::Adult {
            return;
        }
        // Beds take turns within the interval, so that no tick brings all of them.
        let turn = every.mul_f64((index % 16) as f64 / 160.0);
        self.next_inference_at = now.plus(every).plus(turn);
        effects.push(Effect::Infer(InferRequest {
            bed: bed.clone(),
            stay: self.token,
            asked_at: now,
            age_years: self.profile.age_years,
            window: self.trend.window(),
        }));
    }
}
