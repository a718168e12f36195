//! `wardlight bed …`: what a person does at the command line goes through the API of the running agent, as from the page.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::cli::{AgeGroupArg, BedCommand};

/// Carries the command out against the agent whose page is at `url`, and prints what came of it.
/// # Errors
/// With the agent's own reason, or that it cannot be reached.
pub(crate) async fn run(url: &str, command: BedCommand, mut output: impl Write) -> anyhow::Result<()> {
    let api = Api::new(url)?;
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
                list(&beds, &devices, &mut output)?;
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

struct Api {
    client: reqwest::Client,
    base: String,
}

impl Api {
    fn new(url: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        Ok(Self {
            client,
            base: format!("{}/api/v1", url.trim_end_matches('/')),
        })
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.answer(self.client.get(format!("{}/{path}", self.base))).await
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.answer(self.client.post(format!("{}/{path}", self.base)).json(body))
            .await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let answer = request
            .send()
            .await
            .with_context(|| format!("no agent answers at {}; is it running? See --url", self.base))?;
        let ok = answer.status().is_success();
        let body: Value = answer
            .json()
            .await
            .context("the answer is no JSON: is this a Wardlight agent?")?;
        if !ok {
            bail!(
                "{}",
                body.get("error")
                    .and_then(Value::as_str)
                    .unwrap_or("refused without a reason")
            );
        }
        Ok(body)
    }
}
