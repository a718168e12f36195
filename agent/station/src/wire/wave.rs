//! Waveform blocks: binary, because text would be five times as long.

use bytes::{BufMut, Bytes, BytesMut};
use wardlight_core::codes::Waveform;
use wardlight_core::ids::BedId;
use wardlight_core::message::WaveBlock;
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Quality;

/// First byte of a wave frame: version of this layout.
const VERSION: u8 = 1;
/// Bytes before the bed's name.
const FIXED: usize = 36;

/// Consecutive samples of one waveform. Value in the waveform's unit = (sample + offset) × scale.
#[derive(Clone, Debug, PartialEq)]
pub struct WaveView {
    /// Which waveform.
    pub waveform: Waveform,
    /// Samples per second.
    pub rate_hz: f32,
    /// Time of the first sample, on the device's clock.
    pub t0: Timestamp,
    /// Unit of the waveform per count.
    pub scale: f32,
    /// Added to each sample before scaling.
    pub offset: i32,
    /// Raw samples; [`WaveBlock::MISSING`] marks a missing one.
    pub samples: Vec<i16>,
    /// Quality of the whole block.
    pub quality: Quality,
}

impl WaveView {
    /// A block as a device sent it, `sent_at` being the time of its first sample.
    pub fn new(block: &WaveBlock, sent_at: Timestamp) -> Self {
        let (exponent, mantissa) = block.scale;
        Self {
            waveform: block.waveform,
            rate_hz: block.rate_hz,
            t0: sent_at,
            scale: (f64::from(mantissa) * 10f64.powi(i32::from(exponent))) as f32,
            offset: block.offset,
            samples: block.samples.clone(),
            quality: block.quality,
        }
    }
}

/// The frame, little endian: version u8, length of the bed's name u8, quality u16, MDC code u32, time of the first sample f64 (ms),
/// rate f32, scale f32, offset i32, number of samples u32, reserved u32, the bed's name padded to an even length, the samples i16.
pub(crate) fn wave_frame(bed: &BedId, wave: &WaveView) -> Bytes {
    let name = bed.as_str().as_bytes();
    let mut out = BytesMut::with_capacity(FIXED + name.len() + 1 + 2 * wave.samples.len());
    out.put_u8(VERSION);
    // A bed's name has at most 64 bytes.
    out.put_u8(name.len() as u8);
    out.put_u16_le(wave.quality.bits());
    out.put_u32_le(wave.waveform.code());
    out.put_f64_le(wave.t0.as_millis() as f64);
    out.put_f32_le(wave.rate_hz);
    out.put_f32_le(wave.scale);
    out.put_i32_le(wave.offset);
    out.put_u32_le(u32::try_from(wave.samples.len()).unwrap_or(0));
    out.put_u32_le(0);
    out.put_slice(name);
    if name.len() % 2 == 1 {
        out.put_u8(0);
    }
    for &sample in &wave.samples {
        out.put_i16_le(sample);
    }
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_frame_is_laid_out_as_the_protocol_says() {
        let block = WaveBlock {
            waveform: Waveform::Ecg(131_330),
            rate_hz: 250.0,
            scale: (-3, 5),
            offset: -10,
            samples: vec![1, -2, WaveBlock::MISSING],
            quality: Quality::VALID,
        };
        let wave = WaveView::new(&block, Timestamp::from_millis(1_700_000_000_123));
        let bytes = wave_frame(&BedId::new("b1x").unwrap(), &wave);
        assert_eq!(bytes.len(), FIXED + 4 + 6);
        assert_eq!(&bytes[..4], [1, 3, 1, 0]);
        assert_eq!(bytes[4..8], 131_330u32.to_le_bytes());
        assert_eq!(bytes[8..16], 1_700_000_000_123f64.to_le_bytes());
        assert_eq!(bytes[16..20], 250f32.to_le_bytes());
        assert_eq!(bytes[20..24], 0.005f32.to_le_bytes());
        assert_eq!(bytes[24..28], (-10i32).to_le_bytes());
        assert_eq!(bytes[28..32], 3u32.to_le_bytes());
        assert_eq!(&bytes[36..40], b"b1x\0");
        assert_eq!(bytes[40..], [1, 0, 254, 255, 0, 128]);
    }
}
