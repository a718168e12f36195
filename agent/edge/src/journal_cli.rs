//! `wardlight journal …`: reading what the agent stored, also while it runs.

use std::io::Write;

use serde::Serialize;
use wardlight_core::message::{Body, Message};
use wardlight_core::time::Timestamp;
use wardlight_journal::{Filter, Kind, verify};
use wardlight_wire::encode::topic_kind;

use crate::config::Config;
use crate::keys;
use crate::record::{RawMessage, Stored};

/// One stored message as `export` prints it.
#[derive(Debug, Serialize)]
struct Line<'a> {
    journal_seq: u64,
    device: &'a str,
    boot: Option<u32>,
    seq: Option<u32>,
    kind: &'static str,
    measured_at: i64,
    received_at: i64,
    topic: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<serde_json::Value>,
}

/// Prints every stored message, one JSON object per line. Returns how many could not be read; each is named on stderr.
/// # Errors
/// If the journal cannot be opened or the output fails.
pub(crate) fn export(config: &Config, mut output: impl Write) -> anyhow::Result<usize> {
    let mut reader = keys::reader(&config.journal)?;
    let mut unreadable = 0;
    for item in reader.entries(0, Filter::of_kinds(&[Kind::Message])) {
        let stored = match item {
            Ok(stored) => stored,
            Err(error) => {
                unreadable += 1;
                complain(&error.to_string());
                continue;
            }
        };
        let received_at = Timestamp::from_millis(stored.entry.at_ms);
        let Ok(Stored::Message(raw)) = Stored::read(&stored.entry.body) else {
            unreadable += 1;
            complain(&format!("entry {}: of another version", stored.seq));
            continue;
        };
        match wardlight_wire::decode(raw.topic, raw.payload, raw.content_type, received_at) {
            Ok(decoded) => {
                let line = line(stored.seq, &decoded.message, &raw, received_at);
                serde_json::to_writer(&mut output, &line)?;
                writeln!(output)?;
            }
            Err(error) => {
                unreadable += 1;
                complain(&format!("entry {}: {error}", stored.seq));
            }
        }
    }
    output.flush()?;
    Ok(unreadable)
}

fn line<'a>(journal_seq: u64, message: &'a Message, raw: &RawMessage<'a>, received_at: Timestamp) -> Line<'a> {
    Line {
        journal_seq,
        device: message.device.as_str(),
        boot: message.boot,
        seq: message.seq,
        kind: topic_kind(&message.body).name(),
        measured_at: message.sent_at.as_millis(),
        received_at: received_at.as_millis(),
        topic: raw.topic,
        payload: json_twin(message),
    }
}

/// The message as its JSON twin, whatever format it came in; waveforms are left out.
fn json_twin(message: &Message) -> Option<serde_json::Value> {
    if matches!(message.body, Body::Wave(_)) {
        return None;
    }
    serde_json::from_slice(&wardlight_wire::encode::json(message)).ok()
}

/// Checks the whole journal; returns whether it is sound.
/// # Errors
/// If it cannot be opened at all.
pub(crate) fn check(config: &Config, mut output: impl Write) -> anyhow::Result<bool> {
    let key = keys::load(&config.journal.key_file, &config.journal.dir)?;
    let report = verify(&config.journal.dir, &key)?;
    for fault in &report.faults {
        writeln!(output, "{fault}")?;
    }
    let found = (
        report.entries,
        report.segments,
        report.checkpoints,
        report.quarantined,
        report.newest,
    );
    writeln!(
        output,
        "{} entries, {} segments, {} checkpoints, {} quarantined items, newest entry {}: {}",
        found.0,
        found.1,
        found.2,
        found.3,
        found.4,
        if report.is_sound() { "sound" } else { "NOT SOUND" }
    )?;
    Ok(report.is_sound())
}

/// Lists what could not be decoded, without the payload.
/// # Errors
/// If the journal cannot be opened or the output fails.
pub(crate) fn quarantine(config: &Config, mut output: impl Write) -> anyhow::Result<()> {
    for item in keys::reader(&config.journal)?.quarantine()? {
        match item {
            Ok(found) => {
                let suspect = &found.suspect;
                let (bytes, at) = (suspect.body.len(), suspect.at_ms);
                let line =
                    serde_json::json!({ "received_at": at, "source": suspect.source, "reason": suspect.reason, "bytes": bytes });
                writeln!(output, "{line}")?;
            }
            Err(error) => complain(&error.to_string()),
        }
    }
    Ok(())
}

fn complain(text: &str) {
    // If standard error is gone there is nobody to tell.
    writeln!(std::io::stderr(), "{text}").ok();
}
