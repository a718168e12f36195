//! Every metric the agent has, in one place. None carries a patient, bed or device label.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Messages by `kind` (num, wave, birth, …) that the Ward has stepped.
pub(crate) const MESSAGES: &str = "wardlight_messages_total";
/// Messages seen before and not stepped again.
pub(crate) const DUPLICATES: &str = "wardlight_duplicates_total";
/// Messages that never came, by the numbers of those that did.
pub(crate) const MISSED: &str = "wardlight_missed_messages_total";
/// Payloads refused whole and quarantined, by `reason` and `qos`.
pub(crate) const REFUSED: &str = "wardlight_refused_messages_total";
/// Single readings refused within messages that stand.
pub(crate) const REJECTED: &str = "wardlight_rejected_readings_total";
/// Changes of alarms by `priority` and `state`.
pub(crate) const ALARMS: &str = "wardlight_alarm_changes_total";
/// From the arrival of a message to the alarm that it raised having been handed to every outlet.
pub(crate) const ALARM_LATENCY: &str = "wardlight_alarm_decision_seconds";
/// From the sampling of a value to the display of its alarm, as pages confirm it.
pub(crate) const DISPLAY_LATENCY: &str = "wardlight_alarm_displayed_seconds";
/// Entries committed to the journal.
pub(crate) const JOURNALED: &str = "wardlight_journal_entries_total";
/// Commits of the journal.
pub(crate) const COMMITS: &str = "wardlight_journal_commits_total";
/// Failed commits of the journal; each is tried again.
pub(crate) const COMMIT_FAILURES: &str = "wardlight_journal_failures_total";
/// Submissions that wait for the journal.
pub(crate) const CLOCK_AHEAD: &str = "wardlight_clock_ahead_seconds";
pub(crate) const JOURNAL_BYTES: &str = "wardlight_journal_bytes";
pub(crate) const DISK_FREE_BYTES: &str = "wardlight_disk_free_bytes";
pub(crate) const JOURNAL_WAITING: &str = "wardlight_journal_waiting";
/// Records dropped because the journal could not take them for too long; never an acknowledged message.
pub(crate) const RECORDS_DROPPED: &str = "wardlight_journal_records_dropped_total";
/// 1 while the broker has us.
pub(crate) const BROKER_UP: &str = "wardlight_broker_up";
/// 1 while messages are heard live, beside those that are acknowledged.
pub(crate) const LIVE_FEED_UP: &str = "wardlight_live_feed_up";
/// Messages heard live: judged, and recorded when their copy comes.
pub(crate) const LIVE_MESSAGES: &str = "wardlight_live_messages_total";
/// Waveform blocks dropped because the Ward's inbox was nearly full.
pub(crate) const WAVES_DROPPED: &str = "wardlight_waves_dropped_total";
/// Messages skipped unread: too large, or malformed.
pub(crate) const SKIPPED: &str = "wardlight_skipped_messages_total";
/// Sparkplug B nodes asked to describe themselves again.
pub(crate) const REBIRTHS: &str = "wardlight_sparkplug_rebirths_total";
/// Beds with a patient.
pub(crate) const BEDS_OCCUPIED: &str = "wardlight_beds_occupied";
/// Beds that could not alarm now.
pub(crate) const BEDS_BLIND: &str = "wardlight_beds_blind";
/// Devices at no bed.
pub(crate) const DEVICES_UNASSIGNED: &str = "wardlight_devices_unassigned";
/// Certificates of devices, broker, agent and authority that end within six weeks, or have ended.
pub(crate) const CERTIFICATES_ENDING: &str = "wardlight_certificates_ending";
/// Step of the ladder: 2 model live, 1 late, 0 rules only.
pub(crate) const MODEL_STATUS: &str = "wardlight_model_status";
/// Windows scored.
pub(crate) const SCORES: &str = "wardlight_model_scores_total";
/// From asking for a micro-batch to its answer.
pub(crate) const INFERENCE: &str = "wardlight_model_latency_seconds";
/// Risk estimates not asked for because the inference queue was full.
pub(crate) const INFERENCE_DROPPED: &str = "wardlight_model_requests_dropped_total";
/// How old the oldest entry of the journal is that the FHIR server has not taken.
pub(crate) const FHIR_BEHIND: &str = "wardlight_fhir_behind_seconds";
/// Deliveries to webhooks, the alert topic and hospital systems by `outcome`.
pub(crate) const DELIVERIES: &str = "wardlight_alert_deliveries_total";
/// Beats that a model classified.
pub(crate) const MODEL_BEATS: &str = "wardlight_model_beats_total";
/// Windows of ECG that a model judged, the leads together.
pub(crate) const MODEL_WINDOWS: &str = "wardlight_model_windows_total";
/// Conditions that models found by `rhythm`.
pub(crate) const MODEL_FINDINGS: &str = "wardlight_model_findings_total";
/// Rows that an unheard version judged beside the live one, by `model`.
pub(crate) const SHADOW_COMPARED: &str = "wardlight_model_shadow_compared_total";
/// Of those, decisions that differed.
pub(crate) const SHADOW_DIFFERENT: &str = "wardlight_model_shadow_different_total";
/// Largest difference of a probability.
pub(crate) const SHADOW_GAP: &str = "wardlight_model_shadow_largest_gap";
/// Time of its batches.
pub(crate) const SHADOW_LATENCY: &str = "wardlight_model_shadow_latency_seconds";
/// Live versions that were taken back by themselves, by `model`.
pub(crate) const FALLBACKS: &str = "wardlight_model_fallbacks_total";
/// Pages open now.
pub(crate) const PAGES: &str = "wardlight_pages_open";
/// Steps of the system clock that the agent followed.
pub(crate) const CLOCK_STEPS: &str = "wardlight_clock_steps_total";

/// Records in the audit trail by `action` (login, break_glass, acknowledge, …) and `outcome`.
pub(crate) const AUDITED: &str = "wardlight_audit_records_total";

/// Who was turned away, by `door` (`page`, `broker`: at the broker by its own word) and `reason`.
pub(crate) const TURNED_AWAY: &str = "wardlight_turned_away_total";
/// Handshakes of our own with the broker that failed, by `reason`.
pub(crate) const BROKER_TLS: &str = "wardlight_broker_tls_failures_total";

/// Buckets of all latencies, in seconds: the targets 15 ms and 100 ms are edges.
const LATENCY_BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0];

const COUNTERS: [(&str, &str); 27] = [
    (TURNED_AWAY, "Connections and messages turned away, by door and reason."),
    (BROKER_TLS, "Handshakes with the broker that failed, by reason."),
    (REBIRTHS, "Sparkplug B nodes asked to describe themselves again."),
    (FALLBACKS, "Live versions that did badly and were taken back, by model."),
    (MESSAGES, "Messages stepped through the Ward, by kind."),
    (DUPLICATES, "Messages seen before."),
    (MISSED, "Messages that never came, by their sequence numbers."),
    (REFUSED, "Payloads refused and quarantined, by reason."),
    (REJECTED, "Readings refused within messages that stand."),
    (ALARMS, "Changes of alarms, by priority and state."),
    (JOURNALED, "Entries committed to the journal."),
    (COMMITS, "Commits of the journal."),
    (COMMIT_FAILURES, "Failed commits of the journal."),
    (RECORDS_DROPPED, "Records dropped while the journal could not take them."),
    (LIVE_MESSAGES, "Messages judged live, recorded when their copy comes."),
    (WAVES_DROPPED, "Waveform blocks dropped because the inbox was nearly full."),
    (SKIPPED, "Messages skipped unread: too large, or malformed."),
    (SCORES, "Windows scored by the model."),
    (
        INFERENCE_DROPPED,
        "Requests to the models that were dropped because the queue was full.",
    ),
    (MODEL_BEATS, "Beats that a model classified."),
    (MODEL_WINDOWS, "Windows of ECG that a model judged, the leads together."),
    (
        MODEL_FINDINGS,
        "Conditions of the rhythm that began by the word of a model, by rhythm.",
    ),
    (
        SHADOW_COMPARED,
        "Rows that a version in the shadow judged beside the live one, by model.",
    ),
    (
        SHADOW_DIFFERENT,
        "Rows on which a version in the shadow decided otherwise than the live one, by model.",
    ),
    (DELIVERIES, "Deliveries of alarms and resources, by outlet and outcome."),
    (AUDITED, "Records in the audit trail, by action and outcome."),
    (CLOCK_STEPS, "Forward steps of the system clock."),
];

const GAUGES: [(&str, &str); 14] = [
    (
        FHIR_BEHIND,
        "How old the oldest entry is that the FHIR server has not taken; 0 when it has everything.",
    ),
    (
        SHADOW_GAP,
        "Largest difference between the probabilities of a version in the shadow and of the live one, by model.",
    ),
    (
        CLOCK_AHEAD,
        "How far the system's clock is behind the agent's: it was set back.",
    ),
    (JOURNAL_BYTES, "What the journal takes on disk."),
    (DISK_FREE_BYTES, "What is free beside it."),
    (JOURNAL_WAITING, "Submissions that wait for the journal."),
    (BROKER_UP, "1 while the broker has us."),
    (LIVE_FEED_UP, "1 while messages are heard live."),
    (BEDS_OCCUPIED, "Beds with a patient."),
    (BEDS_BLIND, "Beds that could not alarm now."),
    (DEVICES_UNASSIGNED, "Devices at no bed."),
    (CERTIFICATES_ENDING, "Certificates that end within six weeks, or have ended."),
    (MODEL_STATUS, "2 model live, 1 late, 0 rules only."),
    (PAGES, "Pages open now."),
];

const LATENCIES: [(&str, &str); 3] = [
    (ALARM_LATENCY, "From a message's arrival to its alarm handed to every outlet."),
    (DISPLAY_LATENCY, "From a value's sampling to its alarm on a page."),
    (INFERENCE, "From asking for a micro-batch to its answer."),
];

/// Installs the recorder of this process.
/// # Errors
/// If one is installed already.
pub(crate) fn install() -> anyhow::Result<PrometheusHandle> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, &LATENCY_BUCKETS)?
        .install_recorder()?;
    for (name, help) in COUNTERS {
        describe_counter!(name, Unit::Count, help);
    }
    for (name, help) in GAUGES {
        describe_gauge!(name, help);
    }
    for (name, help) in LATENCIES {
        describe_histogram!(name, Unit::Seconds, help);
    }
    Ok(handle)
}

/// The sum of a counter over those of its series that have the label, as it would be exported now; `""` takes all.
pub(crate) fn total(handle: &PrometheusHandle, name: &str, label: &str) -> u64 {
    let rendered = handle.render();
    let ours = rendered.lines().filter(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with([' ', '{']) && rest.contains(label))
    });
    ours.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_convention_and_none_is_repeated() {
        let all: Vec<_> = COUNTERS
            .iter()
            .chain(&GAUGES)
            .chain(&LATENCIES)
            .map(|(name, _)| *name)
            .collect();
        let mut unique = all.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), all.len());
        assert!(all.iter().all(|n| n.starts_with("wardlight_")));
        assert!(COUNTERS.iter().all(|(n, _)| n.ends_with("_total")));
        assert!(LATENCIES.iter().all(|(n, _)| n.ends_with("_seconds")));
    }
}
