//! What can go wrong in the simulator.

use std::io;
use std::path::{Path, PathBuf};

/// An error of the simulator; every message names the file, record, bed or device that it is about.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// A file or folder could not be read.
    #[error("{path}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// A line of a text file is not as expected.
    #[error("{path} line {line}: {what}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// What was found and what was expected.
        what: String,
    },
    /// A file as a whole is not as expected.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        what: String,
    },
    /// A recording disagrees with its own header.
    #[error("record {record}, signal {signal}: {what}")]
    Signal {
        /// Record name.
        record: String,
        /// Signal description, or its number.
        signal: String,
        /// What disagrees.
        what: String,
    },
    /// A scenario script makes no sense.
    #[error("scenario {scenario}: {what}")]
    Scenario {
        /// Name of the script.
        scenario: String,
        /// What was found and what was expected.
        what: String,
    },
    /// A setting of a ward or of a load makes no sense.
    #[error("{0}")]
    Setting(String),
    /// A broker could not be reached or refused.
    #[error("broker {broker}: {what}")]
    Broker {
        /// Its address.
        broker: String,
        /// What it or the network said.
        what: String,
    },
}

impl SimulatorError {
    /// For `map_err` on file operations.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |cause| Self::Io {
            path: path.to_path_buf(),
            cause,
        }
    }

    /// A whole file is wrong.
    pub(crate) fn file(path: &Path, what: impl Into<String>) -> Self {
        Self::File {
            path: path.to_path_buf(),
            what: what.into(),
        }
    }

    /// One line is wrong; `index` counts from 0.
    pub(crate) fn line(path: &Path, index: usize, what: impl Into<String>) -> Self {
        Self::Line {
            path: path.to_path_buf(),
            line: index + 1,
            what: what.into(),
        }
    }
}
