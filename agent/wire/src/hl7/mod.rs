//! HL7 v2 over MLLP: in, as patient monitors (IHE PCD-01) and the hospital's admission system (ADT) send it; out, alarms (PCD-04) for an
//! alarm manager.
//!
//! Pure, as all of this crate: bytes in, messages of `wardlight-core` or a patient's movement out, and back. What could not be taken says
//! at which segment and field, because the sender is told so.

mod ack;
mod adt;
mod answer;
mod escape;
pub mod mllp;
mod observation;
mod pcd01;
mod pcd04;
pub mod read;
mod status;
#[cfg(test)]
mod tests;
pub mod time;

use wardlight_core::time::Timestamp;

pub use ack::ack;
pub use adt::{Movement, MovementKind, Patient};
pub use answer::{Ack, AckError};
pub use pcd01::Observations;
pub use pcd04::{Message, alarm};
pub use status::{Place, Refusal};

use read::{Hl7, ReadError};
use time::Zone;

/// Who sent a message and what it is: what an acknowledgement repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// MSH-3 and MSH-4: the sending application and facility.
    pub sender: (String, String),
    /// MSH-9.2: the trigger event, `R01`.
    pub event: String,
    /// MSH-10: the sender's own name of the message.
    pub control_id: String,
    /// MSH-11: `P`, or `D` and `T` for what is no patient's.
    pub processing: String,
    /// MSH-12.
    pub version: String,
}

/// What a message holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// What devices measured.
    Observations(Observations),
    /// A patient comes, goes, or is known better.
    Movement(Movement),
}

/// A message that came.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// Empty where not even that could be read.
    pub head: Head,
    /// What it holds, or why it is refused whole.
    pub content: Result<Content, Refusal>,
}

/// Reads a message. Times without a zone are of the zone of MSH-7, and if that has none of `zone`; `received_at` stands in for a time that
/// is missing.
pub fn receive(bytes: &[u8], zone: Zone, received_at: Timestamp) -> Received {
    let unreadable = |error: ReadError| Received {
        head: Head::default(),
        content: Err(Refusal::rejected("MSH", 0, status::SEGMENT_SEQUENCE, error.to_string())),
    };
    let text = match read::text(bytes) {
        Ok(text) => text,
        Err(error) => return unreadable(error),
    };
    match Hl7::read(&text) {
        Ok(message) => Received {
            head: head(&message),
            content: content(&message, zone, received_at),
        },
        Err(error) => unreadable(error),
    }
}

fn head(message: &Hl7<'_>) -> Head {
    let msh = message.header();
    let text = |number| msh.field(number).text().into_owned();
    Head {
        sender: (text(3), text(4)),
        event: msh.field(9).component(2).into_owned(),
        control_id: text(10),
        processing: text(11),
        version: text(12),
    }
}

fn content(message: &Hl7<'_>, zone: Zone, received_at: Timestamp) -> Result<Content, Refusal> {
    let msh = message.header();
    if msh.field(10).is_empty() {
        return Err(Refusal::rejected(
            "MSH",
            10,
            status::REQUIRED_FIELD,
            "expected a message control id",
        ));
    }
    if !msh.field(12).text().starts_with("2.") {
        return Err(Refusal::rejected(
            "MSH",
            12,
            status::UNSUPPORTED_VERSION,
            "expected version 2.x",
        ));
    }
    let sent = time::Instant::read(&msh.field(7).text());
    let zone = sent.and_then(time::Instant::zone).unwrap_or(zone);
    let clock = pcd01::Clock {
        zone,
        sent_at: sent.map_or(received_at, |sent| sent.at(zone)),
    };
    let kind = msh.field(9);
    match (kind.component(1).as_ref(), kind.component(2).as_ref()) {
        ("ORU", "R01") => pcd01::observations(message, clock).map(Content::Observations),
        ("ADT", event) => {
            let expected = "expected A01, A02, A03 or A08";
            let unknown = || Refusal::rejected("MSH", 9, status::UNSUPPORTED_EVENT, expected);
            let kind = MovementKind::of(event).ok_or_else(unknown)?;
            adt::movement(message, kind, clock).map(Content::Movement)
        }
        _ => {
            let expected = "expected ORU^R01 or ADT";
            Err(Refusal::rejected("MSH", 9, status::UNSUPPORTED_TYPE, expected))
        }
    }
}
