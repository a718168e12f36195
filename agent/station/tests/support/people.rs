//! A station with a login, and browsers that keep their cookies.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use wardlight_core::people::{Actor, Role};
use wardlight_station::{Directory, Member, Origin, People, Request, Station, StationCommand, What, WhatIfAnswer, WhatIfSide};

use super::{Answer, Fixture, NOW, Page, http, station_for, ward};

/// Everybody's password.
const PASSWORD: &str = "correct horse";
const USERS: [(&str, &str, Role); 4] = [
    ("klein", "N. Klein", Role::Nurse),
    ("charge", "C. Charge", Role::ChargeNurse),
    ("bauer", "J. Bauer", Role::Biomed),
    ("root", "A. Admin", Role::Admin),
];

/// Who may log in.
#[derive(Debug, Default)]
pub(crate) struct Users {
    removed: Mutex<BTreeSet<String>>,
}

impl Directory for Users {
    fn check(&self, user: &str, password: &str) -> Option<Member> {
        self.member(user).filter(|_| password == PASSWORD)
    }

    fn member(&self, user: &str) -> Option<Member> {
        let (user, name, role) = USERS.into_iter().find(|(known, _, _)| *known == user)?;
        (!self.removed.lock().unwrap().contains(user)).then(|| Member {
            user: user.into(),
            name: name.into(),
            role,
            version: "1".into(),
        })
    }
}

impl Users {
    pub(crate) fn remove(&self, user: &str) {
        self.removed.lock().unwrap().insert(user.to_owned());
    }
}

/// A station with a login, and its users.
pub(crate) async fn login_station_and_users(room: usize) -> (Fixture, Arc<Users>) {
    let users = Arc::new(Users::default());
    let directory: Arc<dyn Directory> = Arc::<Users>::clone(&users);
    let people = People::with_login(directory, Duration::from_hours(12), Duration::from_mins(10), [7; 32]);
    let fixture = station_for(people, room).await;
    heartbeat(&fixture.station, Duration::ZERO);
    (fixture, users)
}

pub(crate) async fn login_station() -> Fixture {
    login_station_and_users(64).await.0
}

/// A beat of the agent's heart this long after [`NOW`]: the station's only clock.
pub(crate) fn heartbeat(station: &Station, after: Duration) {
    station.publish_beds(Vec::new(), ward(), NOW.plus(after));
}

/// The next happening.
pub(crate) async fn told(commands: &mut mpsc::Receiver<StationCommand>) -> (Option<Actor>, Origin, What) {
    match commands.recv().await.unwrap() {
        StationCommand::Happened(happening) => (happening.by, happening.from, happening.what),
        other => panic!("{other:?}"),
    }
}

/// What a command says that happened.
pub(crate) fn what(command: StationCommand) -> What {
    match command {
        StationCommand::Happened(happening) => happening.what,
        other => panic!("{other:?}"),
    }
}

/// Grants every request and hands it on; happenings are passed over.
pub(crate) fn answering(mut commands: mpsc::Receiver<StationCommand>) -> mpsc::Receiver<(Request, Actor, Origin)> {
    let (sender, seen) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Some(command) = commands.recv().await {
            match command {
                StationCommand::Request {
                    request,
                    by,
                    from,
                    reply,
                } => {
                    sender.send((request, by, from)).await.unwrap();
                    reply.send(Ok(())).unwrap();
                }
                StationCommand::WhatIf { reply, .. } => reply.send(Ok(nothing_changes())).unwrap(),
                StationCommand::Receipt { .. } | StationCommand::Happened(_) => {}
            }
        }
    });
    seen
}

/// A browser with the cookies of a login.
#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) address: String,
    pub(crate) cookie: String,
}

impl Browser {
    pub(crate) async fn login(address: &str, name: &str, password: &str) -> Result<Self, Answer> {
        let nobody = Self {
            address: address.to_owned(),
            cookie: String::new(),
        };
        nobody.login_again(name, password).await
    }

    /// Logs in on the same page.
    pub(crate) async fn login_again(&self, name: &str, password: &str) -> Result<Self, Answer> {
        let body = serde_json::json!({ "name": name, "password": password }).to_string();
        let answer = self.post("/api/v1/session", &body).await;
        if answer.status != 200 {
            return Err(answer);
        }
        let set = answer.head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let cookies: Vec<&str> = set.filter_map(|cookie| cookie.split(';').next()).collect();
        Ok(Self {
            address: self.address.clone(),
            cookie: cookies.join("; "),
        })
    }

    async fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut headers = vec![("content-type", "application/json"), ("x-wardlight", "page")];
        if !self.cookie.is_empty() {
            headers.push(("cookie", self.cookie.as_str()));
        }
        http(&self.address, method, path, &headers, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, "").await
    }

    pub(crate) async fn open(&self) -> Page {
        Page::with_headers(&self.address, &[("cookie", &self.cookie)])
            .await
            .expect("the page was refused")
    }

    /// With which status the socket is refused.
    pub(crate) async fn open_refused(&self) -> u16 {
        Page::with_headers(&self.address, &[("cookie", &self.cookie)])
            .await
            .err()
            .expect("the page was let in")
    }
}

fn nothing_changes() -> WhatIfAnswer {
    let side = || WhatIfSide {
        alarms_per_bed_day: 1.5,
        by_kind: std::collections::BTreeMap::from([("spo2_low".to_owned(), 3)]),
    };
    WhatIfAnswer {
        bed_days: 2.0,
        before: side(),
        after: side(),
        gained: 0,
        lost: 0,
        earlier_s: 0.0,
        later_s: 0.0,
    }
}
