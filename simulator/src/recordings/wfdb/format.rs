//! Storage formats of signal files, as signal(5) describes them.

use std::fmt;
use std::str::FromStr;

/// How the samples of one file are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 8-bit first differences.
    F8,
    /// 16-bit two's complement, little-endian; also MATLAB v4 `.mat` of WFDB, behind its byte offset.
    F16,
    /// 24-bit two's complement, little-endian.
    F24,
    /// 32-bit two's complement, little-endian.
    F32,
    /// 16-bit two's complement, big-endian.
    F61,
    /// 8-bit offset binary.
    F80,
    /// 16-bit offset binary, little-endian.
    F160,
    /// Two 12-bit samples in three bytes.
    F212,
    /// Three 10-bit samples in four bytes, the third spread over the first two.
    F310,
    /// Three 10-bit samples in four bytes, one after another.
    F311,
}

impl Format {
    const ALL: [Self; 10] = [
        Self::F8,
        Self::F16,
        Self::F24,
        Self::F32,
        Self::F61,
        Self::F80,
        Self::F160,
        Self::F212,
        Self::F310,
        Self::F311,
    ];

    /// Its number in headers.
    pub const fn number(self) -> u16 {
        match self {
            Self::F8 => 8,
            Self::F16 => 16,
            Self::F24 => 24,
            Self::F32 => 32,
            Self::F61 => 61,
            Self::F80 => 80,
            Self::F160 => 160,
            Self::F212 => 212,
            Self::F310 => 310,
            Self::F311 => 311,
        }
    }

    /// The value that marks a missing sample.
    pub const fn missing(self) -> Option<i32> {
        match self {
            Self::F8 => None,
            Self::F16 | Self::F61 | Self::F160 => Some(-0x8000),
            Self::F24 => Some(-0x80_0000),
            Self::F32 => Some(i32::MIN),
            Self::F80 => Some(-128),
            Self::F212 => Some(-0x800),
            Self::F310 | Self::F311 => Some(-0x200),
        }
    }

    /// Unpacks the samples of `bytes`, at most `most`. Bytes at the end that do not make a sample are ignored.
    pub fn unpack(self, bytes: &[u8], most: usize) -> Vec<i32> {
        let mut samples = match self {
            Self::F8 => differences(bytes),
            Self::F16 => groups(bytes, |[a, b]: [u8; 2]| [i32::from(i16::from_le_bytes([a, b]))]),
            Self::F24 => groups(bytes, |[a, b, c]: [u8; 3]| [i32::from_le_bytes([0, a, b, c]) >> 8]),
            Self::F32 => groups(bytes, |b: [u8; 4]| [i32::from_le_bytes(b)]),
            Self::F61 => groups(bytes, |[a, b]: [u8; 2]| [i32::from(i16::from_be_bytes([a, b]))]),
            Self::F80 => groups(bytes, |[a]: [u8; 1]| [i32::from(a) - 128]),
            Self::F160 => groups(bytes, |[a, b]: [u8; 2]| [i32::from(u16::from_le_bytes([a, b])) - 0x8000]),
            Self::F212 => unpack_212(bytes),
            Self::F310 => padded_groups(bytes, unpack_310),
            Self::F311 => padded_groups(bytes, unpack_311),
        };
        samples.truncate(most);
        samples
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.map(|f| f.number().to_string());
        let found = Self::ALL.into_iter().find(|f| f.number().to_string() == text);
        found.ok_or_else(|| match text {
            "508" | "516" | "524" => format!("format {text}: FLAC compression is not read; convert with `xform`"),
            _ => format!("format {text}: expected one of {}", known.join(", ")),
        })
    }
}

/// Unpacks whole groups of `N` bytes into `M` samples each.
fn groups<const N: usize, const M: usize>(bytes: &[u8], unpack: impl Fn([u8; N]) -> [i32; M]) -> Vec<i32> {
    let (whole, _) = bytes.as_chunks::<N>();
    whole.iter().flat_map(|group| unpack(*group)).collect()
}

/// As [`groups`] for three samples in four bytes, where a file may end after two bytes with one sample.
fn padded_groups(bytes: &[u8], unpack: impl Fn([u8; 4]) -> [i32; 3]) -> Vec<i32> {
    let mut samples = groups(bytes, &unpack);
    let (_, rest) = bytes.as_chunks::<4>();
    if let [a, b, ..] = *rest {
        samples.extend(unpack([a, b, 0, 0]).first());
    }
    samples
}

fn differences(bytes: &[u8]) -> Vec<i32> {
    let mut value = 0_i32;
    let mut step = |byte: &u8| {
        value = value.wrapping_add(i32::from(byte.cast_signed()));
        value
    };
    bytes.iter().map(&mut step).collect()
}

/// Extends the low `bits` of `value` by their sign.
const fn signed(value: u32, bits: u32) -> i32 {
    let unused = 32 - bits;
    (value << unused).cast_signed() >> unused
}

fn unpack_212(bytes: &[u8]) -> Vec<i32> {
    let pair = |[a, b, c]: [u8; 3]| {
        let (a, b, c) = (u32::from(a), u32::from(b), u32::from(c));
        [signed(a | (b & 0x0F) << 8, 12), signed(c | (b & 0xF0) << 4, 12)]
    };
    let mut samples = groups(bytes, pair);
    let (_, rest) = bytes.as_chunks::<3>();
    if let [a, b] = *rest {
        samples.extend(pair([a, b, 0]).first());
    }
    samples
}

fn unpack_310([a, b, c, d]: [u8; 4]) -> [i32; 3] {
    let first = u32::from(u16::from_le_bytes([a, b]));
    let second = u32::from(u16::from_le_bytes([c, d]));
    let third = (first >> 11) | (second >> 11) << 5;
    [signed(first >> 1, 10), signed(second >> 1, 10), signed(third, 10)]
}

fn unpack_311(bytes: [u8; 4]) -> [i32; 3] {
    let word = u32::from_le_bytes(bytes);
    [signed(word, 10), signed(word >> 10, 10), signed(word >> 20, 10)]
}
