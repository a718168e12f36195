//! The phases of an alarm against the golden file, and what must never leave.

use super::*;

fn alert(change: &str) -> Alert {
    let json = format!(
        r#"{{"v":1,"id":"B03:spo2_low:1767225600000","site":"st-mary","unit":"icu","bed":"B03","kind":"spo2_low","text":"SpO2 low",
        "priority":"medium","parameter":"spo2","value":87.0,"limit":90.0,"unit_ucum":"%","onset_at":1767225600000,
        "raised_at":1767225615000,{change}}}"#
    );
    Alert::from_json(json.as_bytes()).unwrap()
}

fn begun() -> Alert {
    alert(r#""revision":1,"state":"active","transition":"raised","changed_at":1767225615000"#)
}

fn field(message: &Message, segment: &str, number: usize) -> String {
    let line = message.text.split('\r').find(|line| line.starts_with(segment)).unwrap();
    line.split('|').nth(number).unwrap_or_default().to_owned()
}

#[test]
fn an_alarm_begins_is_acknowledged_and_ends_as_the_contract_shows() {
    let changes = [
        begun(),
        alert(r#""revision":2,"state":"acknowledged","transition":"acknowledged","by":"nurse-3","changed_at":1767225620000"#),
        alert(r#""revision":3,"state":"cleared","transition":"ended","changed_at":1767225640000"#),
        Alert {
            id: "B03:lead_off:1767225600000".into(),
            kind: "lead_off".into(),
            text: "Lead off".into(),
            parameter: None,
            value: None,
            limit: None,
            ..begun()
        },
    ];
    let text: String = changes
        .iter()
        .map(|change| alarm(change).text.replace('\r', "\n") + "\n")
        .collect();
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/contract/pcd-04.hl7");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == text,
        "{}: differs; UPDATE_GOLDEN=1 rewrites it\n{text}",
        file.display()
    );
}

#[test]
fn every_attempt_of_a_change_has_the_same_control_id_and_every_change_another() {
    let again = alarm(&begun());
    assert_eq!(alarm(&begun()), again);
    assert_eq!(field(&again, "MSH", 9), again.control_id);
    assert!(again.control_id.len() <= 20);
    let next = Alert { revision: 2, ..begun() };
    assert_ne!(alarm(&next).control_id, again.control_id);
    let first = field(&again, "OBR", 3).replace('^', "&");
    assert_eq!(field(&again, "OBR", 29), "");
    assert_eq!(field(&alarm(&next), "OBR", 29), format!("{first}^{first}"));
}

#[test]
fn nothing_of_the_patient_and_none_who_acknowledged_leaves() {
    let message = alarm(&alert(
        r#""revision":2,"state":"acknowledged","transition":"acknowledged","by":"nurse-3","calling":["K. Brandt"],"changed_at":1767225620000"#,
    ));
    assert_eq!(field(&message, "PID", 3), "B03^^^st-mary^U");
    assert_eq!(field(&message, "PID", 5), "^^^^^^U");
    assert!(
        !message.text.contains("nurse-3") && !message.text.contains("Brandt"),
        "{}",
        message.text
    );
}

#[test]
fn a_text_cannot_add_fields_or_segments() {
    let text = "a|b^c&d~e\\f\rOBX|9".to_owned();
    let message = alarm(&Alert { text, ..begun() });
    assert!(
        message.text.contains(r"|a\F\b\S\c\T\d\R\e\E\f\X0D\OBX\F\9|"),
        "{}",
        message.text
    );
}
