// Geometry of trends. Pure. Everything is placed by UTC milliseconds; local time is only written beside it, so that a day
// with 23 or 25 hours is drawn right.

import { input, number } from "./format.js";

const QUARTER_MS = 900_000;
const HOUR_MS = 3_600_000;

/** Values `[value or null, …]` at `from + i × stepMs` as runs of `{ at, value }` inside [since, until]: a gap ends a run. */
export function runs(values, from, stepMs, since, until) {
  const out = [];
  let run = null;
  values.forEach((value, i) => {
    const at = from + i * stepMs;
    if (value === null || value === undefined || at < since || at > until) {
      run = null;
      return;
    }
    if (run === null) out.push((run = []));
    run.push({ at, value });
  });
  return out;
}

/** Lowest and highest value to draw: what was measured and the limits near it, with a little room. */
export function extent(lines, low, high) {
  let min = Infinity;
  let max = -Infinity;
  for (const run of lines) {
    for (const { value } of run) {
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  if (min === Infinity) return null;
  for (const limit of [low, high]) {
    if (limit === null || limit === undefined) continue;
    min = Math.min(min, limit);
    max = Math.max(max, limit);
  }
  const room = Math.max((max - min) * 0.08, 0.5);
  return { min: min - room, max: max + room };
}

/** A scale from [from, to] to [start, end] px. */
export function scale(from, to, start, end) {
  const factor = (end - start) / (to - from || 1);
  return (value) => start + (value - from) * factor;
}

/** The band between the limits in px: `{ top, height }`, open sides up to the edges; null without limits. */
export function band(low, high, y, top, bottom) {
  const has = (v) => v !== null && v !== undefined;
  if (!has(low) && !has(high)) return null;
  const upper = has(high) ? Math.max(top, y(high)) : top;
  const lower = has(low) ? Math.min(bottom, y(low)) : bottom;
  return { top: upper, height: Math.max(0, lower - upper) };
}

/** Path of one run; a single point becomes a short stroke, which round ends make a dot. */
export function path(run, x, y) {
  const at = (p) => `${x(p.at).toFixed(1)} ${y(p.value).toFixed(1)}`;
  if (run.length === 1) return `M${at(run[0])}h0.1`;
  return `M${run.map(at).join("L")}`;
}

/** Local hour, minute and offset from UTC in minutes at an instant, in the browser's zone. */
export function browserZone(ms) {
  const d = new Date(ms);
  return { hour: d.getHours(), minute: d.getMinutes(), offset: -d.getTimezoneOffset() };
}

/** Full local hours in [from, to], each `every` hours: `{ at, label, shift }`; `shift` where the clock was put forward or back. */
export function ticks(from, to, every, zone = browserZone) {
  const out = [];
  let offset = zone(from).offset;
  for (let at = Math.ceil(from / QUARTER_MS) * QUARTER_MS; at <= to; at += QUARTER_MS) {
    const local = zone(at);
    if (local.minute !== 0 || local.hour % every !== 0) continue;
    const label = `${String(local.hour).padStart(2, "0")}:00`;
    out.push({ at, label, shift: local.offset !== offset });
    offset = local.offset;
  }
  return out;
}

/** Mean of what was measured in [since, until); null if nothing was. */
export function mean(values, from, stepMs, since, until) {
  let sum = 0;
  let count = 0;
  const first = Math.max(0, Math.ceil((since - from) / stepMs));
  for (let i = first; i < values.length && from + i * stepMs < until; i += 1) {
    if (values[i] === null || values[i] === undefined) continue;
    sum += values[i];
    count += 1;
  }
  return count === 0 ? null : sum / count;
}

/** Smallest change that is worth a word, by parameter. */
const WORTH = { hr: 5, spo2: 2, rr: 2, nibp_sys: 10, abp_sys: 10, temp: 0.3 };

/** What moved between the last hour and the one before, in words, the largest first; empty without trends. */
export function changedInAnHour(trends) {
  if (!trends) return [];
  const { from, parameters } = trends;
  const stepMs = trends.step_s * 1000;
  const end = trends.now;
  const found = [];
  for (const [parameter, worth] of Object.entries(WORTH)) {
    const values = parameters[parameter];
    if (!values) continue;
    const now = mean(values, from, stepMs, end - HOUR_MS, end);
    const before = mean(values, from, stepMs, end - 2 * HOUR_MS, end - HOUR_MS);
    if (now === null || before === null || Math.abs(now - before) < worth) continue;
    const text = `${input(parameter)} ${number(before, parameter)} → ${number(now, parameter)}`;
    found.push({ text, size: Math.abs(now - before) / worth });
  }
  return found.sort((a, b) => b.size - a.size).map((c) => c.text);
}
