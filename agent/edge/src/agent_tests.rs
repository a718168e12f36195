//! What the Ward's thread notices by itself.

use std::sync::mpsc::Receiver;

use serde_json::json;
use tokio::sync::mpsc::Sender;

use super::*;
use crate::fixture::{Fixture, at, message};
use crate::inference::Asked;
use wardlight_core::ids::BedId;
use wardlight_core::rhythm::{Rhythm, RhythmFinding};

const DEADLINE: Duration = Duration::from_millis(500);

/// An agent whose loop the test is, and the end that keeps its inbox open.
fn agent(pipeline: Pipeline) -> (Agent, Sender<Input>) {
    let (inbox, inputs) = tokio::sync::mpsc::channel(8);
    let signals = Signals {
        stuck: watch::channel(false).0,
        live_feed: watch::channel(false).0,
    };
    let agent = Agent::new(pipeline, inputs, Arc::default(), DEADLINE, signals).unwrap();
    (agent, inbox)
}

/// When the risk was asked for that waits next.
fn next_risk(requests: &Receiver<Asked>) -> Timestamp {
    match requests.try_recv().unwrap() {
        Asked::Risk(request) => request.asked_at,
        other => panic!("{other:?}"),
    }
}

impl Agent {
    /// What the page shows.
    fn shown(&self) -> ModelStatus {
        self.pipeline.ward.overview().model
    }
}

#[test]
fn an_inference_that_never_answers_is_late_within_the_deadline_and_live_again_when_answers_come_in_time() {
    let Fixture { pipeline, requests, .. } = Fixture::new();
    let (mut agent, _inbox) = agent(pipeline);
    agent.on_model(ModelStatus::Live, at(0));
    let measured = json!({"m": [{"c": 147_842, "x": 80}]});
    agent
        .pipeline
        .on_inbound(&message("num", 1, at(1000), &measured, None), at(1000));
    agent.pipeline.tick(at(1250));
    let asked_at = next_risk(&requests);

    agent.watch_model(asked_at.plus(DEADLINE));
    assert_eq!(agent.shown(), ModelStatus::Live);
    agent.watch_model(asked_at.plus(DEADLINE + Duration::from_millis(1)));
    assert_eq!(agent.shown(), ModelStatus::Late);

    agent.on_score(None, Duration::from_secs(5), asked_at.plus(Duration::from_secs(5)));
    assert_eq!(agent.shown(), ModelStatus::Late, "the answer came, but too late");
    agent.pipeline.tick(at(90_000));
    let asked_at = next_risk(&requests);
    agent.on_score(None, Duration::from_millis(9), asked_at.plus(DEADLINE));
    assert_eq!(agent.shown(), ModelStatus::Live);
}

#[test]
fn an_inference_thread_that_died_leaves_the_rules_and_says_so() {
    let Fixture { pipeline, requests, .. } = Fixture::new();
    let (mut agent, _inbox) = agent(pipeline);
    agent.on_model(ModelStatus::Live, at(0));
    drop(requests);
    let measured = json!({"m": [{"c": 147_842, "x": 80}]});
    agent
        .pipeline
        .on_inbound(&message("num", 1, at(1000), &measured, None), at(1000));
    agent.pipeline.tick(at(1250));
    agent.watch_model(at(1250));
    assert_eq!(agent.shown(), ModelStatus::Gone);
}

#[test]
fn what_ecg_models_said_is_over_when_their_thread_is_gone_or_silent_for_too_long() {
    for gone in [true, false] {
        let Fixture { pipeline, requests, .. } = Fixture::new();
        let (mut agent, _inbox) = agent(pipeline);
        agent.on_model_health(ModelHealth {
            id: "ecg-vf".to_owned(),
            link: Link::Up,
            ..ModelHealth::default()
        });
        let bed = BedId::new("B1").unwrap();
        // A second of a lead; what is heard of it waits for the models.
        let wave = |agent: &mut Agent, ms: i64| {
            let block = json!({"c": 131_330, "fs": 250, "s": vec![0; 250]});
            agent
                .pipeline
                .on_inbound(&message("wave/131330", ms as u32, at(ms), &block, None), at(ms + 1000));
        };
        wave(&mut agent, 1000);
        let hearing = agent.pipeline.rhythms.hearing(&bed).unwrap();
        let vf = RhythmFinding {
            rhythm: Rhythm::VentricularFibrillation,
            present: true,
            onset_at: at(1000),
        };
        let found = |findings| Found {
            bed: bed.clone(),
            hearing,
            findings,
            sightings: Vec::new(),
        };
        agent.pipeline.on_found(found(vec![vf]), at(2000));
        assert_eq!(agent.pipeline.ward.rhythms_in(&bed), [Rhythm::VentricularFibrillation]);
        let late = if gone {
            drop(requests);
            wave(&mut agent, 2000);
            at(3000)
        } else {
            at(2000).plus(ECG_MODELS_LOST + Duration::from_millis(1))
        };
        agent.watch_model(late);
        assert_eq!(agent.pipeline.ward.rhythms_in(&bed), [], "gone {gone}");
        let health = agent.health_now();
        assert!(matches!(&health.models.first().unwrap().link, Link::Down { since, .. } if *since == late));
        // Answers about the hearing before, should they still come, count no more.
        agent.pipeline.on_found(found(vec![vf]), late);
        assert_eq!(agent.pipeline.ward.rhythms_in(&bed), []);
    }
}

#[test]
fn a_journal_that_cannot_commit_is_shown_and_the_live_feed_goes_on_until_the_copies_have_caught_up() {
    let ward = Fixture::new();
    let (acker, progress) = (ward.acker, ward.progress);
    let (mut agent, _inbox) = agent(ward.pipeline);
    let start = clock::instant();
    agent.watch_journal(at(0), start);
    assert!(!*agent.stuck.borrow() && !*agent.live_feed.borrow());

    agent.watch_journal(at(10_000), start + Duration::from_secs(10));
    assert!(*agent.stuck.borrow() && *agent.live_feed.borrow());
    assert!(matches!(&agent.health.journal, Link::Down { reason, .. } if reason.contains("Alarms go on")));
    agent.on_session(SessionEvent::LiveFeed { up: false }, at(10_000));
    assert!(matches!(&agent.health.journal, Link::Down { reason, .. } if reason.contains("may not be heard")));
    agent.on_session(SessionEvent::LiveFeed { up: true }, at(10_000));
    assert!(matches!(&agent.health.journal, Link::Down { reason, .. } if reason.contains("Alarms go on")));
    let measured = json!({"m": [{"c": 147_842, "x": 80}]});
    let mut heard = message("num", 1, at(10_000), &measured, None);
    heard.live = true;
    agent.on_session(SessionEvent::Message(heard), at(10_000));

    progress.reach(1000);
    agent.watch_journal(at(20_000), start + Duration::from_secs(20));
    assert!(!*agent.stuck.borrow());
    assert_eq!(agent.health.journal, Link::Up);
    assert!(*agent.live_feed.borrow(), "its copy is still behind others");
    let copy = message("num", 1, at(10_000), &measured, Some(acker.direct_ticket().0));
    agent.on_session(SessionEvent::Message(copy), at(21_000));
    agent.watch_journal(at(21_000), start + Duration::from_secs(21));
    assert!(!*agent.live_feed.borrow());
}

#[test]
fn a_restart_knows_that_copies_of_what_was_heard_live_are_still_to_be_recorded() {
    let mut ward = Fixture::new();
    let (mut agent, _inbox) = agent(ward.pipeline);
    let mut heard = message("num", 1, at(1000), &json!({"m": [{"c": 147_842, "x": 80}]}), None);
    heard.live = true;
    agent.on_session(SessionEvent::Message(heard), at(1000));
    agent.checkpoint(at(1250));
    ward.pipeline = agent.pipeline;
    assert_eq!(ward.restored().heard_live_at, Some(at(1000)));
}

#[test]
fn states_do_not_pile_up_beside_a_journal_that_cannot_commit() {
    let mut ward = Fixture::new();
    let (mut agent, _inbox) = agent(ward.pipeline);
    let start = clock::instant();
    agent.watch_journal(at(0), start);
    agent.watch_journal(at(10_000), start + Duration::from_secs(10));
    agent.checkpoint(at(10_000));
    ward.pipeline = agent.pipeline;
    assert!(ward.restored().replayed > 0, "a checkpoint was written");
}
