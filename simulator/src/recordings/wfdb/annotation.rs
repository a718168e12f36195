//! Beat annotations (`.atr`) in the MIT format, as annot(5) describes it.

use std::path::Path;

use crate::SimulatorError;

/// One annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Sample number, from 0.
    pub sample: usize,
    /// Type code of ecgcodes.h: 1 normal beat, 5 premature ventricular contraction, 28 rhythm change, …
    pub code: u8,
    /// Text that goes with it, such as `(VT`; empty for most.
    pub text: String,
}

impl Annotation {
    /// Whether it marks a beat (a QRS complex), as `isqrs` of ecgmap.h says.
    pub const fn is_beat(&self) -> bool {
        matches!(self.code, 1..=13 | 25 | 30 | 34 | 35 | 38 | 41)
    }
}

/// Code whose four bytes after it hold a long interval.
const SKIP: u16 = 59;
const NUM: u16 = 60;
const SUB: u16 = 61;
const CHN: u16 = 62;
/// Code whose count of bytes of text follow.
const AUX: u16 = 63;

/// Reads an annotation file.
/// # Errors
/// [`SimulatorError::File`] when it ends within an annotation.
pub fn read_annotations(path: &Path) -> Result<Vec<Annotation>, SimulatorError> {
    let bytes = std::fs::read(path).map_err(SimulatorError::io(path))?;
    parse(&bytes).ok_or_else(|| SimulatorError::file(path, "ends within an annotation: expected the end mark 0 0"))
}

fn parse(bytes: &[u8]) -> Option<Vec<Annotation>> {
    let mut found: Vec<Annotation> = Vec::new();
    let mut rest = bytes;
    let mut sample = 0_i64;
    loop {
        let word = take_word(&mut rest)?;
        let (code, value) = (word >> 10, word & 0x3FF);
        match code {
            0 if value == 0 => return Some(found),
            SKIP => {
                let high = take_word(&mut rest)?;
                let low = take_word(&mut rest)?;
                sample += i64::from((u32::from(high) << 16 | u32::from(low)).cast_signed());
            }
            NUM | SUB | CHN => {}
            AUX => {
                let text = take_text(&mut rest, usize::from(value))?;
                if let Some(last) = found.last_mut() {
                    last.text = text;
                }
            }
            _ => {
                sample += i64::from(value);
                found.push(Annotation {
                    sample: usize::try_from(sample).ok()?,
                    code: code as u8,
                    text: String::new(),
                });
            }
        }
    }
}

fn take_word(rest: &mut &[u8]) -> Option<u16> {
    let (head, tail) = rest.split_first_chunk::<2>()?;
    *rest = tail;
    Some(u16::from_le_bytes(*head))
}

/// Text of `length` bytes, padded to an even number, ended by zeros.
fn take_text(rest: &mut &[u8], length: usize) -> Option<String> {
    let (head, tail) = rest.split_at_checked(length + length % 2)?;
    *rest = tail;
    let text = head.get(..length)?;
    Some(String::from_utf8_lossy(text).trim_end_matches('\0').to_owned())
}
