//! HL7 v2 on the Ward's thread: what monitors measured is stepped like any device's word, what the admission system says becomes an order.
//!
//! A message is answered when its record is committed. While the journal cannot commit, values are judged all the same and answered `AE`
//! at once: a sender waits for an answer before it sends its next value.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use metrics::counter;
use tokio::sync::oneshot;
use tracing::warn;
use wardlight_core::codes;
use wardlight_core::event::Command;
use wardlight_core::ids::{BedId, StayToken};
use wardlight_core::message::{Birth, Body, Channel, Message};
use wardlight_core::patient::PatientProfile;
use wardlight_core::people::{Actor, Role};
use wardlight_core::time::Timestamp;
use wardlight_core::ward::Ward;
use wardlight_journal::{Entry, Suspect};
use wardlight_station::{CommandFailure, Origin, Request};
use wardlight_wire::hl7::{self, Content, Head, Movement, MovementKind, Observations, Patient, Received, Refusal};

use crate::agent::Agent;
use crate::config::Hl7Config;
use crate::desk::Ticket;
use crate::metrics as m;
use crate::pipeline::Pipeline;
use crate::record;

/// Messages remembered, to know one that is sent again.
const REMEMBERED: usize = 4096;
/// Longest text of a birth, as the contract has it.
const MAX_TEXT: usize = 64;

/// A message as it came, and who waits for its answer.
#[derive(Debug)]
pub(crate) struct Hl7Message {
    /// The message, or why there is none.
    pub(crate) bytes: Result<Vec<u8>, Refusal>,
    pub(crate) from: IpAddr,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) outcome: Result<(), Refusal>,
    /// Not before this; `None` if nothing will be on record.
    pub(crate) committed: Option<oneshot::Receiver<Result<(), CommandFailure>>>,
}

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct Hl7 {
    config: Hl7Config,
    hasher: RandomState,
    seen: HashSet<u64>,
    order: VecDeque<u64>,
    /// The hospital's number of the patients that it sent to beds; never on disk.
    patients: HashMap<BedId, (StayToken, String)>,
}

impl Hl7 {
    pub(crate) fn of(config: &Hl7Config) -> Self {
        Self {
            config: config.clone(),
            hasher: RandomState::new(),
            seen: HashSet::new(),
            order: VecDeque::new(),
            patients: HashMap::new(),
        }
    }

    /// Notes a message; `false` if it came before. A sender that begins its control ids anew sends other bytes.
    fn is_new(&mut self, bytes: &[u8]) -> bool {
        let digest = self.hasher.hash_one(bytes);
        if !self.seen.insert(digest) {
            return false;
        }
        self.order.push_back(digest);
        if self.order.len() > REMEMBERED {
            self.order.pop_front().map(|oldest| self.seen.remove(&oldest));
        }
        true
    }

    /// What a movement asks of the Ward; `None` if it is about other beds, or has happened.
    fn plan(&self, movement: &Movement, ward: &Ward) -> Result<Option<Request>, Refusal> {
        let patient = &movement.patient;
        let at = self.config.beds.get(&movement.at);
        let from = movement.from.as_ref().and_then(|from| self.config.beds.get(from));
        match (movement.kind, at, from) {
            (MovementKind::Transfer, Some(to), Some(from)) if to != from => match ward.profile_in(from) {
                None => self.admit(to, patient, ward),
                Some(_) if ward.stay_in(to).is_some() => {
                    Err(Refusal::not_done(format!("bed {to} is occupied; nothing was done")))
                }
                Some(_) => {
                    self.is_of(from, patient, ward)?;
                    Ok(Some(Request::Other(Command::Transfer {
                        from: from.clone(),
                        to: to.clone(),
                        with_devices: false,
                    })))
                }
            },
            (MovementKind::Admit | MovementKind::Transfer, Some(bed), _) => self.admit(bed, patient, ward),
            (MovementKind::Discharge, Some(bed), _) | (MovementKind::Transfer, None, Some(bed)) => {
                let occupied = ward.stay_in(bed).is_some();
                if occupied {
                    self.is_of(bed, patient, ward)?;
                }
                Ok(occupied.then(|| Request::Discharge { bed: bed.clone() }))
            }
            (MovementKind::Update, Some(bed), _) => self.revise(bed, patient, ward),
            (_, None, _) => Ok(None),
        }
    }

    fn admit(&self, bed: &BedId, patient: &Patient, ward: &Ward) -> Result<Option<Request>, Refusal> {
        if ward.stay_in(bed).is_some() {
            return self.revise(bed, patient, ward);
        }
        Ok(Some(Request::Admit {
            bed: bed.clone(),
            profile: profile(patient, &PatientProfile::default()),
        }))
    }

    /// What a clinician decided (the scale of NEWS2, a pregnancy) stays.
    fn revise(&self, bed: &BedId, patient: &Patient, ward: &Ward) -> Result<Option<Request>, Refusal> {
        let Some(known) = ward.profile_in(bed) else { return Ok(None) };
        self.is_of(bed, patient, ward)?;
        let profile = profile(patient, known);
        Ok((profile != *known).then(|| {
            Request::Other(Command::Revise {
                bed: bed.clone(),
                profile,
            })
        }))
    }

    /// Whether the bed has that patient: by the hospital's number where that is known, else by name; whoever was admitted without one is
    /// taken for the patient.
    fn is_of(&self, bed: &BedId, patient: &Patient, ward: &Ward) -> Result<(), Refusal> {
        let number = ward.stay_in(bed).and_then(|stay| {
            let known = self.patients.get(bed).filter(|(of, _)| *of == stay);
            known.map(|(_, number)| number)
        });
        let name = ward.profile_in(bed).map_or("", |profile| profile.name.as_str());
        let is_same = number.map_or(name.is_empty() || name == patient.name, |number| *number == patient.id);
        is_same.then_some(()).ok_or_else(|| {
            let text = format!("bed {bed} has another patient, or one of another name; nothing was done");
            Refusal::another_patient(text)
        })
    }

    /// Notes who is where now.
    fn remember(&mut self, movement: &Movement, ward: &Ward) {
        let Some(bed) = self.config.beds.get(&movement.at) else {
            return;
        };
        let is_there = ward
            .profile_in(bed)
            .is_some_and(|profile| profile.name == movement.patient.name);
        match ward.stay_in(bed).filter(|_| is_there) {
            Some(stay) => self.patients.insert(bed.clone(), (stay, movement.patient.id.clone())),
            None => self.patients.remove(bed),
        };
    }
}

fn profile(patient: &Patient, known: &PatientProfile) -> PatientProfile {
    PatientProfile {
        name: patient.name.clone(),
        age_group: patient.age_group,
        age_years: patient.age_years,
        ..known.clone()
    }
}

impl Agent {
    /// Takes a message of HL7.
    pub(crate) fn on_hl7(&mut self, message: Hl7Message, now: Timestamp) {
        let Hl7Message { bytes, from, answer } = message;
        let stuck = *self.stuck.borrow();
        let (reply, committed) = oneshot::channel();
        let bytes_or_none = bytes.as_deref().unwrap_or_default();
        let Received { head, content } = match &bytes {
            Ok(bytes) => hl7::receive(bytes, self.pipeline.adapters.hl7.config.zone, now),
            Err(refusal) => Received {
                head: Head::default(),
                content: Err(refusal.clone()),
            },
        };
        let outcome = match content {
            Ok(Content::Observations(found)) if stuck => {
                self.pipeline.on_observations(found, &head, true, now);
                Err(Refusal::not_done("judged, and cannot be stored now: send it again"))
            }
            Ok(Content::Movement(_)) if stuck => Err(Refusal::not_done("cannot be stored now: send it again")),
            Ok(Content::Observations(found)) => {
                let (entries, suspects) = if self.pipeline.adapters.hl7.is_new(bytes_or_none) {
                    let reasons: Vec<String> = found.rejected.iter().map(ToString::to_string).collect();
                    let stay = found
                        .messages
                        .first()
                        .and_then(|message| self.pipeline.stay_at(&message.device));
                    let suspect = (!reasons.is_empty()).then(|| suspect(from, &head, reasons.join("; "), stay, now));
                    (
                        self.pipeline.on_observations(found, &head, false, now),
                        suspect.into_iter().collect(),
                    )
                } else {
                    counter!(m::DUPLICATES).increment(1);
                    (Vec::new(), Vec::new())
                };
                self.pipeline.desk.submit(entries, suspects, Ticket::Reply(reply));
                Ok(())
            }
            Ok(Content::Movement(movement)) => {
                let plan = self.pipeline.adapters.hl7.plan(&movement, &self.pipeline.ward);
                match plan {
                    Ok(Some(ref request)) => {
                        let by = Actor::new(format!("HL7 {}", head.sender.0), Role::Nurse);
                        let origin = Origin {
                            address: Some(from),
                            ..Origin::default()
                        };
                        self.on_request(request.clone(), by, origin, reply, now);
                    }
                    Ok(None) => self.pipeline.desk.submit(Vec::new(), Vec::new(), Ticket::Reply(reply)),
                    Err(ref refusal) => {
                        let suspects = vec![suspect(from, &head, refusal.to_string(), None, now)];
                        self.pipeline.desk.submit(Vec::new(), suspects, Ticket::Reply(reply));
                    }
                }
                if plan.is_ok() {
                    self.pipeline.adapters.hl7.remember(&movement, &self.pipeline.ward);
                }
                plan.map(drop)
            }
            Err(refusal) => {
                if !stuck {
                    let suspects = vec![suspect(from, &head, refusal.to_string(), None, now)];
                    self.pipeline.desk.submit(Vec::new(), suspects, Ticket::Reply(reply));
                }
                Err(refusal)
            }
        };
        if let Err(refusal) = &outcome {
            counter!(m::REFUSED, "reason" => refusal.reason(), "qos" => "1").increment(1);
            warn!(%from, %refusal, "HL7 message refused.");
        }
        let committed = (!stuck).then_some(committed);
        // A sender that has gone sends it again.
        answer
            .send(Answer {
                head,
                outcome,
                committed,
            })
            .ok();
    }
}

impl Pipeline {
    /// Steps what monitors measured.
    fn on_observations(&mut self, found: Observations, head: &Head, live: bool, now: Timestamp) -> Vec<Entry> {
        counter!(m::REJECTED).increment(found.rejected.len() as u64);
        let mut messages = Vec::with_capacity(found.messages.len() + 1);
        for message in found.messages {
            let is_numeric = matches!(message.body, Body::Numerics(_));
            let is_first = is_numeric && !self.adapters.numbering.knows(&message.device);
            let described = |other: &Message| other.device == message.device && matches!(other.body, Body::Birth(_));
            if is_first && !messages.iter().any(described) {
                messages.push(birth(&message, head, self.adapters.hl7.config.interval_s));
            }
            messages.push(message);
        }
        self.on_adapted(messages, live, now)
    }
}

/// A device's description of itself, from its first values: HL7 has none.
fn birth(first: &Message, head: &Head, interval_s: u16) -> Message {
    let Message {
        device, sent_at, body, ..
    } = first;
    let readings = match body {
        Body::Numerics(readings) => readings.as_slice(),
        Body::Birth(_) | Body::State { .. } | Body::Wave(_) | Body::Alarm(_) | Body::Event(_) => &[],
    };
    let channels = readings.iter().map(|reading| Channel {
        code: reading.numeric().code,
        unit: reading.numeric().unit,
        rate_hz: Some(1.0 / f32::from(interval_s)),
    });
    let text = |text: String| text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
    Message {
        device: device.clone(),
        boot: None,
        seq: None,
        sent_at: *sent_at,
        body: Body::Birth(Birth {
            model: text(format!("HL7 {}", head.sender.0)),
            firmware: text(format!("HL7 {}", head.version)),
            channels: channels.filter(|channel| codes::numeric(channel.code).is_some()).collect(),
        }),
    }
}

/// For the quarantine: which message of whom, where and why. Its bytes name people, and whose they are is often unknown, so they could not
/// be erased with a stay; the sender has them.
fn suspect(from: IpAddr, head: &Head, reason: String, stay: Option<StayToken>, now: Timestamp) -> Suspect {
    let id: String = head.control_id.chars().take(MAX_TEXT).collect();
    Suspect {
        stay: record::stay_key(stay),
        source: format!("hl7/{from}/{id}"),
        reason,
        at_ms: now.as_millis(),
        body: Vec::new(),
    }
}
