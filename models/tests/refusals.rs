//! Every way a package can be wrong is refused, with a message that says which.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking; shared helpers are public to their file"
)]

mod common;
mod onnx;

use std::fs;

use common::{Copy, shipped};
use onnx::Node;
use wardlight_models::{ModelError, Package, TrustedKeys};

/// Opening or loading the package fails with a message that holds every part.
fn refused(copy: &Copy, keys: &TrustedKeys, parts: &[&str]) {
    let error = match Package::open(copy.path(), keys) {
        Ok(package) => package.load().expect_err("the package must be refused"),
        Err(error) => error,
    };
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}

fn release() -> TrustedKeys {
    TrustedKeys::release().unwrap()
}

#[test]
fn a_changed_manifest_no_longer_matches_its_signature() {
    let copy = Copy::new();
    copy.replace("manifest.toml", "raised = 0.", "raised = 0.0");
    refused(
        &copy,
        &release(),
        &["signature of manifest.toml matches none of 1 trusted keys"],
    );
}

#[test]
fn a_changed_or_truncated_file_no_longer_matches_its_digest() {
    for name in [
        "model.int8.onnx",
        "model.f32.onnx",
        "golden.json",
        "card.md",
        "reference.json",
    ] {
        let copy = Copy::new();
        let mut content = copy.read(name);
        let middle = content.len() / 2;
        content[middle] ^= 1;
        copy.write(name, &content);
        refused(&copy, &release(), &[name, "sha256", "the manifest says"]);

        let copy = Copy::new();
        let content = copy.read(name);
        copy.write(name, &content[..content.len() - 1]);
        refused(&copy, &release(), &[name, "sha256"]);
    }
}

#[test]
fn a_stranger_s_signature_is_not_trusted() {
    let copy = Copy::new();
    copy.sign();
    refused(&copy, &release(), &["matches none of 1 trusted keys"]);
    refused(
        &copy,
        &TrustedKeys::parse("# nobody\n").unwrap(),
        &["matches none of 0 trusted keys"],
    );
}

#[test]
fn a_missing_or_malformed_signature_is_named() {
    let copy = Copy::new();
    fs::remove_file(copy.path().join("manifest.sig")).unwrap();
    refused(&copy, &release(), &["not signed", "manifest.sig is missing"]);
    copy.write("manifest.sig", b"trust me");
    refused(&copy, &release(), &["manifest.sig must be 128 hexadecimal digits"]);
}

#[test]
fn the_signature_is_checked_before_the_manifest_is_parsed() {
    let copy = Copy::new();
    copy.write("manifest.toml", b"this is [ not TOML");
    refused(&copy, &release(), &["signature"]);
    copy.sign();
    refused(&copy, &copy.keys(), &["manifest.toml", "TOML parse error at line 1"]);
}

#[test]
fn a_missing_file_or_folder_is_named() {
    let copy = Copy::new();
    fs::remove_file(copy.path().join("golden.json")).unwrap();
    refused(&copy, &release(), &["golden.json", "No such file"]);
    let nowhere = shipped().join("nowhere");
    let error = Package::open(&nowhere, &release()).unwrap_err();
    assert!(matches!(error, ModelError::Read { .. }), "{error}");
}

#[test]
fn an_unexpected_entry_is_refused() {
    let copy = Copy::new();
    copy.write("notes.txt", b"hello");
    refused(&copy, &release(), &["unexpected entry \"notes.txt\""]);
    let copy = Copy::new();
    fs::remove_file(copy.path().join("card.md")).unwrap();
    std::os::unix::fs::symlink(shipped().join("card.md"), copy.path().join("card.md")).unwrap();
    refused(&copy, &release(), &["unexpected entry \"card.md\""]);
}

#[test]
fn a_file_beyond_its_limit_is_refused_before_it_is_parsed() {
    let copy = Copy::new();
    copy.write("manifest.toml", &vec![b'#'; 256 * 1024 + 1]);
    refused(&copy, &release(), &["manifest.toml", "262145 bytes, at most 262144 allowed"]);
}

#[test]
fn a_manifest_field_that_is_wrong_is_named_even_under_a_trusted_signature() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("format = 1", "format = 3", &["format = 3", "must be 1"]),
        ("id = \"deterioration\"", "id = \"../escape\"", &["id", "lower-case"]),
        ("version = \"", "version = \"one.", &["version", "three numbers"]),
        ("format = 1", "format = 1\nsurprise = true", &["unknown field `surprise`"]),
        ("summary = ", "# ", &["missing field `summary`"]),
        (
            "shape = [\"batch\", 103]",
            "shape = [\"batch\", 104]",
            &["input.shape", "one column for each feature"],
        ),
        ("shape = [\"batch\", 1]", "shape = [1, 1]", &["output.shape"]),
        ("method = \"platt\"", "method = \"none\"", &["calibration.method"]),
        ("slope = ", "slope = -", &["calibration.slope", "above 0"]),
        ("clip = 4.0", "clip = nan", &["normalisation.clip"]),
        ("\nscale = [", "\nscale = [0.0, ", &["hours.scale", "one value for each"]),
        ("\nscale = [", "\nscale = [-", &["hours.scale", "above 0"]),
        (
            "shape = [\"batch\", 12, 48]",
            "shape = [\"batch\", 12, 24]",
            &["hours.shape", "48 hours"],
        ),
        (
            "\"mean\"\nclip = 4.0\nmean = [",
            "\"mean\"\nclip = 4.0\nmean = [0.0, ",
            &["normalisation.mean"],
        ),
        ("raised = 0.", "raised = 1.", &["bands", "raised < high"]),
        ("high = 300.0", "high = 299.0", &["vitals.channel", "different versions"]),
        ("\"hr_last\"", "\"hr_latest\"", &["input.features", "different versions"]),
        ("\"card.md\" = ", "\"../card.md\" = ", &["files", "../card.md"]),
    ];
    for (from, to, parts) in cases {
        let copy = Copy::new();
        copy.replace("manifest.toml", from, to);
        copy.sign();
        refused(&copy, &copy.keys(), parts);
    }
}

#[test]
fn golden_vectors_that_do_not_come_out_are_refused() {
    let text = String::from_utf8(Copy::new().read("golden.json")).unwrap();
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "\"int8_logit\": -",
            "\"int8_logit\": ",
            &["golden vector \"course 0\"", "int8 logit", "expected"],
        ),
        (
            "\"probability\": 0.",
            "\"probability\": 0.9",
            &["golden vector \"course 0\"", "probability"],
        ),
        (
            "\"features\": [",
            "\"features\": [1",
            &["golden vector \"course 0\"", "hr_last"],
        ),
        ("\"resp_rate\"", "\"spo2\"", &["golden.json", "vital_order"]),
        (
            "{\"vital_order\"",
            "{\"extra\": 1, \"vital_order\"",
            &["golden.json", "unknown field `extra`"],
        ),
        ("{", "", &["golden.json"]),
    ];
    for (from, to, parts) in cases {
        assert!(text.contains(from), "golden.json has no {from:?}");
        let copy = Copy::new();
        copy.publish("golden.json", text.replacen(from, to, 1).as_bytes());
        refused(&copy, &copy.keys(), parts);
    }
    let copy = Copy::new();
    let order = text.split_once("\"vectors\"").unwrap().0;
    copy.publish("golden.json", format!("{order}\"vectors\": []}}").as_bytes());
    refused(&copy, &copy.keys(), &["golden.json", "holds no vectors"]);
}

/// Publishes a hand-made graph of features alone as the int8 model and expects a refusal.
fn graph_refused(graph: &[u8], parts: &[&str]) {
    let copy = Copy::new();
    let manifest = String::from_utf8(copy.read("manifest.toml")).unwrap();
    let (before, hours) = manifest.split_once("[hours]").unwrap();
    let (_, after) = hours.split_once("[output]").unwrap();
    copy.write("manifest.toml", format!("{before}[output]{after}").as_bytes());
    copy.publish("model.int8.onnx", graph);
    refused(&copy, &copy.keys(), parts);
}

#[test]
fn dynamic_quantization_is_refused_by_name() {
    for operator in ["DynamicQuantizeLinear", "MatMulInteger", "ConvInteger"] {
        let nodes = [Node::new(operator, &["features", "w"], "logit")];
        graph_refused(
            &onnx::model(&nodes, 103),
            &[operator, "dynamic quantization", "must not depend on the batch"],
        );
    }
    let nodes = [Node::new("DynamicQuantizeMatMul", &["features", "w"], "logit").of("com.microsoft")];
    graph_refused(&onnx::model(&nodes, 103), &["DynamicQuantizeMatMul", "dynamic quantization"]);
}

#[test]
fn foreign_and_unknown_operators_are_refused_by_name() {
    let nodes = [Node::new("QGemm", &["features", "w"], "logit").of("com.microsoft")];
    graph_refused(
        &onnx::model(&nodes, 103),
        &["QGemm", "\"com.microsoft\"", "only ONNX's own operators"],
    );
    let nodes = [Node::new("Softmax", &["features"], "logit")];
    graph_refused(&onnx::model(&nodes, 103), &["operator Softmax is not accepted"]);
}

#[test]
fn a_graph_that_could_mix_patients_is_refused() {
    let nodes = [Node::new("MatMul", &["features", "features"], "logit")];
    graph_refused(
        &onnx::model(&nodes, 103),
        &["operator MatMul takes \"features\", which must be a constant"],
    );
    let nodes = [
        Node::new("Relu", &["features"], "a"),
        Node::new("MatMul", &["features", "w"], "logit"),
    ];
    graph_refused(&onnx::model(&nodes, 103), &["\"a\" is used by no operator"]);
    let nodes = [Node::new("Add", &["features", "w"], "logit")];
    graph_refused(&onnx::model(&nodes, 103), &["operator Add takes a constant \"w\" of rank 2"]);
}

#[test]
fn a_graph_that_moves_or_joins_the_batch_is_refused() {
    for (node, reason) in [
        (
            Node::new("Concat", &["features", "features"], "logit").with("axis", 0),
            "operator Concat joins on axis 0, must be axis 1: behind the batch",
        ),
        (
            Node::new("Flatten", &["features"], "logit").with("axis", 0),
            "operator Flatten must have the axis 1: behind the batch",
        ),
        (
            Node::new("Gemm", &["features", "w"], "logit").with("transA", 1),
            "operator Gemm must not transpose its first input: that would mix the rows of the batch",
        ),
        (
            Node::new("ReduceMean", &["features"], "logit").with("keepdims", 0),
            "operator ReduceMean must take rows [channels, length]",
        ),
        (
            Node::new("Relu", &["features"], "logit").with("surprise", 1),
            "operator Relu has the attribute \"surprise\", which is not accepted",
        ),
    ] {
        graph_refused(&onnx::model(&[node], 103), &[reason]);
    }
}

#[test]
fn a_value_that_comes_from_nowhere_or_twice_is_refused() {
    let nodes = [Node::new("Relu", &["later"], "logit")];
    graph_refused(
        &onnx::model(&nodes, 103),
        &["operator Relu takes \"later\", which nothing before it gives"],
    );
    let nodes = [Node::new("Relu", &["features"], "a"), Node::new("Relu", &["a"], "features")];
    graph_refused(
        &onnx::model(&nodes, 103),
        &["operator Relu gives \"features\", which there is already"],
    );
}

#[test]
fn a_graph_of_another_shape_or_without_an_end_is_refused() {
    let nodes = [Node::new("MatMul", &["features", "w"], "logit")];
    graph_refused(
        &onnx::model(&nodes, 104),
        &["input is", "[batch, 104]", "the manifest says", "[batch, 103]"],
    );
    let nodes = [Node::new("MatMul", &["features", "w"], "elsewhere")];
    graph_refused(&onnx::model(&nodes, 103), &["ends in \"elsewhere\""]);
    graph_refused(b"", &["has no graph"]);
    graph_refused(b"PK\x03\x04 not a model", &["model.int8.onnx", "is not ONNX"]);
}

#[test]
fn constants_outside_the_file_are_refused() {
    let nodes = [Node::new("MatMul", &["features", "w"], "logit")];
    graph_refused(
        &onnx::model_with_external_weights(&nodes, 103),
        &["\"w\" lies outside the file"],
    );
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    let nodes = [
        Node::new("MatMul", &["features", "w"], "a"),
        Node::new("MatMul", &["a", "w"], "logit"),
    ];
    graph_refused(
        &onnx::model(&nodes, 103),
        &[
            "model.int8.onnx",
            "operator MatMul takes a row of [1] values and weights for 103",
        ],
    );
}

#[test]
fn a_model_with_other_weights_fails_its_golden_vectors() {
    let nodes = [Node::new("MatMul", &["features", "w"], "logit")];
    graph_refused(&onnx::model(&nodes, 103), &["golden vector \"course 0\"", "int8 logit"]);
}

#[test]
fn a_key_file_with_a_bad_line_names_the_line() {
    let error = TrustedKeys::parse("# comment\n\nabcdef\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "trusted key in line 3: must be 64 hexadecimal digits, an Ed25519 public key"
    );
}
