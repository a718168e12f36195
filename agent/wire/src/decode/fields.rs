//! The fields of a native payload, read once and checked one by one; what belongs together is checked in `build`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use wardlight_core::message::{Channel, Priority};
use wardlight_core::vitals::Quality;

use super::number::Number;
use super::pull::{Fault, Label, Parse, Pull, Scalar, Shape};
use super::readings::{self, Readings};
use super::{build, json};
use crate::error::{RejectReason, RejectedReading};
use crate::key::{FIRST_EXTENSION, Key};
use crate::limits::{MAX_CHANNELS, MAX_CONDITION, MAX_REJECTED, MAX_SETTING, MAX_TEXT, RATE_HZ, SCALE_EXPONENT};
use crate::topic::DeviceTopic;

/// All fields that some topic has.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) seq: Option<u32>,
    pub(super) time: Option<i64>,
    pub(super) boot: Option<u32>,
    pub(super) readings: Option<Readings>,
    pub(super) code: Option<u32>,
    pub(super) rate: Option<f32>,
    pub(super) scale: Option<(i8, i32)>,
    pub(super) offset: Option<i32>,
    pub(super) samples: Option<Vec<i16>>,
    pub(super) quality: Option<Quality>,
    pub(super) on: Option<bool>,
    pub(super) model: Option<String>,
    pub(super) firmware: Option<String>,
    pub(super) channels: Option<Vec<Channel>>,
    pub(super) condition: Option<String>,
    pub(super) priority: Option<Priority>,
    pub(super) text: Option<String>,
    pub(super) event: Option<Cow<'a, str>>,
    pub(super) value: Option<Number>,
    pub(super) revision: Option<u32>,
    /// Settings that the device refused.
    pub(super) refused: Option<BTreeMap<String, String>>,
    /// What the message can do without.
    pub(super) rejected: Vec<RejectedReading>,
}

/// Remembers which keys a map had.
#[derive(Debug, Default)]
pub(super) struct Seen(u32);

impl Seen {
    /// # Errors
    /// If the key was there before.
    pub(super) fn once(&mut self, key: Key) -> Parse<()> {
        let bit = key.bit();
        if self.0 & bit != 0 {
            return Err(Fault::field(key.name(), "the field twice", "each field once"));
        }
        self.0 |= bit;
        Ok(())
    }
}

/// The fields of each topic, the required ones first; `v` may stand everywhere.
pub(crate) const fn keys_of(topic: DeviceTopic) -> (&'static [Key], &'static [Key]) {
    use Key as K;
    match topic {
        DeviceTopic::Birth => (&[K::Boot, K::Model, K::Firmware, K::Channels], &[K::Version, K::Seq, K::Time]),
        DeviceTopic::State => (&[K::On], &[K::Version, K::Seq, K::Time, K::Boot, K::Revision, K::Rejected]),
        DeviceTopic::Num => (&[K::Seq, K::Time, K::Readings], &[K::Version, K::Boot]),
        DeviceTopic::Wave(_) => (
            &[K::Seq, K::Time, K::Rate, K::Samples],
            &[K::Version, K::Boot, K::Code, K::Scale, K::Offset, K::Quality],
        ),
        DeviceTopic::Alarm => (
            &[K::Seq, K::Time, K::Condition, K::On, K::Priority],
            &[K::Version, K::Boot, K::Text],
        ),
        DeviceTopic::Event => (&[K::Seq, K::Time, K::Event], &[K::Version, K::Boot, K::On, K::Code, K::Value]),
        DeviceTopic::Cmd => (&[], &[]),
    }
}

impl<'a> Fields<'a> {
    /// Reads a whole native payload of the given topic.
    pub(super) fn read<P: Pull<'a>>(&mut self, reader: &mut P, topic: DeviceTopic) -> Parse<()> {
        let mut seen = Seen::default();
        let (required, optional) = keys_of(topic);
        let allowed = required.iter().chain(optional).fold(0, |bits, key| bits | key.bit());
        if reader.shape()? != Shape::Map {
            let found = reader.scalar()?.describe();
            return Err(Fault::field("payload", found, "a CBOR map or JSON object"));
        }
        let mut open = reader.open_map()?;
        while let Some(label) = reader.next_label(&mut open)? {
            let Some(key) = key_of::<P>(&label)? else {
                reader.scalar()?;
                continue;
            };
            if allowed & key.bit() == 0 {
                let expected = format!("no such field in a message on {}", build::family(topic));
                return Err(Fault::field(key.name(), "a value", expected));
            }
            seen.once(key)?;
            self.take(reader, key)?;
        }
        Ok(())
    }

    fn take<P: Pull<'a>>(&mut self, reader: &mut P, key: Key) -> Parse<()> {
        match key {
            Key::Version => version(&reader.scalar()?)?,
            Key::Seq => self.seq = Some(unsigned(&reader.scalar()?, key)?),
            Key::Boot => self.boot = Some(unsigned(&reader.scalar()?, key)?),
            Key::Code => self.code = Some(unsigned(&reader.scalar()?, key)?),
            Key::Time => self.time = Some(time(&reader.scalar()?)?),
            Key::Readings => self.readings = Some(Readings::read(reader)?),
            Key::Rate => self.rate = Some(rate(&reader.scalar()?)?),
            Key::Scale => self.scale = Some(scale(reader)?),
            Key::Offset => self.offset = Some(offset(&reader.scalar()?)?),
            Key::Samples => self.samples = Some(reader.samples()?),
            Key::Quality => {
                let bits = readings::quality(Some(&reader.scalar()?));
                self.quality = Some(bits.map_err(|(_, found, expected)| Fault::field("q", found, expected))?);
            }
            Key::On => self.on = Some(boolean(&reader.scalar()?)?),
            Key::Model => self.model = Some(name(reader.scalar()?, key)?),
            Key::Firmware => self.firmware = Some(name(reader.scalar()?, key)?),
            Key::Channels => self.channels = Some(self.announced(reader)?),
            Key::Condition => self.condition = Some(condition(&reader.scalar()?)?),
            Key::Priority => self.priority = Some(self.urgency(&reader.scalar()?)),
            Key::Text => self.text = Some(self.words(&reader.scalar()?)),
            Key::Event => self.event = Some(text(reader.scalar()?, key)?),
            Key::Value => {
                let value = reader.scalar()?;
                let number = value.number();
                self.value = Some(number.ok_or_else(|| Fault::field("x", value.describe(), "a number"))?);
            }
            Key::Revision => self.revision = Some(unsigned(&reader.scalar()?, key)?),
            Key::Rejected => self.refused = Some(refused(reader)?),
            // Not fields of a message, only of a channel: `keys_of` lists them for no topic.
            Key::Unit | Key::Range => {}
        }
        Ok(())
    }

    fn note(&mut self, field: &str, found: String, expected: impl Into<String>) {
        self.rejected.push(RejectedReading {
            field: field.into(),
            code: None,
            reason: RejectReason::BadShape,
            found,
            expected: expected.into(),
        });
    }

    /// A device alarm is never lost for its priority: one that cannot be read counts as high.
    fn urgency(&mut self, value: &Scalar<'_>) -> Priority {
        if let Scalar::Text(text) = value {
            for priority in [Priority::Low, Priority::Medium, Priority::High] {
                if *text == priority.name() {
                    return priority;
                }
            }
        }
        self.note("prio", value.describe(), "low, medium or high; taken as high");
        Priority::High
    }

    /// Nor for its text, which is cut or left out.
    fn words(&mut self, value: &Scalar<'_>) -> String {
        let Scalar::Text(text) = value else {
            self.note("text", value.describe(), "text; left out");
            return String::new();
        };
        let cut: String = text.chars().take(MAX_TEXT).collect();
        if cut.len() < text.len() {
            let found = format!("{} characters", text.chars().count());
            self.note("text", found, format!("at most {MAX_TEXT} characters; cut"));
        }
        cut
    }

    fn announced<P: Pull<'a>>(&mut self, reader: &mut P) -> Parse<Vec<Channel>> {
        let mut open = readings::open_list(reader, "channels", "an array of channels")?;
        let mut channels: Vec<Channel> = Vec::new();
        let mut index = 0;
        while reader.next_item(&mut open)? {
            if index == MAX_CHANNELS {
                let expected = format!("at most {MAX_CHANNELS} channels");
                return Err(Fault::field("channels", "more channels", expected));
            }
            let (code, outcome) = super::build::channel(reader)?;
            let repeated = |channel: &Channel| channels.iter().any(|c| c.code == channel.code);
            let objection = match outcome {
                Ok(channel) if repeated(&channel) => {
                    Some((RejectReason::Repeated, "a second channel".into(), "each code once".into()))
                }
                Ok(channel) => {
                    channels.push(channel);
                    None
                }
                Err(objection) => Some(objection),
            };
            if let Some((reason, found, expected)) = objection {
                self.rejected.push(RejectedReading {
                    field: format!("channels[{index}]"),
                    code,
                    reason,
                    found,
                    expected,
                });
            }
            index += 1;
        }
        Ok(channels)
    }
}

/// The key of a label; `None` for an extension that may be ignored.
pub(super) fn key_of<'a, P: Pull<'a>>(label: &Label<'a>) -> Parse<Option<Key>> {
    let key = match label {
        Label::Number(n) if *n >= FIRST_EXTENSION => return Ok(None),
        Label::Number(n) => Key::from_number(*n),
        Label::Name(name) if P::NAMED => match Key::from_name(name) {
            None if json::is_extension(name) => return Ok(None),
            key => key,
        },
        Label::Name(_) => None,
    };
    key.map(Some).ok_or_else(|| {
        let expected = if P::NAMED {
            "a field of the contract, or an extension (a number from 32 on)"
        } else {
            "an integer key of the contract, or an extension (from 32 on)"
        };
        Fault::field("a key", label.describe(), expected)
    })
}

fn version(value: &Scalar<'_>) -> Parse<()> {
    match value.number().and_then(Number::to_i64) {
        Some(1) => Ok(()),
        _ => Err(Fault::field("v", value.describe(), "1")),
    }
}

fn unsigned(value: &Scalar<'_>, key: Key) -> Parse<u32> {
    let expected = "an integer from 0 to 4294967295";
    readings::as_code(value).ok_or_else(|| Fault::field(key.name(), value.describe(), expected))
}

fn time(value: &Scalar<'_>) -> Parse<i64> {
    let millis = value.number().and_then(Number::to_i64);
    let expected = "milliseconds since 1970-01-01 UTC, a 64-bit integer";
    millis.ok_or_else(|| Fault::field("t", value.describe(), expected))
}

/// The sampling rate of a waveform in hertz.
pub(super) fn rate(value: &Scalar<'_>) -> Parse<f32> {
    rate_within(value, RATE_HZ)
}

/// A rate in hertz within these bounds.
pub(super) fn rate_within(value: &Scalar<'_>, (low, high): (f64, f64)) -> Parse<f32> {
    let rate = value.number().map(Number::to_f64).filter(|hz| (low..=high).contains(hz));
    rate.map(|hz| hz as f32)
        .ok_or_else(|| Fault::field("fs", value.describe(), format!("{low} to {high} Hz")))
}

/// `[exponent, mantissa]`.
pub(super) fn scale<'a, P: Pull<'a>>(reader: &mut P) -> Parse<(i8, i32)> {
    let expected = "[exponent, mantissa], the exponent from -12 to 12, the mantissa a 32-bit integer but 0";
    let mut open = readings::open_list(reader, "scale", expected)?;
    let mut pair = [None; 2];
    let mut count = 0;
    while reader.next_item(&mut open)? {
        let value = reader.scalar()?;
        if let Some(slot) = pair.get_mut(count) {
            *slot = value.number().and_then(Number::to_i64);
        }
        count += 1;
    }
    let (low, high) = SCALE_EXPONENT;
    match pair {
        [Some(exponent), Some(mantissa)] if count == 2 && (low..=high).contains(&exponent) && mantissa != 0 => {
            let mantissa = i32::try_from(mantissa).ok();
            mantissa.map(|m| (exponent as i8, m))
        }
        _ => None,
    }
    .ok_or_else(|| Fault::field("scale", format!("{count} items"), expected))
}

/// The offset of raw samples.
pub(super) fn offset(value: &Scalar<'_>) -> Parse<i32> {
    let offset = value.number().and_then(Number::to_i64).and_then(|n| i32::try_from(n).ok());
    offset.ok_or_else(|| Fault::field("offset", value.describe(), "a 32-bit integer"))
}

fn boolean(value: &Scalar<'_>) -> Parse<bool> {
    match value {
        Scalar::Bool(b) => Ok(*b),
        other => Err(Fault::field("on", other.describe(), "true or false")),
    }
}

fn text(value: Scalar<'_>, key: Key) -> Parse<Cow<'_, str>> {
    match value {
        Scalar::Text(text) if text.chars().count() <= MAX_TEXT => Ok(text),
        other => {
            let expected = format!("text of at most {MAX_TEXT} characters");
            Err(Fault::field(key.name(), other.describe(), expected))
        }
    }
}

fn name(value: Scalar<'_>, key: Key) -> Parse<String> {
    text(value, key).map(Cow::into_owned)
}

/// `{name: reason}`: settings that the device does not take.
fn refused<'a, P: Pull<'a>>(reader: &mut P) -> Parse<BTreeMap<String, String>> {
    let expected =
        format!("a map of at most {MAX_REJECTED} names of 1 to {MAX_SETTING} characters to text of at most {MAX_TEXT}");
    let bad = |found: String| Fault::field(Key::Rejected.name(), found, expected.clone());
    if reader.shape()? != Shape::Map {
        return Err(bad(reader.scalar()?.describe()));
    }
    let mut all = BTreeMap::new();
    let mut open = reader.open_map()?;
    while let Some(label) = reader.next_label(&mut open)? {
        let reason = reader.scalar()?;
        let (Label::Name(name), Scalar::Text(text)) = (&label, &reason) else {
            return Err(bad(format!("{}: {}", label.describe(), reason.describe())));
        };
        let fits = (1..=MAX_SETTING).contains(&name.chars().count()) && text.chars().count() <= MAX_TEXT;
        if !fits || all.len() == MAX_REJECTED {
            return Err(bad(format!("{}: {}", label.describe(), reason.describe())));
        }
        if all.insert(name.clone().into_owned(), text.clone().into_owned()).is_some() {
            return Err(bad(format!("{} twice", label.describe())));
        }
    }
    Ok(all)
}

fn condition(value: &Scalar<'_>) -> Parse<String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    match value {
        Scalar::Text(text) if (1..=MAX_CONDITION).contains(&text.len()) && text.bytes().all(allowed) => {
            Ok(text.as_ref().to_owned())
        }
        other => {
            let expected = format!("1 to {MAX_CONDITION} characters of a-z 0-9 _");
            Err(Fault::field("condition", other.describe(), expected))
        }
    }
}
