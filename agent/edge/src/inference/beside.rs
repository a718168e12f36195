//! Which version nobody hears stands beside each live one, and how it does, written down for people.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use tracing::error;
use wardlight_models::life::Life;

use super::Asked;
use crate::certified::PARTS;
use crate::clock;
use crate::packages::{Comparison, Ledger, Packages};

/// A version that goes live has its predecessor beside it for so long. *ratify*
pub(super) const PROBATION: Duration = Duration::from_hours(1);
/// How they do is written so often, and whenever it is another.
const WRITE_EVERY: Duration = Duration::from_mins(1);

/// What was put beside a live version.
#[derive(Debug)]
struct Placed {
    /// Its version; `None` for the carried one.
    version: Option<String>,
    /// Whether it was fit to be.
    fit: bool,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Beside {
    placed: HashMap<&'static str, Placed>,
    ledger: Ledger,
    written: Option<(Instant, BTreeMap<String, Comparison>)>,
}

impl Beside {
    /// What the inference thread counts in.
    pub(super) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Another version is live for this part: the inference thread has nothing beside it.
    pub(super) fn forget(&mut self, part: &str) {
        self.placed.remove(part);
    }

    /// What was refused is tried again: the packages changed.
    pub(super) fn try_again(&mut self) {
        self.placed.retain(|_, placed| placed.fit);
    }

    /// Puts beside each live version what belongs there now, and writes down how it does.
    pub(super) fn look(&mut self, packages: &Packages, life: &Life, asked: &SyncSender<Asked>) {
        for part in PARTS {
            let wanted = life.unheard(part, clock::wall(), PROBATION);
            let placed = self.placed.get(part);
            match wanted {
                None if placed.is_some() => {
                    self.placed.remove(part);
                    asked.send(Asked::NoUnheard(part)).ok();
                }
                Some(version) if placed.is_none_or(|placed| placed.version.as_deref() != version) => {
                    self.put(part, version, (packages, life), asked);
                }
                _ => {}
            }
        }
        self.write(packages);
    }

    /// On the processor alone: the GPU is for what is heard.
    fn put(
        &mut self,
        part: &'static str,
        version: Option<&str>,
        (packages, life): (&Packages, &Life),
        asked: &SyncSender<Asked>,
    ) {
        let package = match version {
            Some(version) => packages.brought(life, part, version),
            None => packages.carried(part),
        };
        let loaded = package.and_then(|package| packages.certificates().load(&package, None));
        let fit = loaded.is_ok();
        match loaded {
            // The inference thread may have ended with the agent.
            Ok((loaded, _no_gpu)) => drop(asked.send(Asked::Unheard(Box::new(loaded)))),
            Err(error) => {
                asked.send(Asked::NoUnheard(part)).ok();
                error!(
                    model = part,
                    error = format!("{error:#}"),
                    "Nothing stands beside the live version: what should is refused."
                );
            }
        }
        let version = version.map(ToOwned::to_owned);
        self.placed.insert(part, Placed { version, fit });
    }

    fn write(&mut self, packages: &Packages) {
        let now = clock::instant();
        let all = self.ledger.all();
        let due = self.written.as_ref().map_or(!all.is_empty(), |(at, before)| {
            versions(before) != versions(&all) || (now.duration_since(*at) >= WRITE_EVERY && *before != all)
        });
        if !due {
            return;
        }
        if let Err(error) = packages.write_comparisons(&all) {
            error!(
                error = format!("{error:#}"),
                "How the versions in the shadow do is not written."
            );
        }
        self.written = Some((now, all));
    }
}

fn versions(all: &BTreeMap<String, Comparison>) -> Vec<[&str; 3]> {
    let versions = |(part, one)| {
        let (part, one): (&String, &Comparison) = (part, one);
        [part.as_str(), one.live.as_str(), one.unheard.as_str()]
    };
    all.iter().map(versions).collect()
}
