//! Addresses that data leave for.

use reqwest::Url;

use super::is_loopback;

/// A URL that data may leave for: TLS, unless it is this machine or the table `table` allows otherwise.
///
/// # Errors
/// What is wrong, as a clause; `what` is what would travel in clear.
pub(super) fn url(text: &str, allow_insecure: bool, what: &str, table: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("must be a URL: {error}"))?;
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(host) || allow_insecure => Ok(url),
        "http" => Err(format!(
            "{what} would travel in clear; use https://, or set allow_insecure = true in {table}"
        )),
        _ => Err("must start with https:// (or http:// on this machine)".to_owned()),
    }
}
