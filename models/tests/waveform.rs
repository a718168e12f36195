//! Packages of waveform models on every engine of this machine, held to onnxruntime's logits bit for bit.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking; the helpers are shared with other tests"
)]

mod common;

use common::{Copy, example, shipped};
use wardlight_models::{Backend, Engine, ModelError, Package, Precision, TrustedKeys};

const EXAMPLES: [&str; 2] = ["cnn", "cnn-signed"];

/// An example, signed with the key of the tests.
fn package(name: &str) -> Package {
    let copy = Copy::of(&example(name));
    copy.sign();
    Package::open(copy.path(), &copy.keys()).unwrap()
}

#[test]
fn every_executor_of_the_plan_reproduces_the_logits_of_onnxruntime() {
    for name in EXAMPLES {
        for backend in Backend::available() {
            let engine = Engine::Plan(backend);
            let model = package(name).load_waveform_as(Precision::Int8, Some(engine));
            assert_eq!(model.unwrap_or_else(|e| panic!("{name} on {engine}: {e}")).engine(), engine);
        }
    }
}

#[test]
fn the_plan_is_the_engine_of_an_int8_graph_and_tract_of_a_float_graph() {
    for name in EXAMPLES {
        let int8 = package(name).load_waveform().unwrap();
        assert_eq!(int8.engine(), Engine::Plan(Backend::available()[0]), "{name}");
        let float = package(name).load_waveform_as(Precision::Float, None).unwrap();
        assert_eq!(float.engine(), Engine::Tract, "{name}");
    }
}

#[test]
fn the_shipped_risk_model_runs_on_the_plan_and_every_engine_agrees() {
    let package = Package::open(&shipped(), &TrustedKeys::release().unwrap()).unwrap();
    assert_eq!(package.load().unwrap().engine(), Engine::Plan(Backend::available()[0]));
    let plans = Backend::available().into_iter().map(Engine::Plan);
    for engine in plans.chain([Engine::Tract]) {
        let model = package.load_as(Precision::Int8, Some(engine));
        assert_eq!(model.unwrap_or_else(|e| panic!("{engine}: {e}")).engine(), engine);
    }
}

#[test]
fn a_package_of_another_kind_is_refused() {
    let error = package("cnn").load().unwrap_err();
    assert!(matches!(error, ModelError::Kind { .. }), "{error}");
    let risk = Package::open(&shipped(), &TrustedKeys::release().unwrap()).unwrap();
    let error = risk.load_waveform().unwrap_err().to_string();
    assert_eq!(
        error,
        "package deterioration is not a model of the wanted kind: classes of a waveform"
    );
}

#[test]
fn windows_that_do_not_fit_are_refused() {
    let model = package("cnn").load_waveform().unwrap();
    let window = vec![0.5; 240];
    let (rhythm, broken) = (vec![0.0; 10], vec![f32::NAN; 10]);
    assert_eq!(model.logits(&[&window, &rhythm], 2).unwrap().len(), 2 * 5);
    for (inputs, batch, reason) in [
        (vec![&window[..]], 2, "[240] values for 2 rows of [120, 5] values"),
        (vec![&window[1..], &rhythm], 2, "[239, 10] values for 2 rows"),
        (vec![&window, &broken], 2, "not finite"),
    ] {
        let message = model.logits(&inputs, batch).unwrap_err().to_string();
        assert!(message.contains(reason), "{message}");
    }
    assert_eq!(model.logits(&[&[], &[]], 0).unwrap(), Vec::<f32>::new());
}

#[test]
fn a_manifest_field_that_is_wrong_is_named() {
    for (from, to, parts) in [
        (
            "shape = [\"batch\", 1, 120]",
            "shape = [\"batch\", 120]",
            ["input.shape", "channels, samples"],
        ),
        (
            "shape = [\"batch\", 5]",
            "shape = [\"batch\", 6]",
            ["input.shape", "one column for each name"],
        ),
        ("\"n\", \"s\"", "\"s\", \"s\"", ["output.classes", "different names"]),
        ("sampling_hz = 250.0", "sampling_hz = 0.0", ["signal.sampling_hz", "above 0"]),
        ("v = 0.5", "w = 0.5", ["thresholds", "a class of output.classes"]),
        ("v = 0.5", "v = 1.5", ["thresholds", "below 1"]),
        ("[agreement]", "[surprise]", ["manifest.toml", "surprise"]),
    ] {
        let copy = Copy::of(&example("cnn"));
        copy.replace("manifest.toml", from, to);
        copy.sign();
        let message = Package::open(copy.path(), &copy.keys()).unwrap_err().to_string();
        for part in parts {
            assert!(message.contains(part), "{message:?} does not say {part:?}");
        }
    }
}

#[test]
fn golden_vectors_that_do_not_come_out_are_refused() {
    let copy = Copy::of(&example("cnn"));
    let text = String::from_utf8(copy.read("golden.json")).unwrap();
    for (from, to, part) in [
        ("\"int8_logits\": [", "\"int8_logits\": [9.0, ", "int8 logits"),
        (
            "\"inputs\": [[",
            "\"inputs\": [[1.0, ",
            "inputs of [121, 5] values, the graph takes [120, 5]",
        ),
    ] {
        copy.publish("golden.json", text.replacen(from, to, 1).as_bytes());
        let package = Package::open(copy.path(), &copy.keys()).unwrap();
        let message = package.load_waveform().unwrap_err().to_string();
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}
