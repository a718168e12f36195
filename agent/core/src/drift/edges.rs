//! Edges of the histograms: bins are closed on the left, the last edge ends the last bin. They follow the cut points of
//! NEWS2 (RCP 2017, chart 1), so that the drift of a score can be derived from that of its inputs.
//!
//! Changing an edge makes a histogram that merges with no older one.

/// Heart rate or pulse per minute.
pub(super) const HEART_RATE: &[i32] = &[0, 30, 41, 51, 61, 71, 81, 91, 101, 111, 121, 131, 151, 181, 221, 301];
/// Respiration rate per minute.
pub(super) const RESP_RATE: &[i32] = &[0, 5, 9, 12, 15, 18, 21, 25, 31, 41, 61];
/// Oxygen saturation in percent.
pub(super) const SPO2: &[i32] = &[0, 70, 80, 84, 86, 88, 90, 92, 93, 94, 95, 96, 97, 98, 101];
/// Systolic pressure in mmHg.
pub(super) const SYSTOLIC: &[i32] = &[0, 60, 71, 81, 91, 101, 111, 121, 141, 161, 181, 201, 220, 301];
/// Temperature in tenths of a degree Celsius.
pub(super) const TEMPERATURE_TENTHS: &[i32] = &[250, 320, 340, 351, 361, 371, 381, 391, 401, 450];
/// Total of NEWS2, each in a bin of its own.
pub(super) const NEWS2: &[i32] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21];
