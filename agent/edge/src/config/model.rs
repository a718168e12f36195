//! `[model]`: the `deterioration` model.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::Section;

/// Whether a GPU may compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gpu {
    /// A card that is there and faster.
    Auto,
    /// None.
    Off,
    /// Also a driver that computes on the processor: for tests.
    Software,
}

/// Which model runs, and how long it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelConfig {
    /// Whether models run at all; without them the rules go on.
    pub(crate) enabled: bool,
    /// The package's folder; `None` takes the one that the binary carries.
    pub(crate) package: Option<PathBuf>,
    /// Public keys of the site beside those of the release.
    pub(crate) keys_file: Option<PathBuf>,
    /// Longest wait for a micro-batch before its answer counts as late.
    pub(crate) deadline: Duration,
    /// Whether a GPU may compute.
    pub(crate) gpu: Gpu,
    /// How often each bed is scored.
    pub(crate) interval: Duration,
}

pub(super) fn read(mut section: Section<'_>) -> ModelConfig {
    let enabled = section.boolean("enabled", true);
    let package = section.path("package");
    if let Some(folder) = &package
        && enabled
        && !folder.join("manifest.toml").is_file()
    {
        let problem = "no manifest.toml in this folder; a model package is a folder with manifest.toml";
        section.fault("package", format_args!("{:?}", folder.display().to_string()), problem);
    }
    let config = ModelConfig {
        enabled,
        package,
        keys_file: section.existing_file("keys_file"),
        gpu: section.choice(
            "gpu",
            Gpu::Auto,
            &[("auto", Gpu::Auto), ("off", Gpu::Off), ("software", Gpu::Software)],
        ),
        deadline: Duration::from_millis(section.integer("deadline_ms", 500, 10..=60_000)),
        interval: Duration::from_secs(section.integer("interval_s", 60, 1..=3600)),
    };
    section.finish();
    config
}
