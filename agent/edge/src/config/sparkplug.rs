//! `[sparkplug]`: which group of Sparkplug B nodes is heard.

use wardlight_core::codes;

use super::reader::Section;

/// Sparkplug B as input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SparkplugConfig {
    /// The group in `spBv1.0/{group}/…`.
    pub(crate) group: String,
    /// Metrics by their whole name, and the MDC code that each stands for.
    pub(crate) metrics: Vec<(String, u32)>,
}

/// `None` without a group.
pub(super) fn read(mut section: Section<'_>) -> Option<SparkplugConfig> {
    let is_present = section.is_present();
    let group = section.parsed("group", |text| {
        let fits = (1..=64).contains(&text.len()) && !text.contains(['/', '+', '#']) && !text.chars().any(char::is_control);
        fits.then(|| text.to_owned())
            .ok_or("must be 1 to 64 characters without / + #")
    });
    let mut metrics = Vec::new();
    for (name, code) in section.pairs("metrics") {
        let numeric = codes::numeric_named(&code).or_else(|| code.parse().ok().and_then(codes::numeric));
        if let Some(numeric) = numeric {
            metrics.push((name, numeric.code));
        } else {
            let problem = "must be an MDC code or reference id of a numeric, as in \"MDC_ECG_HEART_RATE\"";
            section.fault(&format!("metrics.{name:?}"), format_args!("{code:?}"), problem);
        }
    }
    if is_present && group.is_none() {
        section.missing("group", "is missing or wrong; for example group = \"icu\"");
    }
    section.finish();
    group.map(|group| SparkplugConfig { group, metrics })
}
