//! The audit trail's records: what a person did, or what was done to the agent's own people. The journal chains them.
//!
//! A record names beds, devices, alarms and the random tokens of stays, never a patient. It is JSON, because it is read by others,
//! years later.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;
use wardlight_core::alarms::{AlarmId, Inactivation};
use wardlight_core::event::Command;
use wardlight_core::hex;
use wardlight_core::ids::{BedId, StayToken};
use wardlight_core::people::{Actor, Role};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Milli;
use wardlight_core::ward::Ward;
use wardlight_journal::{Entry, Kind, StayToken as StayKey};
use wardlight_models::life::{Change, State};
use wardlight_station::{CommandFailure, Happening, Origin, What};

/// Who made a step in the life of a package that nobody asked for.
pub(crate) const AGENT: &str = "the agent";

/// One record, but for its place in the chain and its time, which the journal adds.
#[derive(Default, Serialize)]
pub(crate) struct Record {
    /// The person's name; absent where nobody was logged in, and for the agent itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// The login name.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// Whether the name was typed at a station without a login: nobody proved it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unproved: bool,
    /// The role in which the person acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// Whether the role came from a break-glass.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    break_glass: bool,
    /// Address of the station.
    #[serde(skip_serializing_if = "Option::is_none")]
    station: Option<IpAddr>,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm: Option<String>,
    /// `done`, `refused` or `failed`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

/// Points at people, so it keeps all but the action to itself.
impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("action", &self.action).finish_non_exhaustive()
    }
}

impl Record {
    /// A command, before it is known what came of it.
    pub(crate) fn command(command: &Command, by: &Actor, from: Origin, ward: &Ward) -> Self {
        let mut record = Self::of(Some(by), from, "");
        match command {
            Command::Admit { bed, stay, .. } => {
                record.action = "admit";
                record.bed = Some(bed.to_string());
                record.stay = Some(token(*stay));
            }
            Command::Discharge { bed } => record.at("discharge", bed, ward),
            Command::Attach { device, bed } => {
                record.at("attach", bed, ward);
                record.device = Some(device.to_string());
            }
            Command::Detach { device } => {
                record.action = "detach";
                record.device = Some(device.to_string());
                if let Some(bed) = ward.bed_of(device) {
                    record.at("detach", bed, ward);
                }
            }
            Command::Acknowledge { alarm } => record.about("acknowledge", alarm, ward),
            Command::Escalate { alarm } => record.about("escalate", alarm, ward),
            Command::Respond { alarm, accept } => record.about(if *accept { "accept" } else { "reject" }, alarm, ward),
            Command::Transfer { from, to, with_devices } => {
                record.at("transfer", from, ward);
                record.detail = format!("to {to}, devices {}", if *with_devices { "go along" } else { "stay" });
            }
            Command::PauseAudio { bed, length } => {
                record.everywhere("pause_audio", bed.as_ref(), ward);
                record.detail = format!("{} s", length.as_secs());
            }
            Command::ResumeAudio { bed } => record.everywhere("resume_audio", bed.as_ref(), ward),
            Command::SetAlarm { bed, kind, how } => {
                record.at("set_alarm", bed, ward);
                record.detail = format!("{kind}: {}", how.map_or("on", Inactivation::name));
            }
            Command::SetLimits {
                bed,
                parameter,
                low,
                high,
                delay,
            } => {
                record.at("set_limits", bed, ward);
                let bound = |value: &Option<Milli>| value.map_or_else(|| "off".to_owned(), |v| v.to_f64().to_string());
                record.detail = format!("{}: {} to {}", parameter.name(), bound(low), bound(high));
                if let Some(delay) = delay {
                    // Writing to a string cannot fail.
                    write!(record.detail, ", delay {} s", delay.as_secs()).ok();
                }
            }
            Command::ResetLimits { bed } => record.at("reset_limits", bed, ward),
            Command::Revise { bed, .. } => record.at("revise", bed, ward),
            Command::HandOver { bed, .. } => record.at("hand_over", bed, ward),
            Command::ReadBack { bed } => record.at("read_back", bed, ward),
            Command::Chart {
                bed,
                consciousness,
                oxygen,
            } => {
                record.at("chart", bed, ward);
                let fields = [("consciousness", consciousness.is_some()), ("oxygen", oxygen.is_some())];
                let charted: Vec<&str> = fields.into_iter().filter_map(|(name, given)| given.then_some(name)).collect();
                record.detail = charted.join(", ");
            }
        }
        record
    }

    /// What happened at a station, beside commands.
    pub(crate) fn happening(happening: Happening, ward: &Ward) -> Self {
        let Happening { by, from, what } = happening;
        let mut record = Self::of(by.as_ref(), from, "");
        match what {
            What::Login => record.action = "login",
            What::LoginFailed { turned_away } => {
                record.action = "login";
                record.outcome = "refused";
                if turned_away > 0 {
                    record.detail = format!("{turned_away} attempts turned away before");
                }
            }
            What::Logoff => record.action = "logoff",
            What::LoggedOff(reason) => {
                record.action = "logged_off";
                reason.name().clone_into(&mut record.detail);
            }
            What::BreakGlass { reason, until } => {
                record.action = "break_glass";
                record.detail = format!("until {until}: {reason}");
            }
            What::Viewed(bed) => record.at("view", &bed, ward),
            What::ViewedWard => record.action = "view_ward",
            What::Denied(asked) => {
                record.action = "ask";
                record.outcome = "refused";
                record.detail = asked;
            }
        }
        record
    }

    /// What the agent noticed by itself: the users' file changed, the system's clock was set.
    pub(crate) fn by_agent(action: &'static str, detail: String) -> Self {
        Self {
            action,
            outcome: "done",
            detail,
            ..Self::default()
        }
    }

    /// What was done at the command line; the name is the system's word for it.
    pub(crate) fn at_command_line(action: &'static str, by: String, detail: String) -> Self {
        Self {
            by: Some(by),
            unproved: true,
            ..Self::by_agent(action, detail)
        }
    }

    /// Of this device.
    pub(crate) fn of_device(mut self, device: &str) -> Self {
        self.device = Some(device.to_owned());
        self
    }

    /// Of this stay.
    pub(crate) fn of_stay(mut self, stay: StayToken) -> Self {
        self.stay = Some(token(stay));
        self
    }

    /// A step in the life of a package: made by the agent, or at the command line, where the name is the system's word for it.
    pub(crate) fn package(change: &Change) -> Self {
        let action = match change.to {
            State::Staged => "model_staged",
            State::Verified => "model_verified",
            State::Shadow => "model_in_shadow",
            State::Live => "model_live",
            State::Retired => "model_retired",
        };
        let from = change.from.map_or("new", State::name);
        let Change { model, version, why, .. } = change;
        let at = UNIX_EPOCH + Duration::from_millis(change.at_ms.unsigned_abs());
        let at = humantime::format_rfc3339_seconds(at);
        Self {
            by: (change.by != AGENT).then(|| change.by.clone()),
            unproved: change.by != AGENT,
            ..Self::by_agent(action, format!("{model} {version}, was {from}, at {at}: {why}"))
        }
    }

    /// What came of it.
    pub(crate) fn with_outcome(mut self, failure: Option<&CommandFailure>) -> Self {
        if let Some(failure) = failure {
            self.outcome = if matches!(failure, CommandFailure::Refused(_)) {
                "refused"
            } else {
                "failed"
            };
            self.detail = failure.to_string();
        }
        self
    }

    /// What was done, for the metrics.
    pub(crate) fn action(&self) -> (&'static str, &'static str) {
        (self.action, self.outcome)
    }

    /// The journal's entry, under the site's key.
    pub(crate) fn entry(&self, at: Timestamp) -> Entry {
        Entry {
            kind: Kind::Audit,
            stay: StayKey::SITE,
            at_ms: at.as_millis(),
            // Strings and numbers can always be written.
            body: serde_json::to_vec(self).unwrap_or_default(),
        }
    }

    fn of(by: Option<&Actor>, from: Origin, action: &'static str) -> Self {
        Self {
            by: by.map(|actor| actor.name.clone()),
            role: by.map(|actor| Role::name(actor.role)),
            user: from.user,
            unproved: from.unproved,
            break_glass: from.break_glass,
            station: from.address,
            action,
            outcome: "done",
            ..Self::default()
        }
    }

    fn about(&mut self, action: &'static str, alarm: &AlarmId, ward: &Ward) {
        self.action = action;
        self.alarm = Some(alarm.to_string());
        let bed = alarm.as_str().split(':').next().and_then(|bed| BedId::new(bed).ok());
        if let Some(bed) = bed {
            self.at(action, &bed, ward);
        }
    }

    /// Of one bed, or of all.
    fn everywhere(&mut self, action: &'static str, bed: Option<&BedId>, ward: &Ward) {
        self.action = action;
        if let Some(bed) = bed {
            self.at(action, bed, ward);
        }
    }

    fn at(&mut self, action: &'static str, bed: &BedId, ward: &Ward) {
        self.action = action;
        self.bed = Some(bed.to_string());
        self.stay = ward.stay_in(bed).map(token);
    }
}

fn token(stay: StayToken) -> String {
    hex::encode(stay.as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use wardlight_core::event::{Event, Order, Refusal};
    use wardlight_core::ids::UnitId;
    use wardlight_core::patient::PatientProfile;
    use wardlight_core::ward::WardConfig;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn read(record: &Record) -> Value {
        let entry = record.entry(NOW);
        assert_eq!(
            (entry.kind, entry.stay, entry.at_ms),
            (Kind::Audit, StayKey::SITE, NOW.as_millis())
        );
        serde_json::from_slice(&entry.body).unwrap()
    }

    #[test]
    fn a_record_says_who_did_what_where_and_names_no_patient() {
        let bed = BedId::new("B01").unwrap();
        let mut ward = Ward::new(WardConfig {
            beds: vec![(UnitId::new("icu").unwrap(), bed.clone())],
            max_unassigned: 4,
            infer_every: Duration::from_mins(1),
        });
        let by = Actor::new("N. Klein", Role::Nurse);
        let from = Origin {
            user: Some("klein".into()),
            address: Some([10, 0, 0, 7].into()),
            ..Origin::default()
        };
        let profile = PatientProfile {
            name: "Marlowe".into(),
            ..PatientProfile::default()
        };
        let stay = StayToken::from_bytes([0xAB; 16]);
        let admit = Command::Admit {
            bed: bed.clone(),
            stay,
            profile,
        };
        let record = Record::command(&admit, &by, from.clone(), &ward);
        let expected = serde_json::json!({
            "by": "N. Klein", "user": "klein", "role": "nurse", "station": "10.0.0.7",
            "action": "admit", "bed": "B01", "stay": "ab".repeat(16), "outcome": "done",
        });
        assert_eq!(read(&record), expected);
        let refused = CommandFailure::Refused(Refusal::Occupied(bed.clone()));
        let record = read(&record.with_outcome(Some(&refused)));
        assert_eq!(
            (&record["outcome"], &record["detail"]),
            (&"refused".into(), &"bed B01: occupied; discharge first".into())
        );

        let order = Order {
            by: by.clone(),
            command: admit,
        };
        ward.step(Event::Order(order), NOW, &mut Vec::new());
        let happening = |what| Happening {
            by: Some(by.clone()),
            from: from.clone(),
            what,
        };
        let view = read(&Record::happening(happening(What::Viewed(bed.clone())), &ward));
        assert_eq!((&view["action"], &view["stay"]), (&"view".into(), &"ab".repeat(16).into()));
        let typed = Origin {
            unproved: true,
            ..Origin::default()
        };
        let discharge = Command::Discharge { bed: bed.clone() };
        let typed = read(&Record::command(&discharge, &by, typed, &ward));
        assert_eq!((&typed["by"], &typed["unproved"]), (&"N. Klein".into(), &true.into()));
        assert!(view.get("unproved").is_none(), "a login proves who it is");
        let failed = What::LoginFailed { turned_away: 2 };
        let failed = read(&Record::happening(happening(failed), &ward));
        assert_eq!((&failed["action"], &failed["outcome"]), (&"login".into(), &"refused".into()));
        let chart = Command::Chart {
            bed,
            consciousness: None,
            oxygen: Some(true),
        };
        let chart = read(&Record::command(&chart, &by, from, &ward));
        assert_eq!(
            (&chart["stay"], &chart["detail"]),
            (&"ab".repeat(16).into(), &"oxygen".into())
        );
    }
}
