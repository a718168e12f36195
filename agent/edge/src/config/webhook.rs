//! `[[webhook]]`: where alarms are posted.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::outgoing;
use super::reader::Section;

/// One receiver of alarms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebhookConfig {
    /// Where to post.
    pub(crate) url: Url,
    /// The key of the signature; mode 0600.
    pub(crate) secret_file: PathBuf,
    /// PEM file of the one authority to trust; `None` trusts the machine's own store.
    pub(crate) ca_file: Option<PathBuf>,
    /// Longest wait for an answer.
    pub(crate) timeout: Duration,
    /// Most alarms waiting.
    pub(crate) queue: usize,
}

pub(super) fn read(mut section: Section<'_>) -> Option<WebhookConfig> {
    let allow_insecure = section.boolean("allow_insecure", false);
    let url = section.required("url", "\"https://pager.example.org/alarms\"", |text| {
        outgoing::url(text, allow_insecure, "alarms", "this [[webhook]]")
    });
    if !section.has("secret_file") {
        section.missing("secret_file", "is missing: alarms are signed with a key from a file");
    }
    let secret_file = section.secret_file("secret_file");
    let ca_file = section.existing_file("ca_file");
    let timeout_s = section.integer("timeout_s", 5, 1..=60);
    let queue = section.integer("queue", 256, 1..=65_536);
    section.finish();
    Some(WebhookConfig {
        url: url?,
        secret_file: secret_file?,
        ca_file,
        timeout: Duration::from_secs(timeout_s),
        queue: usize::try_from(queue).unwrap_or(usize::MAX),
    })
}
