//! Rates, gains, quality, cuts, and anything at all.

use proptest::prelude::*;

use super::synthetic::{Heart, II, Listener, START_MS, Stream, V, hear};
use crate::codes::Waveform;
use crate::message::WaveBlock;
use crate::rhythm::{BedRhythm, EcgSignal, Rhythm};
use crate::time::Timestamp;
use crate::vitals::Quality;

#[test]
fn heart_rate_is_right_at_every_rate_sampling_and_gain() {
    for rate in [32.0, 60.0, 90.0, 150.0, 200.0] {
        for (rate_hz, gain) in [
            (125.0, 200.0),
            (250.0, 2000.0),
            (360.0, 200.0),
            (500.0, 50.0),
            (1000.0, 10_000.0),
        ] {
            let heart = Heart::default().beat((rate / 2.0) as usize + 8, rate, false);
            let listener = Listener::of(&[Stream::at(II, |t| heart.ecg(t), heart.end_s, rate_hz, gain)]);
            let found = listener.rate().unwrap_or(0.0);
            assert!((found - rate).abs() < 0.02 * rate, "{rate} at {rate_hz} Hz: {found}");
        }
    }
}

#[test]
fn small_beats_count_and_smaller_ones_do_not() {
    let heart = Heart::default().beat(30, 60.0, false);
    for (height, counted) in [(0.2, true), (0.1, false)] {
        let listener = Listener::of(&[Stream::new(II, |t| height * heart.ecg(t), 30.0)]);
        assert_eq!(listener.beats.len() > 20, counted, "{height} mV: {}", listener.beats.len());
    }
}

#[test]
fn a_step_of_the_gain_raises_nothing() {
    let heart = Heart::default().beat(80, 75.0, false);
    for factor in [0.3, 3.0] {
        let wave = |t: f64| heart.ecg(t) * if t > 30.0 { factor } else { 1.0 };
        let listener = Listener::of(&[Stream::new(II, wave, heart.end_s)]);
        assert_eq!(listener.told, [], "{factor}");
        assert!((listener.rate().unwrap() - 75.0).abs() < 2.0, "{factor}");
    }
}

#[test]
fn a_lead_that_is_off_is_no_asystole() {
    let heart = Heart::default().beat(60, 75.0, false);
    let mut off = Stream::new(II, |_| 0.0, 20.0);
    off.quality = Quality::LEAD_OFF;
    let mut missing = Stream::new(II, |t| heart.ecg(t), 40.0);
    missing.samples[5000..].fill(WaveBlock::MISSING);
    let mut rail = Stream::new(II, |t| heart.ecg(t), 40.0);
    rail.samples[5000..].fill(1024);
    for stream in [off, missing, rail] {
        let listener = Listener::of(&[stream]);
        assert_eq!(listener.told, []);
        assert_eq!(listener.bed.state().signal, EcgSignal::LeadOff);
        assert_eq!(listener.rate(), None);
    }
}

#[test]
fn noise_is_no_rhythm() {
    let heart = Heart::default().beat(60, 75.0, false);
    let noise = |t: f64| {
        let i = (t * 250.0) as u64;
        ((i.wrapping_mul(6_364_136_223_846_793_005) >> 40) % 2000) as f64 / 1000.0 - 1.0
    };
    let wave = |t: f64| if t < 20.0 { heart.ecg(t) } else { noise(t) };
    let listener = Listener::of(&[Stream::new(II, wave, 40.0)]);
    assert_eq!(listener.told, []);
    assert_eq!(listener.bed.state().signal, EcgSignal::Noisy);
}

#[test]
fn another_lead_is_followed_while_the_preferred_one_is_off_and_the_rate_stays() {
    let heart = Heart::default().beat(70, 75.0, false);
    let mut second = Stream::new(II, |t| heart.ecg(t), 50.0);
    second.samples[5000..7500].fill(WaveBlock::MISSING);
    let streams = [second, Stream::new(V, |t| -0.7 * heart.ecg(t), 50.0)];
    let mut listener = Listener::default();
    let mut followed = Vec::new();
    for block in 0..200 {
        listener.play(&streams, block);
        followed.push(listener.bed.state().lead);
    }
    assert_eq!((followed[60], followed[100], followed[190]), (Some(II), Some(V), Some(II)));
    assert_eq!(listener.told, []);
}

#[test]
fn no_scale_that_a_device_may_claim_is_too_large() {
    let heart = Heart::default().beat(20, 75.0, false);
    let stream = Stream::new(II, |t| heart.ecg(t), 20.0);
    for scale in [(127, i32::MAX), (25, -1), (3, 40), (-128, i32::MIN)] {
        let mut bed = BedRhythm::default();
        for from in (0..5000).step_by(250) {
            let (mut block, at) = stream.block(from, from + 250);
            block.scale = scale;
            bed.push(&block, at, &mut Vec::new());
        }
    }
}

#[test]
fn a_gap_is_no_pause() {
    let heart = Heart::default().beat(60, 75.0, false);
    let stream = Stream::new(II, |t| heart.ecg(t), 40.0);
    let mut listener = Listener::default();
    for block in (0..80).chain(100..160) {
        listener.play(std::slice::from_ref(&stream), block);
    }
    assert_eq!(listener.told, []);
    assert_eq!(listener.bed.state().signal, EcgSignal::Good);
}

#[test]
fn a_device_in_demo_mode_is_not_listened_to() {
    let mut demo = Stream::new(II, |_| 0.0, 20.0);
    demo.quality = Quality::VALID.and(Quality::DEMO);
    let listener = Listener::of(&[demo]);
    assert_eq!((listener.told.len(), listener.bed.state().signal), (0, EcgSignal::None));
}

#[test]
fn the_state_of_a_bed_stays_small() {
    let heart = Heart::default().beat(150, 75.0, false);
    let ecg = |w| Stream::new(w, |t: f64| heart.ecg(t), 100.0);
    let leads = [II, V, Waveform::Ecg(131_329), Waveform::Ecg(131_331), Waveform::Ecg(131_332)];
    let mut streams: Vec<Stream> = leads.into_iter().map(ecg).collect();
    streams.push(Stream::at(Waveform::Pleth, |t| heart.pleth(t), 100.0, 125.0, 5000.0));
    let listener = Listener::of(&streams);
    let bytes = postcard::to_allocvec(&listener.bed).unwrap();
    assert!(bytes.len() < 16 * 1024, "{} bytes", bytes.len());
    let again: BedRhythm = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(again, listener.bed);
}

/// Everything that happens to a heart, on three waveforms.
fn eventful() -> Vec<Stream> {
    let heart = Heart::default()
        .beat(14, 80.0, false)
        .beat(8, 150.0, true)
        .beat(8, 75.0, false)
        .rest(6.0)
        .beat(10, 75.0, false);
    let seconds = heart.end_s;
    vec![
        Stream::at(II, |t| heart.ecg(t), seconds, 360.0, 200.0),
        Stream::new(V, |t| 0.6 * heart.ecg(t), seconds),
        Stream::at(Waveform::Pleth, |t| heart.pleth(t), seconds, 62.5, 5000.0),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_cut_into_blocks_changes_nothing(cuts in prop::collection::vec(0.02_f64..0.9, 8..16)) {
        let streams = eventful();
        let whole = Listener::of(&streams);
        let expected: Vec<_> = whole.told.iter().map(|(r, p, at, _)| (*r, *p, (at * 1000.0) as i64)).collect();
        prop_assert!(whole.began(Rhythm::VentricularTachycardia).len() == 1 && whole.began(Rhythm::Asystole).len() == 1);
        let mut bed = BedRhythm::default();
        let mut findings = Vec::new();
        let mut beats = Vec::new();
        let mut next = [0_usize; 3];
        let mut cut = cuts.iter().cycle();
        // The stream that is furthest behind sends next.
        while let Some((i, stream)) = (0..3)
            .zip(&streams)
            .filter(|(i, s)| next[*i] < s.samples.len())
            .min_by(|(a, s), (b, t)| (next[*a] as f64 / s.rate_hz).total_cmp(&(next[*b] as f64 / t.rate_hz)))
        {
            let to = next[i] + 1 + (cut.next().unwrap() * stream.rate_hz) as usize;
            let (block, at) = stream.block(next[i], to);
            next[i] = to;
            bed.push_with(&block, at, &mut findings, &mut |beat| beats.push(beat));
        }
        let found: Vec<_> = findings.iter().map(|f| (f.rhythm, f.present, f.onset_at.as_millis() - START_MS)).collect();
        prop_assert_eq!(found, expected);
        let both = beats.len().min(whole.beats.len());
        prop_assert!(both + 1 >= whole.beats.len());
        prop_assert_eq!(&beats[..both], &whole.beats[..both]);
    }
}

fn any_block() -> impl Strategy<Value = (WaveBlock, Timestamp)> {
    let waveform = prop::sample::select(vec![
        II,
        V,
        Waveform::Ecg(131_391),
        Waveform::Ecg(131_333),
        Waveform::Pleth,
        Waveform::Co2,
    ]);
    let rate = prop_oneof![prop::sample::select(vec![125.0_f32, 250.0, 62.5, 1000.0]), any::<f32>()];
    let stamp = prop_oneof![0_i64..30_000, any::<i64>()];
    let samples = prop_oneof![
        prop::collection::vec(any::<i16>(), 0..600),
        (any::<i16>(), 0_usize..3000).prop_map(|(v, n)| vec![v; n])
    ];
    (waveform, rate, any::<(i8, i32)>(), any::<i32>(), samples, 0_u16..64, stamp).prop_map(
        |(waveform, rate_hz, scale, offset, samples, quality, stamp)| {
            let block = WaveBlock {
                waveform,
                rate_hz,
                scale,
                offset,
                samples,
                quality: Quality::from_bits(quality & 0b10_1111).unwrap(),
            };
            (block, Timestamp::from_millis(stamp))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_block_makes_it_fall(blocks in prop::collection::vec(any_block(), 1..20)) {
        let mut bed = BedRhythm::default();
        let mut findings = Vec::new();
        for (block, at) in &blocks {
            bed.push(block, *at, &mut findings);
        }
        for pair in findings.iter().filter(|f| !f.present) {
            prop_assert!(findings.iter().any(|f| f.present && f.rhythm == pair.rhythm));
        }
    }
}

#[test]
fn the_rate_of_a_heart_that_slows_follows_the_last_beats() {
    let listener = hear(&Heart::default().beat(20, 80.0, false).beat(5, 45.0, false));
    assert!((listener.rate().unwrap() - 45.0).abs() < 1.0, "{:?}", listener.rate());
}
