//! What was: trends of a day, alarms with their receipts, and the figures of the ward.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use wardlight_core::time::Timestamp;

use super::api::{Outcome, bed_id, fresh};
use super::body::ApiError;
use crate::history::Episode;
use crate::station::Station;
use crate::trends::STEP_S;
use crate::wire::{AlarmAtBedJson, DetailJson};

/// Hours that can be asked for: what is kept.
const MAX_HOURS: i64 = 72;

pub(super) fn routes() -> Router<Station> {
    Router::new()
        .route("/beds/{bed}", get(detail))
        .route("/beds/{bed}/trends", get(trends))
        .route("/history", get(history))
        .route("/burden", get(burden))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    hours: Option<i64>,
    bed: Option<String>,
}

#[derive(Serialize)]
struct Detail<'a> {
    now: i64,
    bed: DetailJson<'a>,
}

#[derive(Serialize)]
struct TrendsJson {
    now: i64,
    step_s: i64,
    from: i64,
    parameters: BTreeMap<&'static str, Vec<Option<f64>>>,
}

#[derive(Serialize)]
struct HistoryJson<'a> {
    now: i64,
    /// From when on it is complete, where that is later than what was asked for.
    since: Option<i64>,
    episodes: Vec<EpisodeJson<'a>>,
}

#[derive(Serialize)]
struct EpisodeJson<'a> {
    #[serde(flatten)]
    alarm: AlarmAtBedJson<'a>,
    reached: &'static str,
    receipts: ReceiptsJson,
}

#[derive(Serialize)]
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

async fn detail(State(station): State<Station>, Path(bed): Path<String>) -> Outcome {
    let bed = bed_id(&bed)?;
    let board = station.state();
    let view = board.seen().find(|view| view.bed == bed);
    let view = view.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, &format!("bed {bed}: not configured")))?;
    Ok(fresh(&Detail {
        now: board.now.as_millis(),
        bed: view.as_ref().into(),
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

async fn burden(State(station): State<Station>, Query(asked): Query<Asked>) -> Result<Response, ApiError> {
    let hours = asked.hours()?;
    let board = station.state();
    Ok(station.with_history(|history| fresh(&crate::burden::burden(&board, history, hours))))
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
