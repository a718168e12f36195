import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "./clock.js";
import { limitChange, limitValue } from "./limit.js";
import { route } from "./route.js";
import { kindsOf } from "./switches.js";
import { bytes, long } from "./system.js";
import { compareKinds, signed } from "./whatif.js";

test("an empty field switches a side off; a comma is a decimal point; words are no number", () => {
  assert.deepEqual(["", " ", "90", "36,5"].map(limitValue), [null, null, 90, 36.5]);
  assert.ok(Number.isNaN(limitValue("low")));
});

test("only what differs is sent", () => {
  const limit = { parameter: "spo2", low: 90, high: null, delay_s: 15 };
  assert.equal(limitChange(limit, 90, null, 15), null);
  assert.equal(limitChange(limit, 90, null, null), null);
  assert.deepEqual(limitChange(limit, 88, null, 15), { parameter: "spo2", low: 88, high: null });
  assert.deepEqual(limitChange(limit, 90, null, 10), { parameter: "spo2", low: 90, high: null, delay_s: 10 });
});

test("red kinds are shown and cannot be chosen; what is off says so", () => {
  const bed = {
    alarms: [{ kind: "device_alarm_vf", text: "Ventricular fibrillation (monitor)", red: true }],
    inactivated: [{ kind: "hr_high", text: "HR high", how: "audio_off" }],
    numerics: { hr: { low: 50, high: 120 }, spo2: { low: 90, high: null } },
  };
  const kinds = new Map(kindsOf(bed).map((k) => [k.kind, k]));
  assert.equal(kinds.get("desaturation").red, true);
  assert.equal(kinds.get("device_alarm_vf").red, true);
  assert.deepEqual(kinds.get("hr_high"), { kind: "hr_high", text: "HR high", red: false, how: "audio_off" });
  assert.equal(kinds.get("hr_low").how, "on");
  assert.equal(kinds.has("spo2_high"), false);
});

test("the largest difference of a what-if comes first", () => {
  const rows = compareKinds({ by_kind: { a: 3, b: 20 } }, { by_kind: { a: 4, c: 1 } });
  assert.deepEqual(rows, [
    ["b", 20, 0, -20],
    ["a", 3, 4, 1],
    ["c", 0, 1, 1],
  ]);
  assert.deepEqual([-14, 3, 0].map(signed), ["−14", "+3", "0"]);
});

test("addresses of the views", () => {
  assert.deepEqual(route("#handover/B%2003"), { page: "handover", bed: "B 03" });
  assert.deepEqual(route("#burden"), { page: "burden", bed: null });
  for (const nowhere of ["", "#", "#ward", "#constructor"]) assert.equal(route(nowhere).page, "ward");
});

test("sizes and long times", () => {
  assert.deepEqual([null, 0, 999, 1500, 812_345_678, 41e9].map(bytes), ["--", "0 B", "999 B", "1.5 kB", "812 MB", "41.0 GB"]);
  assert.deepEqual([null, 59, 3600, 93_211].map(long), ["--", "0 min", "1 h 0 min", "1 d 1 h"]);
});

test("a press just after the banner changed does not count", () => {
  assert.equal(settled(1000, 1499), false);
  assert.equal(settled(1000, 1500), true);
});
