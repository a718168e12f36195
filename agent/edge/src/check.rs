//! `wardlight check`: what is wrong, before it is wrong at night.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use wardlight_devices::rfc3339;

use crate::certified::PARTS;
use crate::clock;
use crate::config::Config;
use crate::devices::{Registry, expiry};
use crate::keys;
use crate::packages::Packages;
use crate::people::users;
use crate::session::Session;

/// Prints one line per check; returns whether all passed.
/// # Errors
/// If the output fails.
pub(crate) async fn run(file: &Path, mut output: impl Write) -> anyhow::Result<bool> {
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(error) => {
            writeln!(output, "FAIL  configuration\n{error}")?;
            return Ok(false);
        }
    };
    let checks = [
        (
            "configuration",
            Ok(format!("{} with {} beds", config.site, config.beds().count())),
        ),
        (
            "site key",
            keys::load(&config.journal.key_file, &config.journal.dir)
                .and_then(|key| Ok(format!("readable, private, fingerprint {}", key.fingerprint()?)))
                .map_err(|e| format!("{e:#}")),
        ),
        ("users", users(&config)),
        ("journal", journal(&config)),
        ("certificates", certificates(&config)),
        ("broker", broker(&config).await),
        ("page", page(&config).await),
        ("model", model(&config)),
    ];
    let mut sound = true;
    for (what, outcome) in checks {
        match outcome {
            Ok(found) => writeln!(output, "ok    {what}: {found}")?,
            Err(problem) => {
                sound = false;
                writeln!(output, "FAIL  {what}: {problem}")?;
            }
        }
    }
    Ok(certificates_that_end(&config, &mut output)? && sound)
}

/// Prints a line for each certificate that ends soon; returns whether none has ended yet.
fn certificates_that_end(config: &Config, output: &mut impl Write) -> anyhow::Result<bool> {
    let registry = Registry::new(&config.devices.dir);
    let agent = config.mqtt.tls.as_ref().and_then(|files| files.client.as_ref());
    let now = clock::wall();
    let ending = match expiry::ending(&registry, agent.map(|(certificate, _key)| certificate.as_path()), now) {
        Ok(ending) => ending,
        Err(error) => {
            writeln!(output, "FAIL  certificates of devices: {error:#}")?;
            return Ok(false);
        }
    };
    for one in &ending {
        let (sign, verb) = if one.at > now { ("warn", "ends") } else { ("FAIL", "ended") };
        writeln!(
            output,
            "{sign}  certificate of {} {verb} on {}: {}",
            one.whose,
            rfc3339(one.at),
            one.remedy()
        )?;
    }
    Ok(ending.iter().all(|one| one.at > now))
}

type Outcome = Result<String, String>;

fn users(config: &Config) -> Outcome {
    let Some(path) = &config.people.users_file else {
        return Ok("no login: everybody who reaches the page can act".to_owned());
    };
    let users = users::read(path)?;
    if users.is_empty() {
        return Err(format!("{}: nobody can log in; see `wardlight user add`", path.display()));
    }
    Ok(format!("{} can log in", users.len()))
}

fn journal(config: &Config) -> Outcome {
    if !config.journal.dir.exists() {
        return Err(format!(
            "{}: no such folder; `wardlight init` makes one",
            config.journal.dir.display()
        ));
    }
    let reader = keys::reader(&config.journal).map_err(|error| format!("{error:#}"))?;
    let newest = reader.newest().map_err(|error| error.to_string())?;
    Ok(format!("opens with this key, newest entry {newest}"))
}

fn certificates(config: &Config) -> Outcome {
    Session::new(&config.mqtt, &config.site).map_err(|error| error.to_string())?;
    Ok(if config.mqtt.tls.is_some() {
        "usable".to_owned()
    } else {
        "none needed: no TLS to the broker".to_owned()
    })
}

async fn broker(config: &Config) -> Outcome {
    let (host, port) = (config.mqtt.host.as_str(), config.mqtt.port);
    if let Some(embedded) = &config.mqtt.embedded {
        return match TcpListener::bind(embedded.listen).await {
            Ok(_free) => Ok(format!("embedded; {} is free", embedded.listen)),
            Err(error) => Err(format!(
                "embedded; {}: {error}; a running agent holds it, or choose another port",
                embedded.listen
            )),
        };
    }
    match tokio::time::timeout(Duration::from_secs(5), TcpStream::connect((host, port))).await {
        Ok(Ok(_connected)) => Ok(format!("{host}:{port} answers")),
        Ok(Err(error)) => Err(format!("{host}:{port}: {error}; is the broker running, and mqtt.url right?")),
        Err(_elapsed) => Err(format!("{host}:{port}: no answer within 5 s; a firewall?")),
    }
}

async fn page(config: &Config) -> Outcome {
    match TcpListener::bind(config.http.listen).await {
        Ok(_free) => Ok(format!("{} is free", config.http.listen)),
        Err(error) => Err(format!(
            "{}: {error}; a running agent holds it, or choose another http.listen",
            config.http.listen
        )),
    }
}

fn model(config: &Config) -> Outcome {
    if !config.model.enabled {
        return Ok("switched off: rules only".to_owned());
    }
    let packages = Packages::of(&config.model, &config.journal);
    let life = packages.life().map_err(|error| format!("{error:#}"))?;
    let mut found = Vec::new();
    for part in PARTS {
        let package = packages.live(&life, part);
        let checked = package.and_then(|package| packages.certificates().load(&package, None).map(|_| package));
        let package = checked.map_err(|error| format!("{part}: {error:#}"))?;
        found.push(format!("{part} {}", package.manifest().version()));
    }
    Ok(format!(
        "{} are signed, certified for this machine and agree with their golden vectors",
        found.join(", ")
    ))
}
