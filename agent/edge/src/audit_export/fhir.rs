//! The export as FHIR R4 (hl7.org/fhir/R4/auditevent.html, provenance.html), newline-delimited.
//!
//! What FHIR has no place for, the chain and the record byte for byte, is in an extension.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use wardlight_core::hex;

use super::{End, Exported};
use crate::audit_cli::utc;

const CHAIN: &str = "urn:wardlight:audit-chain";
const END: &str = "urn:wardlight:audit-export";
/// DICOM's codes of events, which FHIR's value set for `AuditEvent.type` takes in.
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";

/// One record as an AuditEvent.
pub(super) fn event(site: &str, exported: &Exported) -> Value {
    let record: Map<String, Value> = serde_json::from_str(&exported.raw).unwrap_or_default();
    let text = |field: &str| record.get(field).and_then(Value::as_str);
    let action = text("action").unwrap_or("unreadable");
    let (code, display) = kind(action, text("bed").is_some() || text("stay").is_some());
    let outcome = match text("outcome") {
        Some("done") => "0",
        Some("refused") => "4",
        _ => "8",
    };
    let mut event = json!({
        "resourceType": "AuditEvent",
        "extension": [chain(exported)],
        "type": {"system": DCM, "code": code, "display": display},
        "subtype": [{"system": "urn:wardlight:audit-action", "code": action}],
        "action": crud(action),
        "recorded": utc(exported.at_ms),
        "outcome": outcome,
        "agent": [agent(&text)],
        "source": {"site": site, "observer": {"display": "Wardlight agent"}},
    });
    if let (Some(detail), Some(event)) = (text("detail"), event.as_object_mut()) {
        event.insert("outcomeDesc".to_owned(), json!(detail));
    }
    let entities: Vec<Value> = ["stay", "bed", "device", "alarm"]
        .into_iter()
        .filter_map(|field| Some((field, text(field)?)))
        .map(|(field, value)| json!({"what": {"identifier": {"system": format!("urn:wardlight:{field}"), "value": value}}}))
        .collect();
    if let (false, Some(event)) = (entities.is_empty(), event.as_object_mut()) {
        event.insert("entity".to_owned(), json!(entities));
    }
    event
}

fn agent<'r>(text: &impl Fn(&str) -> Option<&'r str>) -> Value {
    let mut agent = json!({"requestor": true, "who": {"display": text("by").unwrap_or("the agent")}});
    if let Some(fields) = agent.as_object_mut() {
        if let Some(user) = text("user") {
            fields.insert("altId".to_owned(), json!(user));
        }
        if let Some(role) = text("role") {
            fields.insert("role".to_owned(), json!([{"text": role}]));
        }
        if let Some(address) = text("station") {
            // 2: an IP address.
            fields.insert("network".to_owned(), json!({"address": address, "type": "2"}));
        }
    }
    agent
}

fn kind(action: &str, of_patient: bool) -> (&'static str, &'static str) {
    match action {
        "login" | "logoff" | "logged_off" => ("110114", "User Authentication"),
        "break_glass" => ("110113", "Security Alert"),
        "view_ward" => ("110110", "Patient Record"),
        _ if of_patient => ("110110", "Patient Record"),
        _ => ("110100", "Application Activity"),
    }
}

fn crud(action: &str) -> &'static str {
    match action {
        "view" | "view_ward" | "ask" => "R",
        "admit" => "C",
        "erase_stay" => "D",
        "login" | "logoff" | "logged_off" | "break_glass" | "audit_head" => "E",
        _ => "U",
    }
}

fn chain(exported: &Exported) -> Value {
    json!({"url": CHAIN, "extension": [
        {"url": "record", "valueString": exported.head.to_string()},
        {"url": "after", "valueString": exported.before.to_string()},
        {"url": "at", "valueString": exported.at_ms.to_string()},
        {"url": "raw", "valueString": exported.raw},
    ]})
}

pub(super) fn read_event(value: &Value) -> Option<Exported> {
    if value.get("resourceType")? != "AuditEvent" {
        return None;
    }
    let extensions = extension(value, CHAIN)?.get("extension")?.as_array()?;
    let text = |url: &str| {
        let found = extensions
            .iter()
            .find(|part| part.get("url").is_some_and(|known| known == url));
        found?.get("valueString")?.as_str()
    };
    Some(Exported {
        head: text("record")?.parse().ok()?,
        before: text("after")?.parse().ok()?,
        at_ms: text("at")?.parse().ok()?,
        raw: text("raw")?.to_owned(),
    })
}

fn extension<'v>(value: &'v Value, url: &str) -> Option<&'v Value> {
    let all = value.get("extension")?.as_array()?;
    all.iter()
        .find(|extension| extension.get("url").is_some_and(|known| known == url))
}

/// The end as a Provenance, whose signature is over the text that the end makes.
/// # Errors
/// Never with strings and numbers.
pub(super) fn provenance(end: &End, signature: &str) -> anyhow::Result<Value> {
    let when = utc(end.signed_at);
    let who = json!({"display": format!("Wardlight agent of the site {}", end.site)});
    Ok(json!({
        "resourceType": "Provenance",
        "extension": [{"url": END, "valueString": serde_json::to_string(end)?}],
        "target": [{"display": format!("{} AuditEvents before this line", end.records)}],
        "recorded": when,
        "agent": [{"who": who}],
        "signature": [{
            // "Verification Signature": the content is as it was when it was signed.
            "type": [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.5"}],
            "when": when,
            "who": who,
            "sigFormat": "application/octet-stream",
            "data": STANDARD.encode(hex::decode(signature).unwrap_or_default()),
        }],
    }))
}

pub(super) fn read_provenance(value: &Value) -> Option<(End, String)> {
    if value.get("resourceType")? != "Provenance" {
        return None;
    }
    let end = serde_json::from_str(extension(value, END)?.get("valueString")?.as_str()?).ok()?;
    let data = value.get("signature")?.get(0)?.get("data")?.as_str()?;
    Some((end, hex::encode(&STANDARD.decode(data).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_an_audit_event_with_all_that_fhir_requires() {
        let raw = r#"{"by":"N. Klein","user":"klein","role":"nurse","station":"10.0.0.7","action":"admit","bed":"B01","stay":"abab","outcome":"done"}"#;
        let exported = Exported {
            head: format!("2:{}", "0a".repeat(32)).parse().unwrap(),
            before: format!("1:{}", "0b".repeat(32)).parse().unwrap(),
            at_ms: 0,
            raw: raw.to_owned(),
        };
        let event = event("st-mary", &exported);
        for field in ["type", "recorded", "agent", "source"] {
            assert!(event.get(field).is_some(), "{field} has the cardinality 1");
        }
        assert_eq!((&event["type"]["code"], &event["action"]), (&json!("110110"), &json!("C")));
        assert_eq!(
            (&event["outcome"], &event["recorded"]),
            (&json!("0"), &json!("1970-01-01T00:00:00.000Z"))
        );
        assert_eq!(
            (&event["agent"][0]["altId"], &event["agent"][0]["requestor"]),
            (&json!("klein"), &json!(true))
        );
        assert_eq!(event["entity"][0]["what"]["identifier"]["value"], "abab");
        assert_eq!(read_event(&event), Some(exported));
    }
}
