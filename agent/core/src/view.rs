//! What the Ward shows of itself: read models for the page, the API and metrics. Nothing flows back through them.

use crate::alarms::{AlarmId, AlarmKind, AlarmState, Audio, AudioPause, Inactivated, Receiver};
use crate::blind::{BlindCause, BlindInterval};
use std::time::Duration;

use crate::codes::{AgeGroup, Parameter};
use crate::event::{AlarmChange, Cause, ModelStatus, RiskBand, RiskEffect, Sighting};
use crate::handover::Handover;
use crate::ids::{BedId, DeviceId, StayToken, UnitId};
use crate::message::Priority;
use crate::patient::{Consciousness, Spo2Scale};
use crate::rhythm::RhythmState;
use crate::scores::News2;
use crate::time::Timestamp;
use crate::vitals::Milli;

/// One bed as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct BedView {
    /// Which bed.
    pub bed: BedId,
    /// In which unit.
    pub unit: UnitId,
    /// Who is in it, if anybody.
    pub stay: Option<StayView>,
    /// Devices at the bed.
    pub devices: Vec<DeviceView>,
    /// Newest value of each parameter that the bed has, in the order of [`Parameter::ALL`].
    pub numerics: Vec<NumericView>,
    /// NEWS2, where it applies and anything is known.
    pub news2: Option<News2View>,
    /// Risk estimate, where there is one.
    pub risk: Option<RiskView>,
    /// Standing alarms: highest priority first, newest first inside a priority.
    pub alarms: Vec<AlarmView>,
    /// Since when the bed could not have alarmed, if that is so now.
    pub blind_since: Option<Timestamp>,
    /// Total blind time of this stay in milliseconds.
    pub blind_ms: u64,
    /// Blind time by cause in milliseconds; causes overlap.
    pub blind_by_cause: Vec<(BlindCause, u64)>,
    /// The last blind intervals, oldest first.
    pub blind_recent: Vec<BlindInterval>,
    /// The running audio pause.
    pub audio_pause: Option<AudioPause>,
    /// Alarms that people have switched off, or whose audio they have.
    pub inactivated: Vec<Inactivated>,
    /// Alarm limits of each parameter that has some.
    pub limits: Vec<LimitView>,
    /// What the last shift wrote down.
    pub handover: Option<Handover>,
    /// What a model saw last in the waveforms of this stay.
    pub sighting: Option<Sighting>,
    /// Rhythm as the analysis of the waveforms sees it; put in by who runs it.
    pub ecg: Option<RhythmState>,
}

/// The limits of one parameter of one patient.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitView {
    /// Which parameter.
    pub parameter: Parameter,
    /// Low limit.
    pub low: Option<Milli>,
    /// High limit.
    pub high: Option<Milli>,
    /// Longest delay.
    pub delay: Duration,
    /// Low and high limit of the age group.
    pub default: (Option<Milli>, Option<Milli>),
    /// Low and high limit that fit the patient's present value, to be confirmed by a person; never set by themselves.
    pub proposed: Option<(Milli, Milli)>,
    /// Who changed them last, and when.
    pub changed: Option<(String, Timestamp)>,
}

/// The patient's side of a bed.
#[derive(Clone, Debug, PartialEq)]
pub struct StayView {
    /// Token of the stay.
    pub stay: StayToken,
    /// Name for the tile, may be empty.
    pub name: String,
    /// Age group.
    pub age_group: AgeGroup,
    /// Age in years.
    pub age_years: Option<u8>,
    /// NEWS2 scale.
    pub spo2_scale: Spo2Scale,
    /// Charted consciousness.
    pub consciousness: Option<Consciousness>,
    /// Charted oxygen.
    pub oxygen: Option<bool>,
    /// Since when.
    pub admitted_at: Timestamp,
}

/// A device at a bed, or one at none.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceView {
    /// Which device.
    pub device: DeviceId,
    /// Model from its birth, empty before.
    pub model: String,
    /// Bed, if attached.
    pub bed: Option<BedId>,
    /// Whether data came within the last ten seconds.
    pub live: bool,
    /// What its last state message said.
    pub online: Option<bool>,
    /// When we last heard of it.
    pub last_received_at: Option<Timestamp>,
    /// Battery in percent.
    pub battery_percent: Option<u8>,
    /// Demo mode.
    pub demo: bool,
    /// Device clock minus ours in milliseconds, if known.
    pub skew_ms: Option<i64>,
    /// Messages that never came.
    pub missed: u64,
}

/// How old a value is, by the rules of its parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Normal.
    Fresh,
    /// Dimmed, with its age.
    Ageing,
    /// Replaced by `--`.
    Expired,
}

/// Newest value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct NumericView {
    /// Which parameter.
    pub parameter: Parameter,
    /// Its value; `None` shows as `--`.
    pub value: Option<Milli>,
    /// When measured (device time, or arrival where the clock is wrong).
    pub measured_at: Timestamp,
    /// How old it is.
    pub freshness: Freshness,
    /// Outside the plausible range.
    pub implausible: bool,
    /// Low and high alarm limit, if set.
    pub limits: (Option<Milli>, Option<Milli>),
}

/// NEWS2 with the age of its oldest input.
#[derive(Clone, Debug, PartialEq)]
pub struct News2View {
    /// Total, bound, parts and band.
    pub score: News2,
    /// When the oldest input was measured.
    pub oldest_input_at: Option<Timestamp>,
    /// Inputs that are missing or too old, by name.
    pub missing: Vec<&'static str>,
}

/// Risk estimate of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct RiskView {
    /// Model id and version.
    pub model: String,
    /// Probability in parts per thousand.
    pub permille: u16,
    /// Band.
    pub band: RiskBand,
    /// When computed.
    pub computed_at: Timestamp,
    /// Share of inputs present, in percent.
    pub completeness_percent: u8,
    /// The estimate for a patient of whom only the length of the stay is known, in millionths.
    pub base_ppm: i32,
    /// What went in, in the model's order.
    pub inputs: Vec<RiskInput>,
}

/// An input of a risk estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct RiskInput {
    /// Its name.
    pub name: &'static str,
    /// Latest hourly mean, or the age in years.
    pub value: Option<f32>,
    /// What it adds to the estimate, now and without the newest hour.
    pub effect: RiskEffect,
}

/// One standing alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmView {
    /// Identity, for acknowledging.
    pub id: AlarmId,
    /// What it is about.
    pub kind: AlarmKind,
    /// How urgent.
    pub priority: Priority,
    /// State.
    pub state: AlarmState,
    /// Value and limit.
    pub cause: Option<Cause>,
    /// When the condition began.
    pub onset_at: Timestamp,
    /// When declared.
    pub raised_at: Timestamp,
    /// Who acknowledged.
    pub acknowledged_by: Option<String>,
    /// The call it is part of.
    pub call: AlarmId,
    /// How far the call has gone.
    pub receiver: Receiver,
    /// Who said "I am going".
    pub accepted_by: Option<String>,
    /// Whether it sounds while nobody has acknowledged.
    pub audio: Audio,
    /// How often it was said again.
    pub reminders: u16,
}

impl From<&AlarmChange> for AlarmView {
    /// The alarm as it stands after the change.
    fn from(change: &AlarmChange) -> Self {
        Self {
            id: change.id.clone(),
            kind: change.kind.clone(),
            priority: change.priority,
            state: change.state,
            cause: change.cause,
            onset_at: change.onset_at,
            raised_at: change.raised_at,
            acknowledged_by: change.by.clone(),
            call: change.call.clone(),
            receiver: change.receiver,
            accepted_by: change.accepted_by.clone(),
            audio: change.audio,
            reminders: change.reminders,
        }
    }
}

/// The whole ward in one line: for the banner and metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct WardView {
    /// Standing alarms that nobody has acknowledged, by priority: high, medium, low.
    pub unacknowledged: [u32; 3],
    /// Inference ladder.
    pub model: ModelStatus,
    /// Devices at no bed.
    pub unassigned: Vec<DeviceView>,
}
