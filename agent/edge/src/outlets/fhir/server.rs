//! The FHIR server: batches go in, and for each resource it says what became of it.

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use wardlight_wire::fhir::{Resource, bundle};

use super::NAME;
use super::login::Login;
use crate::config::{FhirConfig, secret};
use crate::outlets::{OutletError, client};

/// FHIR in JSON.
const FHIR_JSON: &str = "application/fhir+json";

/// One server.
pub(super) struct Server {
    client: Client,
    config: FhirConfig,
    login: Option<Login>,
    /// Host and port, for logs.
    pub(super) name: String,
}

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// One verdict for each resource, in order.
    Judged(Vec<Verdict>),
    /// Nothing, and another attempt may succeed.
    Failed(String),
    /// It cannot be taken as it is.
    Refused(StatusCode),
}

/// What became of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Taken,
    /// Another attempt may succeed.
    Failed,
    /// It will never be taken: the status, as the server wrote it.
    Refused(String),
}

#[derive(Deserialize)]
struct Judged {
    #[serde(default)]
    entry: Vec<JudgedEntry>,
}

#[derive(Deserialize)]
struct JudgedEntry {
    response: JudgedResponse,
}

#[derive(Deserialize)]
struct JudgedResponse {
    status: String,
}

impl Server {
    /// # Errors
    /// [`OutletError`] if the secret or the authority cannot be used.
    pub(super) fn new(config: &FhirConfig) -> Result<Self, OutletError> {
        let name = client::receiver(&config.url);
        let fault = |problem| OutletError::Secret {
            outlet: NAME,
            receiver: name.clone(),
            problem,
        };
        let login = match &config.login {
            Some(login) => {
                let secret = secret::read(&login.client_secret_file).map_err(fault)?;
                let secret = String::from_utf8(secret).map_err(|error| fault(format!("the client's secret: {error}")))?;
                Some(Login::new(login.clone(), secret))
            }
            None => None,
        };
        Ok(Self {
            client: client::client(NAME, &config.url, config.ca_file.as_deref(), config.timeout)?,
            config: config.clone(),
            login,
            name,
        })
    }

    /// Sends a batch. A token that is refused is forgotten, and a new one asked for once.
    pub(super) async fn put(&mut self, resources: &[Resource]) -> Answer {
        let body = bundle(resources).to_string();
        let mut answer = self.post(&body).await;
        if let (Ok(refused), Some(login)) = (&answer, &mut self.login)
            && refused.status() == StatusCode::UNAUTHORIZED
        {
            login.forget();
            answer = self.post(&body).await;
        }
        match answer {
            Ok(answer) => judge(answer, resources.len()).await,
            Err(reason) => Answer::Failed(reason),
        }
    }

    async fn post(&mut self, body: &str) -> Result<Response, String> {
        let mut request = self.client.post(self.config.url.clone());
        if let Some(login) = &mut self.login {
            request = request.bearer_auth(login.token(&self.client).await?);
        }
        let request = request.header(CONTENT_TYPE, FHIR_JSON).header(ACCEPT, FHIR_JSON);
        request.body(body.to_owned()).send().await.map_err(client::reason)
    }
}

/// What is wrong with a batch stays wrong; what is wrong with the way there, a login or an address, a person will put right.
async fn judge(answer: Response, sent: usize) -> Answer {
    let status = answer.status();
    if is_about_content(status) {
        return Answer::Refused(status);
    }
    if !status.is_success() {
        return Answer::Failed(status.to_string());
    }
    match answer.json::<Judged>().await {
        Ok(judged) if judged.entry.len() == sent => {
            Answer::Judged(judged.entry.iter().map(|entry| verdict(&entry.response.status)).collect())
        }
        Ok(judged) => Answer::Failed(format!("{} verdicts on {sent} resources", judged.entry.len())),
        Err(error) => Answer::Failed(client::reason(error)),
    }
}

fn is_about_content(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
    )
}

/// `201 Created`, `422 …`: an entry's status begins with the number.
fn verdict(status: &str) -> Verdict {
    let code = status
        .split_whitespace()
        .next()
        .and_then(|code| code.parse::<StatusCode>().ok());
    match code {
        Some(code) if code.is_success() => Verdict::Taken,
        Some(code) if code.is_client_error() && !client::may_pass(code) => Verdict::Refused(code.to_string()),
        _ => Verdict::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_read_from_the_number_that_begins_the_status() {
        assert_eq!(verdict("201 Created"), Verdict::Taken);
        assert_eq!(verdict("200"), Verdict::Taken);
        assert_eq!(
            verdict("422 Unprocessable Entity"),
            Verdict::Refused("422 Unprocessable Entity".into())
        );
        for may_pass in ["503 Service Unavailable", "429", "", "later"] {
            assert_eq!(verdict(may_pass), Verdict::Failed, "{may_pass:?}");
        }
    }
}
