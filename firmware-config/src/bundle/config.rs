//! `config.json`: the device's configuration for firmware of any kind.

use std::time::Duration;

use serde::Serialize;

use super::{Bundle, CA_FILE, CERTIFICATE_FILE, KEEP_ALIVE_S, KEY_FILE};
use crate::channel::ChannelProfile;

#[derive(Serialize)]
struct Config<'a> {
    v: u8,
    site: &'a str,
    device: &'a str,
    profile: &'a str,
    model: &'a str,
    broker: Broker<'a>,
    files: Files,
    interval_ms: u64,
    buffer_minutes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    battery_low_percent: Option<u8>,
    settable: Settable,
    channels: Vec<Channel>,
}

#[derive(Serialize)]
struct Broker<'a> {
    host: &'a str,
    port: u16,
    tls: bool,
    keep_alive_s: u16,
}

#[derive(Serialize)]
struct Files {
    ca: &'static str,
    cert: &'static str,
    key: &'static str,
}

/// From what to what a configuration that the agent asks for is taken.
#[derive(Serialize)]
struct Settable {
    interval_ms: (u64, u64),
    #[serde(skip_serializing_if = "Option::is_none")]
    battery_low_percent: Option<(u8, u8)>,
}

#[derive(Serialize)]
struct Channel {
    c: u32,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    every_ms: Option<u64>,
    #[serde(flatten)]
    wave: Option<Wave>,
}

#[derive(Serialize)]
struct Wave {
    fs: Rate,
    block_ms: u64,
    scale: (i8, i32),
    offset: i32,
}

/// Hertz; a whole rate without a point, for firmware that reads integers only.
#[derive(Serialize)]
#[serde(untagged)]
enum Rate {
    Whole(u32),
    Broken(f32),
}

/// The text, one field a line.
pub(super) fn json(bundle: &Bundle<'_>) -> String {
    let profile = bundle.profile;
    let config = Config {
        v: 1,
        site: bundle.site.as_str(),
        device: bundle.device.as_str(),
        profile: &profile.name,
        model: &profile.model,
        broker: Broker {
            host: bundle.broker_host,
            port: bundle.broker_port,
            tls: true,
            keep_alive_s: KEEP_ALIVE_S,
        },
        files: Files {
            ca: CA_FILE,
            cert: CERTIFICATE_FILE,
            key: KEY_FILE,
        },
        interval_ms: millis(profile.interval),
        buffer_minutes: profile.failing.buffer.as_secs() / 60,
        battery_low_percent: profile.battery.map(|battery| battery.low_percent),
        settable: Settable {
            interval_ms: (millis(profile.settable.interval.0), millis(profile.settable.interval.1)),
            battery_low_percent: profile.settable.battery_low_percent,
        },
        channels: profile.channels.iter().map(channel).collect(),
    };
    // Numbers and texts under fixed names: there is nothing that JSON could not write.
    let mut text = serde_json::to_string_pretty(&config).unwrap_or_default();
    text.push('\n');
    text
}

fn channel(channel: &ChannelProfile) -> Channel {
    Channel {
        c: channel.code,
        unit: channel.unit.ucum(),
        every_ms: channel.every.map(millis),
        wave: channel.wave.map(|wave| Wave {
            fs: rate(wave.rate_hz),
            block_ms: millis(wave.block),
            scale: wave.scale,
            offset: wave.offset,
        }),
    }
}

fn rate(hz: f32) -> Rate {
    if hz.fract() == 0.0 {
        Rate::Whole(hz as u32)
    } else {
        Rate::Broken(hz)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
