//! The table of codes, units and ranges for people.

use std::fmt::Write;

use wardlight_core::codes::NUMERICS;

use super::WAVEFORMS;

/// Two Markdown tables: numerics with unit and technical range, waveforms with unit.
pub fn codes_markdown() -> String {
    let mut out = String::from("| code | reference id | measures | unit (UCUM) | accepted range |\n|---|---|---|---|---|\n");
    for n in &NUMERICS {
        let (low, high) = n.technical;
        // Writing to memory cannot fail.
        let _written = writeln!(
            out,
            "| {} | `{}` | {} | `{}` | {} to {} |",
            n.code,
            n.reference,
            n.parameter.name(),
            n.unit.ucum(),
            low / 1000,
            high / 1000
        );
    }
    out.push_str("\n| code | waveform | unit (UCUM) |\n|---|---|---|\n");
    for (wave, reference) in &WAVEFORMS {
        let _written = writeln!(out, "| {} | `{reference}` | `{}` |", wave.code(), wave.unit().ucum());
    }
    out
}
