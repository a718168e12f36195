//! What the manager asks: how many alarms, how many of them for nothing, how fast are they seen, when could a bed not alarm?

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use wardlight_core::alarms::Receiver;
use wardlight_core::message::Priority;
use wardlight_core::time::Timestamp;

use crate::board::Board;
use crate::history::{Episode, History};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: f64 = 86_400_000.0;
/// Upper edges of the display latency's buckets, in milliseconds.
const EDGES_MS: [i64; 10] = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/// The figures of some hours, as JSON.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Burden {
    now: i64,
    /// Hours that were asked for and are known.
    hours: f64,
    /// Beds with a patient now.
    beds: usize,
    alarms_per_bed_day: BTreeMap<&'static str, f64>,
    /// Calls of medium or high priority: what rang. Alarms of one call ring once.
    audible_per_bed_day: f64,
    self_resolved_15s_percent: Option<f64>,
    acknowledged_s: Percentiles,
    escalated_percent: Option<f64>,
    display_latency_ms: Latency,
    blind: Vec<BlindBed>,
}

#[derive(Serialize, JsonSchema)]
struct Percentiles {
    p50: Option<f64>,
    p90: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
struct Latency {
    count: usize,
    p50: Option<i64>,
    p99: Option<i64>,
    max: Option<i64>,
    buckets: Vec<Bucket>,
}

#[derive(Serialize, JsonSchema)]
struct Bucket {
    /// Upper edge; null for all above.
    le: Option<i64>,
    count: usize,
}

#[derive(Serialize, JsonSchema)]
struct BlindBed {
    bed: String,
    ms: u64,
    by_cause: BTreeMap<&'static str, u64>,
}

/// The figures of the last `hours`.
pub(crate) fn burden(board: &Board, history: &History, hours: i64) -> Burden {
    let now = board.now;
    let asked = Timestamp::from_millis(now.as_millis() - hours * HOUR_MS);
    let from = history.since().map_or(now, |since| since.max(asked));
    let episodes: Vec<&Episode> = history.after(from).collect();
    let beds = board.seen().filter(|view| view.stay.is_some()).count();
    let bed_days = beds as f64 * now.millis_after(from).max(1) as f64 / DAY_MS;
    let per_bed_day = |count: usize| if bed_days > 0.0 { count as f64 / bed_days } else { 0.0 };
    let calls: BTreeSet<&str> = episodes
        .iter()
        .filter(|e| is_audible(e))
        .map(|e| e.alarm.call.as_str())
        .collect();
    let physiological = |e: &&Episode| !e.alarm.kind.is_technical();
    let quick = |e: &&Episode| {
        let ended = e.receipts.ended_at.filter(|_| e.receipts.acknowledged_at.is_none());
        ended.is_some_and(|at| at.millis_after(e.alarm.raised_at) < 15_000)
    };
    let mut acknowledged: Vec<i64> = episodes.iter().filter_map(|e| taken_after(e)).collect();
    acknowledged.sort_unstable();
    Burden {
        now: now.as_millis(),
        hours: now.millis_after(from) as f64 / HOUR_MS as f64,
        beds,
        alarms_per_bed_day: by_priority(&episodes)
            .into_iter()
            .map(|(name, n)| (name, per_bed_day(n)))
            .collect(),
        audible_per_bed_day: per_bed_day(calls.len()),
        self_resolved_15s_percent: share(&episodes, physiological, quick),
        acknowledged_s: Percentiles {
            p50: percentile(&acknowledged, 50).map(|ms| ms as f64 / 1000.0),
            p90: percentile(&acknowledged, 90).map(|ms| ms as f64 / 1000.0),
        },
        escalated_percent: share(&episodes, |e| is_audible(e), |e| e.reached > Receiver::Primary),
        display_latency_ms: latency(&episodes),
        blind: board
            .seen()
            .filter(|view| view.blind_ms > 0)
            .map(|view| BlindBed {
                bed: view.bed.to_string(),
                ms: view.blind_ms,
                by_cause: view.blind_by_cause.iter().map(|(cause, ms)| (cause.name(), *ms)).collect(),
            })
            .collect(),
    }
}

fn is_audible(episode: &Episode) -> bool {
    episode.alarm.priority >= Priority::Medium
}

fn taken_after(episode: &Episode) -> Option<i64> {
    let at = episode.receipts.acknowledged_at?;
    Some(at.millis_after(episode.alarm.raised_at).max(0))
}

fn by_priority(episodes: &[&Episode]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::from([("high", 0), ("medium", 0), ("low", 0), ("technical", 0)]);
    for episode in episodes {
        let name = if episode.alarm.kind.is_technical() {
            "technical"
        } else {
            episode.alarm.priority.name()
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// How many percent of those that `of` picks also hold `which`; `None` of none.
fn share(episodes: &[&Episode], of: impl Fn(&&Episode) -> bool, which: impl Fn(&&Episode) -> bool) -> Option<f64> {
    let all: Vec<_> = episodes.iter().copied().filter(|e| of(e)).collect();
    let some = all.iter().filter(|e| which(e)).count();
    (!all.is_empty()).then(|| 100.0 * some as f64 / all.len() as f64)
}

/// From the message's arrival to the first page that drew it: our own clock on both ends.
fn latency(episodes: &[&Episode]) -> Latency {
    let one = |e: &&Episode| Some(e.receipts.displayed_at?.millis_after(e.receipts.received_at?).max(0));
    let mut all: Vec<i64> = episodes.iter().filter_map(one).collect();
    all.sort_unstable();
    let mut buckets: Vec<Bucket> = Vec::new();
    let mut below = 0;
    for edge in EDGES_MS {
        let upto = all.partition_point(|&ms| ms <= edge);
        buckets.push(Bucket {
            le: Some(edge),
            count: upto - below,
        });
        below = upto;
    }
    buckets.push(Bucket {
        le: None,
        count: all.len() - below,
    });
    Latency {
        count: all.len(),
        p50: percentile(&all, 50),
        p99: percentile(&all, 99),
        max: all.last().copied(),
        buckets,
    }
}

/// Nearest-rank percentile of sorted values.
fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}
