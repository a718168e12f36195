//! What is looked at more closely: a bed, trends of a day, alarms with their receipts, the figures of the ward and of the agent.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wardlight_core::event::Refusal;
use wardlight_core::time::Timestamp;

use super::access::{Access, PEOPLE, Visit};
use super::api::{Outcome, bed_id, fresh};
use super::body::ApiError;
use super::route::Route;
use crate::burden::{self, Burden};
use crate::history::Episode;
use crate::people::Sight;
use crate::station::Station;
use crate::trends::STEP_S;
use crate::wire::{AlarmAtBedJson, DetailJson, SystemJson};

/// Hours that can be asked for: what is kept.
const MAX_HOURS: i64 = 72;

#[rustfmt::skip]
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/beds/{bed}", PEOPLE, "One bed in detail; the look is audited", get(detail)).answers::<Detail<'_>>(),
        Route::get("/beds/{bed}/trends", Access::Watch, "A bed's last 24 hours in minutes", get(trends)).answers::<TrendsJson>(),
        Route::get("/history", Access::Watch, "Alarms of the last hours with their receipts", get(history))
            .answers::<HistoryJson<'_>>(),
        Route::get("/system", PEOPLE, "The agent itself, for technicians", get(system)).answers::<SystemJson<'_>>(),
        Route::get("/burden", Access::Watch, "How many alarms, how fast, and blind time", get(burden)).answers::<Burden>(),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    hours: Option<i64>,
    bed: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Detail<'a> {
    now: i64,
    bed: DetailJson<'a>,
}

#[derive(Serialize, JsonSchema)]
struct TrendsJson {
    now: i64,
    step_s: i64,
    from: i64,
    parameters: BTreeMap<&'static str, Vec<Option<f64>>>,
}

#[derive(Serialize, JsonSchema)]
struct HistoryJson<'a> {
    now: i64,
    /// From when on it is complete, where that is later than what was asked for.
    since: Option<i64>,
    episodes: Vec<EpisodeJson<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct EpisodeJson<'a> {
    #[serde(flatten)]
    alarm: AlarmAtBedJson<'a>,
    reached: &'static str,
    receipts: ReceiptsJson,
}

#[derive(Serialize, JsonSchema)]
#[expect(
    clippy::struct_field_names,
    reason = "each is a time, and the field's name says so everywhere"
)]
struct ReceiptsJson {
    sampled_at: Option<i64>,
    received_at: Option<i64>,
    decided_at: Option<i64>,
    signalled_at: Option<i64>,
    displayed_at: Option<i64>,
    seen_at: Option<i64>,
    acknowledged_at: Option<i64>,
    ended_at: Option<i64>,
}

async fn detail(State(station): State<Station>, visit: Visit, Path(bed): Path<String>) -> Outcome {
    let bed = bed_id(&bed)?;
    let board = station.state();
    let Some(view) = board.seen().find(|view| view.bed == bed) else {
        return Err(ApiError::new(StatusCode::NOT_FOUND, &Refusal::UnknownBed(bed).to_string()));
    };
    let sight = Sight::Bed(bed, view.stay.as_ref().map(|stay| stay.stay));
    visit.tell(&station, &sight)?;
    Ok(fresh(&Detail {
        now: board.now.as_millis(),
        bed: DetailJson::shown(view, visit.standing.sees_names()),
    }))
}

async fn trends(State(station): State<Station>, Path(bed): Path<String>) -> Outcome {
    let bed = bed_id(&bed)?;
    let now = station.now();
    let trend = station.trend(&bed, now);
    Ok(fresh(&TrendsJson {
        now: now.as_millis(),
        step_s: STEP_S,
        from: trend.from.as_millis(),
        parameters: trend.columns.into_iter().map(|(p, values)| (p.name(), values)).collect(),
    }))
}

async fn history(State(station): State<Station>, Query(asked): Query<Asked>) -> Outcome {
    let now = station.now();
    let from = Timestamp::from_millis(now.as_millis() - asked.hours()? * 3_600_000);
    let answer = station.with_history(|history| {
        let here = |e: &&Episode| asked.bed.as_deref().is_none_or(|bed| e.bed.as_str() == bed);
        fresh(&HistoryJson {
            now: now.as_millis(),
            since: history.since().filter(|since| *since > from).map(Timestamp::as_millis),
            episodes: history.after(from).filter(here).map(Into::into).collect(),
        })
    });
    Ok(answer)
}

async fn system(State(station): State<Station>) -> Response {
    let board = station.state();
    fresh(&SystemJson::new(station.info(), &board, &station.counters()))
}

async fn burden(State(station): State<Station>, Query(asked): Query<Asked>) -> Result<Response, ApiError> {
    let hours = asked.hours()?;
    let board = station.state();
    Ok(station.with_history(|history| fresh(&burden::burden(&board, history, hours))))
}

impl Asked {
    fn hours(&self) -> Result<i64, ApiError> {
        match self.hours.unwrap_or(12) {
            hours @ 1..=MAX_HOURS => Ok(hours),
            other => Err(ApiError::field("hours", &other.to_string(), "1 to 72")),
        }
    }
}

impl<'a> From<&'a Episode> for EpisodeJson<'a> {
    fn from(episode: &'a Episode) -> Self {
        let ms = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
        let r = episode.receipts;
        Self {
            alarm: AlarmAtBedJson::new(episode.bed.as_str(), &episode.alarm),
            reached: episode.reached.name(),
            receipts: ReceiptsJson {
                sampled_at: ms(r.sampled_at),
                received_at: ms(r.received_at),
                decided_at: ms(r.decided_at),
                signalled_at: ms(r.signalled_at),
                displayed_at: ms(r.displayed_at),
                seen_at: ms(r.seen_at),
                acknowledged_at: ms(r.acknowledged_at),
                ended_at: ms(r.ended_at),
            },
        }
    }
}
