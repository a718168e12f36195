//! Reads TOML tables key by key and collects every fault instead of stopping at the first.

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// Longest piece of a value that is repeated in a fault.
const MAX_SHOWN: usize = 80;

/// One thing that is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Dotted path of the key, such as `journal.max_mib` or `unit[2].beds`.
    pub(crate) path: String,
    /// What stands there, as TOML; empty when nothing does.
    pub(crate) found: String,
    /// What was expected, as a clause: `must be at least 1`.
    pub(crate) problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if !self.found.is_empty() {
            write!(f, " = {}", self.found)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// The faults found so far, and the folder that relative paths start from.
pub(crate) struct Findings {
    faults: RefCell<Vec<Fault>>,
    folder: PathBuf,
}

impl Findings {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            faults: RefCell::default(),
            folder: folder.to_path_buf(),
        }
    }

    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.faults.into_inner()
    }

    fn report(&self, path: String, found: &Value, problem: String) {
        self.push(path, shown(found), problem);
    }

    fn push(&self, path: String, found: String, problem: String) {
        self.faults.borrow_mut().push(Fault { path, found, problem });
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= MAX_SHOWN {
        return text;
    }
    text.chars().take(MAX_SHOWN).chain(['…']).collect()
}

/// A URL without its user and password; any other text as it is.
fn without_credentials(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://***@{host}"),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}

/// One table of the file. Every key that a reader asks for is taken out; what is left at [`Section::finish`] is unknown.
pub(crate) struct Section<'a> {
    path: String,
    present: bool,
    table: Table,
    known: Vec<&'static str>,
    findings: &'a Findings,
}

impl<'a> Section<'a> {
    pub(crate) fn root(table: Table, findings: &'a Findings) -> Self {
        Self {
            path: String::new(),
            present: true,
            table,
            known: Vec::new(),
            findings,
        }
    }

    /// Whether the file has this table at all.
    pub(crate) fn is_present(&self) -> bool {
        self.present
    }

    /// Whether the file has the key, whatever stands there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn key_path(&self, key: &str) -> String {
        if self.path.is_empty() {
            return key.to_owned();
        }
        format!("{}.{key}", self.path)
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// Reports that `key` has a value that cannot be.
    pub(crate) fn fault(&self, key: &str, found: impl fmt::Display, problem: impl Into<String>) {
        self.findings.push(self.key_path(key), found.to_string(), problem.into());
    }

    /// Reports that `key` is needed and absent.
    pub(crate) fn missing(&self, key: &str, problem: impl Into<String>) {
        self.findings.push(self.key_path(key), String::new(), problem.into());
    }

    pub(crate) fn string(&mut self, key: &'static str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            other => self.wrong_type(key, &other, "must be a string in quotes"),
        }
    }

    fn wrong_type<T>(&self, key: &str, found: &Value, problem: &str) -> Option<T> {
        self.findings.report(self.key_path(key), found, problem.to_owned());
        None
    }

    /// A string that `parse` understands; its error becomes the fault.
    pub(crate) fn parsed<T, E: fmt::Display>(&mut self, key: &'static str, parse: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        let text = self.string(key)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(key, format_args!("{:?}", without_credentials(&text)), error.to_string());
                None
            }
        }
    }

    /// As [`Section::parsed`], and a fault when the key is absent.
    pub(crate) fn required<T, E: fmt::Display>(
        &mut self,
        key: &'static str,
        example: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        if !self.has(key) {
            self.known.push(key);
            self.missing(key, format!("is missing; for example {key} = {example}"));
            return None;
        }
        self.parsed(key, parse)
    }

    /// A whole number within `range`; the default (and a fault) when it is not.
    pub(crate) fn integer(&mut self, key: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let Some(value) = self.take(key) else { return default };
        let problem = match value.as_integer().map(u64::try_from) {
            None => "must be a whole number".to_owned(),
            Some(Ok(number)) if range.contains(&number) => return number,
            Some(Ok(number)) if number > *range.end() => format!("must be at most {}", range.end()),
            Some(_) => format!("must be at least {}", range.start()),
        };
        self.findings.report(self.key_path(key), &value, problem);
        default
    }

    pub(crate) fn boolean(&mut self, key: &'static str, default: bool) -> bool {
        match self.take(key) {
            None => default,
            Some(Value::Boolean(value)) => value,
            Some(other) => self.wrong_type(key, &other, "must be true or false").unwrap_or(default),
        }
    }

    /// One of a few words; the first is the default.
    pub(crate) fn choice<T: Copy>(&mut self, key: &'static str, default: T, choices: &[(&str, T)]) -> T {
        let expected = choices.iter().map(|(word, _)| format!("{word:?}"));
        let problem = format!("must be {}", expected.collect::<Vec<_>>().join(" or "));
        self.parsed(key, |text| {
            let found = choices.iter().find(|(word, _)| *word == text);
            found.map(|(_, choice)| *choice).ok_or(&problem)
        })
        .unwrap_or(default)
    }

    /// Strings in a list, each understood by `parse`.
    pub(crate) fn list<T, E: fmt::Display>(&mut self, key: &'static str, parse: impl Fn(&str) -> Result<T, E>) -> Vec<T> {
        let items = match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => self
                .wrong_type(key, &other, "must be a list of strings, as in [\"a\", \"b\"]")
                .unwrap_or_default(),
        };
        let mut parsed = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let result = item.as_str().map(&parse);
            let problem = match result {
                Some(Ok(value)) => {
                    parsed.push(value);
                    continue;
                }
                Some(Err(error)) => error.to_string(),
                None => "must be a string in quotes".to_owned(),
            };
            self.findings
                .report(format!("{}[{}]", self.key_path(key), index + 1), item, problem);
        }
        parsed
    }

    /// A table of string keys to strings, in the file's order.
    pub(crate) fn pairs(&mut self, key: &'static str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let section = self.section(key);
        for (name, value) in &section.table {
            match value.as_str() {
                Some(text) => pairs.push((name.clone(), text.to_owned())),
                None => self
                    .findings
                    .report(section.key_path(name), value, "must be a string in quotes".to_owned()),
            }
        }
        pairs
    }

    /// A path; a relative one starts at the folder of the configuration file.
    pub(crate) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let text = self.string(key)?;
        if text.is_empty() {
            self.fault(key, "\"\"", "must be a path");
            return None;
        }
        Some(self.findings.folder.join(text))
    }

    /// As [`Section::path`], with a default that also starts at the file's folder.
    pub(crate) fn path_or(&mut self, key: &'static str, default: &str) -> PathBuf {
        self.path(key).unwrap_or_else(|| self.findings.folder.join(default))
    }

    /// A file that must be there.
    pub(crate) fn existing_file(&mut self, key: &'static str) -> Option<PathBuf> {
        let path = self.path(key)?;
        self.check_file(key, &path, false);
        Some(path)
    }

    /// A file that must be there and that nobody but its owner may read.
    pub(crate) fn secret_file(&mut self, key: &'static str) -> Option<PathBuf> {
        let path = self.path(key)?;
        self.check_file(key, &path, true);
        Some(path)
    }

    /// As [`Section::secret_file`] with a default name.
    pub(crate) fn secret_file_or(&mut self, key: &'static str, default: &str) -> PathBuf {
        let path = self.path_or(key, default);
        self.check_file(key, &path, true);
        path
    }

    fn check_file(&self, key: &str, path: &Path, secret: bool) {
        let checked = if secret {
            super::secret::check(path)
        } else {
            super::secret::check_readable(path)
        };
        if let Err(problem) = checked {
            self.fault(key, format_args!("{:?}", path.display().to_string()), problem);
        }
    }

    /// A sub-table; empty when the file has none.
    pub(crate) fn section(&mut self, key: &'static str) -> Section<'a> {
        let path = self.key_path(key);
        let value = self.take(key);
        self.sub_section(path, value)
    }

    fn sub_section(&self, path: String, value: Option<Value>) -> Section<'a> {
        let present = value.is_some();
        let table = match value {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(other) => {
                let problem = format!("must be a table, as in [{path}]");
                self.findings.report(path.clone(), &other, problem);
                Table::new()
            }
        };
        Section {
            path,
            present,
            table,
            known: Vec::new(),
            findings: self.findings,
        }
    }

    /// The tables of `[[key]]`, in the file's order; their paths count from 1, as people do.
    pub(crate) fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let path = self.key_path(key);
        let items = match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                let problem = format!("must be a list of tables, each as [[{path}]]");
                self.findings.report(path.clone(), &other, problem);
                Vec::new()
            }
        };
        let numbered = items.into_iter().enumerate();
        numbered
            .map(|(index, item)| self.sub_section(format!("{path}[{}]", index + 1), Some(item)))
            .collect()
    }

    /// Reports every key that nobody asked for.
    pub(crate) fn finish(self) {
        for (key, value) in &self.table {
            let problem = format!("unknown key; known here: {}", self.known.join(", "));
            self.findings.report(self.key_path(key), value, problem);
        }
    }
}
