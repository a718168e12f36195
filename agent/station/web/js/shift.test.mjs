import assert from "node:assert/strict";
import { test } from "node:test";
import { shiftFacts } from "./shift.js";

const NOW = Date.UTC(2026, 5, 1, 19, 0);
const HOUR = 3_600_000;
const detail = {
  alarms: [{ priority: "high", text: "Desaturation", state: "active", receiver: "second", accepted_by: null }],
  limits: [
    { parameter: "spo2", low: 88, high: null, default_low: 90, default_high: null, changed_by: "K. Brandt", changed_at: NOW - HOUR },
    { parameter: "hr", low: 50, high: 120, default_low: 50, default_high: 120, changed_by: null, changed_at: null },
  ],
  inactivated: [{ kind: "risk_high", text: "Risk estimate high", how: "audio_off", by: "K. Brandt", at: NOW - HOUR }],
  audio_pause: { until: NOW + 94_000, by: "K. Brandt" },
  news2: { total: null, at_least: 3, band: "low", missing: ["sbp"] },
  blind_recent: [
    { cause: "lead_off", from: NOW - 2 * HOUR, until: NOW - HOUR },
    { cause: "no_data", from: NOW - 20 * HOUR, until: NOW - 19 * HOUR },
  ],
  blind_since: null,
};

test("the filled part of a handover has what the agent knows, and only of this shift", () => {
  const trends = { from: NOW - 13 * HOUR, step_s: 3600, now: NOW, parameters: { hr: [30, 70, null, 110] } };
  const facts = Object.fromEntries(shiftFacts(detail, [], trends, { min: 1, max: 6, last: 3, since: NOW - HOUR }, NOW));
  assert.deepEqual(facts.Alarms, []);
  assert.deepEqual(facts["Calls that stand"], ["*** Desaturation: 2nd nurse called"]);
  assert.equal(facts["Limits changed"].length, 1);
  assert.match(facts["Limits changed"][0], /^SpO2 ≥88 \(default ≥90\), K\. Brandt \d\d:\d\d$/);
  assert.match(facts["Switched off or paused"][0], /^Risk estimate high: audio off, K\. Brandt/);
  assert.equal(facts["Switched off or paused"][1], "audio paused for 1:34 more, K. Brandt");
  assert.equal(facts.NEWS2[0], "now ≥3 (no SBP), low");
  assert.match(facts["Lowest and highest"][0], /^HR 70 \(\d\d:\d\d\) to 110 \(\d\d:\d\d\)$/);
  assert.equal(facts["Blind time"].length, 1);
});
