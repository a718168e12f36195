//! The audit trail leaves the machine: exported from a running agent, verified with the public key alone, and every way of tampering is located.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::fs;

use serde_json::{Value, json};
use wardlight_tests::agent::{Agent, Broker, Site, run};
use wardlight_tests::wait::until;

/// Commands after which the head of the trail is signed at once.
const MANY: usize = 256;

fn export(site: &Site, format: &str) -> Vec<String> {
    let output = site.command(&["audit", "export", "--format", format]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// What an auditor finds who has the lines and the public key, and nothing else.
fn audit(lines: &[String], key: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.ndjson");
    fs::write(&file, lines.join("\n")).unwrap();
    let output = run(&["audit", "verify", "--export", file.to_str().unwrap(), "--public-key", key]);
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

fn act(agent: &Agent<'_>, times: usize) {
    for _ in 0..times {
        // Nobody is there: refused, and on record.
        let answer = agent.post("/api/v1/beds/B02/discharge", &json!({}));
        assert_eq!(answer.status, 409, "{}", answer.body);
    }
}

#[test]
fn an_export_verifies_with_the_public_key_alone_and_every_tampering_is_located() {
    let site = Site::new(Broker::Embedded, "");
    let shown = site.command(&["key", "show"]).stdout;
    let shown = String::from_utf8(shown).unwrap();
    let key = shown
        .lines()
        .find_map(|line| line.strip_prefix("public key: "))
        .unwrap()
        .to_owned();
    let agent = site.start();
    agent.occupy("B01", "mon-01");
    act(&agent, MANY);
    let signed = until("a signed head in the trail", 20, || {
        site.audit_trail().into_iter().find(|record| record["action"] == "audit_head")
    });
    act(&agent, 10);
    for format in ["jsonl", "fhir"] {
        let lines = export(&site, format);
        let (sound, said) = audit(&lines, &key);
        assert!(sound && said.contains("1 signed heads"), "{said}");
        let (sound, said) = audit(&lines, &"ab".repeat(32));
        assert!(!sound && said.contains("another key"), "{said}");

        let tampered = |change: &dyn Fn(&mut Vec<String>)| {
            let mut lines = lines.clone();
            change(&mut lines);
            let (sound, said) = audit(&lines, &key);
            assert!(!sound, "{said}");
            said
        };
        let edited = tampered(&|lines| lines[20] = lines[20].replace("B02", "B03"));
        assert!(edited.contains("line 21: record 21 was altered"), "{edited}");
        let inserted = tampered(&|lines| lines.insert(30, lines[10].clone()));
        assert!(inserted.contains("line 31: inserted: record 11"), "{inserted}");
        let reordered = tampered(&|lines| lines.swap(40, 50));
        assert!(reordered.contains("line 41: reordered: record 51"), "{reordered}");
        let cut = tampered(&|lines| lines.truncate(100));
        assert!(cut.contains("truncated"), "{cut}");
        let cut_before_the_end = tampered(&|lines| drop(lines.drain(100..lines.len() - 1)));
        assert!(cut_before_the_end.contains("records 101 to"), "{cut_before_the_end}");
    }
    let event: Value = serde_json::from_str(&export(&site, "fhir")[0]).unwrap();
    assert_eq!(
        (&event["resourceType"], &event["entity"][1]["what"]["identifier"]["value"]),
        (&json!("AuditEvent"), &json!("B01"))
    );

    // A new site key changes nothing about what was signed, nor about who signs.
    assert!(site.command(&["key", "rotate"]).status.success());
    let (sound, said) = audit(&export(&site, "jsonl"), &key);
    assert!(sound, "{said}");
    assert!(agent.terminate().success());
    assert!(signed["n"].as_u64().unwrap() > MANY as u64);
}
