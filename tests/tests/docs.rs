//! What the documents name is there: paths, and the agent's commands and options.
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

use wardlight_tests::agent::run;
use wardlight_tests::root;

/// Every document for people, with the text.
fn documents() -> Vec<(PathBuf, String)> {
    let root = root();
    let mut files = vec![root.join("ARCHITECTURE.md"), root.join("README.md")];
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    files.extend(docs.filter(|path| path.extension().is_some_and(|e| e == "md")));
    let read = files.into_iter().map(|file| {
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        (file, text)
    });
    read.collect()
}

/// The text between single back-ticks, outside of code blocks.
fn quoted(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    outside
        .flat_map(|part| part.lines())
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect()
}

/// A path from the root: has a known first folder, no space, and no placeholder.
fn is_path(word: &str) -> bool {
    let first = word.split('/').next().unwrap_or_default();
    let ours = [
        "agent",
        "docs",
        "firmware-config",
        "k3s",
        "models",
        "simulator",
        "sync",
        "tests",
    ];
    word.contains('/') && ours.contains(&first) && !word.contains([' ', '*', '{', '<', '…', '$'])
}

#[test]
fn paths_in_the_documents_exist() {
    let mut seen = 0;
    for (file, text) in documents() {
        for path in quoted(&text).into_iter().filter(|word| is_path(word)) {
            seen += 1;
            assert!(root().join(path).exists(), "{}: `{path}` does not exist", file.display());
        }
    }
    assert!(seen > 20, "only {seen} paths found: is the search right?");
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    for (file, text) in documents() {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            assert!(
                file.parent().unwrap().join(path).exists(),
                "{}: link to {path}",
                file.display()
            );
        }
    }
}

/// Sub-commands of the agent with the text of their help.
fn helps() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(words) = open.pop() {
        let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
        args.push("--help");
        let output = run(&args);
        assert!(output.status.success(), "{args:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let below = text
            .split_once("Commands:\n")
            .map_or("", |(_, rest)| rest.split("\n\n").next().unwrap_or_default());
        for name in below
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
            .filter(|n| !n.is_empty() && *n != "help")
        {
            open.push([words.clone(), vec![name.to_owned()]].concat());
        }
        found.insert(words.join(" "), text);
    }
    found
}

/// Command lines of the agent in a document: what follows `wardlight` or `cargo run --release --`.
fn command_lines(text: &str) -> Vec<Vec<&str>> {
    let in_blocks = text.split("```").skip(1).step_by(2).flat_map(str::lines);
    let all = in_blocks.chain(quoted(text));
    all.filter_map(|line| {
        let line = line.trim().trim_start_matches("$ ").split(" #").next()?;
        let rest = line
            .strip_prefix("cargo run --release -- ")
            .or_else(|| line.strip_prefix("wardlight "))?;
        Some(rest.split_whitespace().collect())
    })
    .collect()
}

fn check_line(words: &[&str], helps: &BTreeMap<String, String>, file: &Path) {
    let mut command = String::new();
    for word in words.iter().take_while(|word| !word.starts_with('-')) {
        let longer = if command.is_empty() {
            (*word).to_owned()
        } else {
            format!("{command} {word}")
        };
        if !word.contains('|') && !helps.contains_key(&longer) {
            break;
        }
        if helps.contains_key(&longer) {
            command = longer;
        }
    }
    assert!(
        !command.is_empty(),
        "{}: no command of the agent: wardlight {}",
        file.display(),
        words.join(" ")
    );
    for option in words
        .iter()
        .map(|w| w.trim_matches(['[', ']', ',', '.']))
        .filter(|w| w.starts_with("--"))
    {
        let option = option.split('=').next().unwrap_or_default();
        assert!(
            helps[&command].contains(option),
            "{}: wardlight {command} has no option {option}",
            file.display()
        );
    }
}

#[test]
fn commands_in_the_documents_exist_with_their_options() {
    let helps = helps();
    assert!(
        helps.contains_key("journal export") && helps.contains_key("bed attach"),
        "{:?}",
        helps.keys()
    );
    let mut seen = 0;
    for (file, text) in documents() {
        for words in command_lines(&text).into_iter().filter(|words| {
            words
                .first()
                .is_some_and(|w| w.starts_with(|c: char| c.is_ascii_lowercase() || c == '-'))
        }) {
            seen += 1;
            check_line(&words, &helps, &file);
        }
    }
    assert!(seen >= 3, "only {seen} commands found: is the search right?");
}

/// Every function of every Rust file below a folder.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let names = text.lines().filter_map(|line| line.trim_start().split_once("fn "));
            found.extend(
                names
                    .filter_map(|(_, rest)| rest.split_once('('))
                    .map(|(name, _)| name.to_owned()),
            );
        }
    }
}

#[test]
fn each_test_that_the_page_on_security_names_is_in_the_code() {
    let mut known = BTreeSet::new();
    for folder in ["agent", "firmware-config", "models", "tests"] {
        functions(&root().join(folder), &mut known);
    }
    let text = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let is_name = |word: &&str| {
        word.len() > 30
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let named: Vec<&str> = quoted(&text).into_iter().filter(is_name).collect();
    assert!(named.len() > 40, "{}", named.len());
    let missing: Vec<&&str> = named.iter().filter(|name| !known.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
