//! What can go wrong between a device and its broker without a message being lost.

use super::transmitter::Publication;
use crate::random::Random;

/// Probabilities of faults, per message.
#[derive(Clone, Debug)]
pub struct Faults {
    /// The message is sent twice.
    pub duplicate: f64,
    /// The message overtakes: it is held and sent after the next one of QoS 1.
    pub reorder: f64,
    /// A damaged copy is sent before the message.
    pub malformed: f64,
    held: Option<Publication>,
    random: Random,
}

impl Faults {
    /// No faults, until some are set.
    pub const fn none(random: Random) -> Self {
        Self {
            duplicate: 0.0,
            reorder: 0.0,
            malformed: 0.0,
            held: None,
            random,
        }
    }

    /// Passes a message on with its faults.
    pub fn pass(&mut self, message: Publication, out: &mut Vec<Publication>) {
        if self.random.chance(self.malformed) {
            out.push(self.damaged(&message));
        }
        let again = self.random.chance(self.duplicate).then(|| message.clone());
        // A wave does not let a held message go: only what is numbered together can be out of order.
        let numbered = message.qos == 1;
        if numbered && self.held.is_none() && self.random.chance(self.reorder) {
            self.held = Some(message);
        } else {
            out.push(message);
            out.extend(self.held.take_if(|_| numbered));
        }
        out.extend(again);
    }

    /// The message cut off, or with one byte changed.
    fn damaged(&mut self, message: &Publication) -> Publication {
        let mut copy = message.clone();
        copy.retain = false;
        let at = self.random.below(copy.payload.len().max(1) as u64) as usize;
        if self.random.chance(0.5) {
            copy.payload.truncate(at);
        } else if let Some(byte) = copy.payload.first_mut() {
            // The first byte decides what the payload is: nothing begins like this.
            *byte = 0xFF;
        }
        copy
    }
}
