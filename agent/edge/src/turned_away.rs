//! Whoever is turned away at a door: counted, shown in the System view, and audited when it is news.

use metrics::counter;
use tokio::sync::mpsc;
use wardlight_station::{Refusal, Station};

use crate::agent::Input;
use crate::audit::Record;
use crate::metrics as m;

/// Who is told.
#[derive(Clone)]
pub(crate) struct TurnedAway {
    station: Station,
    inbox: mpsc::Sender<Input>,
}

impl TurnedAway {
    pub(crate) fn new(station: &Station, inbox: &mpsc::Sender<Input>) -> Self {
        Self {
            station: station.clone(),
            inbox: inbox.clone(),
        }
    }

    /// `who`, an address or the name of a device, was turned away at `door`. Audited once for as long as the page shows the like, so that
    /// nobody buries the trail by knocking.
    pub(crate) fn at(&self, door: &'static str, who: &str, reason: &'static str) {
        counter!(m::TURNED_AWAY, "door" => door, "reason" => reason).increment(1);
        let news = self.station.refused(Refusal {
            door,
            who: who.to_owned(),
            reason: reason.to_owned(),
        });
        if news {
            let record = Record::by_agent("turned_away", format!("{door}: {who}: {reason}"));
            // A full inbox is busy with patients; the page and the counter have it all the same.
            self.inbox.try_send(Input::Audit(Box::new(record))).ok();
        }
    }
}
