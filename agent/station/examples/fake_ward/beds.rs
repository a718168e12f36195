//! Twelve little stories, repeated for as many beds as are asked for.

use std::time::Duration;

use wardlight_core::alarms::{AlarmId, AlarmKind, AlarmState};
use wardlight_core::codes::{AgeGroup, Parameter};
use wardlight_core::event::{AlarmChange, Cause, Refusal, RiskBand};
use wardlight_core::ids::{BedId, DeviceId, StayToken, UnitId};
use wardlight_core::message::Priority;
use wardlight_core::patient::{Consciousness, Spo2Scale};
use wardlight_core::scores::{Band, News2, News2Parts};
use wardlight_core::time::Timestamp;
use wardlight_core::view::{AlarmView, BedView, DeviceView, Freshness, News2View, NumericView, RiskView, StayView};
use wardlight_core::vitals::Milli;
use wardlight_station::UnitInfo;

use crate::stories::{NAMES, VITALS, script};

pub(crate) struct Bed {
    pub(crate) id: BedId,
    unit: UnitId,
    name: &'static str,
    pub(crate) story: usize,
    pub(crate) hr: f64,
    spo2: f64,
    rr: f64,
    sys: i32,
    temp_tenths: i32,
    alarms: Vec<AlarmChange>,
    started: Timestamp,
}

pub(crate) struct Ward {
    pub(crate) beds: Vec<Bed>,
    started: Timestamp,
}

impl Ward {
    pub(crate) fn new(count: u16, now: Timestamp) -> Self {
        let beds = (0..usize::from(count)).map(|i| Bed::new(i, now)).collect();
        Self { beds, started: now }
    }

    pub(crate) fn unit(&self) -> UnitInfo {
        UnitInfo {
            unit: UnitId::new("icu-2").unwrap(),
            name: "Intensive care 2".into(),
            beds: self.beds.iter().map(|b| b.id.clone()).collect(),
        }
    }

    /// Raises each story's alarms when their time has come.
    pub(crate) fn progress(&mut self, now: Timestamp) -> Vec<AlarmChange> {
        let elapsed = now.since(self.started);
        let mut out = Vec::new();
        for bed in &mut self.beds {
            bed.drift(now);
            for (after, kind, priority, cause) in script(bed.story) {
                let due = elapsed >= Duration::from_secs(after);
                if due && bed.alarms.iter().all(|a| a.kind != kind) {
                    out.push(bed.raise(kind, priority, cause, now));
                }
            }
        }
        out
    }

    pub(crate) fn acknowledge(&mut self, id: &AlarmId, by: String, now: Timestamp) -> Result<AlarmChange, Refusal> {
        let mut alarms = self.beds.iter_mut().flat_map(|b| &mut b.alarms);
        let alarm = alarms.find(|a| a.id == *id && a.state == AlarmState::Active);
        let alarm = alarm.ok_or_else(|| Refusal::NoSuchAlarm(id.clone()))?;
        alarm.state = AlarmState::Acknowledged;
        alarm.revision += 1;
        alarm.changed_at = now;
        alarm.by = Some(by);
        Ok(alarm.clone())
    }

    pub(crate) fn unacknowledged(&self) -> [u32; 3] {
        let mut counts = [0; 3];
        for alarm in self.beds.iter().flat_map(|b| &b.alarms) {
            if alarm.state == AlarmState::Active {
                counts[2 - alarm.priority as usize] += 1;
            }
        }
        counts
    }

    pub(crate) fn unassigned(now: Timestamp) -> Vec<DeviceView> {
        let mut wearable = device("patch-0031", "Acme Patch 2", None, now);
        wearable.battery_percent = Some(64);
        vec![wearable]
    }
}

impl Bed {
    fn new(i: usize, now: Timestamp) -> Self {
        let story = i % 12;
        let (hr, spo2, rr, sys, temp_tenths) = VITALS[story];
        Self {
            id: BedId::new(&format!("{:02}", i + 1)).unwrap(),
            unit: UnitId::new("icu-2").unwrap(),
            name: NAMES[story],
            story,
            hr,
            spo2,
            rr,
            sys,
            temp_tenths,
            alarms: Vec::new(),
            started: now,
        }
    }

    fn drift(&mut self, now: Timestamp) {
        let t = now.since(self.started).as_secs_f64();
        let phase = self.story as f64;
        self.hr += 0.05 * (t / 7.0 + phase).sin();
        self.spo2 += 0.01 * (t / 11.0 + phase).sin();
        self.rr += 0.01 * (t / 13.0 + phase).sin();
    }

    fn raise(&mut self, kind: AlarmKind, priority: Priority, cause: Option<Cause>, now: Timestamp) -> AlarmChange {
        let change = AlarmChange {
            id: AlarmId::new(&self.id, &kind, now),
            revision: 1,
            bed: self.id.clone(),
            stay: StayToken::from_bytes([1; 16]),
            kind,
            priority,
            state: if self.story == 4 && priority == Priority::Medium {
                AlarmState::Latched
            } else {
                AlarmState::Active
            },
            cause,
            onset_at: now.minus(Duration::from_secs(5)),
            raised_at: now,
            changed_at: now,
            trigger: None,
            by: None,
        };
        self.alarms.push(change.clone());
        change
    }

    pub(crate) fn view(&self, now: Timestamp) -> BedView {
        let occupied = self.story != 6;
        let mut alarms: Vec<AlarmView> = self.alarms.iter().map(standing).collect();
        alarms.sort_by_key(|a| (std::cmp::Reverse(a.priority), std::cmp::Reverse(a.raised_at)));
        BedView {
            bed: self.id.clone(),
            unit: self.unit.clone(),
            stay: occupied.then(|| self.stay()),
            devices: if occupied { vec![self.device(now)] } else { Vec::new() },
            numerics: if occupied { self.numerics(now) } else { Vec::new() },
            news2: occupied.then(|| self.news2(now)),
            risk: (occupied && self.story != 9).then(|| self.risk(now)),
            alarms,
            blind_since: (self.story == 8).then(|| self.started.minus(Duration::from_secs(95))),
            blind_ms: if self.story == 8 { 95_000 } else { 12_000 },
        }
    }

    fn stay(&self) -> StayView {
        StayView {
            stay: StayToken::from_bytes([1; 16]),
            name: self.name.into(),
            age_group: AgeGroup::Adult,
            age_years: Some(54 + self.story as u8),
            spo2_scale: if self.story == 10 { Spo2Scale::Two } else { Spo2Scale::One },
            consciousness: (self.story != 11).then_some(Consciousness::Alert),
            oxygen: Some(matches!(self.story, 2 | 4 | 7)),
            admitted_at: self.started.minus(Duration::from_hours(31)),
        }
    }

    fn device(&self, now: Timestamp) -> DeviceView {
        let mut d = device(&format!("mon-{}", self.id), "Acme M40", Some(self.id.clone()), now);
        d.battery_percent = Some(if self.story == 5 { 9 } else { 87 });
        d.demo = self.story == 3;
        d.live = self.story != 8;
        d
    }

    fn numerics(&self, now: Timestamp) -> Vec<NumericView> {
        use Parameter as P;
        let gone = self.story == 8;
        let whole = |v: f64| (!gone).then(|| Milli::from_int(v.round() as i32));
        let limits = |low: i32, high: i32| (Some(Milli::from_int(low)), Some(Milli::from_int(high)));
        let row = |parameter, value, age_s, limits| NumericView {
            parameter,
            value,
            measured_at: now.minus(Duration::from_secs(age_s)),
            freshness: match (gone, parameter) {
                (true, _) => Freshness::Expired,
                (_, P::Spo2) if self.story == 1 => Freshness::Ageing,
                _ => Freshness::Fresh,
            },
            implausible: false,
            limits,
        };
        let cuff_s = 60 * (3 + 7 * self.story as u64);
        let dia = self.sys * 6 / 10;
        let mut out = vec![
            row(P::HeartRate, whole(self.hr), 1, limits(50, 120)),
            row(
                P::Spo2,
                whole(self.spo2),
                if self.story == 1 { 6 } else { 1 },
                limits(90, 100),
            ),
            row(P::RespRate, whole(self.rr), 1, limits(8, 30)),
        ];
        let (sys, dia_p, map) = if self.story == 7 {
            (P::AbpSys, P::AbpDia, P::AbpMap)
        } else {
            (P::NibpSys, P::NibpDia, P::NibpMap)
        };
        let age = if self.story == 7 { 1 } else { cuff_s };
        out.push(row(sys, Some(Milli::from_int(self.sys)), age, limits(90, 160)));
        out.push(row(dia_p, Some(Milli::from_int(dia)), age, limits(50, 90)));
        out.push(row(
            map,
            Some(Milli::from_int(dia + (self.sys - dia) / 3)),
            age,
            limits(60, 110),
        ));
        let temp = Some(Milli::new(self.temp_tenths * 100));
        out.push(row(P::Temp, temp, 600, limits(36, 39)));
        out
    }

    fn news2(&self, now: Timestamp) -> News2View {
        let points = |bad, good| Some(if matches!(self.story, 2 | 4 | 7) { bad } else { good });
        let parts = News2Parts {
            resp_rate: points(2, 0),
            spo2: points(3, u8::from(self.story == 1)),
            oxygen: points(2, 0),
            systolic: points(1, 0),
            pulse: points(2, u8::from(self.story == 10)),
            consciousness: (self.story != 11).then_some(0),
            temperature: points(1, 0),
        };
        let p = [
            parts.resp_rate,
            parts.spo2,
            parts.oxygen,
            parts.systolic,
            parts.pulse,
            parts.consciousness,
            parts.temperature,
        ];
        let at_least = p.iter().flatten().sum();
        News2View {
            score: News2 {
                total: p.iter().all(Option::is_some).then_some(at_least),
                at_least,
                parts,
                any_three: p.contains(&Some(3)),
                band: if at_least >= 7 { Band::High } else { Band::Low },
            },
            oldest_input_at: Some(now.minus(Duration::from_mins(10))),
            missing: if self.story == 11 { vec!["consciousness"] } else { Vec::new() },
        }
    }

    fn risk(&self, now: Timestamp) -> RiskView {
        let permille = [80, 120, 430, 41, 310, 66, 0, 720, 92, 0, 180, 55][self.story];
        RiskView {
            model: "deterioration 1.0.0".into(),
            permille,
            band: match permille {
                500.. => RiskBand::High,
                250.. => RiskBand::Raised,
                _ => RiskBand::Low,
            },
            computed_at: now.minus(Duration::from_secs(20)),
            completeness_percent: if self.story == 11 { 62 } else { 94 },
            inputs: vec![
                ("hr", Some(self.hr as f32)),
                ("rr", Some(self.rr as f32)),
                ("sbp", Some(self.sys as f32)),
                ("dbp", Some(self.sys as f32 * 0.6)),
                ("map", Some(self.sys as f32 * 0.73)),
                ("temp", (self.story != 11).then_some(self.temp_tenths as f32 / 10.0)),
            ],
        }
    }
}

fn standing(change: &AlarmChange) -> AlarmView {
    AlarmView {
        id: change.id.clone(),
        kind: change.kind.clone(),
        priority: change.priority,
        state: change.state,
        cause: change.cause,
        onset_at: change.onset_at,
        raised_at: change.raised_at,
        acknowledged_by: change.by.clone(),
    }
}

fn device(name: &str, model: &str, bed: Option<BedId>, now: Timestamp) -> DeviceView {
    DeviceView {
        device: DeviceId::new(name).unwrap(),
        model: model.into(),
        bed,
        live: true,
        online: Some(true),
        last_received_at: Some(now),
        battery_percent: None,
        demo: false,
        skew_ms: Some(40),
        missed: 0,
    }
}
