import assert from "node:assert/strict";
import { test } from "node:test";
import { buckets, share } from "./chart.js";
import { byKind, median, outcome, past, receipts, took } from "./history.js";

const episode = (more = {}) => ({
  id: "a",
  bed: "b1",
  call: "a",
  kind: "spo2_low",
  text: "SpO2 low",
  priority: "medium",
  state: "cleared",
  onset_at: 100_000,
  raised_at: 115_000,
  acknowledged_by: "K. Brandt",
  receiver: "primary",
  receipts: { sampled_at: 114_000, received_at: 114_300, decided_at: 114_310, signalled_at: 114_320, displayed_at: 114_500, seen_at: null, acknowledged_at: 130_000, ended_at: 190_000 },
  ...more,
});

test("short times have milliseconds and long ones do not", () => {
  assert.deepEqual([-3, 380, 4200, 42_000, 130_000].map(took), ["0 ms", "380 ms", "4.2 s", "42 s", "2:10"]);
});

test("receipts stand in the order in which they came, without those that did not", () => {
  assert.deepEqual(receipts(episode()).map((r) => `${r.step} ${r.after}`), ["received +14 s", "decided +14 s", "shown +14 s", "acknowledged +30 s", "condition over +1:30"]);
  assert.deepEqual(receipts(episode({ receipts: null })), []);
});

test("what became of an alarm", () => {
  assert.equal(outcome(episode()), "acknowledged after 30 s by K. Brandt, over after 1:30");
  const open = { ...episode().receipts, acknowledged_at: null, ended_at: null };
  assert.equal(outcome(episode({ state: "active", receiver: "charge_nurse", receipts: open })), "not acknowledged, charge nurse called, stands");
});

test("alarms of one call stay together in the history", () => {
  const events = past([episode(), episode({ id: "b", call: "a" }), episode({ id: "c", call: "c" })]);
  assert.deepEqual(events.map((alarms) => alarms.map((a) => a.id)), [["a", "b"], ["c"]]);
});

test("counts by kind, the most frequent first, with the median time to the acknowledgement", () => {
  const kinds = byKind([episode(), episode({ kind: "hr_high", text: "HR high" }), episode({ kind: "hr_high", text: "HR high", receipts: {} })]);
  assert.deepEqual(kinds.map((k) => [k.text, k.count, k.median_ack_ms]), [
    ["HR high", 2, 30_000],
    ["SpO2 low", 1, 30_000],
  ]);
  assert.equal(median([]), null);
  assert.equal(median([3, 1, 2]), 2);
});

test("a cumulative histogram becomes counts, with what lies beyond its last bound", () => {
  assert.deepEqual(buckets([{ le: 50, count: 3 }, { le: 100, count: 10 }], 12), [
    { from: 0, to: 50, count: 3 },
    { from: 50, to: 100, count: 7 },
    { from: 100, to: null, count: 2 },
  ]);
  assert.deepEqual(buckets([{ le: 50, count: 3 }, { le: null, count: 4 }], 4), [
    { from: 0, to: 50, count: 3 },
    { from: 50, to: null, count: 1 },
  ]);
  assert.equal(share(1, [0, 4]), 25);
  assert.equal(share(0, [0, 0]), 0);
});
