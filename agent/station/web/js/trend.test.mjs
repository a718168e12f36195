import assert from "node:assert/strict";
import { test } from "node:test";
import { band, changedInAnHour, extent, mean, path, runs, scale, ticks } from "./trend.js";

const MINUTE = 60_000;
const HOUR = 3_600_000;

/** A zone of the browser's kind, for any time zone. */
function zoneOf(timeZone) {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return (ms) => {
    const p = Object.fromEntries(format.formatToParts(ms).map((part) => [part.type, Number(part.value)]));
    const local = Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute);
    return { hour: p.hour, minute: p.minute, offset: (local - Math.floor(ms / MINUTE) * MINUTE) / MINUTE };
  };
}

test("a gap ends a run and is never bridged", () => {
  const lines = runs([1, 2, null, undefined, 5, null], 0, MINUTE, 0, HOUR);
  assert.deepEqual(lines, [
    [
      { at: 0, value: 1 },
      { at: MINUTE, value: 2 },
    ],
    [{ at: 4 * MINUTE, value: 5 }],
  ]);
  assert.deepEqual(runs([null, null], 0, MINUTE, 0, HOUR), []);
});

test("only what lies in the span is drawn", () => {
  const lines = runs([1, 2, 3, 4], 0, MINUTE, MINUTE, 2 * MINUTE);
  assert.deepEqual(lines.flat().map((p) => p.value), [2, 3]);
});

test("a run is one path; a single value is a dot", () => {
  const x = scale(0, 2 * MINUTE, 0, 100);
  const y = scale(0, 10, 100, 0);
  assert.equal(path(runs([0, 5, 10], 0, MINUTE, 0, HOUR)[0], x, y), "M0.0 100.0L50.0 50.0L100.0 0.0");
  assert.equal(path([{ at: 0, value: 5 }], x, y), "M0.0 50.0h0.1");
});

test("the scale shows what was measured and the limits", () => {
  assert.equal(extent([], 50, 120), null);
  const range = extent([[{ at: 0, value: 60 }, { at: 1, value: 80 }]], 50, null);
  assert.ok(range.min < 50 && range.max > 80 && range.max < 90);
});

test("the band between the limits; an open side reaches the edge", () => {
  const y = scale(0, 100, 100, 0);
  assert.deepEqual(band(20, 80, y, 0, 100), { top: 20, height: 60 });
  assert.deepEqual(band(90, null, y, 0, 100), { top: 0, height: 10 });
  assert.deepEqual(band(null, 30, y, 0, 100), { top: 70, height: 30 });
  assert.equal(band(null, null, y, 0, 100), null);
});

test("the day with 25 hours: every hour has its place, and the clock's change is written at it", () => {
  const berlin = zoneOf("Europe/Berlin");
  const from = Date.UTC(2026, 9, 24, 22, 0);
  const marks = ticks(from, from + 25 * HOUR, 1, berlin);
  assert.equal(marks.length, 26);
  assert.deepEqual(marks.slice(1).map((m, i) => m.at - marks[i].at).every((d) => d === HOUR), true);
  assert.deepEqual(marks.slice(1, 5).map((m) => [m.label, m.shift]), [
    ["01:00", false],
    ["02:00", false],
    ["02:00", true],
    ["03:00", false],
  ]);
});

test("the day with 23 hours has no 02:00", () => {
  const berlin = zoneOf("Europe/Berlin");
  const from = Date.UTC(2026, 2, 28, 23, 0);
  const marks = ticks(from, from + 4 * HOUR, 1, berlin);
  assert.deepEqual(marks.map((m) => m.label), ["00:00", "01:00", "03:00", "04:00", "05:00"]);
  assert.deepEqual(marks.map((m) => m.shift), [false, false, true, false, false]);
});

test("a zone with half an hour has its full hours too", () => {
  const marks = ticks(Date.UTC(2026, 0, 1, 0, 0), Date.UTC(2026, 0, 1, 8, 0), 4, zoneOf("Asia/Kolkata"));
  assert.deepEqual(marks.map((m) => m.label), ["08:00", "12:00"]);
});

test("what moved within the hour, the largest change first; gaps do not count", () => {
  const values = (before, after) => [...Array(60).fill(before), ...Array(60).fill(after)];
  const trends = { now: 120 * MINUTE, from: 0, step_s: 60, parameters: { hr: values(80, 110), spo2: values(97, 92), rr: values(16, 17), temp: values(null, 37) } };
  assert.deepEqual(changedInAnHour(trends), ["HR 80 → 110", "SpO2 97 → 92"]);
  assert.deepEqual(changedInAnHour(null), []);
  assert.equal(mean([1, null, 3], 0, MINUTE, 0, HOUR), 2);
  assert.equal(mean([null], 0, MINUTE, 0, HOUR), null);
});
