//! The house stands as ARCHITECTURE.md draws it: who may import whom, which licences and crates come in, how long a file is.
//!
//! The licences and bans are those of deny.toml. This is the check that runs without a network; `cargo deny` is the fuller one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use wardlight_tests::root;

/// Lines that no source file exceeds.
const LONGEST_FILE: usize = 800;

/// Each crate with the crates of the workspace that it may import.
const LEVELS: [(&str, &[&str]); 9] = [
    ("wardlight-core", &[]),
    ("wardlight-wire", &["core"]),
    ("wardlight-devices", &["core", "wire"]),
    ("wardlight-journal", &[]),
    ("wardlight-station", &["core", "wire"]),
    ("wardlight-models", &["core", "wire"]),
    ("wardlight-simulator", &["core", "wire", "devices"]),
    (
        "wardlight",
        &["core", "wire", "devices", "journal", "station", "models", "simulator"],
    ),
    ("wardlight-tests", &["core", "wire", "simulator"]),
];

fn metadata(more: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(root())
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(more);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().unwrap()
}

#[test]
fn imports_go_strictly_downwards() {
    let metadata = metadata(&["--no-deps"]);
    let packages = list(&metadata, "packages");
    assert_eq!(
        packages.len(),
        LEVELS.len(),
        "a crate is missing in LEVELS or in the workspace"
    );
    for (name, allowed) in LEVELS {
        let package = packages
            .iter()
            .find(|p| text(p, "name") == name)
            .unwrap_or_else(|| panic!("no crate {name}"));
        let normal = list(package, "dependencies").iter().filter(|d| d["kind"].is_null());
        for dependency in normal.map(|d| text(d, "name")).filter(|d| d.starts_with("wardlight")) {
            let short = dependency.trim_start_matches("wardlight-");
            assert!(allowed.contains(&short), "{name} must not import {dependency}");
        }
    }
}

#[test]
fn core_knows_no_runtime_no_wire_and_no_disk() {
    let metadata = metadata(&["--no-deps"]);
    let core = list(&metadata, "packages")
        .iter()
        .find(|p| text(p, "name") == "wardlight-core")
        .unwrap();
    let normal: BTreeSet<&str> = list(core, "dependencies")
        .iter()
        .filter(|d| d["kind"].is_null())
        .map(|d| text(d, "name"))
        .collect();
    let allowed = BTreeSet::from(["serde", "thiserror"]);
    assert!(
        normal.is_subset(&allowed),
        "wardlight-core imports {:?}",
        normal.difference(&allowed).collect::<Vec<_>>()
    );
}

/// Every package that is part of the agent on Linux: normal and build dependencies of the binary, not those of tests.
fn shipped() -> Vec<Value> {
    let mut metadata = metadata(&["--filter-platform", "x86_64-unknown-linux-gnu"]);
    let nodes: BTreeMap<String, Vec<String>> = list(&metadata["resolve"], "nodes")
        .iter()
        .map(|node| {
            let real = |d: &&Value| list(d, "dep_kinds").iter().any(|k| k["kind"] != "dev");
            let needed = list(node, "deps").iter().filter(real).map(|d| text(d, "pkg").to_owned());
            (text(node, "id").to_owned(), needed.collect())
        })
        .collect();
    let start = list(&metadata, "packages")
        .iter()
        .find(|p| text(p, "name") == "wardlight")
        .unwrap();
    let mut open = vec![text(start, "id").to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id.clone()) {
            open.extend(nodes[&id].iter().cloned());
        }
    }
    let packages = metadata["packages"].take();
    packages
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| seen.contains(text(p, "id")))
        .cloned()
        .collect()
}

/// The quoted words of a list in deny.toml, from the line that opens it to the bracket that closes it.
fn deny_list(opening: &str) -> BTreeSet<String> {
    let file = fs::read_to_string(root().join("deny.toml")).unwrap();
    let (_, rest) = file
        .split_once(opening)
        .unwrap_or_else(|| panic!("deny.toml has no {opening}"));
    let (inside, _) = rest.split_once("\n]").unwrap();
    inside
        .lines()
        .filter_map(|line| line.split('"').nth(1))
        .map(str::to_owned)
        .collect()
}

/// Whether an SPDX expression of words, AND, OR and brackets can be met with these licences.
fn allowed(expression: &str, licences: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (met, rest) = any_of(&words, licences);
    assert!(rest.is_empty(), "not understood: {expression}");
    met
}

fn any_of<'a>(words: &'a [&'a str], licences: &BTreeSet<String>) -> (bool, &'a [&'a str]) {
    let (mut met, mut rest) = all_of(words, licences);
    while let Some((&"OR", tail)) = rest.split_first() {
        let (other, after) = all_of(tail, licences);
        met |= other;
        rest = after;
    }
    (met, rest)
}

fn all_of<'a>(words: &'a [&'a str], licences: &BTreeSet<String>) -> (bool, &'a [&'a str]) {
    let (mut met, mut rest) = one(words, licences);
    while let Some((&"AND", tail)) = rest.split_first() {
        let (other, after) = one(tail, licences);
        met &= other;
        rest = after;
    }
    (met, rest)
}

fn one<'a>(words: &'a [&'a str], licences: &BTreeSet<String>) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inside @ ..] => {
            let (met, rest) = any_of(inside, licences);
            (met, rest.split_first().map_or(rest, |(_, tail)| tail))
        }
        // An exception only allows more.
        [licence, "WITH", _, rest @ ..] | [licence, rest @ ..] => (licences.contains(*licence), rest),
        [] => (false, words),
    }
}

#[test]
fn licence_expressions_are_understood() {
    let known = BTreeSet::from(["MIT".to_owned(), "ISC".to_owned(), "Apache-2.0".to_owned()]);
    for yes in [
        "MIT",
        "MIT OR GPL-3.0",
        "GPL-2.0/MIT",
        "MIT AND (GPL-3.0 OR ISC)",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(allowed(yes, &known), "{yes}");
    }
    for no in ["GPL-3.0", "MIT AND GPL-3.0", "(GPL-3.0 OR AGPL-3.0) AND MIT", ""] {
        assert!(!allowed(no, &known), "{no}");
    }
}

#[test]
fn what_is_shipped_has_allowed_licences_and_no_banned_crate() {
    let licences = deny_list("\nallow = [");
    let banned = deny_list("\ndeny = [");
    assert!(
        licences.contains("MIT") && banned.contains("rumqttd"),
        "{licences:?} {banned:?}"
    );
    // One line each in deny.toml, with the reason beside it: { allow = ["…"], crate = "…" }
    let exceptions = fs::read_to_string(root().join("deny.toml")).unwrap();
    let exceptions = exceptions
        .split_once("\nexceptions = [")
        .map_or("", |(_, rest)| rest.split("\n]").next().unwrap_or_default())
        .to_owned();
    let packages = shipped();
    assert!(packages.len() > 100, "only {} packages", packages.len());
    for package in &packages {
        let (name, licence) = (text(package, "name"), text(package, "license"));
        let excepted = exceptions.contains(&format!("crate = \"{name}\""));
        assert!(
            excepted || allowed(licence, &licences),
            "{name}: licence {licence:?} is not in deny.toml"
        );
        assert!(!banned.contains(name), "{name} is banned by deny.toml");
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !matches!(name.as_str(), "target" | "node_modules" | "__pycache__") {
                sources(&path, found);
            }
        } else if path
            .extension()
            .is_some_and(|e| ["rs", "js", "mjs", "css", "py", "c", "h"].iter().any(|known| e == *known))
        {
            found.push(path);
        }
    }
}

#[test]
fn no_source_file_is_too_long_to_hold_in_the_head() {
    let mut found = Vec::new();
    sources(&root(), &mut found);
    assert!(found.len() > 100, "only {} source files", found.len());
    let long = found
        .iter()
        .map(|path| (fs::read_to_string(path).unwrap().lines().count(), path));
    let long: Vec<_> = long.filter(|(lines, _)| *lines > LONGEST_FILE).collect();
    assert!(long.is_empty(), "longer than {LONGEST_FILE} lines: {long:?}");
}
