//! An Empatica E4 session as a patient: pulse from the wrist, with its real losses.

use std::time::Duration;

use wardlight_core::codes::Waveform;

use crate::device::{Chunk, Measured, Observation};
use crate::recordings::empatica::Session;

/// The device trusts its pulse while it gave a beat interval within this many seconds.
const TRUSTED_S: f64 = 10.0;

/// A wrist wearable's session, played from its beginning and again at its end.
#[derive(Clone, Debug)]
pub struct Wrist {
    session: Session,
    position_s: f64,
    elapsed_s: f64,
}

impl Wrist {
    /// From a session.
    pub const fn new(session: Session) -> Self {
        Self {
            session,
            position_s: 0.0,
            elapsed_s: 0.0,
        }
    }

    /// Rate of the pleth in Hz.
    pub const fn rate_hz(&self) -> f32 {
        self.session.bvp.rate_hz as f32
    }

    /// Lets `tick` pass.
    pub fn advance(&mut self, tick: Duration) -> Observation {
        let bvp = &self.session.bvp;
        let (from, to) = (self.position_s, self.position_s + tick.as_secs_f64());
        let (first, last) = ((from * bvp.rate_hz).round() as usize, (to * bvp.rate_hz).round() as usize);
        let samples = bvp.values.get(first..last).unwrap_or_default();
        let pleth = Chunk {
            waveform: Waveform::Pleth,
            rate_hz: bvp.rate_hz,
            scale: (-2, 10),
            offset: 0,
            samples: samples
                .iter()
                .map(|v| (v * 10.0).round().clamp(-32_000.0, 32_000.0) as i16)
                .collect(),
        };
        let now = bvp.start + to;
        let trusted = self.trusted(to);
        let measured = Measured {
            pulse_rate: self.session.heart_rate.as_ref().and_then(|s| s.at(now)).filter(|_| trusted),
            temp_skin: self.session.temperature.as_ref().and_then(|s| s.at(now)),
            ..Measured::default()
        };
        self.elapsed_s += tick.as_secs_f64();
        self.position_s = if samples.is_empty() { 0.0 } else { to };
        Observation {
            seconds: self.elapsed_s,
            waves: vec![pleth],
            measured,
            ..Observation::default()
        }
    }

    fn trusted(&self, position_s: f64) -> bool {
        let intervals = &self.session.intervals;
        let after = intervals.partition_point(|(at, _)| *at <= position_s);
        let last = after.checked_sub(1).and_then(|i| intervals.get(i));
        last.is_some_and(|(at, _)| position_s - at < TRUSTED_S)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::{empatica, test_folder};

    const TICK: Duration = Duration::from_millis(500);

    #[test]
    fn a_session_has_its_pulse_wave_and_its_losses() {
        let session = empatica::read_session(&test_folder().join("stress-predict/S28")).unwrap();
        let first_interval = session.intervals[0].0;
        let mut subject = Wrist::new(session);
        let (mut samples, mut with, mut without, mut first) = (0, 0, 0, None);
        for i in 1..=2 * 600 {
            let seen = subject.advance(TICK);
            samples += seen.waves[0].samples.len();
            if seen.measured.pulse_rate.is_some() {
                with += 1;
                first = first.or(Some(f64::from(i) * 0.5));
            } else {
                without += 1;
            }
        }
        assert_eq!(samples, 600 * 64);
        assert!(with > 10 && without > 10 * with / 100, "{with} {without}");
        assert!(first.unwrap() >= first_interval, "no rate before the first trusted beat");
    }
}
