//! Whom the broker turned away: Mosquitto says it on its log, which is heard over a connection of its own.
//!
//! Lines of Mosquitto 2.0. A line that is not known is passed over, so another broker, or another version, is at worst silent here.

use tokio::sync::{mpsc, watch};
use tracing::warn;
use wardlight_core::ids::SiteId;

use super::subscription::Subscription;
use super::{Phase, Session, SessionError, SessionEvent, left_run};
use crate::config::MqttConfig;
use crate::turned_away::TurnedAway;

/// What the client identifier of this connection has at its end.
pub(crate) const LOG_SUFFIX: &str = "-log";
/// Lines waiting to be looked at; the network is not read when there are more.
const QUEUE: usize = 256;
/// No line is longer.
const MOST_BYTES: usize = 1024;

/// Why somebody was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// Its certificate is foreign, revoked, expired or not valid yet: Mosquitto does not say which.
    Certificate,
    /// It showed none.
    NoCertificate,
    /// Another version or cipher, or no TLS at all.
    Protocol,
    /// It wrote to a topic of another device.
    ForeignTopic,
    /// A certificate whose name the access list does not know, or a wrong password.
    NotAuthorised,
    /// A second connection came under its name, and this one was ended.
    Replaced,
}

impl Reason {
    /// Label of the counter, and what the page says.
    const fn label(self) -> &'static str {
        match self {
            Self::Certificate => "certificate_refused",
            Self::NoCertificate => "no_certificate",
            Self::Protocol => "protocol",
            Self::ForeignTopic => "wrote_to_another_devices_topic",
            Self::NotAuthorised => "not_authorised",
            Self::Replaced => "replaced_by_another_connection",
        }
    }
}

/// Reads the lines one after the other.
#[derive(Debug, Default)]
struct Lines {
    /// Where the newest connection comes from: Mosquitto's lines about TLS do not say.
    newest: String,
}

impl Lines {
    /// Who was turned away (an address, or the name of a device), and why, if the line says so.
    fn heard(&mut self, line: &str) -> Option<(String, Reason)> {
        // "1795626561: text"
        let text = line.split_once(": ").map_or(line, |(_time, text)| text);
        if let Some(rest) = text.strip_prefix("New connection from ") {
            let address = rest.split(' ').next().unwrap_or_default();
            without_port(address).clone_into(&mut self.newest);
            return None;
        }
        let named = |who: &str, reason| Some((who.to_owned(), reason));
        if let Some(rest) = text.strip_prefix("Foreign topic: ") {
            return named(rest.split_once(" wrote to ")?.0, Reason::ForeignTopic);
        }
        if let Some(rest) = text.strip_prefix("Client connection from ") {
            let (who, error) = rest.split_once(" failed: ")?;
            return named(who, of_openssl(error)?);
        }
        if let Some(rest) = text.strip_prefix("Client ") {
            return if let Some((who, _)) = rest.split_once(" already connected, closing old connection") {
                named(who, Reason::Replaced)
            } else {
                let (who, _) = rest.split_once(" disconnected, not authorised")?;
                named(who, Reason::NotAuthorised)
            };
        }
        named(&self.newest, of_openssl(text.strip_prefix("OpenSSL Error")?)?)
    }
}

/// What OpenSSL says of a handshake. A connection that was just closed is no refusal.
fn of_openssl(error: &str) -> Option<Reason> {
    match () {
        () if error.contains("unexpected eof") => None,
        () if error.contains("did not return a certificate") => Some(Reason::NoCertificate),
        () if error.contains("certificate") => Some(Reason::Certificate),
        () => Some(Reason::Protocol),
    }
}

fn without_port(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _port)| host);
    host.strip_prefix("::ffff:").unwrap_or(host)
}

/// The broker's log, ready to be heard.
pub(crate) struct BrokerLog(Session);

impl BrokerLog {
    /// Prepares it beside the session of the same configuration.
    ///
    /// # Errors
    /// [`SessionError`] if a certificate, a key or the broker's name cannot be used.
    pub(crate) fn new(config: &MqttConfig, site: &SiteId) -> Result<Self, SessionError> {
        let mut config = config.clone();
        config.client_id.push_str(LOG_SUFFIX);
        let mut session = Session::new(&config, site)?;
        session.subscription = Subscription::log();
        Ok(Self(session))
    }

    /// Tells of everybody who is turned away, until `phase` is no longer [`Phase::Run`].
    ///
    /// # Errors
    /// Never; the signature is that of the agent's other tasks.
    pub(crate) async fn run(self, turned_away: TurnedAway, phase: watch::Receiver<Phase>) -> anyhow::Result<()> {
        let (inbox, mut events) = mpsc::channel::<SessionEvent>(QUEUE);
        let (_nothing_to_say, silent) = mpsc::channel(1);
        let hearing = self.0.keep(inbox, silent, phase.clone());
        let own = self.0.config.client_id.trim_end_matches(LOG_SUFFIX).to_owned();
        let mut lines = Lines::default();
        let reading = async {
            while let Some(event) = events.recv().await {
                let SessionEvent::Message(message) = event else { continue };
                let line = message.payload.get(..MOST_BYTES).unwrap_or(&message.payload);
                // The agent's own connections replace each other when the network was cut.
                let heard = lines.heard(&String::from_utf8_lossy(line));
                if let Some((who, reason)) = heard.filter(|(who, _)| !who.starts_with(&own)) {
                    warn!(who, reason = reason.label(), "The broker turned somebody away.");
                    turned_away.at("broker", &who, reason.label());
                }
            }
        };
        let mut leaving = phase;
        tokio::select! {
            _ended = hearing => {}
            () = reading => {}
            () = left_run(&mut leaving) => {}
        }
        // The agent must not take the end of this task for a fault.
        leaving.wait_for(|phase| *phase == Phase::Close).await.ok();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mosquitto_says_of_those_it_turned_away_is_understood_and_all_else_passed_over() {
        let cases = [
            ("1795626561: New connection from 10.0.0.7:59052 on port 18883.", None),
            (
                "1795626561: OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed",
                Some(("10.0.0.7", Reason::Certificate)),
            ),
            ("1795626561: Client <unknown> disconnected: Protocol error.", None),
            ("1795626561: New connection from ::ffff:10.0.0.8:59060 on port 18883.", None),
            (
                "1795626561: OpenSSL Error[0]: error:0A0000C7:SSL routines::peer did not return a certificate",
                Some(("10.0.0.8", Reason::NoCertificate)),
            ),
            (
                "1795626561: OpenSSL Error[0]: error:0A00009C:SSL routines::http request",
                Some(("10.0.0.8", Reason::Protocol)),
            ),
            (
                "1795626672: Foreign topic: mon-01 wrote to vitals/v1/site/mon-02/num",
                Some(("mon-01", Reason::ForeignTopic)),
            ),
            (
                "1795626560: Client mon-01 already connected, closing old connection.",
                Some(("mon-01", Reason::Replaced)),
            ),
            (
                "1795626560: Client mon-09 disconnected, not authorised.",
                Some(("mon-09", Reason::NotAuthorised)),
            ),
            ("1795626560: Client mon-01 disconnected.", None),
            (
                "1795627233: Client connection from 10.0.0.9 failed: error:0A000086:SSL routines::certificate verify failed.",
                Some(("10.0.0.9", Reason::Certificate)),
            ),
            (
                "1795627233: Client connection from 10.0.0.9 failed: error:0A000126:SSL routines::unexpected eof while reading.",
                None,
            ),
            (
                "1795627233: OpenSSL Error[0]: error:0A000126:SSL routines::unexpected eof while reading",
                None,
            ),
            ("Foreign topic: ", None),
            ("", None),
        ];
        let mut lines = Lines::default();
        for (line, expected) in cases {
            let found = lines.heard(line);
            assert_eq!(
                found.as_ref().map(|(who, reason)| (who.as_str(), *reason)),
                expected,
                "{line}"
            );
        }
    }
}
