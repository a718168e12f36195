//! The way of the data, on the Ward's thread: message → decode → step → effects → outlets at once, journal behind.
//!
//! Nothing here waits: alarms leave before their record is submitted, and no queue is ever waited for.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use metrics::{counter, gauge, histogram};
use tracing::warn;
use wardlight_core::alarms::{AlarmId, AlarmState};
use wardlight_core::bed_rhythms::BedRhythms;
use wardlight_core::event::{AlarmChange, Effect, Event, RhythmReport};
use wardlight_core::ids::{BedId, DeviceId, SiteId, StayToken};
use wardlight_core::message::{Body, Message, WaveBlock};
use wardlight_core::time::Timestamp;
use wardlight_core::ward::Ward;
use wardlight_journal::{Entry, Kind, StayToken as StayKey, Suspect};
use wardlight_station::{CommandFailure, Receipt, Reply, Station, WaveView};
use wardlight_wire::encode::topic_kind;
use wardlight_wire::{Alert, Cmd, Topic};

use crate::adapters::Adapters;
use crate::audit::Record;
use crate::clock::Clock;
use crate::config::Unit;
use crate::desk::{Desk, Ticket};
use crate::heard::{self, HeardLive};
use crate::inference::{Found, HeardAtBed, Inference};
use crate::metrics as m;
use crate::outlets::Outlets;
use crate::record::{self, RawMessage, Stored};
use crate::remote::Remote;
use crate::session::Inbound;
use crate::strips::Strips;
use crate::ticks;

/// The Ward with everything that its effects go to.
pub(crate) struct Pipeline {
    pub(crate) site: SiteId,
    /// The unit of each bed.
    pub(crate) units: HashMap<BedId, Arc<Unit>>,
    pub(crate) ward: Ward,
    pub(crate) station: Station,
    pub(crate) outlets: Outlets,
    pub(crate) desk: Desk,
    pub(crate) rhythms: BedRhythms,
    pub(crate) strips: Strips,
    pub(crate) heard: HeardLive,
    pub(crate) remote: Remote,
    pub(crate) inference: Inference,
    pub(crate) adapters: Adapters,
    /// Says when an alarm left for its receivers; all else is decided by the time that is passed in.
    pub(crate) clock: Clock,
}

/// Before every topic of Sparkplug.
const SPARKPLUG: &str = "spBv1.0/";

/// What one step brought, for whoever asked.
#[derive(Debug, Default)]
struct Outcome {
    entries: Vec<Entry>,
    refused: Option<CommandFailure>,
    duplicate: bool,
}

/// Who asked waits for the answer, and what was asked for is audited.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) reply: Reply,
    pub(crate) record: Record,
}

impl Pipeline {
    /// Takes a message from the broker. Its PUBACK follows the commit of its record, whatever became of it.
    pub(crate) fn on_inbound(&mut self, inbound: &Inbound, now: Timestamp) {
        if inbound.topic.starts_with(SPARKPLUG) {
            self.on_sparkplug(inbound, now);
            return;
        }
        let mut suspects = Vec::new();
        let decoded = wardlight_wire::decode(&inbound.topic, &inbound.payload, inbound.content_type.as_deref(), now);
        let entries = match decoded {
            Ok(decoded) => {
                if !decoded.rejected.is_empty() {
                    counter!(m::REJECTED).increment(decoded.rejected.len() as u64);
                    let reasons: Vec<String> = decoded.rejected.iter().map(ToString::to_string).collect();
                    let fields: Vec<String> = decoded
                        .rejected
                        .iter()
                        .map(wardlight_wire::RejectedReading::for_log)
                        .collect();
                    warn!(device = %decoded.message.device, fields = fields.join("; "), "Readings refused.");
                    suspects.push(self.suspect(inbound, reasons.join("; "), now));
                }
                self.on_message(decoded.message, inbound, now)
            }
            Err(error) => {
                let qos = if inbound.ticket.is_some() { "1" } else { "0" };
                counter!(m::REFUSED, "reason" => error.reason(), "qos" => qos).increment(1);
                warn!(error = %error.for_log(), "Message refused and quarantined.");
                suspects.push(self.suspect(inbound, error.to_string(), now));
                Vec::new()
            }
        };
        self.desk
            .submit(entries, suspects, inbound.ticket.map_or(Ticket::Nothing, Ticket::Puback));
    }

    /// Takes a message that was heard live. It is judged now; its copy, which comes when the journal can commit, is what is
    /// recorded and acknowledged, and put into quarantine if it cannot be read.
    pub(crate) fn on_live(&mut self, inbound: &Inbound, now: Timestamp) {
        counter!(m::LIVE_MESSAGES).increment(1);
        if inbound.topic.starts_with(SPARKPLUG) {
            self.on_sparkplug(inbound, now);
            return;
        }
        let content_type = inbound.content_type.as_deref();
        if let Ok(decoded) = wardlight_wire::decode(&inbound.topic, &inbound.payload, content_type, now) {
            let entries = self.on_message(decoded.message, inbound, now);
            self.desk.submit(entries, Vec::new(), Ticket::Nothing);
        }
    }

    /// Puts on record that a message was skipped unread.
    pub(crate) fn on_unread(&mut self, source: String, reason: String, ticket: Ticket, now: Timestamp) {
        let suspect = Suspect {
            stay: StayKey::SITE,
            source,
            reason,
            at_ms: now.as_millis(),
            body: Vec::new(),
        };
        self.desk.submit(Vec::new(), vec![suspect], ticket);
    }

    /// Steps anything but a message. A person's request is answered when its record is committed, and its audit record with it.
    pub(crate) fn on_event(&mut self, event: Event, asked: Option<Asked>, now: Timestamp) {
        let mut entries: Vec<Entry> = record::input_entry(&event, &self.ward, now).into_iter().collect();
        let outcome = self.step(event, None, now);
        if outcome.refused.is_some() {
            // Nothing changed by it, so it is not on record; what time did meanwhile is.
            entries.clear();
        }
        entries.extend(outcome.entries);
        let reply = asked.map(|Asked { reply, record }| {
            let record = record.with_outcome(outcome.refused.as_ref());
            entries.push(audited(&record, now));
            reply
        });
        let ticket = match (reply, outcome.refused) {
            (Some(reply), Some(failure)) => {
                // A page that has gone needs no answer.
                reply.send(Err(failure)).ok();
                Ticket::Nothing
            }
            (Some(reply), None) => Ticket::Reply(reply),
            (None, _) => Ticket::Nothing,
        };
        self.desk.submit(entries, Vec::new(), ticket);
    }

    /// Puts into the audit trail what is no command.
    pub(crate) fn audit(&mut self, record: &Record, now: Timestamp) {
        self.desk.submit(vec![audited(record, now)], Vec::new(), Ticket::Nothing);
    }

    /// Lets time pass up to `now`.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        let mut effects = Vec::new();
        ticks::run_until(&mut self.ward, now, &mut effects);
        let outcome = self.carry_out(effects, None, now);
        if !outcome.entries.is_empty() {
            self.desk.submit(outcome.entries, Vec::new(), Ticket::Nothing);
        }
        for report in self.rhythms.tick(now) {
            self.on_event(Event::Rhythm(report), None, now);
        }
    }

    /// Shows every bed; once a second, which is also the page's heartbeat.
    pub(crate) fn show(&mut self, now: Timestamp) {
        let mut beds = self.ward.beds();
        for view in beds.iter_mut().filter(|view| view.stay.is_some()) {
            view.ecg = self.rhythms.state(&view.bed);
        }
        let overview = self.ward.overview();
        gauge!(m::BEDS_OCCUPIED).set(beds.iter().filter(|b| b.stay.is_some()).count() as f64);
        gauge!(m::BEDS_BLIND).set(beds.iter().filter(|b| b.blind_since.is_some()).count() as f64);
        gauge!(m::DEVICES_UNASSIGNED).set(overview.unassigned.len() as f64);
        gauge!(m::MODEL_STATUS).set(f64::from(2 - overview.model as u8));
        gauge!(m::PAGES).set(self.station.counters().pages as f64);
        let mut entries = Vec::new();
        for (stay, view, at, row) in self.station.publish_beds(beds, overview, now) {
            if let Some(news2) = &view.news2 {
                entries.push(Stored::News2(view.bed.clone(), news2.score).entry(Kind::Trend, Some(stay), now));
            }
            entries.push(Stored::Trend(view.bed.clone(), row).entry(Kind::Trend, Some(stay), at));
        }
        self.desk.submit(entries, Vec::new(), Ticket::Nothing);
    }

    /// Tells devices what is wanted of them now and was not before, or what they did not answer, and shows how far each is.
    pub(crate) fn tell_devices(&mut self, now: Timestamp) {
        for (device, cmd) in self.remote.look(now) {
            self.outlets.command(&self.site, &device, &cmd);
        }
        if let Some(setups) = self.remote.setups() {
            self.station.publish_setups(setups);
        }
    }

    /// A page has drawn an alarm, or a person has turned to it. The first report of each counts, and never a time that is
    /// still to come.
    pub(crate) fn on_receipt(&mut self, alarm: AlarmId, receipt: Receipt, at: Timestamp, now: Timestamp) {
        let at = at.min(now);
        let Some(receipts) = self.station.confirm(&alarm, receipt, at) else {
            return;
        };
        if let (Receipt::Displayed, Some(sampled_at)) = (receipt, receipts.sampled_at) {
            histogram!(m::DISPLAY_LATENCY).record(at.since(sampled_at).as_secs_f64());
        }
        let stay = record::stay_of_alarm(&alarm, &self.ward);
        let entry = Stored::Receipt(alarm, receipt, at).entry(Kind::Alarm, stay, now);
        self.desk.submit(vec![entry], Vec::new(), Ticket::Nothing);
    }

    pub(crate) fn on_message(&mut self, message: Message, inbound: &Inbound, now: Timestamp) -> Vec<Entry> {
        counter!(m::MESSAGES, "kind" => topic_kind(&message.body).name()).increment(1);
        let wave = match &message.body {
            Body::Wave(block) => self.ward.bed_of(&message.device).cloned().map(|bed| {
                let reports = self.analyse(&bed, block, message.sent_at, now);
                (bed, WaveView::new(block, message.sent_at), reports)
            }),
            _ => None,
        };
        let is_wave = matches!(message.body, Body::Wave(_));
        let (device, number) = (message.device.clone(), heard::number(&message));
        // What was heard live comes again, and then counts.
        let may_be_told = !inbound.live && self.remote.hear(&message, inbound.retained);
        let outcome = self.step(Event::Message(message), Some(inbound), now);
        if may_be_told {
            for cmd in self.remote.due(&device, now) {
                self.outlets.command(&self.site, &device, &cmd);
            }
        }
        let mut entries = outcome.entries;
        if inbound.live {
            if !outcome.duplicate {
                self.heard.judged(&device, number, now);
            }
        } else if self.heard.owes_records(now) {
            self.heard.came(&device, number);
            if outcome.duplicate {
                // It may have been heard live only. Twice on record is harmless, acknowledged and not on record is not.
                entries.push(message_entry(inbound, self.stay_at(&device), now));
            }
        }
        if let Some((bed, view, reports)) = wave {
            for report in reports {
                let entry = record::input_entry(&Event::Rhythm(report.clone()), &self.ward, now);
                entries.extend(self.step(Event::Rhythm(report), None, now).entries);
                entries.extend(entry);
            }
            self.station.publish_wave(&bed, &view);
            if let Some(stay) = self.ward.stay_in(&bed).filter(|_| inbound.ticket.is_none()) {
                entries.extend(
                    self.strips
                        .take(&bed, stay, inbound.topic.clone(), inbound.payload.clone(), now),
                );
            }
        }
        if is_wave && inbound.ticket.is_some() && entries.is_empty() {
            // Waveforms are meant to come at QoS 0; what asks for an acknowledgement is kept before it gets one.
            entries.push(message_entry(inbound, self.stay_at(&device), now));
        }
        entries
    }

    /// What a block of waveform says about the rhythm. What was heard in it goes on to the models.
    fn analyse(&mut self, bed: &BedId, block: &WaveBlock, sent_at: Timestamp, now: Timestamp) -> Vec<RhythmReport> {
        let Some(stay) = self.ward.stay_in(bed) else {
            return Vec::new();
        };
        let standing = || self.ward.rhythms_in(bed);
        let mut heard = Vec::new();
        let reports = self
            .rhythms
            .take(bed, stay, (block, sent_at), now, standing, &mut |one| heard.push(one));
        if let Some(hearing) = self.rhythms.hearing(bed).filter(|_| !heard.is_empty()) {
            let heard = HeardAtBed {
                bed: bed.clone(),
                hearing,
                asked_at: now,
                heard,
            };
            if !self.inference.tell(heard) {
                counter!(m::INFERENCE_DROPPED, "of" => "ecg").increment(1);
            }
        }
        reports
    }

    /// Models found something in the waveforms of a bed.
    pub(crate) fn on_found(&mut self, found: Found, now: Timestamp) {
        let Found {
            bed,
            hearing,
            findings,
            sightings,
        } = found;
        for finding in findings.iter().filter(|finding| finding.present) {
            counter!(m::MODEL_FINDINGS, "rhythm" => finding.rhythm.name()).increment(1);
        }
        for report in self.rhythms.take_modelled(&bed, hearing, findings, sightings) {
            self.on_event(Event::Rhythm(report), None, now);
        }
    }

    /// What ECG models said no longer counts: they have not answered for too long.
    pub(crate) fn forget_models(&mut self, now: Timestamp) {
        for report in self.rhythms.forget_models() {
            self.on_event(Event::Rhythm(report), None, now);
        }
    }

    /// The bed gets another patient, or none: nothing of the last one's waveforms is held.
    pub(crate) fn forget_waves(&mut self, bed: &BedId) {
        self.strips.forget(bed);
        self.rhythms.forget(bed);
    }

    /// The stay at the bed where a device is.
    pub(crate) fn stay_at(&self, device: &DeviceId) -> Option<StayToken> {
        self.ward.bed_of(device).and_then(|bed| self.ward.stay_in(bed))
    }

    /// What cannot be decoded, or not all of it, under the key of the stay whose device sent it.
    fn suspect(&self, inbound: &Inbound, reason: String, now: Timestamp) -> Suspect {
        let stay = match inbound.topic.parse() {
            Ok(Topic::Device { device, .. }) => self.stay_at(&device),
            Ok(_) | Err(_) => None,
        };
        Suspect {
            stay: record::stay_key(stay),
            source: inbound.topic.clone(),
            reason,
            at_ms: now.as_millis(),
            body: Bytes::clone(&inbound.payload).to_vec(),
        }
    }

    fn step(&mut self, event: Event, inbound: Option<&Inbound>, now: Timestamp) -> Outcome {
        let mut effects = Vec::new();
        ticks::run_before(&mut self.ward, &event, now, &mut effects);
        self.ward.step(event, now, &mut effects);
        self.carry_out(effects, inbound, now)
    }

    fn carry_out(&mut self, effects: Vec<Effect>, inbound: Option<&Inbound>, now: Timestamp) -> Outcome {
        let mut outcome = Outcome::default();
        for effect in effects {
            match effect {
                Effect::Alarm(change) => self.on_alarm(&change, &mut outcome.entries, now),
                Effect::Record(stay) => {
                    let recorded = inbound.filter(|inbound| !inbound.live);
                    outcome.entries.extend(recorded.map(|i| message_entry(i, stay, now)));
                }
                Effect::Duplicate => {
                    counter!(m::DUPLICATES).increment(1);
                    outcome.duplicate = true;
                }
                Effect::Gap { device, missed } => {
                    counter!(m::MISSED).increment(u64::from(missed));
                    warn!(%device, missed, "Messages are missing.");
                }
                Effect::Infer(request) => {
                    if !self.inference.ask(request) {
                        counter!(m::INFERENCE_DROPPED, "of" => "risk").increment(1);
                    }
                }
                Effect::RequestBirth(device) => self.outlets.command(&self.site, &device, &Cmd::Rebirth),
                Effect::Done => {}
                Effect::Refused(refusal) => outcome.refused = Some(CommandFailure::Refused(refusal)),
            }
        }
        outcome
    }

    /// To every outlet first, then on record.
    fn on_alarm(&mut self, change: &AlarmChange, entries: &mut Vec<Entry>, now: Timestamp) {
        self.station.publish_alarm(change, self.clock.now());
        if let Some(unit) = self.units.get(&change.bed) {
            let alert = Alert::new(&self.site, &unit.name, &unit.roster, change);
            self.outlets.alert(&alert, change.priority);
        }
        if let Some(trigger) = change.trigger {
            histogram!(m::ALARM_LATENCY).record(now.since(trigger.received_at).as_secs_f64());
        }
        counter!(m::ALARMS, "priority" => change.priority.name(), "state" => change.state.name()).increment(1);
        if change.state == AlarmState::Active && !change.kind.is_technical() {
            entries.extend(self.strips.keep(&change.bed, change.stay, now));
        }
        entries.push(Stored::Alarm(change.clone()).entry(Kind::Alarm, Some(change.stay), now));
    }
}

fn audited(record: &Record, now: Timestamp) -> Entry {
    let (action, outcome) = record.action();
    counter!(m::AUDITED, "action" => action, "outcome" => outcome).increment(1);
    record.entry(now)
}

fn message_entry(inbound: &Inbound, stay: Option<StayToken>, now: Timestamp) -> Entry {
    let raw = RawMessage {
        topic: &inbound.topic,
        content_type: inbound.content_type.as_deref(),
        payload: &inbound.payload,
    };
    Stored::Message(raw).entry(Kind::Message, stay, now)
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;
