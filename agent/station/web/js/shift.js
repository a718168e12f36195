// What the agent itself can say of a bed at the end of a shift. Pure: facts of the last hours, and no judgement.

import { callState } from "./call.js";
import * as f from "./format.js";
import { byKind, took } from "./history.js";
import { runs } from "./trend.js";

/** Hours that a handover looks back. */
export const SHIFT_HOURS = 12;
const HOUR_MS = 3_600_000;
const WORST = ["hr", "pr", "spo2", "rr", "nibp_sys", "abp_sys", "temp", "etco2"];

/**
 * `[title, [line, …]]` for a bed: its detail, its episodes, its trends (may be null) and its NEWS2 range (may be null).
 */
export function shiftFacts(detail, episodes, trends, scores, now) {
  return [
    ["Alarms", alarmLines(episodes)],
    ["Calls that stand", callLines(detail)],
    ["Limits changed", limitLines(detail)],
    ["Switched off or paused", offLines(detail, now)],
    ["NEWS2", scoreLines(detail, scores)],
    ["Lowest and highest", worstLines(trends, now)],
    ["Blind time", blindLines(detail, now)],
  ];
}

function alarmLines(episodes) {
  return byKind(episodes).map(({ text, priority, count, median_ack_ms: ack }) => `${f.stars(priority)} ${text}: ${count}×${ack === null ? "" : `, acknowledged after ${took(ack)} (median)`}`);
}

function callLines(detail) {
  return detail.alarms.map((a) => [a, callState(a)]).filter(([, state]) => state !== null).map(([a, state]) => `${f.stars(a.priority)} ${a.text}: ${state.long}`);
}

function limitLines(detail) {
  const changed = (detail.limits ?? []).filter((l) => l.changed_by);
  return changed.map((l) => {
    const range = f.range(l.low, l.high, l.parameter) || "off";
    const usual = f.range(l.default_low, l.default_high, l.parameter) || "none";
    return `${f.label(l.parameter)} ${range} (default ${usual}), ${l.changed_by} ${f.clock(l.changed_at)}`;
  });
}

function offLines(detail, now) {
  const off = (detail.inactivated ?? []).map((o) => `${o.text}: ${o.how === "alarm_off" ? "alarm off" : "audio off"}, ${o.by} ${f.clock(o.at)}`);
  const pause = detail.audio_pause;
  if (pause && pause.until > now) off.push(`audio paused for ${f.left(pause.until - now)} more, ${pause.by}`);
  return off;
}

function scoreLines(detail, scores) {
  if (!detail.news2) return [];
  const shown = f.news2(detail.news2);
  const lines = [`now ${shown.text}${shown.missing ? ` (no ${shown.missing})` : ""}, ${detail.news2.band}`];
  if (scores) lines.push(`${scores.min} to ${scores.max} since ${f.clock(scores.since)}`);
  return lines;
}

function worstLines(trends, now) {
  if (!trends) return [];
  const since = now - SHIFT_HOURS * HOUR_MS;
  const lines = [];
  for (const parameter of WORST) {
    const points = runs(trends.parameters[parameter] ?? [], trends.from, trends.step_s * 1000, since, now).flat();
    if (points.length === 0) continue;
    let low = points[0];
    let high = points[0];
    for (const p of points) {
      if (p.value < low.value) low = p;
      if (p.value > high.value) high = p;
    }
    const n = (p) => `${f.number(p.value, parameter)} (${f.clock(p.at)})`;
    lines.push(`${f.label(parameter)} ${n(low)} to ${n(high)}`);
  }
  return lines;
}

function blindLines(detail, now) {
  const recent = (detail.blind_recent ?? []).filter((b) => now - b.until <= SHIFT_HOURS * HOUR_MS);
  const lines = recent.map((b) => `${f.clock(b.from)} to ${f.clock(b.until)}: ${f.blindCause(b.cause)}`);
  if (detail.blind_since !== null) lines.push(`since ${f.clock(detail.blind_since)}: cannot alarm now`);
  return lines;
}
