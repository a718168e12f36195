//! What Mosquitto reads: who may write what, and how it listens.

use std::fmt::Write as _;

use wardlight_core::ids::{DeviceId, SiteId};

/// The common name of a site's agent. No device can have it: a device's identifier holds no colon.
pub fn agent_name(site: &SiteId) -> String {
    format!("wardlight:{site}")
}

/// Mosquitto's access list: each device writes and is asked under its own name; the agent reads all of them, asks them, says its alarms, and
/// hears on the broker's log who was turned away.
/// There is an entry for each device and no pattern for all, so that a revoked one loses its rights also on an open connection.
pub fn access_list<'a>(site: &SiteId, devices: impl IntoIterator<Item = &'a DeviceId>) -> String {
    let mut text = format!(
        "# Written by `wardlight device`; changes by hand are lost.\nuser {}\ntopic read vitals/v1/{site}/#\ntopic write vitals/v1/{site}/+/cmd\ntopic write ward/v1/{site}/#\ntopic read $SYS/broker/log/#\n",
        agent_name(site)
    );
    for device in devices {
        // Writing to a String cannot fail.
        write!(
            text,
            "\nuser {device}\ntopic write vitals/v1/{site}/{device}/#\ntopic read vitals/v1/{site}/{device}/cmd\n"
        )
        .ok();
    }
    text
}

/// How Mosquitto listens. Paths are as Mosquitto sees them.
#[derive(Clone, Debug)]
pub struct Listening<'a> {
    /// The folder with `ca.pem`, `crl.pem`, `agents.pem`, `agents-crl.pem`, `acl`, `broker.pem` and `broker.key`.
    pub folder: &'a str,
    /// Port for devices.
    pub device_port: u16,
    /// Port for agents; `None` while no agent has a certificate: Mosquitto does not start without their authority.
    pub agent_port: Option<u16>,
    /// Where it writes its process identifier; `None`: nowhere.
    pub pid_file: Option<&'a str>,
    /// The plugin of `broker-watch/`, which says who writes under another's name; `None`: nobody does.
    pub plugin: Option<&'a str>,
}

/// Mosquitto's configuration.
///
/// Two doors, because a connection under a device's client identifier ends the one that is open. At the devices' door the identifier is the
/// certificate's common name, whatever the device says, so no device can take another's session. The agents' door lets its holder choose,
/// and trusts the agents' own authority only: an agent needs two connections at times, and cuts those of revoked devices there.
pub fn mosquitto_conf(listening: &Listening<'_>) -> String {
    let Listening {
        folder,
        device_port,
        agent_port,
        pid_file,
        plugin,
    } = listening;
    let plugin = plugin.map(|file| format!("plugin {file}\n")).unwrap_or_default();
    let pid_file = pid_file.map(|file| format!("pid_file {file}\n")).unwrap_or_default();
    let agents = agent_port.map(|port| {
        format!(
            "
# Agents: whoever has a certificate of the agents' own authority. Mosquitto reads cafile again only where there is a crlfile.
listener {port}
cafile {folder}/agents.pem
crlfile {folder}/agents-crl.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.key
tls_version tlsv1.3
require_certificate true
use_identity_as_username true
"
        )
    });
    format!(
        "# Written by `wardlight device`; changes by hand are lost. Settings of your own go into a copy, or behind include_dir.
per_listener_settings false
allow_anonymous false
acl_file {folder}/acl
{pid_file}
# Mosquitto's defaults lose confirmed messages when it is killed, and drop what an absent agent has not had beyond a thousand.
persistence true
persistence_location {folder}/store/
autosave_interval 1
max_queued_messages 1000000
max_inflight_messages 0
max_packet_size 1048576
# Without it what is small waits up to 40 ms for the receiver's next acknowledgement.
set_tcp_nodelay true

# The agent hears on the log whom the broker turned away.
log_dest stderr
log_dest topic
log_type error
log_type warning
log_type notice
connection_messages true
{plugin}
# Devices: whoever has a certificate of the site's authority that was not revoked, under the name in it.
listener {device_port}
cafile {folder}/ca.pem
crlfile {folder}/crl.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.key
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
use_username_as_clientid true
{}",
        agents.unwrap_or_default()
    )
}
