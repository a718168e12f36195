//! Heads of the trail, signed while it grows: a record of its own, so the next signature covers this one too.

use std::sync::Arc;
use std::time::Duration;

use ring::signature::Ed25519KeyPair;
use tokio::sync::{oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;
use wardlight_journal::{Head, Journal, JournalError, Submitter};

use super::{head_message, sign};
use crate::audit::Record;
use crate::clock::{self, Clock};
use crate::desk::Ticket;
use crate::session::Phase;

/// Records after which the head is signed. (*ratify*)
const EVERY_RECORDS: u64 = 256;
/// And the longest that a record waits for a signature. (*ratify*)
const EVERY: Duration = Duration::from_mins(1);
/// How often it is looked whether it is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Signs until the agent stops. A journal that cannot commit is waited for, and what is due then is signed once.
/// # Errors
/// Never; the signature is that of the agent's other tasks.
pub(crate) async fn sign_heads(
    pair: Ed25519KeyPair,
    journal: Submitter<Ticket>,
    clock: Clock,
    mut phases: watch::Receiver<Phase>,
) -> anyhow::Result<()> {
    let pair = Arc::new(pair);
    let mut due = interval(LOOK_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut signed, mut since) = (0, clock::instant());
    loop {
        tokio::select! {
            _ = due.tick() => {}
            _ = phases.wait_for(|phase| *phase != Phase::Run) => break,
        }
        let (tell, told) = oneshot::channel();
        let (pair, waited) = (Arc::clone(&pair), since.elapsed() >= EVERY);
        let task = move |journal: &mut Journal| {
            // The agent may have stopped waiting.
            tell.send(sign_if_due(journal, &pair, signed, waited, clock)).ok();
        };
        if journal.try_task(Box::new(task)).is_err() {
            continue;
        }
        // One at a time: while the journal cannot commit nothing piles up.
        let done = tokio::select! {
            done = told => done,
            _ = phases.wait_for(|phase| *phase != Phase::Run) => break,
        };
        match done {
            Ok(Ok(Some(n))) => (signed, since) = (n, clock::instant()),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => warn!(%error, "The head of the audit trail was not signed; it is tried again."),
            // The journal closes.
            Err(_) => break,
        }
    }
    // The agent must not take the end of this task for a fault.
    phases.wait_for(|phase| *phase == Phase::Close).await.ok();
    Ok(())
}

/// Returns the number of the record with the signature, if one was due.
fn sign_if_due(
    journal: &mut Journal,
    pair: &Ed25519KeyPair,
    signed: u64,
    waited: bool,
    clock: Clock,
) -> Result<Option<u64>, JournalError> {
    let head = journal.audit_head();
    let unsigned = head.n.saturating_sub(signed);
    // After a start it is not known what was signed before, so all counts as unsigned.
    if unsigned == 0 || !(waited || unsigned >= EVERY_RECORDS) {
        return Ok(None);
    }
    journal.append(&[record(pair, &head).entry(clock.now())])?;
    Ok(Some(journal.audit_head().n))
}

/// The record with a signed head.
pub(super) fn record(pair: &Ed25519KeyPair, head: &Head) -> Record {
    Record::by_agent("audit_head", format!("{head} {}", sign(pair, &head_message(head))))
}
