use wardlight_core::codes::{AgeGroup, Parameter};
use wardlight_core::message::{Body, WaveBlock};
use wardlight_core::vitals::{Milli, Quality};

use super::*;
use crate::error::RejectReason;

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn oru(processing: &str, rows: &[&str]) -> String {
    let mut text = format!(
        "MSH|^~\\&|gateway|icu|||20260101010000+0100||ORU^R01^ORU_R01|42|{processing}|2.6\rPID|||7^^^h^PI||Doe^Jane\rOBR|1|||x|||20260101005959\r"
    );
    for row in rows {
        text.push_str(row);
        text.push('\r');
    }
    text
}

const MDS: &str = "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||mon-07^^0012^EUI-64";
const SPO2: &str = "OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456|86|262688^MDC_DIM_PERCENT^MDC|>90||||R";

fn observations(text: &str) -> Result<Observations, Refusal> {
    match receive(text.as_bytes(), 0, NOW).content? {
        Content::Observations(observations) => Ok(observations),
        Content::Movement(_) => panic!("a movement"),
    }
}

fn numerics(text: &str) -> Vec<(Parameter, Option<i32>, Quality)> {
    let found = observations(text).unwrap();
    let mut all = Vec::new();
    for message in found.messages {
        if let Body::Numerics(readings) = message.body {
            all.extend(
                readings
                    .iter()
                    .map(|r| (r.parameter(), r.value().map(Milli::get), r.quality())),
            );
        }
    }
    all
}

#[test]
fn a_monitor_s_values_become_a_message_of_its_device_at_its_time() {
    let hr = "OBX|3|NM|147842^MDC_ECG_HEART_RATE^MDC|1.2.1.147842|88.5|/min^^UCUM|||||F|||20260101005958.500";
    let found = observations(&oru("P", &[MDS, SPO2, hr])).unwrap();
    assert_eq!((found.messages.len(), found.rejected.len(), found.foreign), (2, 0, 1));
    let [first, second] = &found.messages[..] else { panic!() };
    assert_eq!(
        (first.device.as_str(), first.sent_at.as_millis()),
        ("mon-07", 1_767_225_598_500)
    );
    assert_eq!(second.sent_at.as_millis(), 1_767_225_599_000, "OBR-7, in the zone of MSH-7");
    let all = numerics(&oru("P", &[MDS, SPO2, hr]));
    assert_eq!(
        all,
        [
            (Parameter::HeartRate, Some(88_500), Quality::VALID),
            (Parameter::Spo2, Some(86_000), Quality::VALID)
        ]
    );
}

#[test]
fn demo_is_known_by_the_message_and_by_the_flag_of_a_value() {
    let demo = Quality::VALID.and(Quality::DEMO);
    let flagged = SPO2.replace("|>90||||R", "|>90|L~DEMO|||R");
    for text in [oru("D", &[MDS, SPO2]), oru("T", &[MDS, SPO2]), oru("P", &[MDS, &flagged])] {
        assert_eq!(numerics(&text), [(Parameter::Spo2, Some(86_000), demo)]);
        assert!(!demo.usable());
    }
}

#[test]
fn a_value_that_was_not_obtained_or_is_doubted_says_so() {
    let row = |flags: &str, status: &str| SPO2.replace("|>90||||R", &format!("||{flags}|||{status}"));
    let got = |flags: &str, status: &str| numerics(&oru("P", &[MDS, &row(flags, status)])).remove(0);
    assert_eq!(got("", "X").1, None);
    assert_eq!(got("NAV", "F").1, None);
    assert_eq!(got("QUES", "F").2, Quality::QUESTIONABLE);
    assert!(!got("INV", "F").2.usable());
    assert!(!got("CAL", "R").2.usable());
    assert!(got("L~ALACT", "F").2.usable(), "our limits alarm, not the monitor's");
}

#[test]
fn a_known_code_with_a_wrong_unit_or_value_costs_only_itself() {
    let wrong_unit = SPO2.replace("262688^MDC_DIM_PERCENT^MDC", "266016^MDC_DIM_MMHG^MDC");
    let no_unit = SPO2.replace("262688^MDC_DIM_PERCENT^MDC", "");
    let text = SPO2.replace("|86|", "|low|");
    let range = SPO2.replace("|86|", "|101|");
    for (row, reason) in [
        (wrong_unit, RejectReason::WrongUnit),
        (no_unit, RejectReason::WrongUnit),
        (text, RejectReason::NotANumber),
        (range, RejectReason::OutOfRange),
    ] {
        let found = observations(&oru("P", &[MDS, &row])).unwrap();
        assert_eq!(found.rejected[0].reason, reason, "{row}");
        assert_eq!(found.rejected[0].field, "OBX[2]");
        assert_eq!(
            numerics(&oru("P", &[MDS, &row])),
            [(Parameter::Spo2, None, Quality::QUESTIONABLE)]
        );
    }
}

#[test]
fn devices_are_told_apart_and_a_value_of_none_is_refused() {
    let second = MDS.replace("1.0.0.0", "2.0.0.0").replace("mon-07", "pump-1");
    let of_second = SPO2.replace("1.3.1.150456", "2.3.1.150456").replace("|86|", "|97|");
    let found = observations(&oru("P", &[MDS, &second, SPO2, &of_second])).unwrap();
    let devices: Vec<_> = found.messages.iter().map(|m| m.device.as_str()).collect();
    assert_eq!(devices, ["mon-07", "pump-1"]);
    let refusal = observations(&oru("P", &[MDS, &of_second])).unwrap_err();
    assert_eq!(
        (refusal.place.to_string(), refusal.is_reject),
        ("OBX[2]-18".to_owned(), false)
    );
    let by_participation = [
        "OBX|1||69965^x^MDC|1.0.0.0|||||||X",
        "PRT|1|UC||EQUIP||||||mon-09^^^EUI-64",
        SPO2,
    ];
    assert_eq!(
        observations(&oru("P", &by_participation)).unwrap().messages[0]
            .device
            .as_str(),
        "mon-09"
    );
    let refusal = observations(&oru("P", &[&MDS.replace("mon-07", "mon/07"), SPO2])).unwrap_err();
    assert_eq!(refusal.place.to_string(), "OBX[1]-18");
}

const WAVE: &str = "OBX|3|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.2.1.131330|0^12^-7^^40000|266418^MDC_DIM_MILLI_VOLT^MDC|||||F";
const RATE: &str = "OBX|4|NM|67981^MDC_ATTR_SAMP_RATE^MDC|1.2.1.131330.1|500|264640^MDC_DIM_HZ^MDC|||||F";
const RESOLUTION: &str = "OBX|5|NM|0^MDC_ATTR_NU_MSMT_RES^MDC|1.2.1.131330.2|0.001221|266418^MDC_DIM_MILLI_VOLT^MDC|||||F";

#[test]
fn a_waveform_with_its_facets_is_a_block() {
    let found = observations(&oru("P", &[MDS, SPO2, WAVE, RATE, RESOLUTION])).unwrap();
    let Body::Wave(block) = &found.messages[1].body else {
        panic!()
    };
    assert_eq!(block.samples, [0, 12, -7, WaveBlock::MISSING, WaveBlock::MISSING]);
    assert_eq!((block.scale, block.rate_hz.to_bits()), ((-6, 1221), 500_f32.to_bits()));
    assert_eq!(found.messages[1].sent_at.as_millis(), 1_767_225_599_000);
    for rows in [
        vec![MDS, WAVE, RATE],
        vec![MDS, WAVE, RESOLUTION],
        vec![MDS, WAVE, SPO2, RATE, RESOLUTION],
    ] {
        let found = observations(&oru("P", &rows)).unwrap();
        assert_eq!(
            found.rejected[0].code,
            Some(131_330),
            "without both facets it is nothing: {rows:?}"
        );
    }
}

#[test]
fn a_long_waveform_comes_in_blocks_one_after_the_other() {
    let many = WAVE.replace("0^12^-7^^40000", &vec!["5"; 9000].join("^"));
    let found = observations(&oru("P", &[MDS, &many, RATE, RESOLUTION])).unwrap();
    let starts: Vec<_> = found
        .messages
        .iter()
        .map(|m| m.sent_at.as_millis() - 1_767_225_599_000)
        .collect();
    assert_eq!(starts, [0, 8192, 16_384]);
}

fn adt(event: &str, pid: &str, pv1: &str) -> Result<Movement, Refusal> {
    let text = format!("MSH|^~\\&|adt|h|||20260101120000||ADT^{event}|9|P|2.5\rEVN||20260101\r{pid}\r{pv1}\r");
    match receive(text.as_bytes(), 0, NOW).content? {
        Content::Movement(movement) => Ok(movement),
        Content::Observations(_) => panic!("observations"),
    }
}

const PID: &str = "PID|||4711^^^h^MR||Doe^Jane||19500615|F";
const PV1: &str = "PV1||I|icu^2^B01^h|||icu^2^B02";

#[test]
fn movements_say_who_goes_where() {
    let movement = adt("A02", PID, PV1).unwrap();
    assert_eq!((movement.kind, movement.at.as_str()), (MovementKind::Transfer, "icu^2^B01"));
    assert_eq!(movement.from.as_deref(), Some("icu^2^B02"));
    let patient = &movement.patient;
    assert_eq!((patient.id.as_str(), patient.name.as_str()), ("4711", "Doe, Jane"));
    assert_eq!((patient.age_years, patient.age_group), (Some(75), AgeGroup::Adult));
    assert!(!format!("{movement:?}").contains("Doe"));
    for (event, kind) in [
        ("A01", MovementKind::Admit),
        ("A03", MovementKind::Discharge),
        ("A08", MovementKind::Update),
    ] {
        assert_eq!(adt(event, PID, PV1).unwrap().kind, kind);
    }
}

#[test]
fn the_age_group_follows_the_date_of_birth_on_both_sides() {
    let group = |born: &str| adt("A01", &PID.replace("19500615", born), PV1).unwrap().patient.age_group;
    assert_eq!(group("20251204"), AgeGroup::Neonate);
    assert_eq!(group("20251203"), AgeGroup::Paediatric);
    assert_eq!(group("20100102"), AgeGroup::Paediatric);
    assert_eq!(group("20100101"), AgeGroup::Adult);
    assert_eq!(group(""), AgeGroup::Adult);
}

#[test]
fn what_is_missing_is_named_by_segment_and_field() {
    let place = |outcome: Result<Movement, Refusal>| outcome.unwrap_err().place.to_string();
    assert_eq!(place(adt("A01", "PID|||", PV1)), "PID[1]-3");
    assert_eq!(place(adt("A01", PID, "PV1||I")), "PV1[1]-3");
    assert_eq!(place(adt("A02", PID, "PV1||I|a^b^c")), "PV1[1]-6");
    assert_eq!(place(adt("A01", &PID.replace("19500615", "June"), PV1)), "PID[1]-7");
    assert_eq!(place(adt("A01", &PID.replace("1950", "2050"), PV1)), "PID[1]-7");
    assert_eq!(place(adt("A01", "NTE", PV1)), "PID[1]-0");
    assert!(adt("A40", PID, PV1).unwrap_err().is_reject);
}

#[test]
fn an_acknowledgement_repeats_the_message_and_says_where_it_failed() {
    let text = oru("P", &[SPO2]);
    let received = receive(text.as_bytes(), 0, NOW);
    let refusal = received.content.unwrap_err();
    let nak = String::from_utf8(ack(&received.head, Err(&refusal), "Ward|light", "a1", NOW)).unwrap();
    let nak = read::Hl7::read(&nak).unwrap();
    assert_eq!(nak.header().field(3).text(), "Ward|light");
    assert_eq!(nak.header().field(5).text(), "gateway");
    let msa = nak.segment("MSA").unwrap();
    assert_eq!((msa.field(1).text().as_ref(), msa.field(2).text().as_ref()), ("AE", "42"));
    let err = nak.segment("ERR").unwrap();
    assert_eq!((err.field(2).raw(), err.field(3).text().as_ref()), ("OBX^1^18", "101"));
    let fine = String::from_utf8(ack(&received.head, Ok(()), "w", "a2", NOW)).unwrap();
    assert!(fine.contains("\rMSA|AA|42\r") && !fine.contains("ERR"));
    let foreign = receive(b"hello", 0, NOW);
    let nak = ack(&foreign.head, Err(&foreign.content.unwrap_err()), "w", "a3", NOW);
    assert!(String::from_utf8(nak).unwrap().contains("\rMSA|AR|\r"));
}

#[test]
fn any_change_of_any_byte_is_read_or_refused_and_never_more() {
    let whole = oru("P", &[MDS, SPO2, WAVE, RATE, RESOLUTION]);
    let mut state = 3_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..3000 {
        let mut bytes = whole.clone().into_bytes();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            match random(3) {
                0 => bytes[at] = b"|^~\\&\r.0-\xFF"[random(10)],
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, b"|^~\\&\r.0-\xFF"[random(10)]),
            }
        }
        if let Ok(Content::Observations(found)) = receive(&bytes, 0, NOW).content {
            assert!(found.messages.len() <= bytes.len());
        }
    }
}
