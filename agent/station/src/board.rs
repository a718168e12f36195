//! The latest state of everything that a page shows: what a new or lagging page gets first.

use std::collections::HashMap;
use std::sync::Arc;

use wardlight_core::alarms::AlarmState;
use wardlight_core::event::{AlarmChange, ModelStatus};
use wardlight_core::ids::BedId;
use wardlight_core::time::Timestamp;
use wardlight_core::view::{BedView, WardView};

use crate::info::{Health, StationInfo, Storage};
use crate::refusals::Refusals;
use crate::setup::DeviceSetup;

/// The newest views. Cloning is cheap: beds are shared.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    pub(crate) now: Timestamp,
    pub(crate) beds: Vec<Option<Arc<BedView>>>,
    pub(crate) ward: WardView,
    pub(crate) health: Health,
    pub(crate) storage: Storage,
    pub(crate) refusals: Refusals,
    pub(crate) setups: Arc<[DeviceSetup]>,
    position: Arc<HashMap<BedId, usize>>,
}

impl Board {
    pub(crate) fn new(info: &StationInfo) -> Self {
        let order = info.units.iter().flat_map(|u| &u.beds);
        let position: HashMap<BedId, usize> = order.enumerate().map(|(i, bed)| (bed.clone(), i)).collect();
        Self {
            now: Timestamp::default(),
            beds: vec![None; position.len()],
            ward: WardView {
                unacknowledged: [0; 3],
                model: ModelStatus::Gone,
                unassigned: Vec::new(),
            },
            health: Health::default(),
            storage: Storage::default(),
            refusals: Refusals::default(),
            setups: Arc::default(),
            position: Arc::new(position),
        }
    }

    /// Keeps the newest view of a bed. A bed that the configuration does not name has no place on the page and is ignored.
    pub(crate) fn put(&mut self, view: Arc<BedView>) {
        if let Some(slot) = self.slot(&view.bed) {
            *slot = Some(view);
        }
    }

    /// Brings a changed alarm into its bed, so that a snapshot taken before the bed's next view holds it.
    pub(crate) fn apply(&mut self, change: &AlarmChange) {
        self.now = self.now.max(change.changed_at);
        let Some(Some(view)) = self.slot(&change.bed) else { return };
        let alarms = &mut Arc::make_mut(view).alarms;
        alarms.retain(|a| a.id != change.id);
        if change.state != AlarmState::Cleared {
            alarms.push(change.into());
            alarms.sort_by_key(|a| (std::cmp::Reverse(a.priority), std::cmp::Reverse(a.raised_at)));
        }
    }

    /// Beds that have been seen, in the order of the page.
    pub(crate) fn seen(&self) -> impl Iterator<Item = &Arc<BedView>> {
        self.beds.iter().flatten()
    }

    fn slot(&mut self, bed: &BedId) -> Option<&mut Option<Arc<BedView>>> {
        let index = *self.position.get(bed)?;
        self.beds.get_mut(index)
    }
}
