//! What the readers of CBOR and JSON have in common: values are pulled one by one, borrowed from the payload.

use std::borrow::Cow;

use wardlight_core::vitals::Quality;

use super::number::Number;

/// Result of reading: a [`Fault`] ends the whole message.
pub(crate) type Parse<T> = Result<T, Fault>;

/// Why a payload cannot be read on.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) Box<FaultKind>);

#[derive(Debug)]
pub(crate) enum FaultKind {
    /// Not well-formed.
    Malformed {
        at: usize,
        found: String,
        expected: &'static str,
    },
    /// A field that cannot be.
    Field { field: String, found: String, expected: String },
}

impl Fault {
    pub(crate) fn malformed(at: usize, found: impl Into<String>, expected: &'static str) -> Self {
        let found = found.into();
        Self(Box::new(FaultKind::Malformed { at, found, expected }))
    }

    pub(crate) fn field(field: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self(Box::new(FaultKind::Field {
            field: field.into(),
            found: found.into(),
            expected: expected.into(),
        }))
    }
}

/// One value that holds no others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    /// Something else, already skipped: `an array`, `a byte string`.
    Other(&'static str),
}

impl Scalar<'_> {
    /// For an error message, cut at 40 characters.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(b) => b.to_string(),
            Self::Number(n) => n.to_string(),
            Self::Text(text) => quoted(text),
            Self::Other(what) => (*what).into(),
        }
    }

    pub(crate) fn number(&self) -> Option<Number> {
        match self {
            Self::Number(n) => Some(*n),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Other(_) => None,
        }
    }
}

/// Quotes and cuts a text for an error message.
pub(crate) fn quoted(text: &str) -> String {
    let mut cut: String = text.chars().take(40).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    format!("{cut:?}")
}

/// Label of a map entry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Label<'a> {
    Number(i64),
    Name(Cow<'a, str>),
}

impl Label<'_> {
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Number(n) => n.to_string(),
            Self::Name(name) => quoted(name),
        }
    }
}

/// What stands next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Map,
    Array,
    Scalar,
}

/// An open array or map.
#[derive(Debug)]
pub(crate) struct Open {
    /// Entries still to come; `None` where only the end tells.
    pub(crate) left: Option<u64>,
    /// Whether nothing has been read yet.
    pub(crate) first: bool,
}

/// One reading as written.
#[derive(Debug, Default)]
pub(crate) struct RawReading<'a> {
    pub(crate) code: Option<Scalar<'a>>,
    pub(crate) value: Option<Scalar<'a>>,
    pub(crate) quality: Option<Scalar<'a>>,
    /// What is wrong with the way it is built: `(found, expected)`.
    pub(crate) misshapen: Option<(String, &'static str)>,
}

/// A reading with nothing unusual about the way it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlainReading {
    pub(crate) code: u32,
    pub(crate) number: Option<Number>,
    pub(crate) quality: Quality,
}

/// A reader that values are pulled from.
pub(crate) trait Pull<'a> {
    /// Whether fields go by name (JSON) and not by number (CBOR).
    const NAMED: bool;
    /// What stands next.
    fn shape(&mut self) -> Parse<Shape>;
    /// Opens a map; the caller has seen that one stands next.
    fn open_map(&mut self) -> Parse<Open>;
    /// The label of the next entry, or `None` (and closes the map).
    fn next_label(&mut self, open: &mut Open) -> Parse<Option<Label<'a>>>;
    /// Opens an array; the caller has seen that one stands next.
    fn open_array(&mut self) -> Parse<Open>;
    /// Whether another item follows; if not, closes the array.
    fn next_item(&mut self, open: &mut Open) -> Parse<bool>;
    /// The next value if it is a scalar; else skips it and says what it was.
    fn scalar(&mut self) -> Parse<Scalar<'a>>;
    /// One reading, if it is written in the plainest way, as nearly all are; else `None`, and nothing was read.
    fn plain_reading(&mut self) -> Option<PlainReading>;
    /// One reading, built as the format has it.
    fn reading(&mut self) -> Parse<RawReading<'a>>;
    /// Samples of a wave block.
    fn samples(&mut self) -> Parse<Vec<i16>>;
    /// Ends the payload: nothing may follow.
    fn finish(&mut self) -> Parse<()>;
}
