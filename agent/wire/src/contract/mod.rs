//! The published contract, written from the code's own tables: CDDL, JSON Schema, and the table of codes of the documentation.
//!
//! They describe what a device should send. The decoder takes a little more: other spellings of units, indefinite lengths,
//! a reading out of range (which costs only itself).

mod cddl;
mod codes;
mod schema;

pub use cddl::cddl;
pub use codes::codes_markdown;
pub use schema::json_schema;

use wardlight_core::codes::Waveform;

/// Each waveform with its MDC reference id.
pub(crate) const WAVEFORMS: [(Waveform, &str); 17] = [
    (Waveform::Ecg(131_329), "MDC_ECG_ELEC_POTL_I"),
    (Waveform::Ecg(131_330), "MDC_ECG_ELEC_POTL_II"),
    (Waveform::Ecg(131_331), "MDC_ECG_ELEC_POTL_V1"),
    (Waveform::Ecg(131_332), "MDC_ECG_ELEC_POTL_V2"),
    (Waveform::Ecg(131_333), "MDC_ECG_ELEC_POTL_V3"),
    (Waveform::Ecg(131_334), "MDC_ECG_ELEC_POTL_V4"),
    (Waveform::Ecg(131_335), "MDC_ECG_ELEC_POTL_V5"),
    (Waveform::Ecg(131_336), "MDC_ECG_ELEC_POTL_V6"),
    (Waveform::Ecg(131_389), "MDC_ECG_ELEC_POTL_III"),
    (Waveform::Ecg(131_390), "MDC_ECG_ELEC_POTL_AVR"),
    (Waveform::Ecg(131_391), "MDC_ECG_ELEC_POTL_AVL"),
    (Waveform::Ecg(131_392), "MDC_ECG_ELEC_POTL_AVF"),
    (Waveform::Ecg(131_395), "MDC_ECG_ELEC_POTL_V"),
    (Waveform::Abp, "MDC_PRESS_BLD_ART_ABP"),
    (Waveform::Pleth, "MDC_PULS_OXIM_PLETH"),
    (Waveform::Co2, "MDC_AWAY_CO2"),
    (Waveform::Resp, "MDC_IMPED_TTHOR"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_waveform_is_listed_once_in_the_order_of_codes() {
        let listed: Vec<u32> = WAVEFORMS.iter().map(|(wave, _)| wave.code()).collect();
        let known: Vec<u32> = (0..300_000).filter(|code| Waveform::from_code(*code).is_some()).collect();
        assert_eq!(listed, known);
    }
}
