//! Other formats than `vitals/v1`: what they bring becomes native messages before the Ward sees it, and those are what is journaled.
//! So a replay, the strips and the pages know one format, and whatever an adapter must remember (aliases, numbers) is not needed to
//! rebuild the past.

pub(crate) mod hl7;
mod numbering;
pub(crate) mod sparkplug;

use bytes::Bytes;
use tracing::error;
use wardlight_core::message::Message;
use wardlight_core::time::Timestamp;
use wardlight_journal::Entry;
use wardlight_wire::encode;

pub(crate) use hl7::Hl7;
pub(crate) use numbering::Numbering;
pub(crate) use sparkplug::Sparkplug;

use crate::config::Config;
use crate::pipeline::Pipeline;
use crate::session::Inbound;

/// What the adapters remember.
#[derive(Default)]
pub(crate) struct Adapters {
    numbering: Numbering,
    hl7: Hl7,
    sparkplug: Option<Sparkplug>,
}

impl Adapters {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            numbering: Numbering::default(),
            hl7: Hl7::of(&config.hl7),
            sparkplug: config.sparkplug.as_ref().map(Sparkplug::of),
        }
    }
}

impl Pipeline {
    /// Steps what an adapter made of a foreign message, as if its devices had sent it.
    fn on_adapted(&mut self, messages: Vec<Message>, live: bool, now: Timestamp) -> Vec<Entry> {
        let mut entries = Vec::new();
        for mut message in messages {
            self.adapters.numbering.number(&mut message, now);
            let native = Inbound {
                topic: encode::topic_of(&self.site, &message),
                payload: Bytes::from(encode::cbor(&message)),
                content_type: None,
                retained: false,
                dup: false,
                ticket: None,
                live,
            };
            // What is stepped is what a replay will read.
            match wardlight_wire::decode(&native.topic, &native.payload, None, now) {
                Ok(decoded) => entries.extend(self.on_message(decoded.message, &native, now)),
                Err(error) => error!(error = %error.for_log(), "An adapter made a message that cannot be read."),
            }
        }
        entries
    }
}
