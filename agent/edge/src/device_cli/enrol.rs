//! Certificates for devices, the broker and the agent.

use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use wardlight_core::ids::DeviceId;
use wardlight_devices::{
    Bundle, Certificate, Holder, Issued, PrivateKey, Profile, PublicKey, Record, Status, agent_name, rfc3339,
};

use super::BundleArgs;
use super::profiles;
use super::site::Site;
use crate::devices::{Authorities, broker, make_of_agents, of_agents};
use crate::session::{LIVE_SUFFIX, LOG_SUFFIX};
use crate::user_cli::whoami;
use crate::whole_file;

/// Enrols a device.
/// # Errors
/// If it is enrolled already, its name is the agent's, or something of the bundle cannot be.
pub(super) fn device(site: &Site, profile: &str, id: &str, args: &BundleArgs, output: &mut impl Write) -> anyhow::Result<()> {
    let id = DeviceId::new(id)?;
    let client_id = &site.config.client_id;
    let agents = ["", LIVE_SUFFIX, LOG_SUFFIX].map(|suffix| format!("{client_id}{suffix}"));
    if agents.iter().any(|agent| agent == id.as_str()) {
        bail!("{id}: the agent connects under this name, and the broker keeps one session for each");
    }
    let _held = site.registry.change()?;
    let profile = profiles::named(&site.registry, profile)?;
    let before = site.registry.record(&id)?;
    if before.as_ref().is_some_and(|record| record.status() == Status::Enrolled) {
        bail!("{id}: is enrolled; `wardlight device renew` gives it another certificate");
    }
    let authorities = site.authorities(output)?;
    let made = Made::new(site, &authorities, &id, &profile, args)?;
    // What was revoked before stays revoked, so it stays on record; a revision is never used twice, so what was desired does too.
    let former = before.as_ref().map(|record| record.certificates().cloned().collect());
    let record = Record {
        profile: profile.name.clone(),
        certificate: Issued::of(&made.certificate),
        former: former.unwrap_or_default(),
        reason: None,
        enrolled_at: site.now,
        changed_by: whoami(),
        desired: before.and_then(|record| record.desired),
        id,
    };
    made.settle(site, &authorities, &record, output)
}

/// Gives a device another certificate.
/// # Errors
/// If it is not enrolled, or something of the bundle cannot be.
pub(super) fn renew(site: &Site, id: &str, args: &BundleArgs, output: &mut impl Write) -> anyhow::Result<()> {
    let _held = site.registry.change()?;
    let mut record = site.record(id)?;
    if record.status() == Status::Revoked {
        bail!("{id}: is revoked; `wardlight device enroll` takes it in again");
    }
    let profile = site.registry.profile(&record.profile)?;
    let authorities = site.authorities(output)?;
    let made = Made::new(site, &authorities, &record.id, &profile, args)?;
    record.renew(&made.certificate, site.now);
    record.changed_by = whoami();
    made.settle(site, &authorities, &record, output)
}

/// A certificate and a bundle that lies in its folder, before anybody counts on them.
struct Made {
    certificate: Certificate,
    folder: PathBuf,
    with_key: bool,
}

impl Made {
    fn new(site: &Site, authorities: &Authorities, id: &DeviceId, profile: &Profile, args: &BundleArgs) -> anyhow::Result<Self> {
        let door = site.config.device_door();
        let (broker_host, broker_port) =
            door.ok_or_else(|| anyhow!("devices need to know a broker: set mqtt.url or devices.broker"))?;
        let (public, key) = if let Some(file) = &args.csr {
            let shown = || file.display().to_string();
            let request = fs::read_to_string(file).with_context(shown)?;
            (PublicKey::of_request(&request).with_context(shown)?, None)
        } else {
            let key = PrivateKey::generate()?;
            (key.public()?, Some(key))
        };
        let certificate = authorities.current.issue(&Holder::Device(id), &public, site.now)?;
        let bundle = Bundle {
            site: &site.config.site,
            device: id,
            profile,
            broker_host,
            broker_port,
            authorities: &authorities.trusted(),
            certificate: &certificate,
            key: key.as_ref(),
        };
        let files = bundle.files()?;
        let folder = args.out.clone().unwrap_or_else(|| PathBuf::from(id.as_str()));
        new_folder(&folder)?;
        for file in &files {
            let path = folder.join(file.name);
            whole_file::write(&path, &file.content).with_context(|| path.display().to_string())?;
        }
        Ok(Self {
            certificate,
            folder,
            with_key: key.is_some(),
        })
    }

    fn settle(self, site: &Site, authorities: &Authorities, record: &Record, output: &mut impl Write) -> anyhow::Result<()> {
        site.registry.write(record)?;
        let secret = if self.with_key {
            " Its key is in there and nowhere else: delete the folder once the device has it."
        } else {
            ""
        };
        writeln!(
            output,
            "{}: a certificate until {}; the bundle is in {}.{secret}",
            record.id,
            rfc3339(self.certificate.not_after()),
            self.folder.display()
        )?;
        site.publish(authorities, output)
    }
}

/// Gives the broker a certificate.
/// # Errors
/// If a name is no name of a host.
pub(super) fn broker(site: &Site, hosts: &[String], output: &mut impl Write) -> anyhow::Result<()> {
    let _held = site.registry.change()?;
    let authorities = site.authorities(output)?;
    let key = PrivateKey::generate()?;
    let certificate = authorities.current.issue(&Holder::Broker(hosts), &key.public()?, site.now)?;
    let folder = site.registry.broker();
    // The key first: read in between, a key without its certificate is refused like a certificate without its key, and then both are there.
    whole_file::write(&folder.join(broker::KEY), key.pem().as_bytes()).with_context(|| folder.display().to_string())?;
    whole_file::write_readable(&folder.join(broker::CERTIFICATE), certificate.pem().as_bytes())
        .with_context(|| folder.display().to_string())?;
    writeln!(
        output,
        "The broker has a certificate for {} until {}. Start it with: mosquitto -c {}/mosquitto.conf\n\
         Give the folder to the user that it runs as: one file that it may not read, and it lets nobody in.",
        hosts.join(", "),
        rfc3339(certificate.not_after()),
        folder.display(),
    )?;
    site.publish(&authorities, output)
}

/// Gives the agent a certificate.
/// # Errors
/// If nobody says where to.
pub(super) fn agent(site: &Site, out: Option<&Path>, replace: bool, output: &mut impl Write) -> anyhow::Result<()> {
    let named = out.map(|folder| (folder.join("agent.pem"), folder.join("agent.key")));
    let files = named.or_else(|| site.config.agent_files.clone());
    let (certificate_file, key_file) =
        files.ok_or_else(|| anyhow!("where to? set mqtt.cert_file and mqtt.key_file, or give --out"))?;
    let _held = site.registry.change()?;
    let authorities = site.authorities(output)?;
    let known = of_agents(&site.registry)?.filter(|_known| !replace);
    let agents = match known {
        Some(known) => known,
        None => make_of_agents(&site.registry, &site.config.site, site.now)?,
    };
    let key = PrivateKey::generate()?;
    let name = agent_name(&site.config.site);
    let certificate = agents.issue(&Holder::Agent(&name), &key.public()?, site.now)?;
    for (file, content) in [(&key_file, key.pem()), (&certificate_file, certificate.pem().to_owned())] {
        let folder = whole_file::folder(file);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| folder.display().to_string())?;
        whole_file::write(file, content.as_bytes()).with_context(|| file.display().to_string())?;
    }
    writeln!(
        output,
        "The agent has a certificate until {} in {}; its authority for the broker is {}.",
        rfc3339(certificate.not_after()),
        certificate_file.display(),
        site.registry.broker().join("ca.pem").display()
    )?;
    site.publish(&authorities, output)
}

/// A bundle never mixes with another: its folder is new.
fn new_folder(folder: &Path) -> anyhow::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{}: is there already; choose another folder with --out", folder.display())
        }
        made => made.with_context(|| folder.display().to_string()),
    }
}
