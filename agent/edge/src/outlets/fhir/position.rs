//! How far the server has everything, on disk: what a restart goes on from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::warn;
use wardlight_core::event::Command;
use wardlight_core::ids::{BedId, DeviceId};
use wardlight_core::time::Timestamp;
use wardlight_wire::fhir::Occupancy;

use crate::whole_file;

/// Beside the journal's database. It holds no name, token or value.
const FILE: &str = "fhir-position.json";

/// A place in the journal, and what must be known of the time before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The newest entry of which the server has everything.
    pub(super) seq: u64,
    /// When it was recorded, in milliseconds since 1970.
    pub(super) at_ms: i64,
    /// Devices in demo mode: what they say is not about a patient.
    pub(super) demo: BTreeSet<DeviceId>,
    /// Who is in which bed. It points at people, so it is not saved but read from the journal again.
    #[serde(skip)]
    pub(super) beds: BTreeMap<BedId, Occupancy>,
}

impl Position {
    /// A device began or ended its demo mode.
    pub(super) fn note_demo(&mut self, device: &DeviceId, on: bool) {
        if on {
            self.demo.insert(device.clone());
        } else {
            self.demo.remove(device);
        }
    }

    /// Follows an order that was carried out; returns the stay that it began, moved or ended.
    pub(super) fn follow(&mut self, command: &Command, at: Timestamp) -> Option<Occupancy> {
        match command {
            Command::Admit { bed, stay, .. } => {
                let begun = Occupancy {
                    stay: *stay,
                    bed: bed.clone(),
                    admitted_at: at,
                    discharged_at: None,
                };
                self.beds.insert(bed.clone(), begun.clone());
                Some(begun)
            }
            Command::Transfer { from, to, .. } => {
                let mut moved = self.beds.remove(from)?;
                moved.bed = to.clone();
                self.beds.insert(to.clone(), moved.clone());
                Some(moved)
            }
            Command::Discharge { bed } => {
                let mut ended = self.beds.remove(bed)?;
                ended.discharged_at = Some(at);
                Some(ended)
            }
            _ => None,
        }
    }
}

/// The file that holds it.
#[derive(Debug)]
pub(super) struct PositionFile {
    path: PathBuf,
}

impl PositionFile {
    pub(super) fn new(journal: &Path) -> Self {
        Self {
            path: journal.join(FILE),
        }
    }

    /// What was saved last. A file that cannot be read is no reason to leave anything out: then all that is kept is sent again, which
    /// changes nothing at the server.
    pub(super) fn load(&self) -> Option<Position> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                warn!(%error, "The position of the FHIR outlet cannot be read: everything that is kept is sent again.");
                return Some(Position::default());
            }
        };
        let position = serde_json::from_slice(&text);
        Some(position.unwrap_or_else(|error| {
            warn!(%error, "The position of the FHIR outlet is damaged: everything that is kept is sent again.");
            Position::default()
        }))
    }

    /// Saves it, whole or not at all. Where that fails, a restart sends again what the server has already.
    pub(super) fn save(&self, position: &Position) {
        let saved = serde_json::to_vec(position)
            .map_err(io::Error::from)
            .and_then(|text| whole_file::write(&self.path, &text));
        if let Err(error) = saved {
            warn!(%error, "The position of the FHIR outlet could not be saved.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_saved_and_a_damaged_one_leaves_nothing_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = PositionFile::new(folder.path());
        assert_eq!(file.load(), None);
        let position = Position {
            seq: 7,
            at_ms: 8,
            demo: [DeviceId::new("mon-01").unwrap()].into(),
            beds: BTreeMap::new(),
        };
        file.save(&position);
        assert_eq!(file.load(), Some(position));
        fs::write(&file.path, b"{").unwrap();
        assert_eq!(file.load(), Some(Position::default()));
    }
}
