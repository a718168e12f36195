//! What is wrong with a profile: everything at once, each fault with its line, path and value.

use std::fmt;

/// One fault of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line in the file, from 1; of a field that is missing, the line where its table begins.
    pub line: usize,
    /// Where, as `channel[2].wave.rate_hz`.
    pub path: String,
    /// What stands there.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} = {}: expected {}", self.line, self.path, self.found, self.expected)
    }
}

/// Why a profile was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// No profile of this name is built in.
    #[error("profile {name:?}: not built in; expected one of {}", known.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// The text is no TOML.
    #[error("{file}: {message}")]
    Toml {
        /// Which file.
        file: String,
        /// What the TOML reader says, with line and column.
        message: String,
    },
    /// Fields that cannot be, all of them.
    #[error("{}", lines(file, faults))]
    Faults {
        /// Which file.
        file: String,
        /// All faults, in the order of the file's lines.
        faults: Vec<Fault>,
    },
}

fn lines(file: &str, faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(|fault| format!("{file}:{fault}")).collect();
    lines.join("\n")
}
