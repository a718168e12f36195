//! OAuth 2.0 client credentials (RFC 6749, section 4.4): a token is asked for once, used while it lasts, and asked for anew when the
//! server no longer takes it.

use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use crate::clock;
use crate::config::LoginConfig;
use crate::outlets::client;

/// A token is not used in its last seconds: it must still hold when the request arrives.
const BEFORE_END: Duration = Duration::from_secs(30);
/// How long a token holds if the server does not say: RFC 6749 leaves it open, so not for long.
const UNSAID: u64 = 60;

/// Gets tokens, and keeps the one that holds.
pub(super) struct Login {
    config: LoginConfig,
    secret: String,
    token: Option<Token>,
}

struct Token {
    text: String,
    holds_until: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

impl Login {
    pub(super) fn new(config: LoginConfig, secret: String) -> Self {
        Self {
            config,
            secret,
            token: None,
        }
    }

    /// The token that holds, or a new one.
    /// # Errors
    /// Why none was given, without any secret.
    pub(super) async fn token(&mut self, client: &Client) -> Result<String, String> {
        let now = clock::instant();
        if let Some(token) = self.token.as_ref().filter(|token| now < token.holds_until) {
            return Ok(token.text.clone());
        }
        let granted = self.ask(client).await.map_err(|reason| format!("no token: {reason}"))?;
        let holds = Duration::from_secs(granted.expires_in.unwrap_or(UNSAID)).saturating_sub(BEFORE_END);
        self.token = Some(Token {
            text: granted.access_token.clone(),
            holds_until: now + holds,
        });
        Ok(granted.access_token)
    }

    /// The server refused the token.
    pub(super) fn forget(&mut self) {
        self.token = None;
    }

    async fn ask(&self, client: &Client) -> Result<Granted, String> {
        // RFC 6749, section 2.3.1: id and secret are form-encoded before they become HTTP's user and password.
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let mut form = "grant_type=client_credentials".to_owned();
        if let Some(scope) = &self.config.scope {
            form.push_str("&scope=");
            form.push_str(&encoded(scope));
        }
        let request = client
            .post(self.config.token_url.clone())
            .basic_auth(encoded(&self.config.client_id), Some(encoded(&self.secret)))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let answer = request.send().await.map_err(client::reason)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(status.to_string());
        }
        answer.json().await.map_err(client::reason)
    }
}
