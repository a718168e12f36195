import assert from "node:assert/strict";
import { test } from "node:test";
import * as f from "./format.js";

test("a missing value is never a zero", () => {
  for (const nothing of [null, undefined, NaN, Infinity]) assert.equal(f.number(nothing, "hr"), "--");
  assert.equal(f.number(0, "hr"), "0");
});

test("temperature has one decimal and the rest none", () => {
  assert.equal(f.number(37, "temp"), "37.0");
  assert.equal(f.number(72, "hr"), "72");
});

test("what an input adds to the risk is said in points with its sign", () => {
  assert.deepEqual([41_300, -2_600, 400, -400, 0].map(f.points), ["+4.1", "−0.3", "0", "0", "0"]);
});

test("a span of hours is said in whole hours or minutes", () => {
  assert.deepEqual([24, 1.2, 0.0273, 0.001].map(f.span), ["24 hours", "hour", "2 minutes", "minute"]);
});

test("ages read as people say them", () => {
  assert.equal(f.age(-5), "0 s");
  assert.equal(f.age(59_999), "59 s");
  assert.equal(f.age(60_000), "1:00");
  assert.equal(f.age(3_599_999), "59:59");
  assert.equal(f.age(3_600_000), "1 h 00");
  assert.equal(f.age(7_500_000), "2 h 05");
});

test("what is left of a pause never reads as over while it lasts", () => {
  assert.deepEqual([94_000, 93_001, 60_000, 400, 0, -5].map(f.left), ["1:34", "1:34", "1:00", "0:01", "0:00", "0:00"]);
});

test("limits with an open side", () => {
  assert.deepEqual([f.range(50, 120, "hr"), f.range(90, null, "spo2"), f.range(null, 39, "temp"), f.range(null, null, "hr")], ["50–120", "≥90", "≤39.0", ""]);
});

test("the offset from UTC follows summer time", () => {
  const zone = process.env.TZ;
  process.env.TZ = "Europe/Berlin";
  assert.deepEqual([Date.UTC(2026, 9, 25, 0, 59), Date.UTC(2026, 9, 25, 1, 0)].map(f.zone), ["UTC+2", "UTC+1"]);
  assert.deepEqual([Date.UTC(2026, 9, 25, 0, 59), Date.UTC(2026, 9, 25, 1, 0)].map((t) => f.clock(t)), ["02:59", "02:00"]);
  process.env.TZ = "Asia/Kolkata";
  assert.equal(f.zone(0), "UTC+5:30");
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

test("priority is told by stars, not by colour alone", () => {
  assert.deepEqual(["high", "medium", "low"].map(f.stars), ["***", "**", "*"]);
});

test("value and limit of an alarm", () => {
  assert.equal(f.cause({ parameter: "spo2", value: 78, limit: 80 }), "SpO2 78 < 80");
  assert.equal(f.cause({ parameter: "temp", value: 39.2, limit: 39 }), "T 39.2 > 39.0");
  assert.equal(f.cause({ parameter: null, value: null, limit: null }), "");
});

test("an onset on a wrong device clock does not make an alarm hours old", () => {
  assert.equal(f.began({ onset_at: 95_000, raised_at: 100_000 }), 95_000);
  assert.equal(f.began({ onset_at: -90_000_000, raised_at: 100_000 }), 100_000);
  assert.equal(f.began({ onset_at: 3_700_000, raised_at: 100_000 }), 100_000);
});

const value = (v, freshness = "fresh") => ({ value: v, freshness, measured_at: 1, low: null, high: null, implausible: false });

test("arterial pressure comes before the cuff, and an expired part is no number", () => {
  assert.equal(f.pressure({}), null);
  const cuff = { nibp_sys: value(120), nibp_dia: value(80), nibp_map: value(93) };
  assert.deepEqual([f.pressure(cuff).text, f.pressure(cuff).map], ["120/80", "93"]);
  assert.equal(f.pressure({ ...cuff, abp_sys: value(118), abp_dia: value(70) }).kind, "abp");
  assert.equal(f.pressure({ nibp_sys: value(120, "expired") }).text, "--/--");
});

test("an incomplete NEWS2 is a lower bound with what is missing", () => {
  assert.deepEqual(f.news2({ total: 5, at_least: 5, missing: [] }), { text: "5", missing: "" });
  assert.deepEqual(f.news2({ total: null, at_least: 3, missing: ["sbp", "temperature"] }), { text: "≥3", missing: "SBP, T" });
});

test("probabilities are neither 0 nor 100 %", () => {
  assert.deepEqual([0, 9, 10, 125, 990, 991].map(f.percent), ["<1 %", "<1 %", "1 %", "13 %", "99 %", ">99 %"]);
});

test("privacy mode leaves initials", () => {
  assert.equal(f.initials("Moreau-Delacroix, J."), "M. D.");
  assert.equal(f.initials(""), "");
});

test("a screen reader hears values, alarms and blindness", () => {
  const bed = {
    bed: "05",
    stay: {},
    numerics: { hr: value(77), spo2: value(78), rr: value(null, "expired") },
    news2: { total: null, at_least: 7, missing: ["acvpu"] },
    alarms: [{ priority: "high", text: "Desaturation", state: "active" }],
    blind_since: 5,
  };
  assert.equal(
    f.summary(bed),
    "Bed 05, HR 77, SpO2 78, RR no value, NEWS2 at least 7, cannot alarm now, high alarm Desaturation active",
  );
});
