//! Two thousand enrolled devices at a real Mosquitto with certificates, while keys and authorities are replaced:
//! `cargo run --release -p wardlight-tests --example many_devices [-- COUNT]`.
//!
//! Every device publishes a value and waits for its PUBACK, round after round; meanwhile the site key is rotated, another authority takes over,
//! and the broker and the agent get its certificates. At the end each value must be in the journal once.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a program that prints a table, and stops at the first thing that is wrong"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use wardlight_tests::device::{Device, HR};
use wardlight_tests::mqtt::{Client, Heard};
use wardlight_tests::secured::SecuredWard;
use wardlight_tests::tls::Identity;
use wardlight_tests::wait::until;

const ROUNDS: usize = 8;
/// Longest wait for a PUBACK.
const PATIENCE: Duration = Duration::from_secs(30);

/// One device on its connection.
struct Patch {
    id: String,
    identity: Identity,
    client: Client,
    device: Device,
}

fn main() {
    let count: usize = std::env::args()
        .nth(1)
        .map_or(2000, |count| count.parse().expect("COUNT must be a number"));
    let (ward, _broker) = SecuredWard::with_broker();
    let begun = Instant::now();
    let ids: Vec<String> = (0..count).map(|n| format!("patch-{n:04}")).collect();
    let identities: Vec<Identity> = ids.iter().map(|id| ward.enroll(id)).collect();
    tell("enrolled by the command line, one after the other", count, begun);

    let agent = ward.site.start();
    agent.occupy("B01", "patch-0000");
    let begun = Instant::now();
    let mut patches: Vec<Patch> = ids
        .into_iter()
        .zip(identities)
        .map(|(id, identity)| patch(&ward, id, identity))
        .collect();
    tell("connected, one after the other", count, begun);

    // The last one is lost: it must be off, and nobody else.
    let lost = patches.pop().unwrap();
    let begun = Instant::now();
    ward.device(&["revoke", &lost.id, "--reason", "lost"]);
    while lost.client.heard.recv_timeout(PATIENCE).is_ok() {}
    tell("revoked and cut off", 1, begun);
    assert!(
        Client::connect_as(&lost.identity, ward.devices, &lost.id).is_err(),
        "a revoked certificate opens the door"
    );

    for round in 0..ROUNDS {
        let begun = Instant::now();
        let change = change(round);
        std::thread::scope(|scope| {
            let changing = scope.spawn(|| change.map(|(what, change)| (what, change(&ward))));
            publish(&mut patches);
            if let Some((what, ())) = changing.join().unwrap() {
                println!("{:>8}  {what}, while they published", "");
            }
        });
        tell("values published and confirmed", patches.len(), begun);
    }
    let expected = patches.len() * ROUNDS;
    let stored = until("everything confirmed is on record", 60, || {
        let stored = ward
            .site
            .export()
            .iter()
            .filter(|stored| stored["topic"].as_str().is_some_and(|topic| topic.ends_with("/num")))
            .count();
        (stored >= expected).then_some(stored)
    });
    let mut times = BTreeMap::new();
    for stored in ward.site.export() {
        *times
            .entry((
                stored["device"].to_string(),
                stored["seq"].to_string(),
                stored["topic"].to_string(),
            ))
            .or_insert(0) += 1;
    }
    let twice = times.values().filter(|count| **count > 1).count();
    println!("{expected} confirmed, {stored} on record, {twice} on record twice");
    assert!(stored == expected && twice == 0, "lost or stored twice");
    assert!(agent.terminate().success());
}

type Change = (&'static str, fn(&SecuredWard));

/// What is replaced in a round.
fn change(round: usize) -> Option<Change> {
    let key: fn(&SecuredWard) = |ward| {
        let output = ward.site.command(&["key", "rotate"]);
        assert!(output.status.success(), "{output:?}");
    };
    let changes: [Change; 5] = [
        ("the site key was rotated", key),
        ("another authority took over", |ward| drop(ward.device(&["rotate-ca"]))),
        ("the broker got its certificate", |ward| {
            drop(ward.device(&["enroll-broker", "--host", "localhost"]));
        }),
        ("a device was renewed", |ward| {
            drop(ward.bundle(&["renew", "patch-0001"], "renewed", None));
        }),
        ("the site key was rotated again", key),
    ];
    changes.into_iter().nth(round.checked_sub(1)?)
}

fn patch(ward: &SecuredWard, id: String, identity: Identity) -> Patch {
    let client = ward.connect(&identity, &id);
    Patch {
        device: Device::new(&id),
        id,
        identity,
        client,
    }
}

/// One value of each, all underway before the first is waited for.
fn publish(patches: &mut [Patch]) {
    let mut waiting = Vec::with_capacity(patches.len());
    for patch in patches.iter_mut() {
        let message = patch.device.numerics(&[(HR, 72.0)]);
        waiting.push(patch.client.publish(&message.topic, &message.payload()).unwrap());
    }
    for (patch, id) in patches.iter().zip(waiting) {
        while patch.client.heard.recv_timeout(PATIENCE).expect("no PUBACK") != Heard::Puback(id) {}
    }
}

fn tell(what: &str, count: usize, begun: Instant) {
    println!("{count:>8}  {what}: {:.2} s", begun.elapsed().as_secs_f64());
}
