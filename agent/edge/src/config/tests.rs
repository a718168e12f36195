//! The configuration as a person would write it, right and wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Config, ConfigError, MqttVersion, Waveforms};

fn secret(folder: &Path, name: &str, mode: u32) {
    let path = folder.join(name);
    fs::write(&path, "0".repeat(64)).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    secret(folder.path(), "site.key", 0o600);
    folder
}

fn parse(folder: &Path, text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, &folder.join("agent.toml"))
}

fn faults(text: &str) -> Vec<String> {
    let folder = folder();
    let error = parse(folder.path(), text).expect_err("must be refused");
    let lines = error.to_string();
    lines
        .replace(&format!("{}/", folder.path().display()), "")
        .lines()
        .map(str::to_owned)
        .collect()
}

const SMALLEST: &str = r#"
[site]
name = "st-mary"
[[unit]]
name = "icu"
beds = ["B01", "B02"]
[mqtt]
url = "mqtt://127.0.0.1"
"#;

#[test]
fn the_smallest_file_gets_the_defaults() {
    let folder = folder();
    let config = parse(folder.path(), SMALLEST).unwrap();
    assert_eq!(config.site.as_str(), "st-mary");
    assert_eq!(config.beds().map(ToString::to_string).collect::<Vec<_>>(), ["B01", "B02"]);
    assert_eq!((config.mqtt.host.as_str(), config.mqtt.port), ("127.0.0.1", 1883));
    assert_eq!(config.mqtt.version, MqttVersion::V5);
    assert_eq!(config.mqtt.client_id, "wardlight-st-mary");
    assert_eq!(config.mqtt.receive_maximum, 8192);
    assert_eq!(config.mqtt.max_packet_bytes, 64 * 1024);
    assert!(config.mqtt.embedded.is_none() && config.mqtt.tls.is_none());
    assert_eq!(config.journal.dir, folder.path().join("journal"));
    assert_eq!(config.journal.waveforms, Waveforms::Strips);
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert!(config.model.enabled && config.webhooks.is_empty());
}

#[test]
fn ten_mistakes_come_out_together_each_with_its_path_and_value() {
    let text = r#"
        [site]
        name = "St Mary's"
        [[unit]]
        name = "icu"
        beds = ["B01", "B01"]
        [mqtt]
        url = "mqtt://broker.example.org:1883"
        version = "4"
        receive_maximum = 0
        keep_alive = 30
        [journal]
        max_mib = 0
        linger_ms = "5"
        [http]
        listen = "0.0.0.0:8080"
        [[webhook]]
        url = "http://pager.example.org/"
        secret_file = "missing.key"
        [devices.attach]
        mon-01 = "B99"
    "#;
    let expected = [
        "agent.toml: site.name = \"St Mary's\": site \"St Mary's\": expected 1 to 64 characters of A-Z a-z 0-9 . _ -",
        "agent.toml: unit[1].beds = \"B01\": this bed is named twice; a bed's name must be its own in the whole site",
        "agent.toml: mqtt.url = \"mqtt://broker.example.org:1883\": without TLS anybody on the network can read and forge vitals; use mqtts://, or set mqtt.allow_insecure = true if you know that the network is closed",
        "agent.toml: mqtt.version = \"4\": must be \"5\" or \"3.1.1\"",
        "agent.toml: mqtt.receive_maximum = 0: must be at least 1",
        "agent.toml: mqtt.keep_alive = 30: unknown key; known here: embedded, allow_insecure, url, ca_file, cert_file, key_file, crl_file, version, client_id, username, password_file, receive_maximum, max_packet_kib, keep_alive_s, session_expiry_days",
        "agent.toml: journal.linger_ms = \"5\": must be a whole number",
        "agent.toml: journal.max_mib = 0: must be at least 1",
        "agent.toml: http.listen = \"0.0.0.0:8080\": without TLS anybody on the network could read the page; set http.cert_file and http.key_file, listen on 127.0.0.1 behind a TLS proxy, or set http.allow_insecure = true",
        "agent.toml: webhook[1].url = \"http://pager.example.org/\": alarms would travel in clear; use https://, or set allow_insecure = true in this [[webhook]]",
        "agent.toml: webhook[1].secret_file = \"missing.key\": no such file",
        "agent.toml: devices.attach.mon-01 = \"B99\": no [[unit]] has this bed",
    ];
    assert_eq!(faults(text), expected);
}

#[test]
fn a_missing_section_names_what_is_missing() {
    assert_eq!(
        faults(""),
        [
            "agent.toml: site.name: is missing; for example name = \"st-mary\"",
            "agent.toml: unit: is missing; at least one [[unit]] with a name and beds is needed",
            "agent.toml: mqtt.url: is missing; for example url = \"mqtt://127.0.0.1:1883\"",
        ]
    );
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let folder = folder();
    secret(folder.path(), "site.key", 0o644);
    let error = parse(folder.path(), SMALLEST).unwrap_err().to_string();
    assert!(error.contains("journal.key_file"), "{error}");
    assert!(
        error.contains("mode 0644 lets others at a secret; run chmod 600 on it"),
        "{error}"
    );
}

#[test]
fn text_that_is_not_toml_says_where() {
    let error = faults("[site\nname = 1").join("\n");
    assert!(error.contains("not valid TOML") && error.contains("line 1"), "{error}");
}

#[test]
fn tls_needs_its_authority_and_plain_mqtt_needs_none() {
    let text = SMALLEST.replace("mqtt://127.0.0.1", "mqtts://broker.example.org");
    assert_eq!(
        faults(&text),
        ["agent.toml: mqtt.ca_file: is missing: mqtts:// needs the PEM file of the broker's authority"]
    );
    let text = format!("{SMALLEST}\nca_file = \"site.key\"");
    assert_eq!(
        faults(&text),
        ["agent.toml: mqtt.ca_file = \"site.key\": has no effect without TLS; write mqtt.url as mqtts://, or remove it"]
    );
}

#[test]
fn tls_with_a_client_certificate_is_read() {
    let folder = folder();
    let text = SMALLEST.replace("mqtt://127.0.0.1", "mqtts://broker.example.org")
        + "ca_file = \"site.key\"\ncert_file = \"site.key\"\nkey_file = \"site.key\"\n";
    let config = parse(folder.path(), &text).unwrap();
    let key = folder.path().join("site.key");
    let tls = config.mqtt.tls.unwrap();
    assert_eq!(config.mqtt.port, 8883);
    assert_eq!(tls.ca_file, key);
    assert_eq!(tls.client, Some((key.clone(), key)));
}

#[test]
fn the_embedded_broker_stays_on_this_machine() {
    let text = SMALLEST.replace(
        "url = \"mqtt://127.0.0.1\"",
        "[mqtt.embedded]\nenabled = true\nlisten = \"0.0.0.0:1883\"",
    );
    let found = faults(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("mqtt.embedded.listen = \"0.0.0.0:1883\": must be a loopback address"));
}

#[test]
fn an_embedded_broker_gives_the_session_its_address() {
    let folder = folder();
    let text = SMALLEST.replace(
        "url = \"mqtt://127.0.0.1\"",
        "[mqtt.embedded]\nenabled = true\nlisten = \"127.0.0.1:1999\"",
    );
    let config = parse(folder.path(), &text).unwrap();
    assert_eq!(config.mqtt.port, 1999);
    assert_eq!(config.mqtt.embedded.unwrap().dir, folder.path().join("broker"));
}

#[test]
fn credentials_belong_into_files() {
    let text = SMALLEST.replace("mqtt://127.0.0.1", "mqtt://agent:hunter2@127.0.0.1");
    let found = faults(&text);
    assert!(found[0].contains("must hold no credentials"), "{found:?}");
    assert!(!found[0].contains("hunter2"), "{found:?}");
}

#[test]
fn wrong_types_are_faults_like_any_other() {
    let text = format!(
        "unit = 3\n{}",
        SMALLEST.replace("[[unit]]\nname = \"icu\"\nbeds = [\"B01\", \"B02\"]", "")
    );
    let found = faults(&text);
    assert!(
        found[0].starts_with("agent.toml: unit = 3: must be a list of tables"),
        "{found:?}"
    );
    let text = SMALLEST.replace("[\"B01\", \"B02\"]", "[\"B01\", 2]");
    assert_eq!(faults(&text), ["agent.toml: unit[1].beds[2] = 2: must be a string in quotes"]);
}

#[test]
fn a_unit_may_name_who_is_called_at_each_step() {
    let receivers = "[unit.receivers]\nsecond = [\"K. Brandt\", \" 4102 \"]\n";
    let config = parse(folder().path(), &SMALLEST.replace("[mqtt]", &format!("{receivers}[mqtt]"))).unwrap();
    let roster = &config.units[0].roster;
    assert_eq!(roster.second, ["K. Brandt", "4102"]);
    assert!(roster.primary.is_empty() && roster.charge_nurse.is_empty());

    let receivers =
        "[unit.receivers]\nprimary = [\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\"]\nsecond = [\" \"]\n";
    assert_eq!(
        faults(&SMALLEST.replace("[mqtt]", &format!("{receivers}[mqtt]"))),
        [
            "agent.toml: unit[1].receivers.primary = 9 names: must be at most 8 names: the page shows them with each call",
            "agent.toml: unit[1].receivers.second[1] = \" \": must be a name of 1 to 64 characters",
        ]
    );
}

/// `section.key` of every key that the code knows, found by asking for one that it does not.
fn known_keys() -> std::collections::BTreeSet<String> {
    let text = r"
        [site]
        x = 0
        [[unit]]
        x = 0
        [unit.receivers]
        x = 0
        [mqtt]
        x = 0
        [mqtt.embedded]
        x = 0
        [journal]
        x = 0
        [http]
        x = 0
        [people]
        x = 0
        [[webhook]]
        x = 0
        [fhir]
        x = 0
        [hl7.alarms]
        x = 0
        [model]
        x = 0
        [devices]
        x = 0
        [hl7]
        x = 0
        [hl7.listen]
        x = 0
        [sparkplug]
        x = 0
    ";
    let mut keys = std::collections::BTreeSet::new();
    for fault in faults(text) {
        let Some((path, known)) = fault.split_once(".x = 0: unknown key; known here: ") else {
            continue;
        };
        let section = path.trim_start_matches("agent.toml: ").replace("[1]", "");
        keys.extend(known.split(", ").map(|key| format!("{section}.{key}")));
    }
    // Sections within a section, not keys.
    for section in ["mqtt.embedded", "unit.receivers", "hl7.listen", "hl7.alarms"] {
        assert!(keys.remove(section), "{section}");
    }
    keys
}

#[test]
fn hospital_systems_are_named_whole_and_reached_under_tls() {
    let text = r#"
        [site]
        name = "s"
        [[unit]]
        name = "icu"
        beds = ["B01"]
        [mqtt]
        url = "mqtt://127.0.0.1:1883"
        [fhir]
        url = "http://fhir.example.org/r4"
        version = "STU3"
        token_url = "http://login.example.org/token"
        client_id = "wardlight"
        interval_s = 0
        [hl7.alarms]
        address = "alarms.example.org:2575"
    "#;
    let expected = [
        "agent.toml: fhir.url = \"http://fhir.example.org/r4\": vital signs would travel in clear; use https://, or set allow_insecure = true in [fhir]",
        "agent.toml: fhir.version = \"STU3\": must be \"R4\" or \"R5\"",
        "agent.toml: fhir.token_url = \"http://login.example.org/token\": the client's secret would travel in clear; use https://, or set allow_insecure = true in [fhir]",
        "agent.toml: fhir.client_secret_file: is missing: token_url needs it",
        "agent.toml: fhir.interval_s = 0: must be at least 1",
        "agent.toml: hl7.alarms.address = \"alarms.example.org:2575\": MLLP has no TLS, so alarms would travel in clear; put a TLS tunnel on this machine before it, or set hl7.alarms.allow_insecure = true if you know that the network is closed",
    ];
    let found = faults(text);
    let ours: Vec<_> = found
        .iter()
        .filter(|fault| fault.contains("fhir") || fault.contains("hl7"))
        .collect();
    assert_eq!(ours, expected.iter().collect::<Vec<_>>());
}

#[test]
fn the_manual_explains_every_key_and_no_other() {
    let manual = include_str!("../../../../docs/configuration.md");
    let mut section = String::new();
    let mut explained = std::collections::BTreeSet::new();
    for line in manual.lines() {
        if let Some(title) = line.strip_prefix("## `[") {
            section = title.trim_matches(|c| "[]`".contains(c)).to_owned();
        } else if let Some((key, _)) = line.strip_prefix("| `").and_then(|row| row.split_once("` |"))
            && !key.starts_with("X-")
        {
            explained.insert(format!("{section}.{key}"));
        }
    }
    assert_eq!(explained, known_keys());
}

#[test]
fn the_smallest_file_of_the_manual_works() {
    let manual = include_str!("../../../../docs/configuration.md");
    let example = manual.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    parse(folder().path(), example).unwrap();
}

#[test]
fn other_formats_are_off_unless_asked_for_and_their_beds_and_codes_are_checked() {
    let folder = folder();
    let config = parse(folder.path(), SMALLEST).unwrap();
    assert!(config.hl7.listen.is_none() && config.sparkplug.is_none());
    let more = r#"
        [hl7.listen]
        address = "127.0.0.1:2575"
        zone = "-0530"
        [hl7.beds]
        "icu^2^B01" = "B01"
        [sparkplug]
        group = "icu"
        [sparkplug.metrics]
        "Vitals/HR" = "MDC_ECG_HEART_RATE"
    "#;
    let config = parse(folder.path(), &format!("{SMALLEST}{more}")).unwrap();
    assert_eq!((config.hl7.zone, config.hl7.interval_s), (-330, 1));
    assert_eq!(config.hl7.beds["icu^2^B01"].as_str(), "B01");
    assert_eq!(config.sparkplug.unwrap().metrics, [("Vitals/HR".to_owned(), 147_842)]);
    let wrong = r#"
        [hl7.listen]
        address = "0.0.0.0:2575"
        [hl7.beds]
        "icu^2^B01" = "B99"
        [sparkplug]
        group = "a/b"
        [sparkplug.metrics]
        HR = "heart"
    "#;
    let found = faults(&format!("{SMALLEST}{wrong}"));
    let begins = |start: &str| found.iter().any(|fault| fault.starts_with(start));
    assert!(
        begins("agent.toml: hl7.listen.address = \"0.0.0.0:2575\": without TLS"),
        "{found:?}"
    );
    assert!(
        begins("agent.toml: hl7.beds.\"icu^2^B01\" = \"B99\": no [[unit]] has this bed"),
        "{found:?}"
    );
    assert!(begins("agent.toml: sparkplug.group = \"a/b\": must be"), "{found:?}");
    assert!(
        begins("agent.toml: sparkplug.metrics.\"HR\" = \"heart\": must be"),
        "{found:?}"
    );
}
