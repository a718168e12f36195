//! What people ask for on the page or through the API.

use tokio::sync::oneshot;
use wardlight_core::alarms::AlarmId;
use wardlight_core::event::{Command, Refusal};
use wardlight_core::ids::{BedId, DeviceId, StayToken};
use wardlight_core::patient::{Consciousness, PatientProfile};
use wardlight_core::people::Actor;
use wardlight_core::time::Timestamp;

use crate::history::Receipt;
use crate::people::{Happening, Origin};
use crate::what_if::{WhatIf, WhatIfAnswer};

/// Where the outcome of a request goes. Dropping it tells the page that the agent did not answer.
pub type Reply = oneshot::Sender<Result<(), CommandFailure>>;

/// From the station to the agent.
#[derive(Debug)]
pub enum StationCommand {
    /// A person asks for something; the page waits for the reply.
    Request {
        /// What.
        request: Request,
        /// Who asks, in which role.
        by: Actor,
        /// From where, and under which login.
        from: Origin,
        /// Where the outcome goes.
        reply: Reply,
    },
    /// A person asks what other limits would have done; answered beside the Ward.
    WhatIf {
        /// What.
        question: WhatIf,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<WhatIfAnswer, CommandFailure>>,
    },
    /// A page reports that it drew an alarm, or that a person turned to it.
    Receipt {
        /// Which alarm.
        alarm: AlarmId,
        /// What.
        receipt: Receipt,
        /// When, on the page's estimate of the agent's clock.
        at: Timestamp,
    },
    /// Something about people happened that belongs in the audit trail.
    Happened(Happening),
}

/// A request of a person: [`Command`] without what only the agent can add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A patient takes a bed.
    Admit {
        /// Which bed.
        bed: BedId,
        /// Facts for scores and limits.
        profile: PatientProfile,
    },
    /// The patient leaves.
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
    /// A nurse writes down what no device measures.
    Chart {
        /// Which bed.
        bed: BedId,
        /// Consciousness.
        consciousness: Option<Consciousness>,
        /// Whether the patient is given oxygen.
        oxygen: Option<bool>,
    },
    /// Anything else, as the Ward knows it.
    Other(Command),
}

impl Request {
    /// The Ward's command; `stay` is a fresh random token, used by an admission only.
    pub fn into_command(self, stay: StayToken) -> Command {
        match self {
            Self::Admit { bed, profile } => Command::Admit { bed, stay, profile },
            Self::Discharge { bed } => Command::Discharge { bed },
            Self::Attach { device, bed } => Command::Attach { device, bed },
            Self::Detach { device } => Command::Detach { device },
            Self::Acknowledge { alarm } => Command::Acknowledge { alarm },
            Self::Other(command) => command,
            Self::Chart {
                bed,
                consciousness,
                oxygen,
            } => Command::Chart {
                bed,
                consciousness,
                oxygen,
            },
        }
    }
}

/// Why a request was not carried out. Its text is for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandFailure {
    /// The Ward refused it: nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The agent has too much to do, or is stopping: nothing changed.
    #[error("the agent is busy: not sent, try again")]
    Busy,
    /// The agent took it and did not answer in time: it may or may not have happened.
    #[error("the agent did not confirm within 5 s: look whether it happened")]
    Unconfirmed,
    /// The agent could not carry it out, for example because the journal refused it.
    #[error("{0}")]
    Failed(String),
}
