//! Every state that two versions of a model can reach, and every step from each.

use std::collections::HashSet;

use super::*;

const MODEL: &str = "ecg-vf";
const VERSIONS: [&str; 2] = ["1.1.0", "1.2.0"];

#[derive(Clone, Copy, Debug)]
enum Step {
    Stage(usize),
    Verify(usize),
    Promote(usize),
    RollBack,
}

const STEPS: [Step; 7] = [
    Step::Stage(0),
    Step::Stage(1),
    Step::Verify(0),
    Step::Verify(1),
    Step::Promote(0),
    Step::Promote(1),
    Step::RollBack,
];

fn stamp(ms: i64) -> Stamp<'static> {
    Stamp {
        by: "klein",
        at: Timestamp::from_millis(ms),
    }
}

fn take(life: &mut Life, step: Step) -> Result<(), LifeError> {
    let now = stamp(1_000);
    match step {
        Step::Stage(n) => life.stage(MODEL, VERSIONS[n], VERSIONS[n], now),
        Step::Verify(n) => life.verify(MODEL, VERSIONS[n], now),
        Step::Promote(n) => life.promote(MODEL, VERSIONS[n], now).map(drop),
        Step::RollBack => life.roll_back(MODEL, "by hand", now).map(drop),
    }
}

/// What tells one situation from another: states and what a rollback comes back to.
fn situation(life: &Life) -> (Vec<Option<State>>, Vec<String>) {
    let states = VERSIONS.map(|version| life.version(MODEL, version).ok().map(|v| v.state));
    let before = life.models.get(MODEL).map(|versions| versions.before.clone());
    (states.to_vec(), before.unwrap_or_default())
}

fn check(before: &Life, step: Step, after: &Life, outcome: &Result<(), LifeError>) {
    let shown = || format!("{:?} --{step:?}--> {:?}: {outcome:?}", situation(before), situation(after));
    if let Err(refused) = outcome {
        assert_eq!(before, after, "a refused step changes nothing: {}", shown());
        let said = refused.to_string();
        assert!(said.contains(MODEL), "{said}");
    }
    for state in [State::Shadow, State::Live] {
        let count = after.versions(MODEL).iter().filter(|v| v.state == state).count();
        assert!(count <= 1, "{}", shown());
    }
    let line = &after
        .models
        .get(MODEL)
        .map(|versions| versions.before.clone())
        .unwrap_or_default();
    let distinct: HashSet<_> = line.iter().collect();
    assert_eq!(distinct.len(), line.len(), "{}", shown());
    assert!(
        line.iter().all(|version| after.version(MODEL, version).is_ok()),
        "{}",
        shown()
    );
    if let Some(live) = after.live(MODEL) {
        assert!(!line.contains(&live.version), "{}", shown());
    } else {
        assert!(line.is_empty(), "with the carried one live nothing is before it: {}", shown());
    }
    // Nothing jumps over a step.
    for change in after.history.iter().skip(before.history.len()) {
        let allowed = match change.to {
            State::Staged => matches!(change.from, None | Some(State::Retired)),
            State::Verified => matches!(change.from, Some(State::Staged | State::Retired)),
            State::Shadow => change.from == Some(State::Verified),
            State::Live => change.from == Some(State::Shadow) || matches!(step, Step::RollBack),
            State::Retired => matches!(change.from, Some(State::Shadow | State::Live)),
        };
        assert!(allowed, "{change:?}: {}", shown());
    }
    let numbers = after.history.iter().map(|change| change.number);
    assert!(numbers.eq(1..=after.history.len() as u64), "{}", shown());
    let text = serde_json::to_string(after).unwrap();
    assert_eq!(&serde_json::from_str::<Life>(&text).unwrap(), after);
}

#[test]
fn every_step_from_every_state_that_two_versions_can_reach_keeps_the_promises() {
    let mut seen = HashSet::new();
    let mut open = vec![Life::default()];
    seen.insert(situation(&Life::default()));
    let mut steps = 0;
    while let Some(life) = open.pop() {
        for step in STEPS {
            let mut next = life.clone();
            let outcome = take(&mut next, step);
            check(&life, step, &next, &outcome);
            steps += 1;
            if seen.insert(situation(&next)) {
                open.push(next);
            }
        }
    }
    let both_were_live = seen
        .iter()
        .any(|(states, before)| states.contains(&Some(State::Live)) && before.len() == 1);
    assert!(both_were_live && steps == 7 * seen.len(), "{} situations", seen.len());
}

#[test]
fn a_rollback_brings_back_one_after_the_other_and_at_last_the_carried_one() {
    let mut life = Life::default();
    for version in VERSIONS {
        life.stage(MODEL, version, version, stamp(1)).unwrap();
        life.verify(MODEL, version, stamp(2)).unwrap();
        assert_eq!(life.next(MODEL), Ok(version));
        assert_eq!(life.promote(MODEL, version, stamp(3)), Ok(State::Shadow));
        assert_eq!(life.promote(MODEL, version, stamp(4)), Ok(State::Live));
    }
    assert_eq!(life.predecessor(MODEL), Some(Some(VERSIONS[0])));
    assert_eq!(
        life.roll_back(MODEL, "too many alarms", stamp(5)),
        Ok(Some(VERSIONS[0].to_owned()))
    );
    assert_eq!(life.version(MODEL, VERSIONS[1]).unwrap().why, "too many alarms");
    assert_eq!(life.predecessor(MODEL), Some(None));
    assert_eq!(life.roll_back(MODEL, "by hand", stamp(6)), Ok(None));
    assert_eq!(life.live(MODEL), None);
    let last = life.history().last().unwrap();
    assert_eq!(
        (last.from, last.to, last.by.as_str(), last.at_ms),
        (Some(State::Live), State::Retired, "klein", 6)
    );
}

#[test]
fn what_is_refused_says_what_to_do() {
    let mut life = Life::default();
    let said = |outcome: Result<State, LifeError>| outcome.unwrap_err().to_string();
    assert!(said(life.promote(MODEL, "1.1.0", stamp(1))).contains("wardlight model stage PACKAGE brings it"));
    assert!(
        life.next(MODEL)
            .unwrap_err()
            .to_string()
            .contains("wardlight model stage PACKAGE")
    );
    for version in VERSIONS {
        life.stage(MODEL, version, "package", stamp(1)).unwrap();
    }
    assert!(said(life.promote(MODEL, "1.1.0", stamp(1))).contains("run wardlight model verify ecg-vf 1.1.0 first"));
    assert!(
        life.next(MODEL)
            .unwrap_err()
            .to_string()
            .contains("say which of 1.1.0, 1.2.0")
    );
    let differs = life.stage(MODEL, "1.1.0", "another", stamp(2)).unwrap_err().to_string();
    assert!(differs.contains("raise version in manifest.toml"), "{differs}");
    let here = life.stage(MODEL, "1.1.0", "package", stamp(2)).unwrap_err().to_string();
    assert!(here.contains("already, staged"), "{here}");
    let nothing = life.roll_back(MODEL, "", stamp(2)).unwrap_err().to_string();
    assert!(nothing.contains("nothing before it"), "{nothing}");
}

#[test]
fn the_history_keeps_the_newest_and_goes_on_counting() {
    let mut life = Life::default();
    life.stage(MODEL, "1.1.0", "package", stamp(1)).unwrap();
    for _ in 0..HISTORY {
        life.verify(MODEL, "1.1.0", stamp(2)).unwrap();
        life.promote(MODEL, "1.1.0", stamp(2)).unwrap();
        life.promote(MODEL, "1.1.0", stamp(2)).unwrap();
        life.roll_back(MODEL, "again", stamp(2)).unwrap();
    }
    let history = life.history();
    assert_eq!(history.len(), HISTORY);
    assert_eq!(history.last().unwrap().number, 1 + 4 * HISTORY as u64);
}

#[test]
fn a_new_live_version_has_its_predecessor_beside_it_for_a_while_and_then_the_shadow() {
    let hour = Duration::from_hours(1);
    let mut life = Life::default();
    let at = |ms| Timestamp::from_millis(ms);
    assert_eq!(life.unheard(MODEL, at(5), hour), None);
    for version in VERSIONS {
        life.stage(MODEL, version, version, stamp(1)).unwrap();
        life.verify(MODEL, version, stamp(2)).unwrap();
        life.promote(MODEL, version, stamp(3)).unwrap();
        assert_eq!(life.unheard(MODEL, at(5_000_000), hour), Some(Some(version)));
        if version == VERSIONS[0] {
            life.promote(MODEL, version, stamp(4)).unwrap();
        }
    }
    assert_eq!(life.unheard(MODEL, at(3_600_003), hour), Some(None), "the carried one");
    assert_eq!(life.unheard(MODEL, at(3_600_004), hour), Some(Some(VERSIONS[1])));
    life.promote(MODEL, VERSIONS[1], stamp(4_000_000)).unwrap();
    assert_eq!(life.unheard(MODEL, at(4_000_001), hour), Some(Some(VERSIONS[0])));
    assert_eq!(life.unheard(MODEL, at(7_600_000), hour), None);
}
