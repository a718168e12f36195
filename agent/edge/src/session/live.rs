//! The live feed: while the journal cannot commit, nothing is acknowledged, and the broker holds back what goes beyond its
//! window. A second connection, at QoS 0 and with a session of its own, then hears the same topics, so that alarms go on.
//! What it hears is judged and not recorded: the record comes with the message's copy in the session that the broker keeps.

use tokio::sync::{mpsc, watch};
use wardlight_core::ids::SiteId;

use super::subscription::Subscription;
use super::{Phase, Session, SessionError, SessionEvent, left_run};
use crate::config::MqttConfig;

/// What the client identifier of the live feed has at its end. With the session's own one the broker would take the feed
/// for the session, and end the other.
pub(crate) const LIVE_SUFFIX: &str = "-live";

/// The live feed, ready to run.
pub(crate) struct LiveFeed(Session);

impl LiveFeed {
    /// Prepares the live feed beside the session of the same configuration.
    ///
    /// # Errors
    /// [`SessionError`] if a certificate, a key or the broker's name cannot be used.
    pub(crate) fn new(config: &MqttConfig, site: &SiteId) -> Result<Self, SessionError> {
        let mut config = config.clone();
        config.client_id.push_str(LIVE_SUFFIX);
        let mut session = Session::new(&config, site)?;
        session.subscription = Subscription::live(site);
        Ok(Self(session))
    }

    /// Hears messages whenever, and as long as, they are wanted; ends when `phase` is no longer [`Phase::Run`].
    ///
    /// # Errors
    /// [`SessionError::InboxClosed`] when the receiver of `inbox` is gone.
    pub(crate) async fn run<T: From<SessionEvent>>(
        self,
        inbox: mpsc::Sender<T>,
        mut wanted: watch::Receiver<bool>,
        mut phase: watch::Receiver<Phase>,
    ) -> Result<(), SessionError> {
        loop {
            tokio::select! {
                biased;
                () = left_run(&mut phase) => return Ok(()),
                wanted = wanted.wait_for(|wanted| *wanted) => if wanted.is_err() {
                    return Ok(());
                },
            }
            let (end, told) = watch::channel(Phase::Run);
            let (_nothing_to_say, silent) = mpsc::channel(1);
            let hearing = self.0.keep(inbox.clone(), silent, told);
            tokio::pin!(hearing);
            tokio::select! {
                heard = &mut hearing => heard?,
                () = unwanted(&mut wanted, &mut phase) => {
                    end.send_replace(Phase::Close);
                    hearing.await?;
                }
            }
            let down = inbox.send(SessionEvent::LiveFeed { up: false }.into()).await;
            if down.is_err() && *phase.borrow() == Phase::Run {
                return Err(SessionError::InboxClosed);
            }
        }
    }
}

async fn unwanted(wanted: &mut watch::Receiver<bool>, phase: &mut watch::Receiver<Phase>) {
    tokio::select! {
        () = left_run(phase) => {}
        // An error means that nobody wants it any more, either.
        _unwanted = wanted.wait_for(|wanted| !*wanted) => {}
    }
}
