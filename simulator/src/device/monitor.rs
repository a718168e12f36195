//! A bedside monitor: ECG, pleth and respiration as waves, numerics once a second, cuff pressure, temperature, its own alarms.

use std::collections::BTreeMap;
use std::time::Duration;

use wardlight_core::codes::{Unit, Waveform, numeric};
use wardlight_core::ids::{DeviceId, SiteId};
use wardlight_core::message::{Birth, Body, Channel, DeviceAlarm, DeviceEvent, Priority, WaveBlock};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Quality;
use wardlight_wire::cmd::Desired;

use super::heart_rate::{HeartRateMeter, NO_BEAT_S};
use super::observation::{Chunk, Measured, Observation};
use super::readings::{self, ABP, HEART_RATE, Marks, NIBP, PERFUSION, PULSE_RATE, RESP_RATE, SPO2, TEMP, TEMP_SKIN};
use super::settings::Settings;
use super::transmitter::{Encoding, Publication, Transmitter};
use crate::random::Random;
use crate::signal::Rhythm;

/// ECG lead II.
pub(crate) const ECG_II: Waveform = Waveform::Ecg(131_330);

/// Numerics are sent this often, unless told otherwise.
const PERIOD: Duration = Duration::from_secs(1);
/// The cuff measures this often.
const CUFF_PERIOD: Duration = Duration::from_mins(15);
/// A monitor whose patient moves more than this marks its values and waves as artefact.
const DISTURBED: f64 = 0.35;

/// What a monitor is connected to.
#[derive(Clone, Debug)]
pub struct MonitorOptions {
    /// An arterial line.
    pub arterial_line: bool,
    /// Waveforms that it announces, with their rates in Hz.
    pub waveforms: Vec<(Waveform, f32)>,
}

impl Default for MonitorOptions {
    /// ECG lead II, pleth and respiration, and no arterial line.
    fn default() -> Self {
        Self {
            arterial_line: false,
            waveforms: vec![(ECG_II, 250.0), (Waveform::Pleth, 125.0), (Waveform::Resp, 50.0)],
        }
    }
}

/// A monitor.
#[derive(Clone, Debug)]
pub struct Monitor {
    transmitter: Transmitter,
    delivered: Birth,
    settings: Settings,
    arterial_line: bool,
    heart_rate: HeartRateMeter,
    pending: BTreeMap<u32, (Timestamp, Chunk)>,
    lead_off: bool,
    demo: bool,
    standing: Option<&'static str>,
    vf_since: Option<f64>,
    cuff_due_at: Timestamp,
    ticks: u64,
    random: Random,
}

impl Monitor {
    /// A monitor switched on at `start`; the first cuff measurement follows within 12 s.
    pub fn new(site: SiteId, device: DeviceId, options: &MonitorOptions, seed: u64, start: Timestamp) -> Self {
        let mut random = Random::named(seed, "monitor");
        let first_cuff = Duration::from_millis(4000 + random.below(8000));
        let delivered = birth(options);
        let waves = options.waveforms.iter().map(|(waveform, _)| waveform.code());
        Self {
            transmitter: Transmitter::new(site, device, Encoding::Cbor, delivered.clone(), seed, start),
            settings: Settings::new(PERIOD, waves.collect(), false),
            delivered,
            arterial_line: options.arterial_line,
            heart_rate: HeartRateMeter::default(),
            pending: BTreeMap::new(),
            lead_off: false,
            demo: false,
            standing: None,
            vf_since: None,
            cuff_due_at: start.plus(first_cuff),
            ticks: 0,
            random,
        }
    }

    /// Who it is.
    pub const fn device(&self) -> &DeviceId {
        self.transmitter.device()
    }

    /// Its transmitter, for faults, clock and link.
    pub const fn transmitter(&mut self) -> &mut Transmitter {
        &mut self.transmitter
    }

    /// Takes a configuration from afar.
    pub fn configure(&mut self, desired: &Desired, now: Timestamp, out: &mut Vec<Publication>) {
        let rejected = self.settings.take(desired);
        let birth = self.settings.birth(&self.delivered);
        self.transmitter.configured(birth, desired.rev, rejected, now, out);
    }

    /// Takes the ECG electrodes off, or puts them back.
    pub fn set_lead_off(&mut self, off: bool, now: Timestamp, out: &mut Vec<Publication>) {
        self.lead_off = off;
        self.heart_rate.clear();
        let code = Some(ECG_II.code());
        self.transmitter
            .send(Body::Event(DeviceEvent::LeadOff { code, off }), now, out);
    }

    /// Begins or ends demo mode.
    pub fn set_demo(&mut self, on: bool, now: Timestamp, out: &mut Vec<Publication>) {
        self.demo = on;
        self.transmitter.send(Body::Event(DeviceEvent::Demo { on }), now, out);
    }

    /// Measures with the cuff at the next tick.
    pub const fn measure_cuff(&mut self, now: Timestamp) {
        self.cuff_due_at = now;
    }

    /// Restarts.
    pub fn restart(&mut self, now: Timestamp) {
        self.transmitter.restart(now);
        self.heart_rate.clear();
        self.pending.clear();
        self.standing = None;
    }

    /// Takes what was seen during the tick of `tick` that ends at `now`.
    pub fn observe(&mut self, seen: &Observation, tick: Duration, now: Timestamp, out: &mut Vec<Publication>) {
        if !self.transmitter.running(now, out) {
            return;
        }
        self.ticks += 1;
        for beat in seen.beats.iter().flatten().filter(|_| !self.lead_off) {
            self.heart_rate.beat(*beat);
        }
        for chunk in &seen.waves {
            self.wave(chunk, seen.motion > DISTURBED, now.minus(tick), out);
        }
        self.own_alarms(seen, now, out);
        let ticks = self.settings.interval.div_duration_f64(tick).ceil().max(1.0);
        if self.ticks.is_multiple_of(ticks as u64) {
            self.numerics(seen, now, out);
        }
        if now >= self.cuff_due_at
            && let Some(pressure) = seen.measured.cuff
        {
            self.cuff_due_at = now.plus(CUFF_PERIOD);
            let list = readings::pressures(NIBP, pressure, self.mark(Quality::VALID));
            self.transmitter.send(Body::Numerics(list), now, out);
        }
    }

    /// Sends what the monitor has stored: one set of values for each of the last `hours`, near to what is seen now.
    pub fn recall(&mut self, hours: u32, seen: &Observation, now: Timestamp, out: &mut Vec<Publication>) {
        let marks = Marks {
            moving: Quality::VALID,
            still: Quality::VALID,
            jitter: 0.0,
        };
        for hour in (1..=hours).rev() {
            let at = now.minus(Duration::from_hours(u64::from(hour)));
            let drift = 4.0 * (self.random.unit() - 0.5);
            let counted = self.heart_rate.rate(seen.seconds).map(|rate| rate + 2.0 * drift);
            let mut list = readings::heart_rate(counted, false, marks);
            let measured = Measured {
                resp_rate: seen.measured.resp_rate.map(|rate| rate + drift),
                ..seen.measured
            };
            readings::others(&mut list, &measured, marks);
            if let Some(pressure) = seen.measured.cuff {
                list.extend(readings::pressures(NIBP, pressure, Quality::VALID));
            }
            self.transmitter.send(Body::Numerics(list), at, out);
        }
    }

    /// ECG leaves with every tick, slower waves are gathered to a second.
    fn wave(&mut self, chunk: &Chunk, disturbed: bool, first_at: Timestamp, out: &mut Vec<Publication>) {
        let code = chunk.waveform.code();
        if !self.settings.waves.contains(&code) {
            self.pending.remove(&code);
            return;
        }
        let (since, mut gathered) = self.pending.remove(&code).unwrap_or_else(|| {
            let empty = Chunk {
                samples: Vec::new(),
                ..chunk.clone()
            };
            (first_at, empty)
        });
        gathered.samples.extend_from_slice(&chunk.samples);
        let is_ecg = matches!(chunk.waveform, Waveform::Ecg(_));
        if !is_ecg && (gathered.samples.len() as f64) < 0.99 * chunk.rate_hz {
            self.pending.insert(code, (since, gathered));
            return;
        }
        let off = is_ecg && self.lead_off;
        if off {
            gathered.samples.fill(WaveBlock::MISSING);
        }
        let quality = match (off, disturbed) {
            (true, _) => Quality::LEAD_OFF,
            (false, true) => Quality::VALID.and(Quality::ARTEFACT),
            (false, false) => Quality::VALID,
        };
        let block = WaveBlock {
            waveform: chunk.waveform,
            rate_hz: chunk.rate_hz as f32,
            scale: chunk.scale,
            offset: chunk.offset,
            samples: gathered.samples,
            quality: self.mark(quality),
        };
        self.transmitter.send(Body::Wave(block), since, out);
    }

    fn mark(&self, quality: Quality) -> Quality {
        if self.demo { quality.and(Quality::DEMO) } else { quality }
    }

    fn numerics(&mut self, seen: &Observation, now: Timestamp, out: &mut Vec<Publication>) {
        let disturbed = seen.motion > DISTURBED;
        let marks = Marks {
            moving: self.mark(if disturbed {
                Quality::VALID.and(Quality::ARTEFACT)
            } else {
                Quality::VALID
            }),
            still: self.mark(Quality::VALID),
            // A disturbed monitor counts what is no beat and shows what is no saturation.
            jitter: if disturbed { 40.0 * self.random.unit() } else { 0.0 },
        };
        let counted = match &seen.beats {
            Some(_) => self.heart_rate.rate(seen.seconds),
            None => seen.measured.heart_rate,
        };
        let has_heart_rate = seen.beats.is_some() || counted.is_some();
        let mut list = if has_heart_rate {
            readings::heart_rate(counted, self.lead_off, marks)
        } else {
            Vec::new()
        };
        readings::others(&mut list, &seen.measured, marks);
        if let Some(pressure) = seen.measured.arterial.filter(|_| self.arterial_line) {
            list.extend(readings::pressures(ABP, pressure, marks.still));
        }
        if !list.is_empty() {
            self.transmitter.send(Body::Numerics(list), now, out);
        }
    }

    /// The monitor's own red alarms: asystole, fibrillation, ventricular tachycardia.
    fn own_alarms(&mut self, seen: &Observation, now: Timestamp, out: &mut Vec<Publication>) {
        let condition = if self.lead_off { None } else { self.lethal_rhythm(seen) };
        if condition == self.standing {
            return;
        }
        if let Some(ended) = self.standing.take() {
            self.transmitter.send(Body::Alarm(alarm(ended, false)), now, out);
        }
        if let Some(begun) = condition {
            self.transmitter.send(Body::Alarm(alarm(begun, true)), now, out);
        }
        self.standing = condition;
    }

    /// Four seconds of fibrillation or without a QRS; ventricular tachycardia after about five beats.
    fn lethal_rhythm(&mut self, seen: &Observation) -> Option<&'static str> {
        let fast = matches!(
            seen.rhythm,
            Some(Rhythm::VentricularFibrillation | Rhythm::VentricularTachycardia)
        );
        let since = fast.then(|| self.vf_since.unwrap_or(seen.seconds));
        self.vf_since = since;
        let lasted = since.map_or(0.0, |from| seen.seconds - from);
        match seen.rhythm {
            Some(Rhythm::VentricularFibrillation) if lasted >= 4.0 => Some("vf"),
            Some(Rhythm::VentricularTachycardia) if lasted >= 2.0 => Some("vt"),
            Some(Rhythm::Asystole) if self.heart_rate.since_last(seen.seconds)? >= NO_BEAT_S => Some("asystole"),
            _ => None,
        }
    }
}

fn alarm(condition: &str, present: bool) -> DeviceAlarm {
    DeviceAlarm {
        condition: condition.to_owned(),
        present,
        priority: Priority::High,
        text: format!("** {}", condition.to_uppercase()),
    }
}

fn birth(options: &MonitorOptions) -> Birth {
    let mut codes = vec![HEART_RATE, PULSE_RATE, SPO2, PERFUSION, RESP_RATE, TEMP, TEMP_SKIN];
    codes.extend(NIBP);
    if options.arterial_line {
        codes.extend(ABP);
    }
    let wave = |(waveform, rate): &(Waveform, f32)| Channel {
        code: waveform.code(),
        unit: waveform.unit(),
        rate_hz: Some(*rate),
    };
    let mut channels: Vec<Channel> = codes.into_iter().map(channel).collect();
    channels.extend(options.waveforms.iter().map(wave));
    Birth {
        model: "Simulated bedside monitor".into(),
        firmware: env!("CARGO_PKG_VERSION").into(),
        channels,
    }
}

/// A numeric channel.
pub(super) fn channel(code: u32) -> Channel {
    Channel {
        code,
        unit: numeric(code).map_or(Unit::Dimensionless, |n| n.unit),
        rate_hz: None,
    }
}
