//! A model that is signed, certified and yet decides badly is taken back by itself, and while it is live nothing goes unheard.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests fail by panicking; the maker of ONNX files is shared with the tests of the models"
)]

#[path = "../../models/tests/onnx/mod.rs"]
mod onnx;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use wardlight_tests::agent::Agent;
use wardlight_tests::live_ward::LiveWard;
use wardlight_tests::wait::until;
use wardlight_tests::workshop::{Workshop, audited};

/// The model in question, and the version of it that the binary carries.
const MODEL: &str = "ecg-beat";
const CARRIED: &str = "1.0.0";
/// The ends of its graph: channels and samples of the window, numbers of the rhythm.
const ENDS: (u64, u64, u64) = (3, 128, 50);

const BEDS: u64 = 12;
/// In bed 1, then 2, then 3 … a heart begins to fibrillate after so many seconds each time, and is not helped.
const FIBRILLATION_EVERY_S: u64 = 10;
/// Until all others have a sound heart.
const FIBRILLATING: u64 = 4;
/// The scenarios of the simulator demand the alarm within 10 s; the machine of a test may be busy.
const HEARD_WITHIN_S: u64 = 15;

/// The sound hearts beat fast, so that 500 beats are compared soon.
fn script() -> String {
    let mut script = format!("about = \"Hearts that fibrillate, one after the other\"\nbeds = {BEDS}\nduration_s = 600\n");
    for bed in 1..=BEDS {
        let act = if bed <= FIBRILLATING {
            "rhythm = \"ventricular_fibrillation\""
        } else {
            "drive = { driver = \"heart_rate\", to = 60 }"
        };
        let at_s = if bed <= FIBRILLATING { bed * FIBRILLATION_EVERY_S } else { 0 };
        writeln!(
            script,
            "[[bed]]\nnumber = {bed}\nhappening = [{{ at_s = {at_s}, act = {{ {act} }} }}]"
        )
        .unwrap();
    }
    script
}

/// Fails if a heart has fibrillated for a while and no alarm stands for it.
fn assert_heard(agent: &Agent<'_>, ward: &LiveWard) {
    let age = ward.age();
    let alarms = agent.alarms("vf");
    for bed in 1..=FIBRILLATING {
        let due = Duration::from_secs(bed * FIBRILLATION_EVERY_S + HEARD_WITHIN_S);
        let name = format!("B{bed:02}");
        let heard = alarms.iter().any(|alarm| alarm["bed"] == name);
        assert!(heard || age < due, "{name} fibrillates unheard after {age:?}: {alarms:?}");
    }
}

/// A package that says the same of every beat: its golden vectors hold, int8 and float agree.
fn of_one_opinion(workshop: &Workshop, version: &str, logits: [f32; 5]) -> PathBuf {
    let package = workshop.package(MODEL, version);
    let (channels, samples, columns) = ENDS;
    let graph = onnx::of_one_opinion(channels, samples, columns, &logits);
    let zeros = |values: u64| vec![0.0; values as usize];
    let vector = json!({
        "name": "a beat",
        "inputs": [zeros(channels * samples), zeros(columns)],
        "float_logits": logits,
        "int8_logits": logits,
    });
    workshop.publish(&package, "golden.json", json!({"vectors": [vector]}).to_string().as_bytes());
    workshop.publish(&package, "model.f32.onnx", &graph);
    workshop.publish(&package, "model.int8.onnx", &graph);
    package
}

/// What the agent says of the model.
fn health(agent: &Agent<'_>) -> Value {
    let ward = agent.get("/api/v1/ward").json();
    let models = ward["health"]["models"].as_array().unwrap();
    models.iter().find(|model| model["id"] == MODEL).cloned().unwrap_or_default()
}

#[test]
fn a_model_that_decides_badly_is_taken_back_by_itself_and_no_fibrillation_goes_unheard() {
    // A machine that is busy with other tests must not be the reason.
    let workshop = Workshop::new("deadline_ms = 60000");
    let agent = workshop.site.start();
    until("the carried model", 60, || {
        (health(&agent)["version"] == CARRIED).then_some(())
    });
    let ward = LiveWard::start(&workshop.site, &agent, &script());
    // One calls every beat supraventricular, which nobody hears; the other every beat ventricular, which sounds everywhere.
    let bad = [
        ("2.0.0", [0.0, 9.0, 0.0, 0.0, 0.0], "differs from its predecessor in "),
        ("3.0.0", [0.0, 0.0, 9.0, 0.0, 0.0], "raises "),
    ];
    for (taken_back, (version, logits, reason)) in (1..).zip(bad) {
        let package = of_one_opinion(&workshop, version, logits);
        workshop.done(&["stage", package.to_str().unwrap()]);
        workshop.done(&["verify", MODEL, version]);
        assert!(workshop.done(&["promote", MODEL]).contains("in the shadow"));
        assert!(workshop.done(&["promote", MODEL]).contains("live"));
        let went_live_at = ward.age();
        let health = until("that it is taken back", 120, || {
            assert_heard(&agent, &ward);
            let health = health(&agent);
            let said = health["taken_back"].as_str().unwrap_or_default();
            let own = said.starts_with(&format!("{version} was taken back by itself: it {reason}"));
            (own && health["version"] == CARRIED).then_some(health)
        });
        println!(
            "{version}: live from {went_live_at:?} to {:?}: {}",
            ward.age(),
            health["taken_back"]
        );
        assert_eq!(health["link"]["state"], "up");
        assert!((agent.metric("wardlight_model_fallbacks_total") - f64::from(taken_back)).abs() < 0.5);
        let retired = audited(&workshop.site, "model_retired").pop().unwrap();
        let detail = retired["detail"].as_str().unwrap();
        assert!(detail.contains(version) && detail.contains(reason), "{retired}");
        assert!(retired["by"].is_null(), "nobody did it but the agent: {retired}");
        let list = workshop.done(&["list"]);
        let row = |state: &str| list.lines().find(|row| row.starts_with(MODEL) && row.contains(state));
        assert!(row(" live ").is_some_and(|row| row.contains(CARRIED)), "{list}");
        assert!(row(version).is_some_and(|row| row.contains(" retired ")), "{list}");
    }
    // The false tachycardias end with the model that saw them; the true fibrillations stand, all of them.
    until("the end of what it raised and of the script", 60, || {
        assert_heard(&agent, &ward);
        let sound = |alarm: &Value| alarm["bed"].as_str() > Some(&format!("B{FIBRILLATING:02}"));
        let false_alarm = |alarm: &Value| alarm["state"] == "active" && sound(alarm);
        let all = agent.alarms("vf").len() as u64 == FIBRILLATING;
        (all && !agent.alarms("vt").iter().any(false_alarm)).then_some(())
    });
    assert!(agent.terminate().success());
}
