//! Who is at a page, as the page sees it.

use schemars::JsonSchema;
use serde::Serialize;
use wardlight_core::time::Timestamp;

use crate::people::{People, Standing, Visitor};

/// Answer of `GET /session`, and the `session` frame.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session", description = "Who is at this page; also the `session` frame.")]
pub(crate) struct SessionJson<'a> {
    now: i64,
    /// Whether there is a login at all.
    login: bool,
    /// `none`: only the login form may be shown. `display`: numbers and alarms without names. `person`: somebody is logged in.
    /// `open`: there is no login, and whoever is there may act.
    #[schemars(extend("enum" = ["none", "display", "person", "open"]))]
    state: &'static str,
    /// Login name.
    user: Option<&'a str>,
    /// Name that stands with what the person does.
    name: Option<&'a str>,
    #[schemars(extend("enum" = ["nurse", "charge_nurse", "biomed", "admin", null]))]
    role: Option<&'static str>,
    /// Whether names of patients are shown.
    names: bool,
    /// When the person is logged off, unless there is a gesture.
    until: Option<i64>,
    /// Until when a socket may be opened without another login.
    display_until: Option<i64>,
    /// Until when the person has the rights of a nurse.
    break_glass_until: Option<i64>,
}

impl<'a> SessionJson<'a> {
    pub(crate) fn new(people: &People, visitor: &Visitor, standing: &'a Standing, now: Timestamp) -> Self {
        let person = match standing {
            Standing::Person(person) => Some(person),
            Standing::Stranger | Standing::Display | Standing::Anybody => None,
        };
        Self {
            now: now.as_millis(),
            login: people.login(),
            state: match standing {
                Standing::Stranger => "none",
                Standing::Display => "display",
                Standing::Anybody => "open",
                Standing::Person(_) => "person",
            },
            user: person.map(|person| person.user.as_str()),
            name: person.map(|person| person.name.as_str()),
            role: person.map(|person| person.role.name()),
            names: standing.sees_names(),
            until: person.map(|person| person.until.as_millis()),
            display_until: visitor.display_until.map(Timestamp::as_millis),
            break_glass_until: person.and_then(|person| person.glass_until).map(Timestamp::as_millis),
        }
    }
}
