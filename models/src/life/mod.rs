//! The life of packages on one machine: `staged → verified → shadow → live → retired`, one step at a time.
//!
//! [`Life`] holds what was brought onto the machine beside the packages that the software carries. A carried package has no record: it
//! is live as long as no other version of its model is, and the last thing that a rollback comes back to.
//!
//! Deliberately absent: files, signatures and certificates, which the caller has checked, and any clock.

mod error;
mod guard;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wardlight_core::time::Timestamp;

pub use error::LifeError;
pub use guard::{Counted, Input, Limits, Trip};

/// The format of the record.
const FORMAT: u32 = 1;
/// Changes that are remembered; the audit trail has them all.
const HISTORY: usize = 1000;

/// Where a version is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Signed, untouched, and its golden vectors came out: it lies beside the others.
    Staged,
    /// It has a certificate of this machine.
    Verified,
    /// It gets what the live version gets, and its answers reach nobody.
    Shadow,
    /// It answers.
    Live,
    /// It was live or in the shadow, and no longer is.
    Retired,
}

impl State {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Verified => "verified",
            Self::Shadow => "shadow",
            Self::Live => "live",
            Self::Retired => "retired",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One version of a model on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Version of the model.
    pub version: String,
    /// SHA-256 of the package's manifest, which holds those of all its files.
    pub package: String,
    /// Where it is in its life.
    pub state: State,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
    /// What put it there.
    pub why: String,
}

/// One step of one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Counts all changes on this machine, from 1.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who, as the caller knew it.
    pub by: String,
    /// Name of the model.
    pub model: String,
    /// Version of the model.
    pub version: String,
    /// Where it was; `None` for a version that came.
    pub from: Option<State>,
    /// Where it is.
    pub to: State,
    /// What for.
    pub why: String,
}

/// Who makes a step, and when.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// The user of the operating system, or the agent.
    pub by: &'a str,
    /// Wall-clock time.
    pub at: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Versions {
    /// In the order in which they came.
    here: Vec<Version>,
    /// Versions that were live before the one that is, the latest last. Below them all is the carried one.
    before: Vec<String>,
}

/// All versions of all models that were brought onto this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Life {
    format: u32,
    models: BTreeMap<String, Versions>,
    history: Vec<Change>,
}

impl Default for Life {
    fn default() -> Self {
        Self {
            format: FORMAT,
            models: BTreeMap::new(),
            history: Vec::new(),
        }
    }
}

impl Life {
    /// Whether this software reads the record's format.
    pub const fn is_readable(&self) -> bool {
        self.format == FORMAT
    }

    /// The versions of a model, in the order in which they came.
    pub fn versions(&self, model: &str) -> &[Version] {
        self.models.get(model).map_or(&[], |versions| versions.here.as_slice())
    }

    /// One version of a model.
    ///
    /// # Errors
    /// [`LifeError::Unknown`].
    pub fn version(&self, model: &str, version: &str) -> Result<&Version, LifeError> {
        let found = self.versions(model).iter().find(|v| v.version == version);
        found.ok_or_else(|| LifeError::Unknown {
            model: model.to_owned(),
            version: version.to_owned(),
        })
    }

    /// The live version; `None` if the carried one is.
    pub fn live(&self, model: &str) -> Option<&Version> {
        self.in_state(model, State::Live)
    }

    /// The version in the shadow.
    pub fn shadow(&self, model: &str) -> Option<&Version> {
        self.in_state(model, State::Shadow)
    }

    /// What a rollback of the live version brings back: `Some(None)` is the carried one. `None` if the carried one is live.
    pub fn predecessor(&self, model: &str) -> Option<Option<&str>> {
        self.live(model)?;
        let versions = self.models.get(model)?;
        Some(versions.before.last().map(String::as_str))
    }

    /// The version that gets what the live one gets, and that nobody hears: the predecessor of one that has been live for less than
    /// `probation`, else the one in the shadow. `Some(None)` is the carried one.
    pub fn unheard(&self, model: &str, now: Timestamp, probation: Duration) -> Option<Option<&str>> {
        let live_since = self.live(model).map(|live| Timestamp::from_millis(live.since_ms));
        if live_since.is_some_and(|since| now.since(since) < probation) {
            return self.predecessor(model);
        }
        self.shadow(model).map(|shadow| Some(shadow.version.as_str()))
    }

    /// The changes that are remembered, oldest first.
    pub fn history(&self) -> &[Change] {
        &self.history
    }

    /// A package comes; a retired one may come again.
    ///
    /// # Errors
    /// [`LifeError::Here`] if it is here already, [`LifeError::Differs`] if another package of this version is.
    pub fn stage(&mut self, model: &str, version: &str, package: &str, stamp: Stamp<'_>) -> Result<(), LifeError> {
        if let Ok(known) = self.version(model, version) {
            if known.package != package {
                return Err(LifeError::Differs {
                    model: model.to_owned(),
                    version: version.to_owned(),
                });
            }
            if known.state != State::Retired {
                return Err(LifeError::Here {
                    model: model.to_owned(),
                    version: version.to_owned(),
                    state: known.state,
                });
            }
        } else {
            self.models.entry(model.to_owned()).or_default().here.push(Version {
                version: version.to_owned(),
                package: package.to_owned(),
                state: State::Retired,
                since_ms: 0,
                why: String::new(),
            });
        }
        self.put(model, version, State::Staged, "staged", stamp);
        Ok(())
    }

    /// A version got a certificate of this machine. In the shadow and live it only has a newer one.
    ///
    /// # Errors
    /// [`LifeError::Unknown`].
    pub fn verify(&mut self, model: &str, version: &str, stamp: Stamp<'_>) -> Result<(), LifeError> {
        if matches!(self.version(model, version)?.state, State::Staged | State::Retired) {
            self.put(model, version, State::Verified, "certificate of this machine", stamp);
        }
        Ok(())
    }

    /// The version that a promotion without a version means: the one in the shadow, else the only verified one.
    ///
    /// # Errors
    /// [`LifeError::NothingToPromote`], [`LifeError::Ambiguous`], or what [`Life::promote`] says of the only staged one.
    pub fn next(&self, model: &str) -> Result<&str, LifeError> {
        let of = |state| {
            self.versions(model)
                .iter()
                .filter(move |v| v.state == state)
                .map(|v| v.version.as_str())
        };
        for state in [State::Shadow, State::Verified, State::Staged] {
            let some: Vec<&str> = of(state).collect();
            match some.as_slice() {
                [] => {}
                [one] => return Ok(one),
                more => {
                    return Err(LifeError::Ambiguous {
                        model: model.to_owned(),
                        versions: more.join(", "),
                    });
                }
            }
        }
        Err(LifeError::NothingToPromote { model: model.to_owned() })
    }

    /// One step: from verified into the shadow, or from the shadow to live. Who was in the shadow or live retires. Returns where it
    /// is now.
    ///
    /// # Errors
    /// [`LifeError::Unknown`], [`LifeError::NotVerified`], [`LifeError::AlreadyLive`].
    pub fn promote(&mut self, model: &str, version: &str, stamp: Stamp<'_>) -> Result<State, LifeError> {
        let found = self.version(model, version)?;
        match found.state {
            State::Staged | State::Retired => Err(LifeError::NotVerified {
                model: model.to_owned(),
                version: version.to_owned(),
                state: found.state,
            }),
            State::Live => Err(LifeError::AlreadyLive {
                model: model.to_owned(),
                version: version.to_owned(),
            }),
            State::Verified => {
                let former = self.shadow(model).map(|former| former.version.clone());
                if let Some(former) = former {
                    let why = format!("{version} is the shadow instead");
                    self.put(model, &former, State::Retired, &why, stamp);
                }
                self.put(model, version, State::Shadow, "promoted", stamp);
                Ok(State::Shadow)
            }
            State::Shadow => {
                let former = self.live(model).map(|former| former.version.clone());
                if let Some(former) = &former {
                    self.put(model, former, State::Retired, &format!("{version} is live instead"), stamp);
                }
                if let Some(versions) = self.models.get_mut(model) {
                    versions.before.extend(former);
                    versions.before.retain(|before| before != version);
                }
                self.put(model, version, State::Live, "promoted", stamp);
                Ok(State::Live)
            }
        }
    }

    /// The live version retires, and what was live before it is live again: returns its version, or `None` for the carried one.
    ///
    /// # Errors
    /// [`LifeError::NothingBefore`] if the carried one is live.
    pub fn roll_back(&mut self, model: &str, why: &str, stamp: Stamp<'_>) -> Result<Option<String>, LifeError> {
        let nothing = || LifeError::NothingBefore { model: model.to_owned() };
        let live = self.live(model).ok_or_else(nothing)?.version.clone();
        let before = self.models.get_mut(model).and_then(|versions| versions.before.pop());
        self.put(model, &live, State::Retired, why, stamp);
        if let Some(before) = &before {
            self.put(model, before, State::Live, &format!("rolled back from {live}"), stamp);
        }
        Ok(before)
    }

    fn in_state(&self, model: &str, state: State) -> Option<&Version> {
        self.versions(model).iter().find(|version| version.state == state)
    }

    /// Moves a version that is here, and remembers it.
    fn put(&mut self, model: &str, version: &str, to: State, why: &str, stamp: Stamp<'_>) {
        let versions = self.models.get_mut(model).map(|versions| &mut versions.here);
        let Some(found) = versions.and_then(|here| here.iter_mut().find(|v| v.version == version)) else {
            return;
        };
        // A version that came has never been stamped.
        let from = (found.since_ms != 0).then_some(found.state);
        found.state = to;
        found.since_ms = stamp.at.as_millis();
        why.clone_into(&mut found.why);
        self.history.push(Change {
            number: self.history.last().map_or(1, |change| change.number + 1),
            at_ms: stamp.at.as_millis(),
            by: stamp.by.to_owned(),
            model: model.to_owned(),
            version: version.to_owned(),
            from,
            to,
            why: why.to_owned(),
        });
        let surplus = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..surplus);
    }
}
