//! The audit trail outside of the machine: signed heads on the way, an export with a signed end, and its verification with the public key
//! alone.
//!
//! A record in an export stands there byte for byte, so its hash can be computed again. What else a line says of it is made from these bytes,
//! and compared with them.

pub(crate) mod cli;
mod fhir;
mod line;
mod signer;
mod verify;

use anyhow::{Context, anyhow};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wardlight_core::hex;
use wardlight_journal::Head;

pub(crate) use signer::sign_heads;

/// What a signature is good for: the head of the trail while it grows, or the end of an export. One is no use as the other.
const HEAD_DOMAIN: &str = "wardlight audit head 1";
const END_DOMAIN: &str = "wardlight audit export 1";

/// The form of an export: lines of JSON, or of FHIR R4 resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// One JSON object per record
    Jsonl,
    /// FHIR R4, newline-delimited: one AuditEvent per record, and a Provenance with the signature
    Fhir,
}

/// A record as a line holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exported {
    head: Head,
    before: Head,
    at_ms: i64,
    /// The record, byte for byte.
    raw: String,
}

/// The end of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    v: u8,
    site: String,
    /// The record before the first.
    base: String,
    /// The last record.
    head: String,
    records: u64,
    signed_at: i64,
    public_key: String,
}

impl End {
    /// What is signed. The fields hold no line breaks but those that somebody put there, and then the signature does not fit.
    fn message(&self) -> String {
        let Self {
            v,
            site,
            base,
            head,
            records,
            signed_at,
            public_key,
        } = self;
        format!("{END_DOMAIN}\n{v}\n{site}\n{base}\n{head}\n{records}\n{signed_at}\n{public_key}")
    }
}

fn sign(pair: &Ed25519KeyPair, message: &str) -> String {
    hex::encode(pair.sign(message.as_bytes()).as_ref())
}

fn is_signed(public_key: &[u8], message: &str, signature: &str) -> bool {
    let key = UnparsedPublicKey::new(&ED25519, public_key);
    hex::decode(signature).is_some_and(|signature| key.verify(message.as_bytes(), &signature).is_ok())
}

/// What is signed of a head while the trail grows.
fn head_message(head: &Head) -> String {
    format!("{HEAD_DOMAIN}\n{head}")
}

impl Format {
    fn line(self, site: &str, exported: &Exported) -> Value {
        match self {
            Self::Jsonl => line::write(exported),
            Self::Fhir => fhir::event(site, exported),
        }
    }

    /// `None` if the line is no record.
    fn read(self, value: &Value) -> Option<Exported> {
        match self {
            Self::Jsonl => line::read(value),
            Self::Fhir => fhir::read_event(value),
        }
    }

    fn end(self, end: &End, signature: &str) -> anyhow::Result<Value> {
        match self {
            Self::Jsonl => Ok(line::write_end(end, signature)),
            Self::Fhir => fhir::provenance(end, signature),
        }
    }

    /// The end and its signature; `None` if the line is no end.
    fn read_end(self, value: &Value) -> Option<(End, String)> {
        match self {
            Self::Jsonl => line::read_end(value),
            Self::Fhir => fhir::read_provenance(value),
        }
    }
}

/// A head as it is printed.
/// # Errors
/// What was expected.
fn head(text: &str) -> anyhow::Result<Head> {
    text.parse()
        .map_err(|expected| anyhow!("{text:?}: {expected}"))
        .context("a head")
}
