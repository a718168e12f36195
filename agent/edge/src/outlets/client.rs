//! The HTTP client of the outlets: it goes where the configuration says and nowhere else.

use std::fs;
use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Client, StatusCode, Url, redirect};

use super::OutletError;

/// A client without redirects and without a proxy from the environment, which trusts `ca_file` alone where there is one.
///
/// # Errors
/// [`OutletError`] if the authority cannot be used.
pub(super) fn client(outlet: &'static str, url: &Url, ca_file: Option<&Path>, timeout: Duration) -> Result<Client, OutletError> {
    let mut builder = Client::builder()
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .no_proxy();
    if url.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    }
    if let Some(path) = ca_file {
        let fault = |problem: String| OutletError::Authority {
            outlet,
            receiver: receiver(url),
            path: path.to_path_buf(),
            problem,
        };
        let pem = fs::read(path).map_err(|error| fault(error.to_string()))?;
        let authorities = Certificate::from_pem_bundle(&pem).map_err(|error| fault(error.to_string()))?;
        if authorities.is_empty() {
            return Err(fault("holds no certificate in PEM form".to_owned()));
        }
        builder = builder.tls_certs_only(authorities);
    }
    builder.build().map_err(|source| OutletError::Client {
        outlet,
        receiver: receiver(url),
        source,
    })
}

/// Host and port, for logs: a path may hold a token.
pub(super) fn receiver(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    url.port_or_known_default()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether the same request may be taken later, though it is an error of the client's.
pub(super) fn may_pass(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
    )
}

/// Why nothing came back, with the causes and without the URL.
pub(super) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        reason.push_str(": ");
        reason.push_str(&inner.to_string());
        cause = inner.source();
    }
    reason
}
