//! `wardlight audit export`, and `wardlight audit verify --export`.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use ring::signature::KeyPair;
use wardlight_core::hex;
use wardlight_journal::{Audited, Head, StayToken, verify_audit};

use super::verify::{Sound, verify};
use super::{End, Exported, Format, sign};
use crate::audit_cli::utc;
use crate::clock;
use crate::config::Config;
use crate::erasure::cli::PublicKey;
use crate::keys;

/// Writes every record, and the signed end. A trail that is broken is not signed.
/// # Errors
/// If the trail is broken or cannot be read, or the output fails.
pub(crate) fn export(config: &Config, since_ms: i64, format: Format, mut output: impl Write) -> anyhow::Result<()> {
    let key = keys::load(&config.journal.key_file, &config.journal.dir)?;
    if let Some(broken) = verify_audit(&config.journal.dir, &key, None)?.broken {
        bail!("the trail is broken and is not signed: {broken}; `wardlight audit list` prints it as it is");
    }
    let mut reader = keys::reader(&config.journal)?;
    let mut base = reader.audit_base()?;
    let (mut last, mut records) = (base, 0);
    let site = config.site.as_str();
    for item in reader.audit() {
        let found = item?;
        // Left over from a retention that was cut short.
        if found.head.n <= base.n {
            continue;
        }
        if found.at_ms < since_ms && records == 0 {
            (base, last) = (found.head, found.head);
            continue;
        }
        last = found.head;
        records += 1;
        writeln!(output, "{}", format.line(site, &exported(found)?))?;
    }
    let pair = keys::signing(&config.journal)?;
    let end = End {
        v: 1,
        site: site.to_owned(),
        base: base.to_string(),
        head: last.to_string(),
        records,
        signed_at: clock::wall().as_millis(),
        public_key: hex::encode(pair.public_key().as_ref()),
    };
    let signature = sign(&pair, &end.message());
    writeln!(output, "{}", format.end(&end, &signature)?)?;
    output.flush()?;
    Ok(())
}

fn exported(found: Audited) -> anyhow::Result<Exported> {
    let Audited {
        head,
        before,
        at_ms,
        stay,
        record,
        ..
    } = found;
    if stay != StayToken::SITE {
        bail!("record {}: it is sealed under a patient's key and cannot be exported", head.n);
    }
    let raw = String::from_utf8(record).with_context(|| format!("record {}: it is no text", head.n))?;
    Ok(Exported {
        head,
        before,
        at_ms,
        raw,
    })
}

/// Verifies an export offline; returns whether it is sound.
/// # Errors
/// If the file cannot be read or the output fails.
pub(crate) fn check(file: &Path, key: &PublicKey, noted: Option<&Head>, mut output: impl Write) -> anyhow::Result<bool> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let outcome = verify(&text, &key.0, noted);
    match &outcome {
        Ok(Sound { end, heads }) => {
            writeln!(
                output,
                "{} records of the site {}, whole, behind record {} up to {}; signed at {}, and {heads} signed heads on the way.",
                end.records,
                end.site,
                end.base.split(':').next().unwrap_or_default(),
                end.head,
                utc(end.signed_at)
            )?;
        }
        Err(fault) => writeln!(output, "BROKEN: {fault}")?,
    }
    output.flush()?;
    Ok(outcome.is_ok())
}
