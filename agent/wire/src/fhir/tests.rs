//! Every resource that is sent, in both versions, against the golden files of `docs/contract`.

use wardlight_core::alarms::{AlarmId, AlarmKind, AlarmState, Audio, Receiver, Side, Technical};
use wardlight_core::codes::{Parameter, Unit, Waveform};
use wardlight_core::event::{AlarmChange, Cause, ModelScore, RISK_INPUTS, RiskBand, RiskEffect, RiskReasons, Transition};
use wardlight_core::ids::BedId;
use wardlight_core::message::{Birth, Channel, Priority, WaveBlock};
use wardlight_core::patient::{Consciousness, Spo2Scale};
use wardlight_core::scores::{News2, News2Input};
use wardlight_core::vitals::{Quality, Reading};

use super::*;

/// 2026-01-01T00:00:00Z.
const NEW_YEAR: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const STAY: StayToken = StayToken::from_bytes([0xAB; 16]);

fn mapping(version: Version) -> Mapping {
    Mapping::new(version, SiteId::new("st-mary").unwrap())
}

fn device() -> DeviceId {
    DeviceId::new("mon-01").unwrap()
}

fn reading(code: u32, thousandths: i32, quality: Quality) -> Reading {
    Reading::new(code, Some(Milli::new(thousandths)), quality).unwrap()
}

fn readings() -> Vec<Reading> {
    vec![
        reading(147_842, 82_000, Quality::VALID),
        reading(149_530, 81_000, Quality::VALID),
        reading(150_456, 96_000, Quality::QUESTIONABLE),
        reading(151_578, 16_000, Quality::VALID),
        reading(150_021, 118_000, Quality::VALID),
        reading(150_022, 74_000, Quality::VALID),
        reading(150_023, 89_000, Quality::VALID),
        reading(150_037, 121_000, Quality::VALID),
        reading(150_368, 36_600, Quality::VALID),
        reading(151_708, 38_000, Quality::VALID),
        reading(150_488, 1_250, Quality::VALID),
        reading(160_184, 104_000, Quality::VALID),
    ]
}

fn input() -> News2Input {
    News2Input {
        resp_rate: Some(22),
        spo2: Some(94),
        scale: Spo2Scale::One,
        oxygen: Some(false),
        systolic: Some(105),
        pulse: Some(95),
        consciousness: Some(Consciousness::Alert),
        temperature_tenths: Some(385),
    }
}

fn alarm(kind: AlarmKind, state: AlarmState, seconds: i64) -> AlarmChange {
    let bed = BedId::new("B03").unwrap();
    let id = AlarmId::new(&bed, &kind, NEW_YEAR);
    AlarmChange {
        id: id.clone(),
        revision: 1,
        bed,
        stay: STAY,
        kind,
        priority: Priority::Medium,
        state,
        transition: Transition::Raised,
        cause: Some(Cause {
            parameter: Parameter::Spo2,
            value: Milli::from_int(87),
            limit: Milli::from_int(90),
        }),
        onset_at: NEW_YEAR,
        raised_at: NEW_YEAR,
        changed_at: Timestamp::from_millis(NEW_YEAR.as_millis() + 1000 * seconds),
        trigger: None,
        by: None,
        call: id,
        receiver: Receiver::Primary,
        accepted_by: None,
        audio: Audio::On,
        reminders: 0,
    }
}

fn strip() -> WaveBlock {
    WaveBlock {
        waveform: Waveform::Ecg(131_330),
        rate_hz: 250.0,
        scale: (-3, 3),
        offset: -10,
        samples: vec![0, 12, -7, 1000, WaveBlock::MISSING],
        quality: Quality::VALID,
    }
}

fn score() -> ModelScore {
    let mut effects = [RiskEffect::default(); RISK_INPUTS];
    effects[0].ppm = 31_000;
    effects[1].ppm = -4_000;
    ModelScore {
        bed: BedId::new("B03").unwrap(),
        stay: STAY,
        asked_at: NEW_YEAR,
        model: "deterioration 3.0.0".into(),
        permille: 127,
        band: RiskBand::Raised,
        completeness_percent: 86,
        reasons: RiskReasons {
            base_ppm: 100_000,
            effects,
        },
    }
}

fn birth() -> Birth {
    let channel = |code, unit, rate_hz| Channel { code, unit, rate_hz };
    Birth {
        model: "Monitor 7".into(),
        firmware: "2.4.1".into(),
        channels: vec![
            channel(150_456, Unit::Percent, None),
            channel(131_330, Unit::Millivolt, Some(250.0)),
        ],
    }
}

fn everything(mapping: &Mapping) -> Vec<Resource> {
    let spo2_low = || AlarmKind::Limit(Parameter::Spo2, Side::Low);
    let incomplete = News2Input {
        temperature_tenths: None,
        ..input()
    };
    let later = Timestamp::from_millis(NEW_YEAR.as_millis() + 60_000);
    let mut all = vec![mapping.agent("0.1.0")];
    all.extend(mapping.device(&device(), &birth()));
    let occupancy = Occupancy {
        stay: STAY,
        bed: BedId::new("B03").unwrap(),
        admitted_at: NEW_YEAR,
        discharged_at: Some(later),
    };
    all.push(mapping.encounter(&occupancy));
    let vitals = measured(&readings());
    all.extend(
        vitals
            .iter()
            .filter_map(|one| mapping.vital_sign(STAY, &device(), NEW_YEAR, one)),
    );
    all.extend(mapping.strip(STAY, &device(), NEW_YEAR, &strip()));
    all.push(mapping.news2(STAY, NEW_YEAR, &News2::of(&input())));
    all.push(mapping.news2(STAY, later, &News2::of(&incomplete)));
    all.push(mapping.risk(&score()));
    all.extend(mapping.flag(&alarm(spo2_low(), AlarmState::Active, 0)));
    all.extend(mapping.flag(&alarm(AlarmKind::Apnoea, AlarmState::Cleared, 20)));
    all
}

/// Compares with a file of `docs/contract`; `UPDATE_GOLDEN=1` rewrites it.
fn golden(name: &str, bundle: &Value) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/contract")
        .join(name);
    let text = format!("{bundle:#}\n");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == text, "{}: differs; UPDATE_GOLDEN=1 rewrites it", file.display());
}

#[test]
fn every_resource_is_as_the_contract_shows_it_in_r4() {
    golden("fhir-r4.json", &bundle(&everything(&mapping(Version::R4))));
}

#[test]
fn every_resource_is_as_the_contract_shows_it_in_r5() {
    golden("fhir-r5.json", &bundle(&everything(&mapping(Version::R5))));
}

#[test]
fn an_identity_is_the_same_in_both_versions_and_no_two_resources_share_one() {
    let ids = |version| {
        everything(&mapping(version))
            .into_iter()
            .map(|resource| resource.id)
            .collect::<Vec<_>>()
    };
    let mut unique = ids(Version::R4);
    assert_eq!(unique, ids(Version::R5));
    let all = unique.len();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), all);
}

#[test]
fn pressures_of_a_group_are_one_observation_and_groups_stay_apart() {
    let codes: Vec<_> = measured(&readings()).iter().map(Measured::code).collect();
    assert_eq!(
        codes,
        [
            147_842, 149_530, 150_456, 151_578, 150_020, 150_036, 150_368, 151_708, 150_488, 160_184
        ]
    );
}

#[test]
fn what_is_void_simulated_or_about_the_device_is_no_observation() {
    let readings = [
        reading(147_842, 82_000, Quality::LEAD_OFF),
        reading(150_456, 96_000, Quality::VALID.and(Quality::DEMO)),
        reading(67_996, 50_000, Quality::VALID),
        Reading::new(151_578, None, Quality::VALID).unwrap(),
    ];
    assert_eq!(measured(&readings), []);
}

#[test]
fn all_changes_of_an_alarm_are_one_flag_which_ends_with_it() {
    let mapping = mapping(Version::R4);
    let begun = mapping.flag(&alarm(AlarmKind::Apnoea, AlarmState::Active, 0)).unwrap();
    let over = mapping.flag(&alarm(AlarmKind::Apnoea, AlarmState::Cleared, 20)).unwrap();
    assert_eq!(begun.id, over.id);
    assert_eq!(begun.body["status"], "active");
    assert_eq!(over.body["status"], "inactive");
    assert_eq!(over.body["period"]["end"], "2026-01-01T00:00:20.000Z");
}

#[test]
fn a_technical_alarm_is_not_on_the_chart() {
    let kind = AlarmKind::Technical(Technical::LeadOff);
    assert_eq!(mapping(Version::R4).flag(&alarm(kind, AlarmState::Active, 0)), None);
}

#[test]
fn a_sample_is_restored_by_the_factor_and_the_origin() {
    let resource = mapping(Version::R4).strip(STAY, &device(), NEW_YEAR, &strip()).unwrap();
    let data = &resource.body["valueSampledData"];
    assert_eq!(data["period"], 4.0);
    assert_eq!(data["data"], "0 12 -7 1000 E");
    let (factor, origin) = (data["factor"].as_f64().unwrap(), data["origin"]["value"].as_f64().unwrap());
    assert_eq!(data["factor"], 0.003);
    // (sample + offset) × mantissa × 10^exponent, as the wire defines it.
    assert!((1000.0 * factor + origin - 990.0 * 0.003).abs() < 1e-12);
}

#[test]
fn an_instant_is_utc_to_the_millisecond_and_never_before_1970() {
    let at = Timestamp::from_millis;
    assert_eq!(instant(at(1_767_225_600_123)), "2026-01-01T00:00:00.123Z");
    assert_eq!(instant(at(-1)), "1970-01-01T00:00:00.000Z");
}
