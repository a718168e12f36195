//! Whether the last four seconds oscillate as in ventricular fibrillation or flutter.
//!
//! Two published measures, which a beating heart fails for different reasons:
//! - leakage of the VF filter (Kuo and Dillman, Computers in Cardiology 1978): the wave plus itself half a mean period later.
//!   What oscillates cancels itself; spikes between pauses do not.
//! - threshold crossing samples (TCS of Arafat, Chowdhury and Hasan, Signal, Image and Video Processing 2011): the share of
//!   samples above a fifth of the highest. A QRS is short, an oscillation is never at rest.

use super::filter::History;
use super::grid::HZ;

/// The window of the definition: fibrillatory waves for at least 4 s (PhysioNet/CinC Challenge 2015).
pub(super) const WINDOW: usize = 4 * HZ;

/// Measures of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Oscillation {
    /// Leakage, 0 for a pure oscillation to 1.
    pub(super) leakage: f32,
    /// Share of samples above a fifth of the highest, 0 to 1.
    pub(super) occupancy: f32,
    /// Mean frequency in Hz.
    pub(super) frequency_hz: f32,
    /// Mean height of the highest sample of each second, in µV.
    pub(super) height_uv: f32,
}

/// Leakage below which a wave oscillates (Kuo and Dillman: 0.406 for large waves, 0.625 for small ones). *ratify*
const LEAKAGE: f32 = 0.55;
/// Share of samples above which a wave is never at rest (Arafat: 0.48). *ratify*
const OCCUPANCY: f32 = 0.48;
/// Frequencies of ventricular fibrillation and flutter. *ratify*
const FREQUENCY_HZ: (f32, f32) = (2.0, 9.0);
/// Least height of a wave; below it is fine fibrillation that nobody can tell from asystole, which is reported. *ratify*
const HEIGHT_UV: f32 = 80.0;

impl Oscillation {
    /// Measures the last four seconds.
    pub(super) fn of(history: &History) -> Self {
        let wave = window(history);
        let level: f32 = wave.iter().map(|v| v.abs()).sum();
        let change: f32 = wave.iter().zip(wave.iter().skip(1)).map(|(a, b)| (b - a).abs()).sum();
        if change <= 0.0 {
            return Self {
                leakage: 1.0,
                ..Self::default()
            };
        }
        // Half the mean period in cells: π · Σ|x| / Σ|Δx| (Kuo and Dillman add the half that rounds).
        let half = (core::f32::consts::PI * level / change + 0.5).clamp(1.0, HZ as f32) as usize;
        let (mut leak, mut both) = (0.0, 0.0);
        for (now, before) in wave.iter().skip(half).zip(&wave) {
            leak += (now + before).abs();
            both += now.abs() + before.abs();
        }
        let (mut above, mut heights) = (0, 0.0);
        for second in wave.chunks(HZ) {
            let most = second.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
            heights += most;
            above += second.iter().filter(|v| v.abs() > most / 5.0).count();
        }
        Self {
            leakage: if both > 0.0 { leak / both } else { 1.0 },
            occupancy: above as f32 / WINDOW as f32,
            frequency_hz: HZ as f32 / (2 * half) as f32,
            height_uv: heights / (WINDOW / HZ) as f32,
        }
    }

    /// Whether it is that of fibrillation or flutter.
    pub(super) fn is_fibrillation(&self) -> bool {
        self.leakage < LEAKAGE
            && self.occupancy > OCCUPANCY
            && self.height_uv > HEIGHT_UV
            && (FREQUENCY_HZ.0..=FREQUENCY_HZ.1).contains(&self.frequency_hz)
    }
}

/// The last four seconds without their mean, smoothed over three cells, which leaves what is below 20 Hz.
fn window(history: &History) -> [f32; WINDOW] {
    let mut raw = [0.0; WINDOW + 2];
    for (slot, value) in raw.iter_mut().zip(history.span(WINDOW + 1, 0)) {
        *slot = value as f32;
    }
    let mut wave = [0.0; WINDOW];
    for ((slot, a), (b, c)) in wave.iter_mut().zip(&raw).zip(raw.iter().skip(1).zip(raw.iter().skip(2))) {
        *slot = (a + b + c) / 3.0;
    }
    let mean = wave.iter().sum::<f32>() / WINDOW as f32;
    wave.map(|v| v - mean)
}
