//! Names of places, devices and stays. The one that points at a person redacts itself.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a name was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?}: expected 1 to 64 characters of A-Z a-z 0-9 . _ -")]
pub struct BadId {
    what: &'static str,
    value: String,
}

fn parse(what: &'static str, text: &str) -> Result<Arc<str>, BadId> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(Arc::from(text));
    }
    Err(BadId {
        what,
        value: text.chars().take(80).collect(),
    })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Arc<str>);

        impl $name {
            #[doc = concat!("Parses a ", $what, " name: 1 to 64 characters of `A-Z a-z 0-9 . _ -`, safe in a topic and a URL.")]
            /// # Errors
            /// [`BadId`] with what was found.
            pub fn new(text: &str) -> Result<Self, BadId> {
                parse($what, text).map(Self)
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A hospital site, as in the topics' `{site}`.
    SiteId,
    "site"
);
id!(
    /// A nursing unit (ward), as in the topics' `{unit}`.
    UnitId,
    "unit"
);
id!(
    /// A bed. Beds are shown in the order of their configuration, never re-sorted.
    BedId,
    "bed"
);
id!(
    /// A device, as in the topics' `{dev}`; in production also its certificate's common name.
    DeviceId,
    "device"
);

/// One patient's stay: a random token that means nothing outside this site's journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StayToken([u8; 16]);

impl StayToken {
    /// From sixteen random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the journal's key table.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for StayToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StayToken(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_break_a_topic_are_refused() {
        for bad in ["", "a/b", "a+b", "#", "bed 3", "ü", &"x".repeat(65)] {
            assert!(DeviceId::new(bad).is_err(), "{bad:?} was taken");
        }
        assert_eq!(DeviceId::new("mon-01.A_b").unwrap().as_str(), "mon-01.A_b");
    }

    #[test]
    fn a_stay_never_prints_itself() {
        let shown = format!("{:?}", StayToken::from_bytes([7; 16]));
        assert!(!shown.contains('7'), "{shown}");
    }
}
