use super::*;

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7F {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend(value);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn metric(name: &str, datatype: u64, fill: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 1, name.as_bytes());
    number(&mut out, 4, datatype);
    fill(&mut out);
    out
}

fn of(metrics: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    number(&mut out, 1, 1_767_225_600_000);
    for metric in metrics {
        bytes(&mut out, 2, metric);
    }
    number(&mut out, 3, 255);
    out
}

fn float(value: f32) -> impl FnOnce(&mut Vec<u8>) {
    move |out| {
        varint(out, 12 << 3 | 5);
        out.extend(value.to_le_bytes());
    }
}

fn unit(unit: &str) -> Vec<u8> {
    let mut value = Vec::new();
    number(&mut value, 1, 12);
    bytes(&mut value, 8, unit.as_bytes());
    let mut set = Vec::new();
    bytes(&mut set, 1, b"engUnit");
    bytes(&mut set, 2, &value);
    set
}

const AT: Timestamp = Timestamp::from_millis(1_767_225_600_000);

#[test]
fn topics_name_nodes_and_devices_and_commands_are_none() {
    let topic = SparkplugTopic::read("spBv1.0/icu/DDATA/gw-1/mon-07").unwrap();
    assert_eq!((topic.kind, topic.device_id().unwrap().as_str()), (Kind::Data, "gw-1.mon-07"));
    let topic = SparkplugTopic::read("spBv1.0/icu/NBIRTH/gw-1").unwrap();
    assert_eq!((topic.kind, topic.device_id().unwrap().as_str()), (Kind::Birth, "gw-1"));
    for text in [
        "spBv1.0/icu/NCMD/gw-1",
        "spBv1.0/icu/DDATA/gw-1",
        "spBv1.0/icu/NDATA/gw-1/x",
        "spBv1.0/STATE/host",
        "x",
    ] {
        assert_eq!(SparkplugTopic::read(text), None, "{text}");
    }
    for text in [
        "spBv1.0/icu/DDATA/gw.1/x",
        "spBv1.0/icu/NDATA/gw.1",
        "spBv1.0/icu/DDATA/gw-1/",
        "spBv1.0/icu/DDATA/gw 1/x",
    ] {
        assert_eq!(SparkplugTopic::read(text).unwrap().device_id(), None, "{text}");
    }
}

#[test]
fn metrics_are_known_by_code_reference_id_or_configured_name() {
    let named = |name: &str| (name == "Vitals/SpO2").then_some(150_456);
    let meaning_of = |name: &str, datatype| {
        let payload = of(&[metric(name, datatype, |_| {})]);
        meaning(&super::payload(&payload).unwrap().metrics[0], named)
    };
    let hr = Meaning::Numeric {
        code: 147_842,
        datatype: 9,
    };
    assert_eq!(meaning_of("Bed 7/MDC_ECG_HEART_RATE", 9), Ok(hr));
    assert_eq!(meaning_of("147842", 9), Ok(hr));
    assert_eq!(
        meaning_of("Vitals/SpO2", 3),
        Ok(Meaning::Numeric {
            code: 150_456,
            datatype: 3
        })
    );
    assert_eq!(meaning_of("SpO2", 3), Ok(Meaning::Foreign));
    assert_eq!(meaning_of("Properties/demo", 11), Ok(Meaning::Demo));
    assert_eq!(meaning_of("147842", 12).unwrap_err().reason, RejectReason::BadShape);
}

#[test]
fn a_unit_that_is_not_the_code_s_is_refused() {
    let with = |text: &str| {
        let payload = of(&[metric("147842", 9, |out| bytes(out, 9, &unit(text)))]);
        meaning(&super::payload(&payload).unwrap().metrics[0], |_| None).is_ok()
    };
    assert!(with("/min") && with("{beat}/min"));
    assert!(!with("Hz") && !with(""));
}

#[test]
fn values_come_out_by_their_data_type_and_time() {
    let negative = metric("a", 2, |out| number(out, 10, 0xFFFF));
    let real = metric("b", 9, float(37.1));
    let null = metric("c", 9, |out| number(out, 7, 1));
    let late = metric("d", 7, |out| {
        number(out, 3, 1_767_225_590_000);
        number(out, 10, 70);
    });
    let text = metric("e", 12, |out| bytes(out, 15, b"high"));
    let payload = of(&[negative, real, null, late, text]);
    let payload = super::payload(&payload).unwrap();
    assert_eq!((payload.seq, payload.timestamp), (Some(255), Some(AT)));
    let m = &payload.metrics;
    let device = DeviceId::new("gw").unwrap();
    let values = [
        (150_084, 2, &m[0]),
        (150_364, 9, &m[1]),
        (150_456, 9, &m[2]),
        (147_842, 7, &m[3]),
        (151_562, 9, &m[4]),
    ];
    let (messages, rejected) = numerics(&device, &values, false, AT);
    assert_eq!(rejected.len(), 1);
    let shown: Vec<_> = messages
        .iter()
        .flat_map(|message| {
            let Body::Numerics(readings) = &message.body else { panic!() };
            let at = AT.millis_after(message.sent_at);
            readings
                .iter()
                .map(move |r| (at, r.numeric().code, r.usable().map(wardlight_core::vitals::Milli::get)))
        })
        .collect();
    assert_eq!(
        shown,
        [
            (10_000, 147_842, Some(70_000)),
            (0, 150_084, Some(-1000)),
            (0, 150_364, Some(37_100)),
            (0, 150_456, None),
            (0, 151_562, None),
        ]
    );
    let (demo, _) = numerics(&device, &values[..2], true, AT);
    let Body::Numerics(readings) = &demo[0].body else { panic!() };
    assert!(
        readings
            .iter()
            .all(|r| r.quality().has(Quality::DEMO) && r.usable().is_none())
    );
}

#[test]
fn a_rebirth_reads_back_as_it_was_written() {
    let bytes = rebirth(AT);
    let payload = payload(&bytes).unwrap();
    assert_eq!(payload.timestamp, Some(AT));
    assert_eq!(payload.metrics[0].name, Some("Node Control/Rebirth"));
    assert_eq!(payload.metrics[0].value, Some(MetricValue::Boolean(true)));
}

#[test]
fn any_change_of_any_byte_is_read_or_refused() {
    let whole = of(&[
        metric("147842", 9, float(80.0)),
        metric("150456", 3, |out| bytes(out, 9, &unit("%"))),
    ]);
    let mut state = 11_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut refused = 0;
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        let at = random(bytes.len());
        match random(3) {
            0 => bytes[at] = random(256) as u8,
            1 => bytes.truncate(at),
            _ => bytes.insert(at, random(256) as u8),
        }
        refused += u32::from(payload(&bytes).is_err());
    }
    assert!(refused > 1000);
    let many = of(&vec![Vec::new(); 2000]);
    assert_eq!(payload(&many), Err(Malformed));
}
