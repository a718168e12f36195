//! A small checker of CDDL (RFC 8610): the constructs that the contract uses, and a loud refusal of any other.

use std::collections::BTreeMap;

use minicbor::data::Type as Cbor;
use minicbor::decode::Decoder;

/// A parsed specification: rules by name.
pub(crate) struct Cddl {
    rules: BTreeMap<String, Type>,
}

#[derive(Clone, Debug)]
enum Type {
    Choice(Vec<Type>),
    Name(String),
    Range(Item, Item),
    Exactly(Item),
    /// `uint .ge low`.
    AtLeast(String, i128),
    /// `bstr .size (low..high)` or `tstr …`.
    Sized(String, u64, u64),
    Tag(u64, Box<Type>),
    Map(Vec<Entry>),
    Array(Vec<Entry>),
}

#[derive(Clone, Debug)]
struct Entry {
    least: u64,
    most: u64,
    key: Option<Type>,
    value: Type,
}

/// A CBOR item, or a literal of CDDL.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Int(i128),
    Float(f64),
    Bool(bool),
    Null,
    Text(String),
    Bytes(usize),
    Array(Vec<Item>),
    Map(Vec<(Item, Item)>),
    Tag(u64, Box<Item>),
}

impl Cddl {
    pub(crate) fn parse(text: &str) -> Self {
        let mut parser = Parser {
            tokens: tokens(text),
            at: 0,
        };
        let mut rules = BTreeMap::new();
        while parser.at < parser.tokens.len() {
            let name = parser.next();
            parser.expect("=");
            assert!(rules.insert(name.clone(), parser.choice()).is_none(), "{name} twice");
        }
        Self { rules }
    }

    /// Checks an encoded item against a rule.
    pub(crate) fn check(&self, rule: &str, payload: &[u8]) -> Result<(), String> {
        let mut decoder = Decoder::new(payload);
        let item = item(&mut decoder);
        assert_eq!(decoder.position(), payload.len());
        if self.fits(&Type::Name(rule.into()), &item) {
            return Ok(());
        }
        Err(format!("{item:?} does not fit {rule}"))
    }

    fn fits(&self, kind: &Type, item: &Item) -> bool {
        match kind {
            Type::Choice(kinds) => kinds.iter().any(|kind| self.fits(kind, item)),
            Type::Name(name) => self.fits_name(name, item),
            Type::Exactly(literal) => literal == item,
            Type::Range(Item::Int(low), Item::Int(high)) => matches!(item, Item::Int(n) if (low..=high).contains(&n)),
            Type::Range(..) => panic!("a range of {kind:?}"),
            Type::AtLeast(name, low) => matches!(item, Item::Int(n) if n >= low) && self.fits_name(name, item),
            Type::Sized(name, low, high) => match item {
                Item::Text(text) if name == "tstr" => (*low..=*high).contains(&(text.len() as u64)),
                Item::Bytes(size) if name == "bstr" => (*low..=*high).contains(&(*size as u64)),
                _ => false,
            },
            Type::Tag(tag, kind) => matches!(item, Item::Tag(t, inner) if t == tag && self.fits(kind, inner)),
            Type::Array(entries) => matches!(item, Item::Array(items) if self.fits_array(entries, items)),
            Type::Map(entries) => matches!(item, Item::Map(pairs) if self.fits_map(entries, pairs)),
        }
    }

    fn fits_name(&self, name: &str, item: &Item) -> bool {
        match name {
            "int" => matches!(item, Item::Int(_)),
            "uint" => matches!(item, Item::Int(n) if *n >= 0),
            "float" => matches!(item, Item::Float(_)),
            "number" => matches!(item, Item::Int(_) | Item::Float(_)),
            "bool" => matches!(item, Item::Bool(_)),
            "nil" => *item == Item::Null,
            "any" => true,
            rule => self.fits(self.rules.get(rule).unwrap_or_else(|| panic!("no rule {rule:?}")), item),
        }
    }

    /// Greedy, which is enough where neighbouring entries do not overlap.
    fn fits_array(&self, entries: &[Entry], items: &[Item]) -> bool {
        let mut rest = items;
        for entry in entries {
            let fitting = rest.iter().take_while(|item| self.fits(&entry.value, item)).count() as u64;
            let taken = fitting.min(entry.most);
            if taken < entry.least {
                return false;
            }
            rest = &rest[usize::try_from(taken).unwrap()..];
        }
        rest.is_empty()
    }

    fn fits_map(&self, entries: &[Entry], pairs: &[(Item, Item)]) -> bool {
        let mut counts = vec![0; entries.len()];
        for (key, value) in pairs {
            let fits = |e: &Entry| self.fits(e.key.as_ref().expect("map entries have keys"), key) && self.fits(&e.value, value);
            match entries.iter().position(fits) {
                Some(entry) => counts[entry] += 1,
                None => return false,
            }
        }
        entries
            .iter()
            .zip(counts)
            .all(|(e, count)| (e.least..=e.most).contains(&count))
    }
}

fn item(d: &mut Decoder<'_>) -> Item {
    match d.datatype().unwrap() {
        Cbor::Bool => Item::Bool(d.bool().unwrap()),
        Cbor::Null => d.null().map(|()| Item::Null).unwrap(),
        Cbor::F16 | Cbor::F32 | Cbor::F64 => Item::Float(d.f64().unwrap()),
        Cbor::String => Item::Text(d.str().unwrap().into()),
        Cbor::Bytes => Item::Bytes(d.bytes().unwrap().len()),
        Cbor::Tag => Item::Tag(d.tag().unwrap().as_u64(), Box::new(item(d))),
        Cbor::Array => Item::Array((0..d.array().unwrap().unwrap()).map(|_| item(d)).collect()),
        Cbor::Map => Item::Map((0..d.map().unwrap().unwrap()).map(|_| (item(d), item(d))).collect()),
        _ => Item::Int(d.int().unwrap().into()),
    }
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for line in text.lines() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            let end = match first {
                ';' => break,
                '"' => rest[1..].find('"').expect("the closing quote") + 2,
                '=' if rest.starts_with("=>") => 2,
                '#' | 'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' => rest[1..].find(|c| !word(c)).map_or(rest.len(), |e| e + 1),
                ' ' | '=' | '/' | '{' | '}' | '[' | ']' | '(' | ')' | ',' | ':' | '?' | '*' => 1,
                other => panic!("unexpected {other:?} in {line:?}"),
            };
            if first != ' ' {
                tokens.push(rest[..end].to_owned());
            }
            rest = &rest[end..];
        }
    }
    tokens
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        self.at += 1;
        self.tokens[self.at - 1].clone()
    }

    fn expect(&mut self, token: &str) {
        assert_eq!(
            self.next(),
            token,
            "at {:?}",
            &self.tokens[self.at.saturating_sub(8)..self.at]
        );
    }

    fn choice(&mut self) -> Type {
        let mut kinds = vec![self.one()];
        while self.peek() == "/" {
            self.next();
            kinds.push(self.one());
        }
        if kinds.len() == 1 {
            kinds.remove(0)
        } else {
            Type::Choice(kinds)
        }
    }

    fn one(&mut self) -> Type {
        let token = self.next();
        match token.as_str() {
            "{" => Type::Map(self.entries("}")),
            "[" => Type::Array(self.entries("]")),
            "true" | "false" => Type::Exactly(Item::Bool(token == "true")),
            t if t.starts_with('"') => Type::Exactly(Item::Text(t.trim_matches('"').into())),
            t if t.starts_with("#6.") => {
                let tag = t[3..].parse().unwrap();
                self.expect("(");
                let inner = self.choice();
                self.expect(")");
                Type::Tag(tag, Box::new(inner))
            }
            t if t.starts_with(|c: char| c.is_ascii_digit() || c == '-') => literal_or_range(t),
            _ if self.peek() == ".ge" => {
                self.next();
                Type::AtLeast(token, self.next().parse().unwrap())
            }
            _ if self.peek() == ".size" => {
                self.next();
                self.expect("(");
                let range = literal_or_range(&self.next());
                self.expect(")");
                let Type::Range(Item::Int(low), Item::Int(high)) = range else {
                    panic!("{range:?}")
                };
                Type::Sized(token, u64::try_from(low).unwrap(), u64::try_from(high).unwrap())
            }
            _ => Type::Name(token),
        }
    }

    fn entries(&mut self, end: &str) -> Vec<Entry> {
        let mut entries = Vec::new();
        while self.peek() != end {
            entries.push(self.entry());
            if self.peek() == "," {
                self.next();
            }
        }
        self.next();
        entries
    }

    fn entry(&mut self) -> Entry {
        let (mut least, mut most) = (1, 1);
        let starred = self.tokens.get(self.at + 1).is_some_and(|t| t == "*");
        if self.peek() == "?" {
            self.next();
            least = 0;
        } else if self.peek() == "*" || starred {
            least = if starred { self.next().parse().unwrap() } else { 0 };
            self.expect("*");
            most = self.peek().parse().map_or(u64::MAX, |n| {
                self.at += 1;
                n
            });
        }
        let mut value = self.choice();
        let mut key = None;
        if matches!(self.peek(), ":" | "=>") {
            key = Some(value);
            self.next();
            value = self.choice();
        }
        Entry { least, most, key, value }
    }
}

fn literal_or_range(text: &str) -> Type {
    let literal = |t: &str| Item::Int(t.parse().unwrap());
    match text.split_once("..") {
        Some((low, high)) => Type::Range(literal(low), literal(high)),
        None => Type::Exactly(literal(text)),
    }
}
