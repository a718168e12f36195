//! What came of a load.

use std::time::Duration;

use serde::Serialize;

use super::message::PayloadFormat;
use super::outcome::Outcome;
use super::{Acknowledged, LoadSettings};

/// The report; its JSON form has these names.
#[derive(Clone, Debug, Serialize)]
pub struct LoadReport {
    /// Devices.
    pub devices: usize,
    /// Connections.
    pub connections: usize,
    /// `json` or `cbor`.
    pub format: &'static str,
    /// Mean size of a payload, bytes.
    pub payload_bytes: f64,
    /// Messages per second asked for.
    pub rate: f64,
    /// Messages written.
    pub sent: u64,
    /// Messages acknowledged.
    pub acknowledged: u64,
    /// Messages that the broker refused.
    pub refused: u64,
    /// Messages written, but without an answer at the end.
    pub unacknowledged: u64,
    /// Messages that were never written because it ended before.
    pub unsent: u64,
    /// Connections that were established again.
    pub reconnects: u64,
    /// From the first message to the last acknowledgement, seconds.
    pub elapsed_s: f64,
    /// Acknowledged messages per second.
    pub acknowledged_per_s: f64,
    /// From when a message was due to its PUBACK, milliseconds.
    pub latency_ms: Latency,
    /// Processor time of this process so far, seconds, where the system tells.
    pub cpu_s: Option<f64>,
    /// The last failure of a connection.
    pub failure: Option<String>,
    /// Boot id of all devices.
    pub boot: u32,
    /// Every acknowledged message, births included, where it was asked for.
    #[serde(skip)]
    pub list: Vec<Acknowledged>,
}

/// Quantiles of latency in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    /// Median.
    pub p50: f64,
    /// Ninth decile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// The longest.
    pub max: f64,
    /// Mean.
    pub mean: f64,
}

impl LoadReport {
    pub(super) fn new(settings: &LoadSettings, outcome: Outcome, elapsed: Duration) -> Self {
        let acknowledged = outcome.latency.count();
        let elapsed_s = elapsed.as_secs_f64();
        Self {
            devices: settings.devices,
            connections: settings.connections,
            format: match settings.format {
                PayloadFormat::Json => "json",
                PayloadFormat::Cbor => "cbor",
            },
            payload_bytes: if outcome.sent == 0 {
                0.0
            } else {
                outcome.bytes as f64 / outcome.sent as f64
            },
            rate: settings.rate,
            sent: outcome.sent,
            acknowledged,
            refused: outcome.refused,
            unacknowledged: outcome.unacknowledged,
            unsent: outcome.unsent,
            reconnects: outcome.reconnects,
            elapsed_s,
            acknowledged_per_s: if elapsed_s > 0.0 {
                acknowledged as f64 / elapsed_s
            } else {
                0.0
            },
            latency_ms: Latency {
                p50: outcome.latency.quantile_ms(0.5),
                p90: outcome.latency.quantile_ms(0.9),
                p99: outcome.latency.quantile_ms(0.99),
                p999: outcome.latency.quantile_ms(0.999),
                max: outcome.latency.max_ms(),
                mean: outcome.latency.mean_ms(),
            },
            cpu_s: cpu_seconds(),
            failure: outcome.failure,
            boot: settings.boot,
            list: outcome.acknowledged,
        }
    }
}

/// User and system time of this process on Linux, whose clock ticks a hundred times a second.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |i: usize| fields.get(i)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}
