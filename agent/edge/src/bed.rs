//! `wardlight bed …`: what a person does at the command line goes through the API of the running agent, as from the page.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::cli::{AgeGroupArg, BedArgs, BedCommand};
use crate::people::password;

/// Carries the command out against the agent whose page is at `--url`, and prints what came of it.
/// # Errors
/// With the agent's own reason, or that it cannot be reached.
pub(crate) async fn run(args: BedArgs, mut output: impl Write) -> anyhow::Result<()> {
    let by = args.by.or_else(|| std::env::var("USER").ok());
    let mut api = Api::new(&args.url, by.as_deref())?;
    if let Some(user) = &args.user {
        api.log_in(user, args.password_file.as_deref()).await?;
    }
    let done = carry_out(&api, args.command, &mut output).await;
    api.log_off().await;
    output.flush()?;
    done
}

async fn carry_out(api: &Api, command: BedCommand, output: &mut impl Write) -> anyhow::Result<()> {
    match command {
        BedCommand::List { json } => {
            let beds = api.get("beds").await?;
            let devices = api.get("devices").await?;
            if json {
                writeln!(
                    output,
                    "{}",
                    json!({ "beds": beds.get("beds"), "devices": devices.get("devices") })
                )?;
            } else {
                list(&beds, &devices, output)?;
            }
            return Ok(());
        }
        BedCommand::Admit {
            bed,
            name,
            age,
            age_group,
            scale,
            pregnant,
        } => {
            let body = admission(name, age, age_group, scale, pregnant);
            api.post(&format!("beds/{bed}/admit"), &body).await?;
            writeln!(output, "Bed {bed}: admitted.")?;
        }
        BedCommand::Discharge { bed } => {
            api.post(&format!("beds/{bed}/discharge"), &json!({})).await?;
            writeln!(
                output,
                "Bed {bed}: discharged; its alarms are cleared and its devices unassigned."
            )?;
        }
        BedCommand::Attach { bed, device } => {
            api.post(&format!("beds/{bed}/attach"), &json!({ "device": device })).await?;
            writeln!(output, "Device {device}: attached to bed {bed}.")?;
        }
        BedCommand::Detach { device } => {
            api.post(&format!("devices/{device}/detach"), &json!({})).await?;
            writeln!(output, "Device {device}: detached.")?;
        }
    }
    Ok(())
}

fn admission(name: Option<String>, age: Option<u8>, group: Option<AgeGroupArg>, scale: Option<u8>, pregnant: bool) -> Value {
    let mut body = json!({ "pregnant": pregnant });
    let group = group.map(|group| match group {
        AgeGroupArg::Neonate => "neonate",
        AgeGroupArg::Paediatric => "paediatric",
        AgeGroupArg::Adult => "adult",
    });
    let given = [
        ("name", name.map(Value::from)),
        ("age_years", age.map(Value::from)),
        ("age_group", group.map(Value::from)),
    ];
    let fields = given.into_iter().chain([("spo2_scale", scale.map(Value::from))]);
    for (field, value) in fields {
        if let (Some(value), Some(object)) = (value, body.as_object_mut()) {
            object.insert(field.to_owned(), value);
        }
    }
    body
}

fn list(beds: &Value, devices: &Value, output: &mut impl Write) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let empty = Vec::new();
    writeln!(
        output,
        "{:<10} {:<10} {:<20} {:<28} ALARMS",
        "BED", "UNIT", "PATIENT", "DEVICES"
    )?;
    for bed in beds["beds"].as_array().unwrap_or(&empty) {
        let patient = match &bed["stay"] {
            Value::Null => "-".to_owned(),
            stay if text(&stay["name"]).is_empty() => "(no name)".to_owned(),
            stay => text(&stay["name"]),
        };
        let at_bed: Vec<String> = bed["devices"]
            .as_array()
            .unwrap_or(&empty)
            .iter()
            .map(|d| text(&d["device"]))
            .collect();
        let alarms: Vec<String> = bed["alarms"]
            .as_array()
            .unwrap_or(&empty)
            .iter()
            .map(|a| text(&a["kind"]))
            .collect();
        let (bed, unit) = (text(&bed["bed"]), text(&bed["unit"]));
        writeln!(
            output,
            "{bed:<10} {unit:<10} {patient:<20} {:<28} {}",
            at_bed.join(" "),
            alarms.join(" ")
        )?;
    }
    let unassigned = devices["devices"]
        .as_array()
        .unwrap_or(&empty)
        .iter()
        .filter(|d| d["bed"].is_null());
    let names: Vec<String> = unassigned.map(|d| text(&d["device"])).collect();
    if !names.is_empty() {
        writeln!(output, "\nUnassigned devices (journaled, raise nothing): {}", names.join(" "))?;
    }
    Ok(())
}

/// Names the file with the password where no option does.
const PASSWORD_FILE: &str = "WARDLIGHT_PASSWORD_FILE";

struct Api {
    client: reqwest::Client,
    base: String,
    /// Cookies of the login; empty without one.
    cookies: String,
    /// Who acts where there is no login, percent-encoded; empty if nobody says so.
    by: String,
}

impl Api {
    fn new(url: &str, by: Option<&str>) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        Ok(Self {
            client,
            base: format!("{}/api/v1", url.trim_end_matches('/')),
            cookies: String::new(),
            by: utf8_percent_encode(by.unwrap_or_default(), NON_ALPHANUMERIC).to_string(),
        })
    }

    async fn log_in(&mut self, user: &str, password_file: Option<&Path>) -> anyhow::Result<()> {
        let named = std::env::var_os(PASSWORD_FILE).map(PathBuf::from);
        let password = password::ask(password_file.or(named.as_deref()), &format!("Password of {user}: "))?;
        let body = json!({ "name": user, "password": password });
        let answer = self
            .send(self.client.post(format!("{}/session", self.base)).json(&body))
            .await?;
        let set = answer.headers().get_all(header::SET_COOKIE).iter();
        let pairs = set.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
        let cookies = pairs.collect::<Vec<_>>().join("; ");
        read(answer).await?;
        self.cookies = cookies;
        Ok(())
    }

    async fn log_off(&self) {
        if !self.cookies.is_empty() {
            // What was asked for is done; a session that cannot be ended ends by itself.
            self.send(self.client.delete(format!("{}/session", self.base))).await.ok();
        }
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        read(self.send(self.client.get(format!("{}/{path}", self.base))).await?).await
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let mut request = self.client.post(format!("{}/{path}", self.base)).json(body);
        if !self.by.is_empty() {
            request = request.header("x-wardlight-by", &self.by);
        }
        read(self.send(request).await?).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let request = if self.cookies.is_empty() {
            request
        } else {
            request.header(header::COOKIE, &self.cookies).header("x-wardlight", "cli")
        };
        let sent = request.send().await;
        sent.with_context(|| format!("no agent answers at {}; is it running? See --url", self.base))
    }
}

/// The answer's body, or the agent's own reason why not.
async fn read(answer: reqwest::Response) -> anyhow::Result<Value> {
    let status = answer.status();
    let body: Value = answer
        .json()
        .await
        .context("the answer is no JSON: is this a Wardlight agent?")?;
    if status.is_success() {
        return Ok(body);
    }
    let reason = body
        .get("error")
        .and_then(Value::as_str)
        .unwrap_or("refused without a reason");
    if status == StatusCode::UNAUTHORIZED && reason.starts_with("log in") {
        bail!("the agent asks for a login: use --user NAME, with --password-file FILE where there is no terminal");
    }
    bail!("{reason}");
}
