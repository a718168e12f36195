//! The clinical numbers of the rhythm rules, each with its source. Where it says *ratify*, a hospital must confirm a product choice.
//! Times are in cells of 8 ms.

use super::qrs::ms;

/// Cells in so many beats a minute's interval, times a minute: rates are compared as `intervals · MINUTE / sum`.
pub(super) const MINUTE: i64 = ms(60_000) as i64;

/// Asystole: no QRS for at least 4 s (PhysioNet/CinC Challenge 2015).
pub(super) const ASYSTOLE: i64 = ms(4000) as i64;

/// Pause: one interval longer than this. Makers offer 1.5 to 3 s; 3 s is the default here. *ratify*
pub(super) const PAUSE: i64 = ms(3000) as i64;

/// Extreme bradycardia: below 40 a minute over 5 consecutive beats (PhysioNet/CinC Challenge 2015).
pub(super) const BRADYCARDIA: i64 = 40;
pub(super) const BRADYCARDIA_BEATS: usize = 5;

/// Extreme tachycardia: above 140 a minute over 17 consecutive beats (PhysioNet/CinC Challenge 2015).
pub(super) const TACHYCARDIA: i64 = 140;
pub(super) const TACHYCARDIA_BEATS: usize = 17;

/// Ventricular tachycardia: 5 or more ventricular beats at more than 100 a minute (PhysioNet/CinC Challenge 2015).
pub(super) const VT: i64 = 100;
pub(super) const VT_BEATS: usize = 5;

/// Of them, so many must be like shapes seen before, in percent of correlation, and all must be ventricular beyond doubt … *ratify*
pub(super) const VT_ALIKE: (usize, u8) = (4, 75);
/// … or else so many ventricular beats are needed, of which so many return: noise upon ordinary beats looks like a few. *ratify*
pub(super) const VT_DOUBTFUL_BEATS: usize = 8;
pub(super) const VT_DOUBTFUL_ALIKE: (usize, u8) = (5, 93);
/// Of the beats of an extreme tachycardia so many must be like shapes seen before, or it is noise. *ratify*
pub(super) const TACHYCARDIA_ALIKE: (usize, u8) = (11, 75);

/// What a rate must come back by before the condition ends. *ratify*
pub(super) const HYSTERESIS: i64 = 5;
/// Beats in a row that are not ventricular and end a ventricular tachycardia. *ratify*
pub(super) const VT_END_BEATS: usize = 3;
/// Longest interval between two beats that end an asystole. *ratify*
pub(super) const ASYSTOLE_END: i64 = ms(3000) as i64;
/// How long the wave must oscillate without a break, frame after frame, each judged over 4 s. *ratify*
pub(super) const FIBRILLATION_FRAMES: u32 = 4;
/// How long it must not, for the end. *ratify*
pub(super) const FIBRILLATION_END_FRAMES: u32 = 15;
/// The patient's own beats in the last 4 s, at no more than 150 a minute, that show that a wave is no fibrillation. *ratify*
pub(super) const OWN_BEATS: usize = 3;
pub(super) const OWN_INTERVAL: i64 = ms(400) as i64;

/// A beat is known this long after its QRS at the latest, search-back apart: no absence is told earlier.
pub(super) const LATENCY: i64 = ms(480) as i64;

/// Pulses after the last QRS, or within a supposed tachycardia, that contradict it. *ratify*
pub(super) const PULSES: usize = 3;
/// Shortest interval of a pulse that contradicts a ventricular tachycardia or fibrillation: 100 a minute.
pub(super) const PULSE_INTERVAL: i64 = ms(600) as i64;

/// A signal that is lost for longer ends every condition: the alarm has been given, and nothing is known any more. *ratify*
pub(super) const LOST: i64 = ms(10_000) as i64;

/// Probability from which a model's beat counts as ventricular. *ratify*
pub(super) const MODEL_VENTRICULAR: f32 = 0.5;
/// Ventricular beats of a model that are a ventricular tachycardia, at the rate of the rule (PhysioNet/CinC Challenge 2015).
pub(super) const MODEL_VT_BEATS: usize = 5;
/// Probability from which a model's window counts as shockable for an alarm: above the threshold for a window of `ecg-vf` 1.0.0, at which
/// the false alarm v102s of the PhysioNet/CinC Challenge 2015 would be one. *ratify*
pub(super) const MODEL_SHOCKABLE: f32 = 0.5;
/// A window begins a second after the one before.
pub(super) const MODEL_WINDOW_STEP: i64 = ms(1000) as i64;
/// Windows of 4 s in a row, a second apart, that are a fibrillation. *ratify*
pub(super) const MODEL_SHOCKABLE_WINDOWS: u32 = 3;
/// Windows in a row that end it. *ratify*
pub(super) const MODEL_CALM_WINDOWS: u32 = 3;

/// Atrial fibrillation over so many intervals (Dash 2009): root mean square of the changes, in terms of the mean interval (theirs is 0.1;
/// 0.2 keeps out frequent early beats of the atria in DS1; *ratify*), entropy of the lengths, and share of turning points (*ratify*).
pub(super) const AF_INTERVALS: usize = 128;
pub(super) const AF_CHANGES: f64 = 0.2;
pub(super) const AF_ENTROPY: f64 = 0.7;
pub(super) const AF_TURNING_POINTS: (f64, f64) = (0.5, 0.8);
/// Beats in a row at which it must be so, or not, for the beginning and the end. *ratify*
pub(super) const AF_BEATS: u32 = 30;
