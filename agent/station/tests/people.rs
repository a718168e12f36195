//! Who may do what at the station: logging in and off, roles, displays, breaking the glass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod support;

use std::time::Duration;

use serde_json::json;
use support::people::{Browser, answering, heartbeat, login_station, login_station_and_users, told};
use support::{NOW, Page, bed, get, http, post, station, ward};
use wardlight_core::people::{Actor, Role};
use wardlight_station::{Reason, Request, What};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_stranger_gets_the_login_form_and_nothing_else() {
    let f = login_station().await;
    f.station.publish_beds(vec![bed("b1", 97)], ward(), NOW);
    for path in ["/", "/js/main.js", "/api/v1/session", "/api/v1/openapi.json"] {
        assert_eq!(get(&f.address, path).await.status, 200, "{path}");
    }
    for path in ["beds", "beds/b1", "alarms", "devices", "ward"] {
        let answer = get(&f.address, &format!("/api/v1/{path}")).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.body);
        assert!(!answer.body.contains("Okafor"));
    }
    assert_eq!(post(&f.address, "/api/v1/beds/b1/discharge", "{}").await.status, 401);
    assert_eq!(Page::with_origin(&f.address, None).await.err(), Some(401));
    let session = get(&f.address, "/api/v1/session").await.json();
    assert_eq!(
        (session["login"].clone(), session["state"].clone()),
        (json!(true), json!("none"))
    );
}

#[tokio::test]
async fn a_nurse_logs_in_acts_under_her_own_name_and_logs_off() {
    let mut f = login_station().await;
    let nurse = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    let (by, from, what) = told(&mut f.commands).await;
    assert_eq!((by, what), (Some(Actor::new("N. Klein", Role::Nurse)), What::Login));
    assert_eq!(
        (from.user.as_deref(), from.address),
        (Some("klein"), Some([127, 0, 0, 1].into()))
    );

    let session = nurse.get("/api/v1/session").await.json();
    assert_eq!(
        (session["state"].clone(), session["role"].clone()),
        (json!("person"), json!("nurse"))
    );
    assert_eq!(session["until"], json!(NOW.plus(MINUTE * 10).as_millis()));

    let mut requests = answering(f.commands);
    // A name in the body is not looked at: the person who is logged in acts.
    let answer = nurse.post("/api/v1/alarms/a/acknowledge", r#"{"by":"M. Other"}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (request, by, from) = requests.recv().await.unwrap();
    assert!(matches!(request, Request::Acknowledge { .. }));
    assert_eq!(by, Actor::new("N. Klein", Role::Nurse));
    assert_eq!((from.break_glass, from.unproved), (false, false));

    assert_eq!(nurse.delete("/api/v1/session").await.status, 200);
    assert_eq!(nurse.get("/api/v1/session").await.json()["state"], "display");
    assert_eq!(nurse.post("/api/v1/beds/b1/discharge", "{}").await.status, 401);
}

#[tokio::test]
async fn cookies_are_out_of_reach_of_scripts_and_of_other_sites() {
    let f = login_station().await;
    let body = r#"{"name":"klein","password":"correct horse"}"#;
    let answer = post(&f.address, "/api/v1/session", body).await;
    let cookies: Vec<&str> = answer.head.lines().filter(|line| line.starts_with("set-cookie")).collect();
    assert_eq!(cookies.len(), 2, "{}", answer.head);
    for cookie in cookies {
        assert!(
            cookie.contains("; HttpOnly; SameSite=Strict") && !cookie.contains("Secure"),
            "{cookie}"
        );
    }
    let origin = format!("https://{}", f.address);
    let headers = [("content-type", "application/json"), ("origin", origin.as_str())];
    let behind_tls = http(&f.address, "POST", "/api/v1/session", &headers, body).await;
    assert_eq!(behind_tls.head.matches("; Secure").count(), 2, "{}", behind_tls.head);
}

#[tokio::test]
async fn a_change_that_comes_with_a_cookie_must_come_from_our_own_page() {
    let f = login_station().await;
    let nurse = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    let headers = [("content-type", "application/json"), ("cookie", nurse.cookie.as_str())];
    let answer = http(&f.address, "POST", "/api/v1/beds/b1/discharge", &headers, "{}").await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("x-wardlight"), "{}", answer.body);
}

#[tokio::test]
async fn roles_decide_and_what_was_refused_is_told() {
    let mut f = login_station().await;
    let biomed = Browser::login(&f.address, "bauer", "correct horse").await.unwrap();
    told(&mut f.commands).await;
    let answer = biomed.post("/api/v1/beds/b1/discharge", "{}").await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["error"], "not for the role biomed");
    let (by, _, what) = told(&mut f.commands).await;
    assert_eq!(by, Some(Actor::new("J. Bauer", Role::Biomed)));
    assert_eq!(what, What::Denied("POST /beds/{bed}/discharge".into()));

    let mut requests = answering(f.commands);
    assert_eq!(
        biomed.post("/api/v1/beds/b1/attach", r#"{"device":"mon-1"}"#).await.status,
        200
    );
    assert_eq!(requests.recv().await.unwrap().1.role, Role::Biomed);
}

#[tokio::test]
async fn names_are_for_those_who_care_for_patients() {
    let f = login_station().await;
    f.station.publish_beds(vec![bed("b1", 97)], ward(), NOW);
    for (user, name) in [("klein", "Okafor, B."), ("charge", "Okafor, B."), ("bauer", ""), ("root", "")] {
        let browser = Browser::login(&f.address, user, "correct horse").await.unwrap();
        for path in ["/api/v1/beds", "/api/v1/beds/b1"] {
            let beds = browser.get(path).await.json();
            let bed = if beds["beds"].is_null() {
                &beds["bed"]
            } else {
                &beds["beds"][0]
            };
            assert_eq!(bed["stay"]["name"], name, "{user} {path}");
        }
        let snapshot = browser.open().await.frame().await;
        assert_eq!(snapshot["beds"][0]["stay"]["name"], name, "{user}");
    }
}

#[tokio::test]
async fn a_look_at_a_patient_is_told_once_in_five_minutes() {
    let mut f = login_station().await;
    f.station.publish_beds(vec![bed("b1", 97)], ward(), NOW);
    let nurse = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    told(&mut f.commands).await;
    for _ in 0..3 {
        assert_eq!(nurse.get("/api/v1/beds/b1").await.status, 200);
    }
    heartbeat(&f.station, MINUTE * 5);
    assert_eq!(nurse.get("/api/v1/beds/b1").await.status, 200);
    let looks = [told(&mut f.commands).await.2, told(&mut f.commands).await.2];
    assert_eq!(
        looks,
        [What::Viewed(support::bed_id("b1")), What::Viewed(support::bed_id("b1"))]
    );
    assert!(f.commands.try_recv().is_err());
    assert_eq!(nurse.get("/api/v1/beds").await.status, 200);
    assert_eq!(told(&mut f.commands).await.2, What::ViewedWard);
    assert_eq!(nurse.get("/api/v1/beds/b9").await.status, 404);
}

#[tokio::test]
async fn what_cannot_be_told_is_not_shown_and_not_done() {
    let f = login_station_and_users(1).await.0;
    f.station.publish_beds(vec![bed("b1", 97)], ward(), NOW);
    let nurse = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    // Nobody takes commands, and there is room for one: the login.
    let answer = nurse.get("/api/v1/beds/b1").await;
    assert_eq!(answer.status, 503);
    assert!(!answer.body.contains("Okafor"));
    assert_eq!(nurse.open_refused().await, 503);
    assert_eq!(
        Browser::login(&f.address, "charge", "correct horse")
            .await
            .unwrap_err()
            .status,
        503
    );
}

#[tokio::test]
async fn without_a_gesture_the_person_goes_and_the_display_stays() {
    let mut f = login_station().await;
    f.station.publish_beds(vec![bed("b1", 97)], ward(), NOW);
    let nurse = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    let mut page = nurse.open().await;
    assert_eq!(page.frame_of("snapshot").await["beds"][0]["stay"]["name"], "Okafor, B.");

    heartbeat(&f.station, MINUTE * 9);
    page.frame_of("heartbeat").await;
    page.text(r#"{"type":"gesture"}"#).await;
    page.text("?").await;
    page.frame_of("error").await;
    heartbeat(&f.station, MINUTE * 18);
    page.frame_of("heartbeat").await;
    heartbeat(&f.station, MINUTE * 19);
    let session = page.frame_of("session").await;
    assert_eq!(
        (session["state"].clone(), session["names"].clone()),
        (json!("display"), json!(false))
    );
    let snapshot = page.frame().await;
    assert_eq!(snapshot["type"], "snapshot");
    assert_eq!(snapshot["beds"][0]["stay"]["name"], "");
    assert_eq!(snapshot["beds"][0]["stay"]["age_years"], 71);

    // Alarms and numbers go on; acting does not.
    f.station.publish_alarm(
        &support::alarm("b1", 1, wardlight_core::alarms::AlarmState::Active),
        support::NOW,
    );
    assert_eq!(page.frame().await["type"], "alarm");
    f.station.publish_beds(vec![bed("b1", 96)], ward(), NOW.plus(MINUTE * 20));
    assert_eq!(page.frame_of("beds").await["beds"][0]["stay"]["name"], "");
    page.text(r#"{"type":"ack","alarm":"b1:desaturation:5"}"#).await;
    let refused = page.frame_of("ack_result").await;
    assert_eq!(
        (refused["ok"].clone(), refused["error"].clone()),
        (json!(false), json!("log in to act"))
    );
    assert_eq!(nurse.get("/api/v1/beds").await.json()["beds"][0]["stay"]["name"], "");

    let mut seen = Vec::new();
    while let Ok(command) = f.commands.try_recv() {
        seen.push(support::people::what(command));
    }
    assert_eq!(seen, [What::Login, What::ViewedWard, What::LoggedOff(Reason::Idle)]);
}

#[tokio::test]
async fn an_open_page_outlives_the_right_of_its_display() {
    let f = login_station().await;
    let nurse = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    let mut page = nurse.open().await;
    page.frame_of("snapshot").await;
    heartbeat(&f.station, MINUTE * 60 * 13);
    assert_eq!(page.frame_of("session").await["state"], "display");
    page.frame_of("snapshot").await;
    heartbeat(&f.station, MINUTE * 60 * 14);
    page.frame_of("heartbeat").await;
    assert_eq!(nurse.open_refused().await, 401, "a new page needs a login");
}

#[tokio::test]
async fn a_display_goes_on_after_a_restart_and_a_person_does_not() {
    let f = login_station().await;
    let nurse = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    let again = login_station().await;
    let same = Browser {
        address: again.address.clone(),
        cookie: nurse.cookie.clone(),
    };
    assert_eq!(same.get("/api/v1/session").await.json()["state"], "display");
    same.open().await.frame_of("snapshot").await;
    assert_eq!(same.post("/api/v1/beds/b1/discharge", "{}").await.status, 401);
}

#[tokio::test]
async fn breaking_the_glass_gives_a_nurses_rights_for_a_quarter_of_an_hour() {
    let mut f = login_station().await;
    f.station.publish_beds(vec![bed("b1", 97)], ward(), NOW);
    let biomed = Browser::login(&f.address, "bauer", "correct horse").await.unwrap();
    let mut page = biomed.open().await;
    page.frame_of("snapshot").await;
    let path = "/api/v1/session/break-glass";
    for reason in ["", "urgent", "       x       "] {
        let body = json!({ "reason": reason }).to_string();
        assert_eq!(biomed.post(path, &body).await.status, 422, "{reason:?}");
    }
    let answer = biomed.post(path, r#"{"reason":"no nurse on the ward"}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let until = NOW.plus(MINUTE * 15);
    assert_eq!(answer.json()["break_glass_until"], json!(until.as_millis()));
    told(&mut f.commands).await;
    let (by, _, what) = told(&mut f.commands).await;
    assert_eq!(by, Some(Actor::new("J. Bauer", Role::Biomed)));
    let reason = "no nurse on the ward".to_owned();
    assert_eq!(what, What::BreakGlass { reason, until });

    heartbeat(&f.station, Duration::from_secs(1));
    assert_eq!(page.frame_of("session").await["names"], true);
    assert_eq!(page.frame().await["beds"][0]["stay"]["name"], "Okafor, B.");
    told(&mut f.commands).await;
    let mut requests = answering(f.commands);
    assert_eq!(biomed.post("/api/v1/beds/b1/discharge", "{}").await.status, 200);
    let (_, by, from) = requests.recv().await.unwrap();
    assert_eq!((by.role, from.break_glass), (Role::Nurse, true));
    // What the own role may, it does in the own role.
    assert_eq!(biomed.post("/api/v1/devices/mon-1/detach", "{}").await.status, 200);
    let (_, by, from) = requests.recv().await.unwrap();
    assert_eq!((by.role, from.break_glass), (Role::Biomed, false));

    heartbeat(&f.station, MINUTE * 9);
    assert_eq!(biomed.post("/api/v1/devices/mon-1/detach", "{}").await.status, 200);
    heartbeat(&f.station, MINUTE * 15);
    assert_eq!(biomed.post("/api/v1/beds/b1/discharge", "{}").await.status, 403);
    assert_eq!(page.frame_of("session").await["names"], false);
    assert_eq!(page.frame().await["beds"][0]["stay"]["name"], "");
}

#[tokio::test]
async fn a_nurse_has_no_glass_to_break() {
    let f = login_station().await;
    let nurse = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    let answer = nurse
        .post("/api/v1/session/break-glass", r#"{"reason":"just because I can"}"#)
        .await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
    let mut f = login_station().await;
    let wrong = Browser::login(&f.address, "klein", "wrong").await.unwrap_err();
    let unknown = Browser::login(&f.address, "nobody", "correct horse").await.unwrap_err();
    assert_eq!((wrong.status, wrong.body.as_str()), (401, unknown.body.as_str()));
    let (by, _, what) = told(&mut f.commands).await;
    assert_eq!(by, Some(Actor::new("N. Klein", Role::Nurse)));
    assert_eq!(what, What::LoginFailed { turned_away: 0 });
    let (by, from, _) = told(&mut f.commands).await;
    assert_eq!((by, from.user), (None, None), "what was typed may be a password");
}

#[tokio::test]
async fn failures_make_the_next_login_wait_and_the_wait_ends() {
    let mut f = login_station().await;
    for _ in 0..4 {
        assert_eq!(Browser::login(&f.address, "klein", "wrong").await.unwrap_err().status, 401);
    }
    let refused = Browser::login(&f.address, "klein", "correct horse").await.unwrap_err();
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
    heartbeat(&f.station, Duration::from_secs(1));
    assert_eq!(Browser::login(&f.address, "klein", "wrong").await.unwrap_err().status, 401);
    let mut last = What::Login;
    while let Ok(command) = f.commands.try_recv() {
        last = support::people::what(command);
    }
    assert_eq!(last, What::LoginFailed { turned_away: 1 });
    heartbeat(&f.station, Duration::from_secs(4));
    assert!(Browser::login(&f.address, "klein", "correct horse").await.is_ok());
}

#[tokio::test]
async fn a_flood_of_logins_is_turned_away_and_disturbs_nothing() {
    let f = login_station().await;
    let mut page = Browser::login(&f.address, "klein", "correct horse")
        .await
        .unwrap()
        .open()
        .await;
    page.frame_of("snapshot").await;
    let flood: Vec<_> = (0..60)
        .map(|n| {
            let address = f.address.clone();
            tokio::spawn(async move { Browser::login(&address, &format!("name{n}"), "x").await.unwrap_err().status })
        })
        .collect();
    f.station.publish_beds(vec![bed("b1", 97)], ward(), NOW);
    assert_eq!(page.frame_of("beds").await["beds"][0]["bed"], "b1");
    let mut answers = Vec::new();
    for login in flood {
        answers.push(login.await.unwrap());
    }
    let looked_at = answers.iter().filter(|status| **status == 401).count();
    assert!(looked_at <= 11, "{looked_at} of one address were looked at");
    assert!(answers.iter().all(|status| [401, 429, 503].contains(status)), "{answers:?}");
}

#[tokio::test]
async fn who_is_removed_or_changed_is_logged_off() {
    let (mut f, users) = login_station_and_users(64).await;
    let nurse = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    let charge = Browser::login(&f.address, "charge", "correct horse").await.unwrap();
    for _ in 0..2 {
        told(&mut f.commands).await;
    }
    users.remove("klein");
    f.station.people_changed();
    assert_eq!(told(&mut f.commands).await.2, What::LoggedOff(Reason::Changed));
    assert_eq!(nurse.get("/api/v1/session").await.json()["state"], "display");
    assert_eq!(charge.get("/api/v1/session").await.json()["state"], "person");
}

#[tokio::test]
async fn two_people_at_two_pages_act_each_under_their_own_name() {
    let mut f = login_station().await;
    let nurse = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    let charge = Browser::login(&f.address, "charge", "correct horse").await.unwrap();
    for _ in 0..2 {
        told(&mut f.commands).await;
    }
    let mut requests = answering(f.commands);
    let (path, body) = ("/api/v1/alarms/a/acknowledge", "{}");
    let (a, b) = tokio::join!(nurse.post(path, body), charge.post(path, body));
    assert_eq!((a.status, b.status), (200, 200));
    let mut names = [requests.recv().await.unwrap().1.name, requests.recv().await.unwrap().1.name];
    names.sort();
    assert_eq!(names, ["C. Charge", "N. Klein"]);
}

#[tokio::test]
async fn a_new_login_on_the_same_page_ends_the_one_before() {
    let mut f = login_station().await;
    let nurse = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    let charge = nurse.login_again("charge", "correct horse").await.unwrap();
    assert_eq!(nurse.get("/api/v1/session").await.json()["state"], "display");
    assert_eq!(charge.get("/api/v1/session").await.json()["name"], "C. Charge");
    let seen = [
        told(&mut f.commands).await.2,
        told(&mut f.commands).await.2,
        told(&mut f.commands).await.2,
    ];
    assert_eq!(seen, [What::Login, What::Login, What::LoggedOff(Reason::Renewed)]);
}

#[tokio::test]
async fn the_two_hundred_and_fifty_seventh_person_takes_the_place_of_the_idlest() {
    let f = login_station_and_users(2000).await.0;
    let first = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    heartbeat(&f.station, Duration::from_secs(1));
    for _ in 0..256 {
        Browser::login(&f.address, "charge", "correct horse").await.unwrap();
    }
    assert_eq!(first.get("/api/v1/session").await.json()["state"], "display");
}

#[tokio::test]
async fn bad_logins_are_refused_as_any_other_body() {
    let f = login_station().await;
    let long = json!({ "name": "klein", "password": "x".repeat(300) }).to_string();
    assert_eq!(post(&f.address, "/api/v1/session", &long).await.status, 401);
    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"name":7}"#,
        r#"{"name":"","password":"x"}"#,
        r#"{"name":"a","extra":1}"#,
    ] {
        let answer = post(&f.address, "/api/v1/session", body).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.body);
    }
    let huge = json!({ "name": "klein", "password": "x".repeat(20_000) }).to_string();
    assert_eq!(post(&f.address, "/api/v1/session", &huge).await.status, 413);
}

#[tokio::test]
async fn cookies_that_are_not_ours_let_nobody_in() {
    let f = login_station().await;
    let too_long = format!("wardlight_session={}", "x".repeat(5000));
    assert_eq!(
        http(&f.address, "GET", "/api/v1/session", &[("cookie", &too_long)], "")
            .await
            .status,
        431
    );
    for cookie in [
        "wardlight_session=",
        "wardlight_session=00",
        "wardlight_display=99999999999999.00",
        "=;=;",
        "\u{7f}",
    ] {
        let answer = http(&f.address, "GET", "/api/v1/session", &[("cookie", cookie)], "").await;
        assert!(
            answer.status == 400 || answer.json()["state"] == "none",
            "{cookie}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn without_a_login_the_page_says_so_and_anybody_acts_as_charge_nurse() {
    let f = station().await;
    let session = get(&f.address, "/api/v1/session").await.json();
    assert_eq!(
        (session["login"].clone(), session["state"].clone()),
        (json!(false), json!("open"))
    );
    let early = Browser::login(&f.address, "N. Klein", "").await.unwrap_err();
    assert_eq!(early.status, 503, "the agent's clock has not been heard yet");
    heartbeat(&f.station, Duration::ZERO);
    let typed = Browser::login(&f.address, "N. Klein", "").await.unwrap();
    assert_eq!(typed.get("/api/v1/session").await.json()["role"], "charge_nurse");
    let mut requests = answering(f.commands);
    assert_eq!(typed.post("/api/v1/alarms/a/acknowledge", "{}").await.status, 200);
    let (_, by, from) = requests.recv().await.unwrap();
    assert_eq!(by, Actor::new("N. Klein", Role::ChargeNurse));
    assert_eq!(
        (from.user, from.unproved),
        (None, true),
        "a session without a login proves nobody"
    );
    assert_eq!(post(&f.address, "/api/v1/beds/b1/discharge", "{}").await.status, 200);
    let (_, unnamed, from) = requests.recv().await.unwrap();
    assert_eq!(unnamed, Actor::new("somebody at the station", Role::ChargeNurse));
    assert_eq!((from.user, from.unproved), (None, true));
    let discharge = async |name: &str| {
        let headers = [("content-type", "application/json"), ("x-wardlight-by", name)];
        http(&f.address, "POST", "/api/v1/beds/b1/discharge", &headers, "{}").await
    };
    assert_eq!(discharge("J%C3%B6rg%20K.").await.status, 200);
    assert_eq!(requests.recv().await.unwrap().1, Actor::new("Jörg K.", Role::ChargeNurse));
    for bad in ["%FF", "ro%0Aot", "%20", &"a".repeat(65)] {
        let refused = discharge(bad).await;
        assert_eq!(
            (refused.status, refused.body.contains("x-wardlight-by")),
            (422, true),
            "{bad}"
        );
    }
}
