//! What sensors see during one tick, whoever the patient is: virtual or recorded.

use wardlight_core::codes::Waveform;

use crate::signal::Rhythm;

/// Everything seen in one tick.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// The patient's own time at the end of the tick, seconds since the start.
    pub seconds: f64,
    /// Waveforms of the tick.
    pub waves: Vec<Chunk>,
    /// Times of R peaks in the tick, seconds since the start; `None` where the beats are not known.
    pub beats: Option<Vec<f64>>,
    /// What the heart does, where it is known.
    pub rhythm: Option<Rhythm>,
    /// Movement, 0 to 1.
    pub motion: f64,
    /// Values.
    pub measured: Measured,
}

/// Values, as far as there are any. Units as in [`crate::patient::Vitals`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Heart rate, for a source without beats; else it is counted from them.
    pub heart_rate: Option<f64>,
    /// Pulse rate at the finger.
    pub pulse_rate: Option<f64>,
    /// Percent.
    pub spo2: Option<f64>,
    /// Breaths per minute.
    pub resp_rate: Option<f64>,
    /// Pressure that a cuff would measure.
    pub cuff: Option<Pressure>,
    /// Pressure in an arterial line.
    pub arterial: Option<Pressure>,
    /// Core temperature, °C.
    pub temp_core: Option<f64>,
    /// Skin temperature, °C.
    pub temp_skin: Option<f64>,
    /// Perfusion index, percent.
    pub perfusion: Option<f64>,
}

/// A blood pressure in mmHg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pressure {
    /// Systolic.
    pub systolic: f64,
    /// Diastolic.
    pub diastolic: f64,
    /// Mean.
    pub mean: f64,
}

/// Samples of one waveform, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// Which waveform.
    pub waveform: Waveform,
    /// Samples per second.
    pub rate_hz: f64,
    /// `(exponent, mantissa)` of the scale, see [`wardlight_core::message::WaveBlock`].
    pub scale: (i8, i32),
    /// Added before scaling.
    pub offset: i32,
    /// Raw samples.
    pub samples: Vec<i16>,
}
