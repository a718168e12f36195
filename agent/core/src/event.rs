//! The doors of the [`Ward`](crate::ward::Ward): what goes in and what comes out.

use serde::{Deserialize, Serialize};

use std::time::Duration;

use crate::alarms::{AlarmId, AlarmKind, AlarmState, Audio, Inactivation, LONGEST_PAUSE, Receiver};
use crate::codes::{Parameter, Waveform};
use crate::handover::{HandoverNote, MAX_TEXT};
use crate::ids::{BedId, DeviceId, StayToken};
use crate::limits::LimitFault;
use crate::message::{Message, Priority};
use crate::patient::{Consciousness, PatientProfile};
use crate::people::{Actor, Role};
use crate::rhythm::{EcgSignal, Rhythm, RhythmFinding};
use crate::time::Timestamp;
use crate::trend::HourlyWindow;
use crate::vitals::Milli;

/// What goes into the Ward. All but ticks are journaled, so that a journal replays to the same alarms bit for bit.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A decoded message arrived.
    Message(Message),
    /// A person asks for something.
    Order(Order),
    /// The inference thread answered.
    Score(ModelScore),
    /// The inference thread cannot answer, or can again.
    Model(ModelStatus),
    /// Something was found in the waveforms of a bed.
    Rhythm(RhythmReport),
    /// The agent started; nobody watched since the last event.
    Restart,
    /// Time passed. Ticks come at multiples of [`TICK`](crate::ward::TICK), before any event of that instant.
    Tick,
}

/// What somebody asks for, and who.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Who.
    pub by: Actor,
    /// What.
    pub command: Command,
}

/// What a person (or a file, or the hospital's system) asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// A patient takes a bed.
    Admit {
        /// Which bed; must be free.
        bed: BedId,
        /// New random token.
        stay: StayToken,
        /// Facts for scores and limits.
        profile: PatientProfile,
    },
    /// The patient leaves: limits, charted observations and alarms reset.
    Discharge {
        /// Which bed.
        bed: BedId,
    },
    /// A device is put to a bed.
    Attach {
        /// Which device.
        device: DeviceId,
        /// Which bed.
        bed: BedId,
    },
    /// A device is taken from its bed.
    Detach {
        /// Which device.
        device: DeviceId,
    },
    /// A nurse takes note of an alarm.
    Acknowledge {
        /// Which alarm.
        alarm: AlarmId,
    },
    /// A nurse writes down what no device measures. `None` leaves a field as it is.
    Chart {
        /// Which bed.
        bed: BedId,
        /// Consciousness.
        consciousness: Option<Consciousness>,
        /// Whether the patient is given oxygen.
        oxygen: Option<bool>,
    },
    /// The patient goes to another bed. Alarms clear and begin anew there, where their conditions go on.
    Transfer {
        /// From which bed.
        from: BedId,
        /// To which bed; must be free.
        to: BedId,
        /// Whether the devices at the bed go along, as a wearable does and a monitor on the wall does not.
        with_devices: bool,
    },
    /// Pauses the audio of a bed, or of all beds.
    PauseAudio {
        /// Which bed; `None` for all that have a patient.
        bed: Option<BedId>,
        /// How long, at most [`LONGEST_PAUSE`].
        length: Duration,
    },
    /// Ends the audio pause of a bed, or of all beds.
    ResumeAudio {
        /// Which bed; `None` for all.
        bed: Option<BedId>,
    },
    /// Switches one kind of alarm, or its audio, off at a bed, or on again.
    SetAlarm {
        /// Which bed.
        bed: BedId,
        /// Which kind.
        kind: AlarmKind,
        /// How; `None` is as it is by default.
        how: Option<Inactivation>,
    },
    /// Calls the next receiver now.
    Escalate {
        /// Which alarm.
        alarm: AlarmId,
    },
    /// Takes the responsibility for an alarm ("I am going") or turns it down ("not my bed").
    Respond {
        /// Which alarm.
        alarm: AlarmId,
        /// Going, or not.
        accept: bool,
    },
    /// Changes the limits of one parameter of a patient.
    SetLimits {
        /// Which bed.
        bed: BedId,
        /// Which parameter.
        parameter: Parameter,
        /// Below this it alarms; `None` never.
        low: Option<Milli>,
        /// Above this it alarms; `None` never.
        high: Option<Milli>,
        /// Longest delay; `None` leaves it.
        delay: Option<Duration>,
    },
    /// Writes down what the next shift must know.
    HandOver {
        /// Which bed.
        bed: BedId,
        /// What.
        note: HandoverNote,
    },
    /// The nurse who comes has read the handover back.
    ReadBack {
        /// Which bed.
        bed: BedId,
    },
    /// Sets all limits of a patient back to those of the age group.
    ResetLimits {
        /// Which bed.
        bed: BedId,
    },
    /// Facts about the patient are corrected. In another age group the limits become that group's.
    Revise {
        /// Which bed.
        bed: BedId,
        /// The facts, all of them.
        profile: PatientProfile,
    },
}

impl Command {
    /// Whether a role may ask for it: who cares for patients may all of it, who looks after devices may attach and
    /// detach them. (*ratify*)
    pub const fn is_open_to(&self, role: Role) -> bool {
        match (role, self) {
            (Role::Nurse | Role::ChargeNurse, _) | (Role::Biomed | Role::Admin, Self::Attach { .. } | Self::Detach { .. }) => {
                true
            }
            (Role::Biomed | Role::Admin, _) => false,
        }
    }
}

/// Why a command was refused: nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such bed is configured.
    #[error("bed {0}: not configured; see `wardlight bed list`")]
    UnknownBed(BedId),
    /// The bed has a patient already.
    #[error("bed {0}: occupied; discharge first")]
    Occupied(BedId),
    /// The bed has no patient.
    #[error("bed {0}: empty; admit first")]
    Empty(BedId),
    /// The device is at another bed.
    #[error("device {device}: attached to bed {bed}; detach first")]
    AttachedElsewhere {
        /// Which device.
        device: DeviceId,
        /// Where it is.
        bed: BedId,
    },
    /// The device is at no bed.
    #[error("device {0}: not attached to any bed")]
    NotAttached(DeviceId),
    /// The role does not have that right.
    #[error("a {} may not do that", .0.name().replace('_', " "))]
    NotAllowed(Role),
    /// A pause longer than is allowed.
    #[error("audio pause of {} s: expected 1 to {} s", .0.as_secs(), LONGEST_PAUSE.as_secs())]
    PauseTooLong(Duration),
    /// A red alarm cannot be switched off.
    #[error("{0}: a red alarm cannot be switched off, nor its audio; acknowledge it when it sounds")]
    RedStaysOn(AlarmKind),
    /// Everybody has been called.
    #[error("alarm {0}: everybody has been called already")]
    NobodyFurther(AlarmId),
    /// A text is too long.
    #[error("{0}: expected at most {MAX_TEXT} characters")]
    TextTooLong(&'static str),
    /// There is nothing to read back.
    #[error("bed {0}: no handover is written")]
    NoHandover(BedId),
    /// The limits do not fit.
    #[error(transparent)]
    Limits(#[from] LimitFault),
    /// No such alarm stands.
    #[error("alarm {0}: not active; it may have been acknowledged or cleared meanwhile")]
    NoSuchAlarm(AlarmId),
}

/// What comes out of the Ward, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// An alarm changed: to every outlet at once, and to the journal.
    Alarm(AlarmChange),
    /// The message just stepped must be journaled under this stay (`None`: unassigned device, site key).
    /// Absent for duplicates, whose first copy is already recorded, and for waves that change nothing.
    Record(Option<StayToken>),
    /// The message was a duplicate: acknowledge it, nothing else.
    Duplicate,
    /// Messages are missing before this one.
    Gap {
        /// Of which device.
        device: DeviceId,
        /// How many.
        missed: u32,
    },
    /// A risk estimate is due.
    Infer(InferRequest),
    /// The device should describe itself again.
    RequestBirth(DeviceId),
    /// The command was carried out.
    Done,
    /// The command was refused.
    Refused(Refusal),
}

/// One change of one alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmChange {
    /// Deterministic identity: a redelivered message never makes a second one.
    pub id: AlarmId,
    /// 1 at the raise, one more with each change of this alarm.
    pub revision: u32,
    /// Which bed.
    pub bed: BedId,
    /// Whose stay.
    pub stay: StayToken,
    /// What it is about.
    pub kind: AlarmKind,
    /// How urgent.
    pub priority: Priority,
    /// State after the change.
    pub state: AlarmState,
    /// What happened.
    pub transition: Transition,
    /// Value, limit and parameter at the change, where the kind has them.
    pub cause: Option<Cause>,
    /// When the condition began, on the device's clock.
    pub onset_at: Timestamp,
    /// When the alarm was first declared.
    pub raised_at: Timestamp,
    /// When this change happened.
    pub changed_at: Timestamp,
    /// The message that led to this change, if one did and not time or a person.
    pub trigger: Option<Trigger>,
    /// Who acknowledged.
    pub by: Option<String>,
    /// The call it is part of: the identity of the alarm that began it. Conditions that begin within ten seconds of each
    /// other at one bed are one call, and ring once.
    pub call: AlarmId,
    /// How far the call has gone.
    pub receiver: Receiver,
    /// Who said "I am going".
    pub accepted_by: Option<String>,
    /// Whether it sounds.
    pub audio: Audio,
    /// How often it was said again because its condition went on.
    pub reminders: u16,
}

/// What happened to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Transition {
    /// Its condition began, came back, or became more urgent.
    Raised,
    /// A person took note.
    Acknowledged,
    /// Its condition is over.
    Ended,
    /// Its condition goes on long after somebody took note.
    Reminded,
    /// Nobody answered, or a person called for help: the next receiver is called.
    Escalated,
    /// A person is going there.
    Accepted,
    /// A person turned it down: the next receiver is called.
    Rejected,
    /// A person switched this kind of alarm off.
    SwitchedOff,
    /// Nothing: it is said again after a restart.
    Announced,
}

impl Transition {
    /// Machine name: `raised`, `acknowledged`, …
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Acknowledged => "acknowledged",
            Self::Ended => "ended",
            Self::Reminded => "reminded",
            Self::Escalated => "escalated",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::SwitchedOff => "switched_off",
            Self::Announced => "announced",
        }
    }

    /// Whether people are called anew.
    pub const fn calls_anew(self) -> bool {
        matches!(self, Self::Raised | Self::Reminded | Self::Escalated | Self::Rejected)
    }
}

/// When the message that led to a change was sampled and received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// On the device's clock, as sent.
    pub sampled_at: Timestamp,
    /// On ours.
    pub received_at: Timestamp,
}

/// What crossed what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Which parameter.
    pub parameter: Parameter,
    /// Its value.
    pub value: Milli,
    /// The limit it crossed.
    pub limit: Milli,
}

/// A window for the `deterioration` model.
#[derive(Clone, Debug, PartialEq)]
pub struct InferRequest {
    /// For which bed.
    pub bed: BedId,
    /// For whose stay.
    pub stay: StayToken,
    /// When it was asked for; an answer much later is dropped.
    pub asked_at: Timestamp,
    /// Age in years, if known.
    pub age_years: Option<u8>,
    /// Hourly vitals, oldest first.
    pub window: HourlyWindow,
}

/// What the analysis of a bed's waveforms says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RhythmReport {
    /// Of which bed.
    pub bed: BedId,
    /// In whose stay.
    pub stay: StayToken,
    /// Device clock of the newest sample.
    pub sampled_at: Timestamp,
    /// What.
    pub news: RhythmNews,
}

/// What is new about a rhythm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RhythmNews {
    /// A condition begins or ends.
    Finding(RhythmFinding),
    /// The ECG can be believed, or cannot.
    Signal(EcgSignal),
    /// A model saw a condition begin, and why.
    Sighting(Sighting),
}

/// What a model saw when a condition began by its word. Effects are exact Shapley values in millionths of probability: base, parts and
/// beside add up to the probability, but for rounding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Which condition.
    pub rhythm: Rhythm,
    /// Model id and version, such as `ecg-vf 1.0.0`.
    pub model: String,
    /// Its probability in parts per thousand.
    pub permille: u16,
    /// The first lead that it looked at.
    pub lead: Waveform,
    /// Device clock of the strip's first value.
    pub from: Timestamp,
    /// What it saw of that lead, a value each [`GRID_MS`](crate::rhythm::GRID_MS), in thousandths of the height of the wave.
    pub strip: Vec<i16>,
    /// The probability when all is occluded.
    pub base_ppm: i32,
    /// What each part of the strip adds; the parts are equally long.
    pub parts_ppm: Vec<i32>,
    /// What the intervals and shapes beside the strip add, for a model that knows them.
    pub beside_ppm: Option<i32>,
}

/// The model's answer for one bed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelScore {
    /// For which bed.
    pub bed: BedId,
    /// For whose stay: an answer for a patient who left is dropped.
    pub stay: StayToken,
    /// When it had been asked for.
    pub asked_at: Timestamp,
    /// Model id and version, such as `deterioration 2.0.0`.
    pub model: String,
    /// Calibrated probability in parts per thousand, 0 to 1000.
    pub permille: u16,
    /// The band of the package's thresholds.
    pub band: RiskBand,
    /// Share of the model's inputs that were present, in percent.
    pub completeness_percent: u8,
    /// What made it.
    pub reasons: RiskReasons,
}

/// What made a risk estimate: exact Shapley values in millionths of probability. The base and all effects add up to the estimate, but
/// for rounding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskReasons {
    /// The estimate for a patient of whom only the length of the stay is known.
    pub base_ppm: i32,
    /// Of the vitals in the order of [`crate::trend::HourlyWindow`], then of the age.
    pub effects: [RiskEffect; RISK_INPUTS],
}

/// Inputs of a risk estimate: the vitals and the age.
pub const RISK_INPUTS: usize = crate::trend::VITALS + 1;

/// What one input does to a risk estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskEffect {
    /// Now.
    pub ppm: i32,
    /// As it was without the newest hour; `None` if the stay is too short for that.
    pub hour_ago_ppm: Option<i32>,
}

/// Band of a risk estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RiskBand {
    /// Below the first threshold.
    Low,
    /// Between the thresholds.
    Raised,
    /// Above the second threshold.
    High,
}

/// Where the inference stands on the ladder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelStatus {
    /// Answers in time.
    Live,
    /// Answers come too late.
    Late,
    /// No verified model, or its thread died: rules only.
    #[default]
    Gone,
}
