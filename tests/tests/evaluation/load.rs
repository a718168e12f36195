//! Recordings as the simulator reads them.

use std::path::Path;

use wardlight_core::codes::Waveform;
use wardlight_simulator::recordings::matlab;
use wardlight_simulator::recordings::wfdb::{Checks, MISSING, Signal, read_annotations, read_record};

use super::{Channel, Recording};

/// The inter-patient training set DS1 of the MIT-BIH Arrhythmia Database.
pub(crate) const DS1: [&str; 22] = [
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122", "124", "201", "203", "205", "207", "208", "209",
    "215", "220", "223", "230",
];
/// The records of the Creighton University database that are there.
pub(crate) const CUDB: [&str; 8] = ["cu01", "cu03", "cu05", "cu07", "cu09", "cu11", "cu13", "cu15"];
/// Sampling rate and gain of the Creighton University database; its extracts have no header.
const CUDB_HZ: f64 = 250.0;
const CUDB_GAIN: f64 = 400.0;

/// When fibrillation begins in record cu01, by its annotation.
pub(crate) const CU01_FIBRILLATION_S: f64 = 53_541.0 / CUDB_HZ;

/// What an annotation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Say {
    Beat {
        ventricular: bool,
    },
    FlutterBegins,
    FlutterEnds,
    /// The rhythm changes, to atrial fibrillation or to another.
    Rhythm {
        atrial_fibrillation: bool,
    },
    Other,
}

/// One annotation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) at_s: f64,
    pub(crate) say: Say,
}

/// A record of the arrhythmia database with its annotations.
pub(crate) fn mitdb(folder: &Path, name: &str) -> Recording {
    let folder = folder.join("mitdb");
    let mut recording = wfdb(&folder, name);
    let rate_hz = recording.channels[0].rate_hz;
    let annotations = read_annotations(&folder.join(format!("{name}.atr"))).unwrap();
    recording.marks = annotations
        .iter()
        .map(|a| Mark {
            at_s: a.sample as f64 / rate_hz,
            say: match a.code {
                // Ventricular premature, escape and R-on-T beats.
                5 | 10 | 41 => Say::Beat { ventricular: true },
                32 => Say::FlutterBegins,
                33 => Say::FlutterEnds,
                28 => Say::Rhythm {
                    atrial_fibrillation: a.text.starts_with("(AFIB"),
                },
                _ if a.is_beat() => Say::Beat { ventricular: false },
                _ => Say::Other,
            },
        })
        .collect();
    recording
}

/// A record with a header: its ECG leads and its pleth.
pub(crate) fn wfdb(folder: &Path, name: &str) -> Recording {
    let record = read_record(folder, name, Checks::Ignore).unwrap();
    let channels = record.signals.iter().enumerate().filter_map(|(i, s)| channel(i, s)).collect();
    Recording {
        name: name.to_owned(),
        channels,
        marks: Vec::new(),
    }
}

fn channel(position: usize, signal: &Signal) -> Option<Channel> {
    let waveform = match signal.description.trim() {
        "II" | "MLII" => Waveform::Ecg(131_330),
        "V" | "MCL1" => Waveform::Ecg(131_395),
        "I" => Waveform::Ecg(131_329),
        "III" => Waveform::Ecg(131_389),
        "V1" => Waveform::Ecg(131_331),
        "V2" => Waveform::Ecg(131_332),
        "V4" => Waveform::Ecg(131_334),
        "V5" => Waveform::Ecg(131_335),
        "PLETH" => Waveform::Pleth,
        "ABP" | "RESP" | "PAP" => return None,
        other => panic!("signal {position} is {other:?}: which waveform is that?"),
    };
    let narrow = |s: &i32| if *s == MISSING { i16::MIN } else { i16::try_from(*s).unwrap() };
    Some(Channel {
        name: signal.description.clone(),
        waveform,
        rate_hz: signal.rate_hz,
        gain: signal.gain,
        baseline: signal.baseline,
        samples: signal.samples.iter().map(narrow).collect(),
    })
}

/// A record of the Creighton University database.
pub(crate) fn cudb(folder: &Path, name: &str) -> Recording {
    let samples = matlab::read(&folder.join("cudb").join(format!("{name}m.mat"))).unwrap();
    let channel = Channel {
        name: "ECG".to_owned(),
        waveform: Waveform::Ecg(131_330),
        rate_hz: CUDB_HZ,
        gain: CUDB_GAIN,
        baseline: 0,
        samples: samples.rows[0].clone(),
    };
    Recording {
        name: name.to_owned(),
        channels: vec![channel],
        marks: Vec::new(),
    }
}
