//! The command line's way into a running agent: a socket in the journal's folder, which only the agent's own user and root may use.
//!
//! One line of JSON each way. Only what must be done with the journal itself goes through here, and what a device reports, which needs no
//! login here; what nurses do goes through the API.

mod server;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wardlight_station::DeviceSetup;

pub(crate) use server::{Control, serve};

/// Longest line.
const MAX_LINE: u64 = 64 << 10;

/// What can be asked for; `by` is the system's word for who asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Order {
    /// The site key is to be the one in this file.
    Rotate {
        /// Absolute path.
        new_key: PathBuf,
        by: String,
    },
    /// The stay with this token is to be erased.
    Erase { stay: String, by: String },
    /// What a device says to what is asked of it.
    Reported { device: String },
    /// A backup was made, which is to be on record.
    BackedUp { to: PathBuf, by: String },
}

/// What a device reports, beside what is desired of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reported {
    /// In a word: `in_force`, `waiting`, `rejected` or `unanswered`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    /// The revision in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rev: Option<u32>,
    /// The firmware that it runs …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) firmware: Option<String>,
    /// … and the one that it should run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offered: Option<String>,
    /// Settings that it does not take, each with the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub(crate) rejected: BTreeMap<String, String>,
}

impl Reported {
    fn of(setup: &DeviceSetup) -> Self {
        Self {
            state: setup.step.map(|step| step.word().to_owned()),
            rev: setup.reported,
            firmware: setup.firmware.clone(),
            offered: setup.offered.clone(),
            rejected: setup.rejected.clone(),
        }
    }
}

/// What came of it: JSON, or what is wrong.
type Answer = Result<serde_json::Value, String>;

/// Where a running agent listens.
fn socket(journal: &Path) -> PathBuf {
    journal.join("control.sock")
}

/// Asks the running agent and waits for the answer.
/// # Errors
/// If it does not listen, or what it says is wrong.
pub(crate) fn ask<T: DeserializeOwned>(journal: &Path, order: &Order) -> anyhow::Result<T> {
    let path = socket(journal);
    let mut stream = UnixStream::connect(&path).with_context(|| {
        format!(
            "{}: a process has the journal open, and no agent answers there",
            path.display()
        )
    })?;
    serde_json::to_writer(&mut stream, order)?;
    stream.write_all(b"\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    if line.is_empty() {
        bail!("the agent ended before it answered; look at what it did before you ask again");
    }
    let answer: Answer = serde_json::from_str(&line)?;
    let found = answer.map_err(|error| anyhow!("{error}"))?;
    Ok(serde_json::from_value(found)?)
}
