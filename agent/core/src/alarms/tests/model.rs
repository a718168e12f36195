//! Every reachable state of a bed with one red and one yellow condition, whatever people, patients and time do to it.
//!
//! Time goes in steps of 30 s, which is the greatest common divisor of all intervals but the merging of 10 s (conditions
//! either begin at the same time, and merge, or do not). States are compared by what is left of each interval, so there
//! are finitely many, and the search ends when no step leads to a new one.

use std::collections::{HashMap, VecDeque};

use super::*;
use crate::alarms::{AlarmState, Audio, Receiver};
use Step::*;

const STEP_S: u64 = 30;

/// What is true of the patient and the people, beside the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Truth {
    red_present: bool,
    yellow_present: bool,
    /// A red condition began and nobody has taken note of it since.
    red_owed: bool,
}

#[derive(Clone)]
struct World {
    bed: Bed,
    truth: Truth,
}

fn steps() -> Vec<Step> {
    let mut steps = vec![Pause(120), Resume, Wait(STEP_S)];
    for kind in [RED, YELLOW] {
        steps.extend([
            Raise(kind.clone()),
            End(kind.clone()),
            Ack(kind.clone()),
            Accept(kind.clone()),
            Reject(kind.clone()),
            Escalate(kind.clone()),
            Set(kind.clone(), Some(Inactivation::AudioOff)),
            Set(kind.clone(), Some(Inactivation::AlarmOff)),
            Set(kind, None),
        ]);
    }
    steps
}

impl World {
    fn step(&self, step: &Step) -> Self {
        let mut next = self.clone();
        let changes = next.bed.step(step);
        let truth = &mut next.truth;
        match step {
            Raise(RED) if !truth.red_present => (truth.red_present, truth.red_owed) = (true, true),
            Raise(YELLOW) => truth.yellow_present = true,
            End(RED) => truth.red_present = false,
            End(YELLOW) => truth.yellow_present = false,
            Ack(RED) => truth.red_owed = false,
            _ => {}
        }
        // The condition of a yellow alarm that is switched off and on again is said by the next value.
        truth.red_owed |= changes.iter().any(|c| c.kind == RED && c.transition == Transition::Reminded);
        next
    }

    /// What tells two states apart: everything but the absolute time.
    fn key(&self) -> String {
        let now = self.bed.now;
        let age = |at: Timestamp| now.since(at).as_secs().min(300) / STEP_S;
        let left = |at: Timestamp| at.since(now).as_secs() / STEP_S;
        let alarms = &self.bed.alarms;
        let mut parts = vec![format!("{:?}", self.truth)];
        let mut standing: Vec<_> = alarms.alarms.iter().collect();
        standing.sort_by(|a, b| a.kind.cmp(&b.kind));
        for a in standing {
            let call = alarms.calls.iter().find(|call| call.id == a.call).filter(|_| a.calls());
            let call = call.map(|c| {
                (
                    age(c.began_at),
                    c.receiver,
                    c.accepted.as_ref().map(|(_, until)| left(*until)),
                )
            });
            let together = alarms.alarms.iter().filter(|b| b.call == a.call && b.calls()).count();
            let acknowledged = a.acknowledged.as_ref().map(|(_, at)| age(*at));
            parts.push(format!(
                "{} {:?} {:?} {acknowledged:?} {call:?} {together}",
                a.kind, a.state, a.priority
            ));
        }
        let mut inactivated: Vec<_> = alarms
            .inactivated()
            .iter()
            .map(|i| format!("{} {:?}", i.kind, i.how))
            .collect();
        inactivated.sort();
        parts.push(format!("{inactivated:?} {:?}", alarms.pause().map(|pause| left(pause.until))));
        parts.join("|")
    }

    /// The promises. Returns the first that is broken.
    fn broken(&self) -> Option<&'static str> {
        let views = self.bed.alarms.views();
        let red = views.iter().find(|a| a.kind == RED);
        let truth = self.truth;
        match red {
            None if truth.red_present => return Some("a red condition is present and no alarm stands"),
            None if truth.red_owed => return Some("a red condition began, nobody took note, and no alarm stands"),
            Some(a) if truth.red_owed && a.state == AlarmState::Acknowledged => {
                return Some("an alarm counts as acknowledged that nobody acknowledged");
            }
            Some(a) if truth.red_owed && a.audio != Audio::On => return Some("an unheeded red alarm is silent"),
            Some(a) if truth.red_present && a.state == AlarmState::Latched => return Some("a present condition counts as over"),
            Some(a) if a.priority != Priority::High => return Some("a red alarm is not of high priority"),
            _ => {}
        }
        // The next tick, a quarter of a second later at most, has done what is due.
        let mut ticked = self.bed.clone();
        ticked.step(&Wait(0));
        let alarms = &ticked.alarms;
        for alarm in alarms.alarms.iter().filter(|a| a.calls()) {
            let Some(call) = alarms.calls.iter().find(|call| call.id == alarm.call) else {
                return Some("an alarm calls in no call: it would never escalate");
            };
            let held = call.accepted.as_ref().is_some_and(|(_, until)| ticked.now < *until);
            let unanswered = ticked.now.since(call.began_at).as_secs() >= 60;
            if alarm.kind == RED && unanswered && !held && call.receiver != Receiver::ChargeNurse {
                return Some("nobody answered a red alarm for a minute and the charge nurse is not called");
            }
        }
        let reminded = alarms.alarms.iter().all(|a| {
            let at = a.acknowledged.as_ref().filter(|_| a.state == AlarmState::Acknowledged);
            at.is_none_or(|(_, at)| ticked.now.since(*at) < crate::alarms::REMIND_AFTER)
        });
        (!reminded).then_some("an acknowledged condition goes on and nobody is reminded")
    }
}

#[test]
fn no_reachable_state_has_a_red_condition_present_unacknowledged_and_silent() {
    let steps = steps();
    let start = World {
        bed: Bed::new(),
        truth: Truth::default(),
    };
    let mut ways: HashMap<String, (Option<String>, Option<Step>)> = HashMap::from([(start.key(), (None, None))]);
    let mut open = VecDeque::from([start]);
    let mut transitions = 0_u32;
    while let Some(world) = open.pop_front() {
        let from = world.key();
        for step in &steps {
            transitions += 1;
            let next = world.step(step);
            let key = next.key();
            if ways.contains_key(&key) {
                continue;
            }
            ways.insert(key.clone(), (Some(from.clone()), Some(step.clone())));
            if let Some(promise) = next.broken() {
                panic!("{promise}\nafter {:#?}\nin {key}", way(&ways, &key));
            }
            assert!(
                ways.len() < 2_000_000,
                "the states do not end: the key holds something that grows"
            );
            open.push_back(next);
        }
    }
    println!("{} states, {transitions} transitions", ways.len());
    assert!(ways.len() > 1_000, "the search found only {} states", ways.len());
}

/// How a state was reached.
fn way(ways: &HashMap<String, (Option<String>, Option<Step>)>, key: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = key.to_owned();
    while let Some((Some(from), Some(step))) = ways.get(&at) {
        steps.push(step.clone());
        at.clone_from(from);
    }
    steps.reverse();
    steps
}
