//! Acknowledgements: `MSH`, `MSA`, and for what was refused `ERR` with the place.

use wardlight_core::time::Timestamp;

use super::time::write;
use super::{Head, Refusal, escape};

/// The acknowledgement of a message: `AA`, or `AE` and `AR` with why. `application` is our name, `id` our own control id.
pub fn ack(head: &Head, outcome: Result<(), &Refusal>, application: &str, id: &str, now: Timestamp) -> Vec<u8> {
    let code = match outcome {
        Ok(()) => "AA",
        Err(refusal) if refusal.is_reject => "AR",
        Err(_) => "AE",
    };
    let or = |text: &str, default: &str| if text.is_empty() { default.to_owned() } else { escaped(text) };
    let event = if head.event.is_empty() {
        String::new()
    } else {
        format!("^{}", escaped(&head.event))
    };
    let mut text = format!(
        "MSH|^~\\&|{}||{}|{}|{}||ACK{event}^ACK|{}|{}|{}||||||UNICODE UTF-8\rMSA|{code}|{}\r",
        escaped(application),
        escaped(&head.sender.0),
        escaped(&head.sender.1),
        write(now),
        escaped(id),
        or(&head.processing, "P"),
        or(&head.version, "2.6"),
        escaped(&head.control_id),
    );
    if let Err(Refusal {
        place, code, text: why, ..
    }) = outcome
    {
        let field = if place.field == 0 {
            String::new()
        } else {
            format!("^{}", place.field)
        };
        let error = format!(
            "ERR||{}^{}{field}|{code}^^HL70357|E||||{}\r",
            place.segment,
            place.ordinal,
            escaped(why)
        );
        text.push_str(&error);
    }
    text.into_bytes()
}

/// A sender's own words back, on one line.
fn escaped(text: &str) -> String {
    escape::text(text, |_control| " ".to_owned())
}
