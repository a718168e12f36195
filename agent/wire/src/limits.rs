//! What a payload may hold at most. All are part of the published contract.

/// Bytes in one payload.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;
/// Readings in one numerics message, or records in one SenML pack.
pub const MAX_READINGS: usize = 64;
/// Channels in one birth.
pub const MAX_CHANNELS: usize = 64;
/// Samples in one wave block.
pub const MAX_SAMPLES: usize = 4096;
/// Characters in one text (model, firmware, alarm text).
pub const MAX_TEXT: usize = 64;
/// Characters in the name of an alarm condition.
pub const MAX_CONDITION: usize = 32;
/// Settings that one state may name as refused.
pub const MAX_REJECTED: usize = 16;
/// Characters in the name of a setting.
pub const MAX_SETTING: usize = 32;
/// Levels of arrays, maps and tags inside each other.
pub const MAX_DEPTH: u8 = 8;
/// Sampling rates accepted, in hertz.
pub const RATE_HZ: (f64, f64) = (1.0, 2000.0);

/// How often a numeric is announced to come, in hertz: from once in about three hours.
pub const NUMERIC_RATE_HZ: (f64, f64) = (0.0001, 2000.0);
/// Decimal exponents of a wave block's scale.
pub const SCALE_EXPONENT: (i64, i64) = (-12, 12);
