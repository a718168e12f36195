//! A site whose devices have certificates: enrolled by the command line, behind a real Mosquitto.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::agent::{Broker, Site};
use crate::mosquitto::Mosquitto;
use crate::mqtt::Client;
use crate::system_clock::SystemClock;
use crate::tls::Identity;
use crate::{free_port, target, wardlight};

/// A site whose broker asks for certificates.
#[derive(Debug)]
pub struct SecuredWard {
    /// Its folder and configuration.
    pub site: Site,
    /// Port of the devices' door.
    pub devices: u16,
    /// Port of the agents' door.
    pub agents: u16,
}

impl SecuredWard {
    /// A site with an authority and an agent's certificate; the broker has none yet.
    pub fn without_broker() -> Self {
        let (devices, agents) = (free_port(), free_port());
        let site = Site::new(Broker::Mosquitto(agents), "");
        let text = fs::read_to_string(site.config()).unwrap();
        let tls = "ca_file = \"devices/broker/ca.pem\"\ncert_file = \"tls/agent.pem\"\nkey_file = \"tls/agent.key\"\n";
        let text = text.replace(
            &format!("url = \"mqtt://127.0.0.1:{agents}\"\n"),
            &format!("url = \"mqtts://localhost:{agents}\"\n{tls}"),
        );
        let own = format!("[devices]\nbroker = \"mqtts://localhost:{devices}\"\nbroker_pid_file = \"mosquitto.pid\"\n");
        fs::write(site.config(), text + &own).unwrap();
        let ward = Self { site, devices, agents };
        ward.device(&["enroll-agent"]);
        ward
    }

    /// The same with a broker that runs.
    pub fn with_broker() -> (Self, Mosquitto) {
        Self::without_broker().and_broker()
    }

    /// A broker that runs is added.
    pub fn and_broker(self) -> (Self, Mosquitto) {
        let ward = self;
        ward.device(&["enroll-broker", "--host", "localhost"]);
        let broker = ward.broker();
        (ward, broker)
    }

    /// Starts the broker.
    pub fn broker(&self) -> Mosquitto {
        Mosquitto::configured(&self.site.dir().join("devices/broker/mosquitto.conf"), self.devices)
    }

    /// `wardlight device ARGS`, by another clock if one is given.
    pub fn run(&self, args: &[&str], clock: Option<&SystemClock>) -> Output {
        let mut command = Command::new(wardlight());
        command.arg("device").args(args).arg("--config").arg(self.site.config());
        if let Some(clock) = clock {
            clock.rule(&mut command);
        }
        command.output().unwrap()
    }

    /// `wardlight device ARGS`; returns what it says.
    pub fn device(&self, args: &[&str]) -> String {
        self.device_at(args, None)
    }

    /// The same by another clock.
    pub fn device_at(&self, args: &[&str], clock: Option<&SystemClock>) -> String {
        let output = self.run(args, clock);
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Enrols a wearable.
    pub fn enroll(&self, id: &str) -> Identity {
        self.enroll_at(id, None)
    }

    /// The same by another clock.
    pub fn enroll_at(&self, id: &str, clock: Option<&SystemClock>) -> Identity {
        self.bundle(
            &["enroll", "--profile", "wearable", "--id", id],
            &format!("bundle-{id}"),
            clock,
        )
    }

    /// A command that writes a bundle into this folder of the site; returns who it makes of its holder.
    pub fn bundle(&self, args: &[&str], folder: &str, clock: Option<&SystemClock>) -> Identity {
        let out = self.path(folder);
        self.device_at(&[args, &["--out", out.to_str().unwrap()]].concat(), clock);
        Identity::of(&out)
    }

    /// A path in the site's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.site.dir().join(name)
    }

    /// Comes in at the devices' door.
    pub fn connect(&self, who: &Identity, id: &str) -> Client {
        Client::connect_as(who, self.devices, id).unwrap()
    }

    /// Why there is no connection.
    pub fn refusal(&self, who: &Identity, id: &str) -> String {
        match Client::connect_as(who, self.devices, id) {
            Ok(_) => panic!("{id}: got in"),
            Err(error) => error.to_string(),
        }
    }

    /// Somebody with the agent's certificate who hears everything.
    pub fn listener(&self) -> Client {
        let read = |name: &str| fs::read_to_string(self.path(name)).unwrap();
        let agent = Identity {
            trusted: read("devices/broker/ca.pem"),
            certificate: read("tls/agent.pem"),
            key: read("tls/agent.key"),
            broker: "localhost".to_owned(),
        };
        let mut client = Client::connect_as(&agent, self.agents, "listener").unwrap();
        client.subscribe("vitals/#");
        client
    }
}

/// The plugin of Mosquitto that says who writes under another's name.
pub fn broker_watch() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware-config/broker-watch");
    let build = target().join("broker-watch");
    let made = Command::new("make")
        .arg("-C")
        .arg(source)
        .arg(format!("BUILD={}", build.display()))
        .output();
    let made = made.expect(
        "make does not start; install the Debian packages make, gcc, mosquitto-dev and libmosquitto-dev (tests/run does)",
    );
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    build.join("wardlight_watch.so")
}
