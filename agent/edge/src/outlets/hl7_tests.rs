//! An alarm manager on loopback that refuses, hangs up, or acknowledges something else.

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use wardlight_core::message::Priority;

use super::super::queue::queue;
use super::*;

/// What the manager does with each message, in turn; then it accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Accept,
    Refuse,
    HangUp,
    AcknowledgeAnother,
}

/// Takes messages until it has answered `messages` of them with an acknowledgement of their own.
async fn manager(turns: Vec<Turn>, messages: usize) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = tokio::spawn(async move {
        let mut turns = turns.into_iter();
        let (mut seen, mut answered) = (Vec::new(), 0);
        while answered < messages {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut frames = Frames::new(MAX_ACK);
            let mut bytes = [0; 1024];
            while answered < messages {
                let read = stream.read(&mut bytes).await.unwrap();
                if read == 0 {
                    break;
                }
                let (_, Some(Frame::Message(message))) = frames.take(&bytes[..read]) else {
                    continue;
                };
                let text = String::from_utf8(message).unwrap();
                let id = text.split('|').nth(9).unwrap().to_owned();
                seen.push(id.clone());
                let (code, id) = match turns.next().unwrap_or(Turn::Accept) {
                    Turn::Accept => ("CA", id),
                    Turn::Refuse => ("CR", id),
                    Turn::AcknowledgeAnother => ("CA", "another".to_owned()),
                    Turn::HangUp => break,
                };
                let own = id != "another";
                let ack = format!("MSH|^~\\&|am||||2026||ACK^R40^ACK|1|P|2.6\rMSA|{code}|{id}\r");
                stream.write_all(&mllp::frame(ack.as_bytes())).await.unwrap();
                answered += usize::from(own);
            }
        }
        seen
    });
    (address, serving)
}

fn notice(revision: u32) -> Notice {
    let body = format!(
        r#"{{"v":1,"id":"B01:apnoea:7","revision":{revision},"site":"s","unit":"icu","bed":"B01","kind":"apnoea","text":"Apnoea",
        "priority":"high","state":"active","onset_at":7,"raised_at":8,"changed_at":9}}"#
    );
    Notice {
        topic: "ward/v1/s/icu/B01/alert".into(),
        body: body.into(),
        delivery_id: format!("B01:apnoea:7#{revision}"),
    }
}

/// Delivers these revisions; returns the control ids that the manager saw, in the order of revisions numbered from 0.
async fn deliver(turns: &[Turn], revisions: u32) -> Vec<usize> {
    let (address, serving) = manager(turns.to_vec(), revisions as usize).await;
    let (sender, receiver) = queue(8);
    for revision in 1..=revisions {
        assert!(sender.push(notice(revision), Priority::High).is_none());
    }
    drop(sender);
    let config = Hl7AlarmsConfig {
        address,
        timeout: Duration::from_secs(5),
        queue: 8,
    };
    AlarmManager::new(&config).run(receiver).await;
    let alert = |revision: u32| Alert::from_json(&notice(revision).body).unwrap();
    let ids: Vec<String> = (1..=revisions).map(|revision| alarm(&alert(revision)).control_id).collect();
    let seen = serving.await.unwrap();
    seen.iter()
        .map(|id| ids.iter().position(|known| known == id).unwrap())
        .collect()
}

#[tokio::test]
async fn alarms_are_acknowledged_one_by_one_on_one_connection() {
    assert_eq!(deliver(&[], 3).await, [0, 1, 2]);
}

#[tokio::test]
async fn an_alarm_that_is_refused_does_not_hold_up_the_next() {
    assert_eq!(deliver(&[Turn::Refuse], 2).await, [0, 1]);
}

#[tokio::test]
async fn an_alarm_without_its_own_acknowledgement_is_sent_again_under_the_same_id() {
    assert_eq!(deliver(&[Turn::HangUp, Turn::AcknowledgeAnother], 2).await, [0, 0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_manager_that_never_answers_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Hl7AlarmsConfig {
        address: listener.local_addr().unwrap().to_string(),
        timeout: Duration::from_secs(5),
        queue: 8,
    };
    let mut manager = AlarmManager::new(&config);
    assert_eq!(
        manager.attempt(&notice(1)).await,
        Err("no acknowledgement in time".to_owned())
    );
}
