//! What is counted of the live versions, so that one that does badly is taken back.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use wardlight_core::event::InferRequest;
use wardlight_core::ids::BedId;
use wardlight_core::rhythm::{Rhythm, RhythmFinding};
use wardlight_core::time::Timestamp;
use wardlight_models::deterioration::VITALS;
use wardlight_models::life::{Counted, Input};

use crate::certified::ECG_PARTS;

/// Alarms and latency are counted over so long, then anew. *ratify*
const WINDOW: Duration = Duration::from_hours(1);
/// Inputs, of which a bed gives one value an hour. *ratify*
const INPUTS: Duration = Duration::from_hours(7 * 24);
/// A bed was asked for no longer than this since it was asked for last; else it was empty meanwhile.
const LONGEST: Duration = Duration::from_hours(1);

/// One part.
#[derive(Debug)]
struct Part {
    version: String,
    began: Instant,
    inputs_began: Instant,
    counted: Counted,
}

/// A bed of the risk model.
#[derive(Debug)]
struct AtRisk {
    asked_at: Timestamp,
    counted_at: Timestamp,
    high: bool,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Tally {
    parts: BTreeMap<&'static str, Part>,
    beds: HashMap<BedId, AtRisk>,
}

impl Tally {
    /// A version is live from now on.
    pub(super) fn live(&mut self, part: &'static str, version: &str, now: Instant) {
        let fresh = Part {
            version: version.to_owned(),
            began: now,
            inputs_began: now,
            counted: Counted::default(),
        };
        self.parts.insert(part, fresh);
        if part == RISK {
            self.beds.clear();
        }
    }

    /// These inputs of the live version are watched.
    pub(super) fn watch(&mut self, part: &str, inputs: Vec<Input>) {
        if let Some(part) = self.parts.get_mut(part) {
            part.counted.inputs = inputs;
        }
    }

    /// A batch took so long.
    pub(super) fn batch(&mut self, part: &str, took: Duration, deadline: Duration, now: Instant) {
        let Some(part) = self.parts.get_mut(part) else { return };
        part.turn(now);
        part.counted.batches += 1;
        part.counted.late += u64::from(took > deadline);
    }

    /// The ECG of one bed was looked at for so many seconds, or of many beds for one.
    pub(super) fn looked(&mut self, seconds: usize) {
        for part in ECG_PARTS {
            if let Some(part) = self.parts.get_mut(part) {
                part.counted.bed_seconds += seconds as u64;
            }
        }
    }

    /// What began by the word of an ECG model.
    pub(super) fn found(&mut self, findings: &[RhythmFinding]) {
        for finding in findings.iter().filter(|finding| finding.present) {
            let part = if finding.rhythm == Rhythm::VentricularFibrillation {
                "ecg-vf"
            } else {
                "ecg-beat"
            };
            if let Some(part) = self.parts.get_mut(part) {
                part.counted.alarms += 1;
            }
        }
    }

    /// A risk was estimated: one that becomes high is an alarm, and the newest hour is counted once an hour.
    pub(super) fn risk(&mut self, request: &InferRequest, high: bool) {
        let Some(part) = self.parts.get_mut(RISK) else { return };
        let now = request.asked_at;
        let bed = self.beds.entry(request.bed.clone()).or_insert_with(|| AtRisk {
            asked_at: now,
            counted_at: Timestamp::from_millis(i64::MIN / 2),
            high: false,
        });
        part.counted.bed_seconds += now.since(bed.asked_at).min(LONGEST).as_secs();
        part.counted.alarms += u64::from(high && !bed.high);
        bed.asked_at = now;
        bed.high = high;
        if now.since(bed.counted_at) < Duration::from_hours(1) {
            return;
        }
        bed.counted_at = now;
        let newest = request.window.last();
        for input in &mut part.counted.inputs {
            let column = VITALS.iter().position(|vital| vital.name == input.name);
            let value = column.and_then(|column| newest?.get(column).copied().flatten());
            if let Some(value) = value {
                input.count(f64::from(value));
            }
        }
    }

    /// Version and counts of each part.
    pub(super) fn all(&self) -> BTreeMap<String, (String, Counted)> {
        let all = self.parts.iter();
        all.map(|(part, one)| ((*part).to_owned(), (one.version.clone(), one.counted.clone())))
            .collect()
    }
}

const RISK: &str = "deterioration";

impl Part {
    /// Begins anew what was counted for long enough.
    fn turn(&mut self, now: Instant) {
        if now.saturating_duration_since(self.inputs_began) >= INPUTS {
            self.inputs_began = now;
            for input in &mut self.counted.inputs {
                input.current.fill(0);
            }
        }
        if now.saturating_duration_since(self.began) >= WINDOW {
            self.began = now;
            self.counted = Counted {
                inputs: std::mem::take(&mut self.counted.inputs),
                ..Counted::default()
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use wardlight_core::ids::StayToken;
    use wardlight_core::trend;
    use wardlight_models::life::Limits;

    use super::*;
    use crate::clock;

    const DEADLINE: Duration = Duration::from_millis(500);

    fn request(bed: &str, at: Duration, heart_rate: f32) -> InferRequest {
        let mut row = [None; trend::VITALS];
        row[0] = Some(heart_rate);
        InferRequest {
            bed: BedId::new(bed).unwrap(),
            stay: StayToken::from_bytes([1; 16]),
            asked_at: Timestamp::default().plus(at),
            age_years: None,
            window: vec![row],
        }
    }

    fn counted(tally: &Tally, part: &str) -> Counted {
        tally.all()[part].1.clone()
    }

    #[test]
    fn late_batches_trip_and_are_forgotten_after_an_hour() {
        let start = clock::instant();
        let mut tally = Tally::default();
        tally.live("ecg-vf", "1.1.0", start);
        for n in 0..500_u32 {
            let took = if n % 50 == 0 { 501 } else { 500 };
            tally.batch(
                "ecg-vf",
                Duration::from_millis(took),
                DEADLINE,
                start + Duration::from_secs(n.into()),
            );
        }
        assert!(
            counted(&tally, "ecg-vf").trip(&Limits::AGENT).is_some(),
            "ten of five hundred"
        );
        tally.batch("ecg-vf", DEADLINE, DEADLINE, start + WINDOW);
        assert_eq!((counted(&tally, "ecg-vf").batches, counted(&tally, "ecg-vf").late), (1, 0));
    }

    #[test]
    fn alarms_count_for_the_model_whose_word_began_them() {
        let mut tally = Tally::default();
        for part in ["ecg-vf", "ecg-beat"] {
            tally.live(part, "1.1.0", clock::instant());
        }
        let finding = |rhythm, present| RhythmFinding {
            rhythm,
            present,
            onset_at: Timestamp::default(),
        };
        tally.looked(3600);
        tally.found(&[
            finding(Rhythm::VentricularFibrillation, true),
            finding(Rhythm::VentricularFibrillation, false),
            finding(Rhythm::VentricularTachycardia, true),
        ]);
        for _ in 0..4 {
            tally.found(&[finding(Rhythm::VentricularTachycardia, true)]);
        }
        assert_eq!(counted(&tally, "ecg-vf").alarms, 1);
        assert_eq!(counted(&tally, "ecg-vf").trip(&Limits::AGENT), None);
        let said = counted(&tally, "ecg-beat").trip(&Limits::AGENT).unwrap().to_string();
        assert_eq!(said, "raises 5.0 alarms in an hour of one bed");
    }

    #[test]
    fn a_risk_that_becomes_high_is_one_alarm_and_a_bed_gives_one_value_an_hour() {
        let mut tally = Tally::default();
        tally.live(RISK, "1.1.0", clock::instant());
        tally.watch(
            RISK,
            vec![Input {
                name: "heart_rate".to_owned(),
                edges: vec![0.0, 100.0, 300.0],
                reference: vec![1, 1],
                current: vec![0, 0],
            }],
        );
        for minute in 0..120_u32 {
            let at = Duration::from_mins(minute.into());
            tally.risk(&request("B1", at, 80.0), minute >= 60);
            tally.risk(&request("B2", at, 120.0), minute % 10 == 0);
        }
        let counted = counted(&tally, RISK);
        assert_eq!(counted.alarms, 1 + 12);
        assert_eq!(counted.bed_seconds, 2 * 119 * 60);
        assert_eq!(counted.inputs[0].current, [2, 2]);
        assert!(counted.trip(&Limits::AGENT).is_some(), "six in an hour of one bed");
    }

    #[test]
    fn another_version_begins_anew() {
        let mut tally = Tally::default();
        tally.live(RISK, "1.1.0", clock::instant());
        tally.risk(&request("B1", Duration::ZERO, 80.0), true);
        tally.live(RISK, "1.0.0", clock::instant());
        assert_eq!(tally.all()[RISK], ("1.0.0".to_owned(), Counted::default()));
    }
}
