//! `wardlight init`: a folder that is ready to run.

use std::fmt::Write as _;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, bail};
use wardlight_journal::{Journal, Options, SiteKey};

use crate::certified::Certificates;
use crate::config::{BrokerUrl, Gpu};

const FILE: &str = "agent.toml";
const KEY: &str = "site.key";
const JOURNAL: &str = "journal";
/// Where the page listens unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// Writes `agent.toml`, `site.key` and an empty journal into `dir`, and says what to do next. Nothing that exists is
/// overwritten.
///
/// Without `broker` the agent will run its own on 127.0.0.1:1883: loopback without TLS accepts any device of this machine.
/// With an `mqtts://` broker only devices that the hospital enrolled get in.
///
/// # Errors
/// If the broker's URL cannot be, if something stands in the way, or if a file cannot be written.
pub(crate) fn run(dir: &Path, broker: Option<&str>, listen: Option<SocketAddr>, mut output: impl Write) -> anyhow::Result<()> {
    let broker = broker.map(|url| BrokerUrl::parse(url).map_err(|problem| anyhow::anyhow!("--broker {problem}")));
    let broker = broker.transpose()?;
    let listen = listen.unwrap_or(LISTEN);
    for name in [FILE, KEY, JOURNAL] {
        if dir.join(name).symlink_metadata().is_ok() {
            bail!(
                "{}: exists already; init never overwrites, choose another folder",
                dir.join(name).display()
            );
        }
    }
    make_private(dir).with_context(|| format!("{}: cannot be made", dir.display()))?;
    let key = SiteKey::create(&dir.join(KEY))?;
    Journal::open(&dir.join(JOURNAL), &key, Options::default())?;
    let file = dir.join(FILE);
    write_new(&file, &text(broker.as_ref(), listen)).with_context(|| format!("{}: cannot be written", file.display()))?;
    let certificates = Certificates {
        key_file: &dir.join(KEY),
        journal: &dir.join(JOURNAL),
    };
    certificates.issue_shipped(Gpu::Auto)?;
    write!(output, "{}", next_steps(&file, broker.as_ref(), listen))?;
    output.flush()?;
    Ok(())
}

fn make_private(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir)
}

fn write_new(file: &Path, text: &str) -> io::Result<()> {
    let mut new = OpenOptions::new().write(true).create_new(true).open(file)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()
}

/// The commented configuration.
fn text(broker: Option<&BrokerUrl>, listen: SocketAddr) -> String {
    let beds: Vec<_> = (1..=12).map(|number| format!("\"B{number:02}\"")).collect();
    let mut text = HEAD.replace("{beds}", &beds.join(", "));
    match broker {
        None => text.push_str(EMBEDDED),
        Some(broker) if broker.is_tls() => {
            text.push_str(&TLS.replace("{url}", &broker.to_string()).replace("{host}", broker.host()));
        }
        Some(broker) => {
            text.push_str(&PLAIN.replace("{url}", &broker.to_string()));
            if !broker.is_loopback() {
                text.push_str(PLAIN_REMOTE);
            }
        }
    }
    text.push_str(JOURNAL_SECTION);
    // Writing to a String cannot fail.
    write!(text, "[http]\n# The page and the API.\nlisten = \"{listen}\"\n").ok();
    if !listen.ip().is_loopback() {
        text.push_str(HTTP_REMOTE);
    }
    text.push_str(TAIL);
    text
}

const HEAD: &str = r#"# Configuration of the Wardlight agent. Every key is explained in docs/configuration.md.
# Relative paths start at this file's folder. Check with: wardlight check --config agent.toml

[site]
# As in the MQTT topics: vitals/v1/{site}/{device}/num
name = "site"

[[unit]]
name = "ward"
beds = [{beds}]

"#;

const EMBEDDED: &str = r#"[mqtt.embedded]
# The agent's own broker: this machine only, no TLS, any device. For devices on the network remove this section,
# run Mosquitto, and set [mqtt] url.
enabled = true
listen = "127.0.0.1:1883"
dir = "broker"

"#;

const PLAIN: &str = r#"[mqtt]
# Without TLS any device that reaches the broker is taken.
url = "{url}"
version = "5"
"#;

const PLAIN_REMOTE: &str = r"# WARNING: vitals cross the network unprotected, and anybody on it can forge them. Use mqtts:// outside a closed test network.
allow_insecure = true
";

const TLS: &str = r#"[mqtt]
# The broker's door for agents. With TLS only enrolled devices get in; they have a door of their own.
url = "{url}"
version = "5"
ca_file = "devices/broker/ca.pem"
cert_file = "tls/agent.pem"
key_file = "tls/agent.key"

[devices]
# Where devices find the broker, and where Mosquitto notes its process identifier, so that it can be told of changes.
broker = "mqtts://{host}:8883"
# broker_pid_file = "/run/mosquitto/mosquitto.pid"
"#;

const JOURNAL_SECTION: &str = r#"
[journal]
# Everything that was measured and done, encrypted under the site key. Without the key it cannot be read: keep a copy.
dir = "journal"
key_file = "site.key"
keep_days = 30
max_mib = 8192
waveforms = "strips"

"#;

const HTTP_REMOTE: &str = r"# WARNING: without TLS anybody on the network can read the page. Set cert_file and key_file, and people.users_file, and remove this:
allow_insecure = true
";

const TAIL: &str = r#"
[people]
# Without a users' file there is no login: everybody who reaches the page can act. Make one with: wardlight user add NAME --role nurse
# users_file = "users.toml"

[model]
enabled = true

# Where alarms are posted, signed with the key in the file:
# [[webhook]]
# url = "https://pager.example.org/alarms"
# secret_file = "webhook.key"

# Devices that start at a bed; later they are attached on the page or with: wardlight bed attach
# [devices.attach]
# mon-01 = "B01"
"#;

fn next_steps(file: &Path, broker: Option<&BrokerUrl>, listen: SocketAddr) -> String {
    let shown = file.display();
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut text = format!(
        "Written: {shown}, {} (keep a copy: without it the journal cannot be read), an empty journal.\n\nNext:\n",
        folder.join(KEY).display()
    );
    let mut step = |line: String| {
        // Writing to a String cannot fail.
        writeln!(text, "  - {line}").ok();
    };
    step(format!("put your site, units and beds into {shown}"));
    match broker {
        None => step("point devices of this machine at mqtt://127.0.0.1:1883 (without TLS any device is taken)".to_owned()),
        Some(broker) if broker.is_tls() => {
            let host = broker.host();
            step(format!(
                "wardlight device enroll-broker --host {host} --config {shown} (and start Mosquitto as it says)"
            ));
            step(format!("wardlight device enroll-agent --config {shown}"));
            step(format!(
                "wardlight device enroll --profile P --id ID --config {shown}, for each device: no other gets in"
            ));
        }
        Some(broker) if broker.is_loopback() => step(format!("{broker} has no TLS: any device that reaches it is taken")),
        Some(broker) => step(format!(
            "WARNING: {broker} has no TLS: anybody on the network can read and forge vitals"
        )),
    }
    if !listen.ip().is_loopback() {
        step(format!(
            "WARNING: {listen} has no TLS yet: anybody on the network can read the page; set http.cert_file and http.key_file"
        ));
    }
    step(format!(
        "for logins: set people.users_file in {shown}, then wardlight user add NAME --role nurse --config {shown}"
    ));
    step(format!("wardlight check --config {shown}"));
    step(format!("wardlight run --config {shown}, then open http://{listen}/"));
    text
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;
    use crate::config::Config;

    fn init(broker: Option<&str>, listen: Option<&str>) -> (tempfile::TempDir, PathBuf, String) {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("agent");
        let mut said = Vec::new();
        run(&dir, broker, listen.map(|address| address.parse().unwrap()), &mut said).unwrap();
        (folder, dir, String::from_utf8(said).unwrap())
    }

    #[test]
    fn a_fresh_folder_is_ready_to_run() {
        let (_folder, dir, said) = init(None, None);
        let config = Config::load(&dir.join(FILE)).unwrap();
        assert_eq!(config.beds().count(), 12);
        assert_eq!(config.mqtt.embedded.unwrap().listen.to_string(), "127.0.0.1:1883");
        assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.journal.key_file, dir.join(KEY));
        let key = SiteKey::load(&config.journal.key_file).unwrap();
        Journal::open(&config.journal.dir, &key, Options::default()).unwrap();
        let mode = fs::metadata(dir.join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(said.contains("wardlight run --config"), "{said}");
    }

    #[test]
    fn nothing_is_overwritten() {
        let (_folder, dir, _) = init(None, None);
        let before = fs::read(dir.join(KEY)).unwrap();
        let error = run(&dir, None, None, Vec::new()).unwrap_err().to_string();
        assert!(error.contains("exists already; init never overwrites"), "{error}");
        assert_eq!(fs::read(dir.join(KEY)).unwrap(), before);
    }

    #[test]
    fn a_broker_and_an_address_are_written_as_given() {
        let (_folder, dir, _) = init(Some("mqtt://127.0.0.1:1999"), Some("127.0.0.1:9000"));
        let config = Config::load(&dir.join(FILE)).unwrap();
        assert!(config.mqtt.embedded.is_none());
        assert_eq!((config.mqtt.port, config.http.listen.port()), (1999, 9000));
    }

    #[test]
    fn what_is_unprotected_works_and_is_said_loudly() {
        let (_folder, dir, said) = init(Some("mqtt://broker.example.org"), Some("0.0.0.0:8080"));
        let config = Config::load(&dir.join(FILE)).unwrap();
        assert_eq!(config.mqtt.host, "broker.example.org");
        assert_eq!(said.matches("WARNING").count(), 2, "{said}");
    }

    #[test]
    fn a_tls_broker_needs_enrolment_first() {
        let (_folder, dir, said) = init(Some("mqtts://broker.example.org"), None);
        let error = Config::load(&dir.join(FILE)).unwrap_err().to_string();
        assert_eq!(error.matches("no such file").count(), 3, "{error}");
        assert!(
            said.contains("wardlight device enroll-broker --host broker.example.org"),
            "{said}"
        );
        for name in ["tls/agent.pem", "tls/agent.key", "devices/broker/ca.pem"] {
            let file = dir.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::copy(dir.join(KEY), file).unwrap();
        }
        Config::load(&dir.join(FILE)).unwrap();
    }

    #[test]
    fn a_url_that_cannot_be_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("agent");
        let error = run(&dir, Some("http://127.0.0.1"), None, Vec::new()).unwrap_err().to_string();
        assert!(error.contains("must be mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"), "{error}");
        assert!(!dir.exists());
    }
}
