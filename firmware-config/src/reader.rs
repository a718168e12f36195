//! Reads TOML field by field and gathers every fault instead of stopping at the first, each with the line it stands in.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Fault;

/// A value and where it stands.
pub(crate) type Node<'a> = Spanned<DeValue<'a>>;

/// The faults found so far in one text.
#[derive(Debug)]
pub(crate) struct Faults<'a> {
    text: &'a str,
    found: Vec<Fault>,
}

impl<'a> Faults<'a> {
    pub(crate) const fn of(text: &'a str) -> Self {
        Self { text, found: Vec::new() }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// What was found, in the order of the file's lines.
    pub(crate) fn in_order(mut self) -> Vec<Fault> {
        self.found.sort_by_key(|fault| fault.line);
        self.found
    }

    /// What stands at `at` is not what was expected.
    pub(crate) fn add(&mut self, at: &Range<usize>, path: impl Into<String>, expected: impl Into<String>) {
        let found = shown(self.text.get(at.clone()).unwrap_or_default());
        self.push(at, path, found, expected);
    }

    /// Nothing stands where something was expected; `at` is the table that lacks it.
    pub(crate) fn missing(&mut self, at: &Range<usize>, path: impl Into<String>, expected: impl Into<String>) {
        self.push(at, path, "nothing".to_owned(), expected);
    }

    fn push(&mut self, at: &Range<usize>, path: impl Into<String>, found: String, expected: impl Into<String>) {
        let before = self.text.get(..at.start).unwrap_or_default();
        self.found.push(Fault {
            line: before.matches('\n').count() + 1,
            path: path.into(),
            found,
            expected: expected.into(),
        });
    }
}

/// One table, and where it stands.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    path: String,
    at: Range<usize>,
    table: DeTable<'a>,
}

impl<'a> Fields<'a> {
    /// The file's own table has an empty path.
    pub(crate) fn new(path: impl Into<String>, at: Range<usize>, table: DeTable<'a>) -> Self {
        let path = path.into();
        Self { path, at, table }
    }

    /// The full path of a field.
    pub(crate) fn path(&self, field: &str) -> String {
        if self.path.is_empty() {
            return field.to_owned();
        }
        format!("{}.{field}", self.path)
    }

    /// Where the table itself stands.
    pub(crate) const fn at(&self) -> &Range<usize> {
        &self.at
    }

    /// Whether the field stands there, whatever it holds.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.table.contains_key(field)
    }

    /// Takes a field that may be absent, as it stands there.
    pub(crate) fn take(&mut self, field: &str) -> Option<Node<'a>> {
        self.table.remove(field)
    }

    /// Takes a field that may be absent through `read`; refused, it is a fault.
    pub(crate) fn optional<T>(
        &mut self,
        field: &str,
        expected: &str,
        faults: &mut Faults<'_>,
        read: impl FnOnce(&DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        let node = self.table.remove(field)?;
        let taken = read(node.get_ref());
        if taken.is_none() {
            faults.add(&node.span(), self.path(field), expected);
        }
        taken
    }

    /// Takes a field through `read`; absent or refused, it is a fault.
    pub(crate) fn required<T>(
        &mut self,
        field: &str,
        expected: &str,
        faults: &mut Faults<'_>,
        read: impl FnOnce(&DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        if !self.has(field) {
            faults.missing(&self.at, self.path(field), expected);
        }
        self.optional(field, expected, faults, read)
    }

    /// Takes a table that may be absent; anything else in its place is a fault.
    pub(crate) fn table(&mut self, field: &str, expected: &str, faults: &mut Faults<'_>) -> Option<Fields<'a>> {
        let node = self.table.remove(field)?;
        let (path, at) = (self.path(field), node.span());
        if let DeValue::Table(table) = node.into_inner() {
            Some(Self::new(path, at, table))
        } else {
            faults.add(&at, path, expected);
            None
        }
    }

    /// Whatever was not taken is unknown, and a fault.
    pub(crate) fn finish(self, faults: &mut Faults<'_>) {
        for (field, value) in &self.table {
            faults.add(&value.span(), self.path(field.get_ref()), "no such field");
        }
    }
}

/// The first line of what stands there, cut at 60 characters.
fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let cut: String = line.chars().take(60).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// A whole or broken number from `low` to `high`.
pub(crate) fn number(value: &DeValue<'_>, low: f64, high: f64) -> Option<f64> {
    let number = match value {
        DeValue::Integer(_) => whole(value)? as f64,
        DeValue::Float(float) => float.as_str().parse().ok()?,
        _ => return None,
    };
    (low..=high).contains(&number).then_some(number)
}

/// An integer from `low` to `high`.
pub(crate) fn integer<T: TryFrom<i64>>(value: &DeValue<'_>, low: i64, high: i64) -> Option<T> {
    let number = whole(value).filter(|n| (low..=high).contains(n))?;
    T::try_from(number).ok()
}

/// `[low, high]`, the low one first, both within the bounds.
pub(crate) fn span(value: &DeValue<'_>, least: f64, most: f64) -> Option<(f64, f64)> {
    let [low, high] = &**value.as_array()? else {
        return None;
    };
    let (low, high) = (number(low.get_ref(), least, most)?, number(high.get_ref(), least, most)?);
    (low <= high).then_some((low, high))
}

/// Text of 1 to `longest` characters.
pub(crate) fn text(value: &DeValue<'_>, longest: usize) -> Option<String> {
    let text = value.as_str()?;
    let sound = (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    sound.then(|| text.to_owned())
}

/// One of a few words.
pub(crate) fn choice<T: Copy>(value: &DeValue<'_>, choices: &[(&str, T)]) -> Option<T> {
    let word = value.as_str()?;
    choices.iter().find(|(known, _)| *known == word).map(|(_, choice)| *choice)
}

/// The words of a choice, for an error.
pub(crate) fn words<T>(choices: &[(&str, T)]) -> String {
    let quoted: Vec<String> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
    quoted.join(" or ")
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}
