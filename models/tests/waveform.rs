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

use std::{cell::Cell, sync::Arc, time::Duration};

use common::{Copy, example, shipped};
use wardlight_models::{Backend, Engine, ModelError, Package, Precision, TrustedKeys};
use wardlight_models::{Card, Manifest, manifest::Dimension};

const EXAMPLES: [&str; 2] = ["cnn", "cnn-signed"];

/// An example, signed with the key of the tests.
fn package(name: &str) -> Package {
    let copy = Copy::of(&example(name));
    copy.sign();
    Package::open(copy.path(), &copy.keys()).unwrap()
}

#[test]
fn every_executor_of_the_plan_and_tract_reproduce_the_logits_of_onnxruntime() {
    for name in EXAMPLES {
        let plans = Backend::available().into_iter().map(Engine::Plan);
        for engine in plans.chain([Engine::Tract]) {
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

/// A clock on which every second span is long: the CPU is timed first, so the GPU always wins.
fn clock_that_favours_the_gpu() -> impl Fn() -> Duration {
    let reads = Cell::new(0_u64);
    move || {
        let read = reads.replace(reads.get() + 1);
        // A trial reads twice for each of three rounds on the CPU, then on the GPU.
        let (pair, half) = (read / 2, read % 2);
        let span = if pair / 3 % 2 == 0 { 1000 } else { 1 };
        Duration::from_millis(pair * 2000 + half * span)
    }
}

#[test]
fn a_gpu_that_wins_its_trial_gives_the_bits_of_the_cpu() {
    let card = match Card::best() {
        Ok(card) => Arc::new(card),
        Err(error) => {
            assert!(
                std::env::var_os("WARDLIGHT_EXPECT_VULKAN").is_none(),
                "a GPU was promised: {error}"
            );
            eprintln!("NOT TESTED ON A GPU: {error}");
            return;
        }
    };
    for name in EXAMPLES {
        let package = package(name);
        let (beside, trial) = package.load_waveform_beside(&card, &clock_that_favours_the_gpu()).unwrap();
        assert_eq!(trial.unwrap_or_else(|e| panic!("{name}: {e}")).used_from, Some(1));
        let alone = package.load_waveform().unwrap();
        let Manifest::Waveform(manifest) = package.manifest() else {
            panic!("not a waveform model")
        };
        let rows = 700;
        let inputs: Vec<Vec<f32>> = manifest
            .input
            .iter()
            .map(|input| {
                let fixed = input.shape.iter().map(|axis| match axis {
                    Dimension::Fixed(length) => *length,
                    Dimension::Named(_) => rows,
                });
                (0..fixed.product()).map(|i: usize| (i as f32 * 0.37).sin() * 3.0).collect()
            })
            .collect();
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        assert_eq!(
            beside.logits(&inputs, rows).unwrap(),
            alone.logits(&inputs, rows).unwrap(),
            "{name}"
        );
        assert!(beside.take_gpu_fault().is_none(), "{name}");
    }
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
