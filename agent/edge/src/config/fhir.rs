//! `[fhir]`: the hospital's FHIR server, if there is one.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use wardlight_wire::fhir::Version;

use super::outgoing;
use super::reader::Section;

/// A FHIR server, and what it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FhirConfig {
    /// Base of the server; batches are posted there.
    pub(crate) url: Url,
    /// Version of the resources.
    pub(crate) version: Version,
    /// PEM file of the one authority to trust; `None` trusts the machine's own store.
    pub(crate) ca_file: Option<PathBuf>,
    /// How to get a token; `None` sends without one.
    pub(crate) login: Option<LoginConfig>,
    /// Longest wait for an answer.
    pub(crate) timeout: Duration,
    /// Each numeric of a device is sent once in so long.
    pub(crate) interval: Duration,
    /// Most resources in a batch.
    pub(crate) batch: usize,
    /// What is older than this when the server takes it is not sent.
    pub(crate) keep: Duration,
    /// Whether waveforms that the journal holds are sent.
    pub(crate) strips: bool,
}

/// OAuth 2.0 client credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoginConfig {
    /// Where tokens are given.
    pub(crate) token_url: Url,
    /// Who we are there.
    pub(crate) client_id: String,
    /// The secret; mode 0600.
    pub(crate) client_secret_file: PathBuf,
    /// What is asked for, as the server wants it.
    pub(crate) scope: Option<String>,
}

/// `None` without the table, and where a fault was reported.
pub(super) fn read(mut section: Section<'_>) -> Option<FhirConfig> {
    if !section.is_present() {
        return None;
    }
    let allow_insecure = section.boolean("allow_insecure", false);
    let parse = |text: &str| outgoing::url(text, allow_insecure, "vital signs", "[fhir]");
    let url = section.required("url", "\"https://fhir.example.org/r4\"", parse);
    let version = section.choice("version", Version::R4, &[("R4", Version::R4), ("R5", Version::R5)]);
    let ca_file = section.existing_file("ca_file");
    let login = read_login(&mut section, allow_insecure);
    let timeout_s = section.integer("timeout_s", 30, 1..=300);
    let interval_s = section.integer("interval_s", 60, 1..=86_400);
    let batch = section.integer("batch", 100, 1..=1000);
    let keep_h = section.integer("keep_h", 72, 1..=8760);
    let strips = section.boolean("strips", true);
    section.finish();
    Some(FhirConfig {
        url: url?,
        version,
        ca_file,
        login,
        timeout: Duration::from_secs(timeout_s),
        interval: Duration::from_secs(interval_s),
        batch: usize::try_from(batch).unwrap_or(usize::MAX),
        keep: Duration::from_hours(keep_h),
        strips,
    })
}

fn read_login(section: &mut Section<'_>, allow_insecure: bool) -> Option<LoginConfig> {
    let asked_for = section.has("token_url");
    let parse = |text: &str| outgoing::url(text, allow_insecure, "the client's secret", "[fhir]");
    let token_url = section.parsed("token_url", parse);
    let client_id = section.string("client_id");
    let client_secret_file = section.secret_file("client_secret_file");
    let scope = section.string("scope");
    for (key, is_given) in [
        ("client_id", client_id.is_some()),
        ("client_secret_file", client_secret_file.is_some()),
    ] {
        if asked_for && !is_given && !section.has(key) {
            section.missing(key, "is missing: token_url needs it");
        } else if !asked_for && is_given {
            section.missing("token_url", format!("is missing: {key} is of no use without it"));
        }
    }
    Some(LoginConfig {
        token_url: token_url?,
        client_id: client_id?,
        client_secret_file: client_secret_file?,
        scope,
    })
}
