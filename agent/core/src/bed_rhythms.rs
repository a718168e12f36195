//! The rhythm of every bed, from the waveforms as they pass: what begins and ends becomes an event of the Ward.
//!
//! Beside the Ward and not in it: waveforms are too many to be journaled, so what is found in them is what a replay gets.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::{RhythmNews, RhythmReport, Sighting};
use crate::ids::{BedId, StayToken};
use crate::message::WaveBlock;
use crate::rhythm::{BedRhythm, EcgSignal, Heard, Rhythm, RhythmFinding, RhythmState};
use crate::time::Timestamp;

/// Without a block for this long nothing is known of the rhythm any more.
const LOST_AFTER: Duration = Duration::from_secs(5);
/// After this long with blocks the analysis has found again what stood before a restart, or it is over; atrial fibrillation, which is told
/// from 128 intervals and 30 beats, takes longer.
const fn found_again_within(rhythm: Rhythm) -> Duration {
    match rhythm {
        Rhythm::AtrialFibrillation => Duration::from_mins(5),
        _ => Duration::from_secs(15),
    }
}

/// Numbers the hearings of beds: from a bed's first block to its last, by the same stay, without a break. What is found in one says
/// nothing about another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hearing(u64);

/// Who says that a condition is present.
#[derive(Clone, Copy, Debug)]
enum Witness {
    Rules,
    Models,
}

#[derive(Debug)]
struct Analysed {
    stay: StayToken,
    hearing: Hearing,
    analysis: BedRhythm,
    /// What the Ward believes to be present.
    told: Vec<Rhythm>,
    /// What the rules say is present.
    found: Vec<Rhythm>,
    /// What models say is present.
    modelled: Vec<Rhythm>,
    signal: EcgSignal,
    began_at: Timestamp,
    last_block_at: Timestamp,
    /// Device clock of the newest sample.
    sampled_at: Timestamp,
}

/// The analyses of all beds that have waveforms.
///
/// In the order of the beds: the same waveforms give the same reports in the same order.
#[derive(Debug, Default)]
pub struct BedRhythms {
    beds: BTreeMap<BedId, Analysed>,
    /// The newest.
    hearing: Hearing,
}

impl BedRhythms {
    /// Takes a block; returns what the Ward is to know. `standing` is what it believes already, asked for at a bed's first block.
    /// What is heard on the way goes to `heard`, for models.
    pub fn take(
        &mut self,
        bed: &BedId,
        stay: StayToken,
        (block, sent_at): (&WaveBlock, Timestamp),
        now: Timestamp,
        standing: impl FnOnce() -> Vec<Rhythm>,
        heard: &mut dyn FnMut(Heard),
    ) -> Vec<RhythmReport> {
        if self.beds.get(bed).is_none_or(|known| known.stay != stay) {
            let hearing = self.next_hearing();
            self.beds.insert(bed.clone(), Analysed::new(stay, hearing, standing(), now));
        }
        let Some(analysed) = self.beds.get_mut(bed) else {
            return Vec::new();
        };
        let length = Duration::from_secs_f32(block.samples.len() as f32 / block.rate_hz.max(1.0));
        analysed.last_block_at = now;
        analysed.sampled_at = analysed.sampled_at.max(sent_at.plus(length));
        let mut findings = Vec::new();
        analysed.analysis.push_heard(block, sent_at, &mut findings, heard);
        analysed.report(bed, Witness::Rules, findings)
    }

    /// The hearing of a bed that goes on.
    pub fn hearing(&self, bed: &BedId) -> Option<Hearing> {
        self.beds.get(bed).map(|analysed| analysed.hearing)
    }

    fn next_hearing(&mut self) -> Hearing {
        self.hearing = Hearing(self.hearing.0 + 1);
        self.hearing
    }

    /// Takes what models found in a hearing of the bed, and what they saw. A condition is present as long as the rules or the models
    /// say so. What is of another hearing is passed over.
    pub fn take_modelled(
        &mut self,
        bed: &BedId,
        hearing: Hearing,
        findings: Vec<RhythmFinding>,
        sightings: Vec<Sighting>,
    ) -> Vec<RhythmReport> {
        let Some(analysed) = self.beds.get_mut(bed).filter(|known| known.hearing == hearing) else {
            return Vec::new();
        };
        let mut reports = analysed.report(bed, Witness::Models, findings);
        reports.extend(
            sightings
                .into_iter()
                .map(|seen| analysed.about(bed, RhythmNews::Sighting(seen))),
        );
        reports
    }

    /// The models are gone, or so late that what they said last is of the past: what they alone said is no longer known to be so. Should
    /// they answer again, it is about hearings that begin now.
    pub fn forget_models(&mut self) -> Vec<RhythmReport> {
        let hearing = self.next_hearing();
        let beds = self.beds.iter_mut();
        beds.flat_map(|(bed, analysed)| {
            analysed.hearing = hearing;
            let over = analysed.modelled.iter().map(|rhythm| analysed.over(*rhythm)).collect();
            analysed.report(bed, Witness::Models, over)
        })
        .collect()
    }

    /// Time passed: what is no more heard of, or was not found again, is over.
    pub fn tick(&mut self, now: Timestamp) -> Vec<RhythmReport> {
        let mut reports = Vec::new();
        self.beds.retain(|bed, analysed| {
            let lost = now.since(analysed.last_block_at) > LOST_AFTER;
            if lost {
                analysed.found.clear();
                analysed.modelled.clear();
                if analysed.signal != EcgSignal::None {
                    reports.push(analysed.about(bed, RhythmNews::Signal(EcgSignal::None)));
                }
            }
            let heard_for = now.since(analysed.began_at);
            reports.extend(analysed.take_back(bed, |rhythm| lost || heard_for > found_again_within(rhythm)));
            !lost
        });
        reports
    }

    /// How each bed's rhythm is now, for display.
    pub fn state(&self, bed: &BedId) -> Option<RhythmState> {
        self.beds.get(bed).map(|analysed| analysed.analysis.state())
    }

    /// The bed has another patient, or none.
    pub fn forget(&mut self, bed: &BedId) {
        self.beds.remove(bed);
    }
}

impl Analysed {
    fn new(stay: StayToken, hearing: Hearing, told: Vec<Rhythm>, now: Timestamp) -> Self {
        Self {
            stay,
            hearing,
            analysis: BedRhythm::default(),
            told,
            found: Vec::new(),
            modelled: Vec::new(),
            signal: EcgSignal::None,
            began_at: now,
            last_block_at: now,
            sampled_at: Timestamp::default(),
        }
    }

    fn report(&mut self, bed: &BedId, witness: Witness, findings: Vec<RhythmFinding>) -> Vec<RhythmReport> {
        let mut news = Vec::new();
        for finding in findings {
            let (own, other) = match witness {
                Witness::Rules => (&mut self.found, &self.modelled),
                Witness::Models => (&mut self.modelled, &self.found),
            };
            note(own, finding);
            // What the other witness says is present is told already, and goes on.
            if !other.contains(&finding.rhythm) {
                note(&mut self.told, finding);
                news.push(RhythmNews::Finding(finding));
            }
        }
        let signal = self.analysis.state().signal;
        if signal != self.signal {
            self.signal = signal;
            news.push(RhythmNews::Signal(signal));
        }
        news.into_iter().map(|news| self.about(bed, news)).collect()
    }

    /// Ends what the Ward believes and the analysis does not, where it is `due`.
    fn take_back(&mut self, bed: &BedId, due: impl Fn(Rhythm) -> bool) -> Vec<RhythmReport> {
        let present = |rhythm: &Rhythm| self.found.contains(rhythm) || self.modelled.contains(rhythm) || !due(*rhythm);
        let (told, over): (Vec<_>, Vec<_>) = self.told.iter().copied().partition(present);
        self.told = told;
        let report = |rhythm| self.about(bed, RhythmNews::Finding(self.over(rhythm)));
        over.into_iter().map(report).collect()
    }

    /// A condition of which nothing says any more that it is present.
    const fn over(&self, rhythm: Rhythm) -> RhythmFinding {
        RhythmFinding {
            rhythm,
            present: false,
            onset_at: self.sampled_at,
        }
    }

    fn about(&self, bed: &BedId, news: RhythmNews) -> RhythmReport {
        RhythmReport {
            bed: bed.clone(),
            stay: self.stay,
            sampled_at: self.sampled_at,
            news,
        }
    }
}

fn note(present: &mut Vec<Rhythm>, finding: RhythmFinding) {
    present.retain(|known| *known != finding.rhythm);
    if finding.present {
        present.push(finding.rhythm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Waveform;
    use crate::vitals::Quality;

    const STAY: StayToken = StayToken::from_bytes([1; 16]);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + ms)
    }

    /// A second of an ECG at 250 Hz with one beat in it, or a flat one.
    fn second(beats: bool) -> WaveBlock {
        let sample = |i: i16| match i {
            100..105 if beats => (i - 99) * 200,
            105..110 if beats => (110 - i) * 200,
            _ => i % 7,
        };
        WaveBlock {
            waveform: Waveform::Ecg(131_330),
            rate_hz: 250.0,
            scale: (-3, 1),
            offset: 0,
            samples: (0..250).map(sample).collect(),
            quality: Quality::VALID,
        }
    }

    fn findings(reports: &[RhythmReport]) -> Vec<(Rhythm, bool)> {
        let finding = |report: &RhythmReport| match report.news {
            RhythmNews::Finding(finding) => Some((finding.rhythm, finding.present)),
            RhythmNews::Signal(_) | RhythmNews::Sighting(_) => None,
        };
        reports.iter().filter_map(finding).collect()
    }

    fn play(rhythms: &mut BedRhythms, seconds: std::ops::Range<i64>, beats: bool, standing: &[Rhythm]) -> Vec<(Rhythm, bool)> {
        let bed = BedId::new("B1").unwrap();
        let mut all = Vec::new();
        for s in seconds {
            let now = at(s * 1000 + 1000);
            let block = second(beats);
            all.extend(rhythms.take(&bed, STAY, (&block, at(s * 1000)), now, || standing.to_vec(), &mut |_| {}));
            all.extend(rhythms.tick(now));
        }
        findings(&all)
    }

    #[test]
    fn asystole_is_found_and_is_over_when_the_heart_beats_again() {
        let mut rhythms = BedRhythms::default();
        assert!(play(&mut rhythms, 0..20, true, &[]).is_empty());
        let flat = play(&mut rhythms, 20..30, false, &[]);
        assert_eq!(flat, [(Rhythm::Pause, true), (Rhythm::Asystole, true)]);
        let after = play(&mut rhythms, 30..50, true, &[]);
        assert!(after.contains(&(Rhythm::Asystole, false)), "{after:?}");
    }

    #[test]
    fn what_stood_before_a_restart_is_taken_back_only_when_it_is_not_found_again() {
        let mut rhythms = BedRhythms::default();
        assert!(play(&mut rhythms, 0..14, true, &[Rhythm::VentricularTachycardia]).is_empty());
        let later = play(&mut rhythms, 14..20, true, &[]);
        assert_eq!(later, [(Rhythm::VentricularTachycardia, false)]);
    }

    #[test]
    fn without_a_waveform_nothing_is_known_of_the_rhythm() {
        let mut rhythms = BedRhythms::default();
        play(&mut rhythms, 0..20, true, &[]);
        play(&mut rhythms, 20..30, false, &[]);
        let reports = rhythms.tick(at(36_001));
        assert!(findings(&reports).contains(&(Rhythm::Asystole, false)), "{reports:?}");
        assert!(reports.iter().any(|r| r.news == RhythmNews::Signal(EcgSignal::None)));
        assert!(rhythms.state(&BedId::new("B1").unwrap()).is_none());
    }

    /// What the models say, told after a second of beats.
    fn by_models(rhythms: &mut BedRhythms, s: i64, rhythm: Rhythm, present: bool) -> Vec<(Rhythm, bool)> {
        let bed = BedId::new("B1").unwrap();
        let mut all = play(rhythms, s..s + 1, true, &[]);
        let finding = RhythmFinding {
            rhythm,
            present,
            onset_at: at(s * 1000),
        };
        let hearing = rhythms.hearing(&bed).unwrap();
        all.extend(findings(&rhythms.take_modelled(&bed, hearing, vec![finding], Vec::new())));
        all
    }

    #[test]
    fn a_condition_is_present_as_long_as_the_rules_or_the_models_say_so() {
        let (asystole, vf) = (Rhythm::Asystole, Rhythm::VentricularFibrillation);
        let mut rhythms = BedRhythms::default();
        play(&mut rhythms, 0..20, true, &[]);
        assert_eq!(by_models(&mut rhythms, 20, vf, true), [(vf, true)]);
        assert_eq!(by_models(&mut rhythms, 21, vf, false), [(vf, false)]);

        assert_eq!(by_models(&mut rhythms, 22, asystole, true), [(asystole, true)]);
        let flat = play(&mut rhythms, 23..33, false, &[]);
        assert!(!flat.contains(&(asystole, true)), "told already: {flat:?}");
        let still = by_models(&mut rhythms, 33, asystole, false);
        assert!(!still.contains(&(asystole, false)), "the rules still say so: {still:?}");
        let after = play(&mut rhythms, 34..50, true, &[]);
        assert!(after.contains(&(asystole, false)), "{after:?}");
    }

    #[test]
    fn what_models_say_of_an_earlier_hearing_is_passed_over() {
        let (bed, vf) = (BedId::new("B1").unwrap(), Rhythm::VentricularFibrillation);
        let mut rhythms = BedRhythms::default();
        play(&mut rhythms, 0..20, true, &[]);
        let before = rhythms.hearing(&bed).unwrap();
        assert_eq!(by_models(&mut rhythms, 20, vf, true), [(vf, true)]);
        assert!(
            findings(&rhythms.tick(at(27_000))).contains(&(vf, false)),
            "a break of six seconds"
        );
        assert_eq!(by_models(&mut rhythms, 27, vf, true), [(vf, true)], "told again after it");
        let finding = RhythmFinding {
            rhythm: vf,
            present: false,
            onset_at: at(28_000),
        };
        assert_eq!(rhythms.take_modelled(&bed, before, vec![finding], Vec::new()), []);
    }

    #[test]
    fn what_only_models_said_is_over_when_they_are_gone() {
        let vt = Rhythm::VentricularTachycardia;
        let mut rhythms = BedRhythms::default();
        play(&mut rhythms, 0..20, true, &[]);
        assert_eq!(by_models(&mut rhythms, 20, vt, true), [(vt, true)]);
        assert_eq!(findings(&rhythms.forget_models()), [(vt, false)]);
        assert_eq!(findings(&rhythms.forget_models()), []);
    }
}
