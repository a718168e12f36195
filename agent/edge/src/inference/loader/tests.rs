//! The loader on a machine with packages: what is live is put in its place, and what does badly is taken back.

use tokio::sync::mpsc;
use wardlight_models::life::{Counted, Input as Watched, State};

use super::super::Loaded;
use super::*;
use crate::packages::Comparison;
use crate::packages::tests::{MODEL, Machine, machine, now};

/// A running loader, and what the others hear of it.
struct Running {
    machine: Machine,
    loader: Loader,
    asked: Receiver<Asked>,
    inputs: mpsc::Receiver<Input>,
}

/// With 3.1.0 live in place of the carried one.
fn running() -> Running {
    let machine = machine();
    machine.make_live();
    let (ask, asked) = sync_channel(256);
    let (input, inputs) = mpsc::channel(256);
    let mut loader = Loader::new(machine.packages.clone(), ask, input);
    loader.start();
    Running {
        machine,
        loader,
        asked,
        inputs,
    }
}

impl Running {
    /// Versions that were put in place, or beside, since the last time.
    fn put(&self) -> Vec<(&'static str, String)> {
        let asked = self.asked.try_iter().filter_map(|asked| match asked {
            Asked::Put(loaded) => Some(("live", loaded)),
            Asked::Unheard(loaded) => Some(("unheard", loaded)),
            _ => None,
        });
        asked
            .map(|(place, loaded)| (place, Loaded::version(&loaded).to_owned()))
            .collect()
    }

    /// Audit records since the last time, as they are written.
    fn audited(&mut self) -> Vec<String> {
        let said = std::iter::from_fn(|| self.inputs.try_recv().ok());
        let records = said.filter_map(|input| match input {
            Input::Audit(record) => Some(String::from_utf8(record.entry(clock::wall()).body).unwrap()),
            _ => None,
        });
        records.collect()
    }
}

#[test]
fn a_model_that_was_refused_goes_live_when_it_is_certified_and_the_others_are_left_alone() {
    let mut running = running();
    assert_eq!(
        running.put(),
        [pair("live", "3.1.0")],
        "the models of the ECG have no certificate yet"
    );
    running.loader.look();
    running.put();
    let packages = &running.machine.packages;
    let carried = packages.carried("ecg-vf").unwrap();
    packages.certificates().issue(&carried, None).unwrap();
    running.loader.look();
    assert_eq!(running.put(), [pair("live", carried.manifest().version())]);
}

fn pair(place: &'static str, version: &str) -> (&'static str, String) {
    (place, version.to_owned())
}

#[test]
fn a_live_version_has_its_predecessor_beside_it_and_every_step_is_audited_once() {
    let mut running = running();
    assert_eq!(running.put(), [pair("live", "3.1.0")]);
    let audited = running.audited();
    let steps = ["model_staged", "model_verified", "model_in_shadow", "model_live"];
    let own: Vec<&String> = audited.iter().filter(|record| record.contains("\"model_")).collect();
    assert_eq!(own.len(), steps.len(), "{audited:?}");
    for (record, step) in own.iter().zip(steps) {
        assert!(record.contains(step) && record.contains("klein"), "{record}");
    }
    running.loader.look();
    running.loader.look();
    assert_eq!(running.put(), [pair("unheard", "3.0.0")]);
    assert_eq!(running.audited(), Vec::<String>::new());
    // The next start audits nothing again.
    let (ask, _asked) = sync_channel(256);
    let (input, inputs) = mpsc::channel(256);
    let mut again = Loader::new(running.machine.packages.clone(), ask, input);
    again.start();
    running.inputs = inputs;
    assert!(!running.audited().iter().any(|record| record.contains("\"model_live\"")));
}

/// Does to the counts what a bad version would.
type Badly = Box<dyn Fn(&Ledger)>;

#[test]
fn each_guardrail_takes_the_version_back_with_its_reason() {
    let ran = |counted: Counted| {
        move |ledger: &Ledger| ledger.count([(MODEL.to_owned(), ("3.1.0".to_owned(), counted.clone()))].into())
    };
    let differs = |ledger: &Ledger| {
        let comparison = Comparison {
            live: "3.1.0".to_owned(),
            unheard: "3.0.0".to_owned(),
            compared: 1000,
            same: 900,
            ..Comparison::default()
        };
        ledger.put(MODEL, Some(comparison));
    };
    let alarms = Counted {
        alarms: 9,
        bed_seconds: 3600,
        ..Counted::default()
    };
    let late = Counted {
        batches: 1000,
        late: 20,
        ..Counted::default()
    };
    let drift = Counted {
        inputs: vec![Watched {
            name: "heart_rate".to_owned(),
            edges: vec![0.0, 80.0, 300.0],
            reference: vec![9000, 1000],
            patients: 100,
            current: vec![100, 900],
        }],
        beds: 12,
        ..Counted::default()
    };
    let cases: [(Badly, &str); 4] = [
        (Box::new(differs), "differs from its predecessor in 10.0 % of 1000 decisions"),
        (Box::new(ran(alarms)), "raises 9.0 alarms in an hour of one bed"),
        (Box::new(ran(late)), "takes longer than the deadline for 2.0 % of its batches"),
        (
            Box::new(ran(drift)),
            "gets a heart_rate that is not that of its training: PSI",
        ),
    ];
    for (badly, reason) in cases {
        let mut running = running();
        running.loader.look();
        running.put();
        running.audited();
        badly(running.loader.beside.ledger());
        running.loader.look();
        let life = running.machine.packages.life().unwrap();
        let version = life.version(MODEL, "3.1.0").unwrap();
        assert_eq!(version.state, State::Retired);
        assert!(version.why.contains(reason), "{}", version.why);
        running.loader.look();
        assert_eq!(running.put(), [pair("live", "3.0.0")], "{reason}");
        assert!(
            running
                .loader
                .taken_back(MODEL)
                .unwrap()
                .starts_with("3.1.0 was taken back by itself: it ")
        );
        let audited = running.audited();
        let retired = audited.iter().find(|record| record.contains("model_retired")).unwrap();
        assert!(retired.contains(reason) && !retired.contains("\"by\""), "{retired}");
    }
}

#[test]
fn counts_of_another_version_take_nothing_back() {
    let mut running = running();
    let late = Counted {
        batches: 1000,
        late: 1000,
        ..Counted::default()
    };
    let ledger = running.loader.ledger();
    ledger.count([(MODEL.to_owned(), ("3.0.0".to_owned(), late))].into());
    let comparison = Comparison {
        live: "3.0.0".to_owned(),
        unheard: "3.1.0".to_owned(),
        compared: 1000,
        ..Comparison::default()
    };
    ledger.put(MODEL, Some(comparison));
    let before = running.machine.life_bytes();
    running.loader.look();
    running.loader.look();
    assert_eq!(running.machine.life_bytes(), before);
}

#[test]
fn a_live_version_that_is_refused_leaves_the_one_that_runs_and_a_lost_record_is_said() {
    let mut running = running();
    running.audited();
    let packages = running.machine.packages.clone();
    packages.roll_back(MODEL, None, "tried", now()).unwrap();
    running.loader.look();
    assert_eq!(running.put(), [pair("live", "3.1.0"), pair("live", "3.0.0")]);
    // Live once more, but its files are altered before the agent looks.
    machine_again(&running);
    std::fs::write(packages.place(MODEL, "3.1.0").join("card.md"), "altered").unwrap();
    running.loader.look();
    assert!(running.put().iter().all(|(place, _)| *place != "live"));
    assert!(
        running
            .audited()
            .iter()
            .any(|record| record.contains("the one that ran goes on"))
    );
    running.loader.look();
    std::fs::remove_file(packages.file()).unwrap();
    running.loader.look();
    assert!(running.audited().iter().any(|record| record.contains("models_set_back")));
}

/// 3.1.0 goes live again.
fn machine_again(running: &Running) {
    let packages = &running.machine.packages;
    let package = packages.brought(&packages.life().unwrap(), MODEL, "3.1.0").unwrap();
    packages.verify(&package, now()).unwrap();
    packages.promote(MODEL, None, now()).unwrap();
    packages.promote(MODEL, None, now()).unwrap();
}
