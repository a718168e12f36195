import assert from "node:assert/strict";
import { test } from "node:test";

import { setupOrder, setupRow } from "./system.js";

const setup = (over) => ({ device: "mon-01", desired: 7, reported: 7, state: "in_force", rejected: {}, firmware: "2.4", offered: null, ...over });

test("a device that does not take a setting says why", () => {
  const rejected = { interval_ms: "50: expected 200 to 600000" };
  assert.deepEqual(setupRow(setup({ state: "rejected", rejected })), ["mon-01", "REJECTED", "7 of 7", "interval_ms = 50: expected 200 to 600000", "2.4"]);
  assert.equal(setupRow(setup({ state: "waiting", desired: 8, rejected }))[3], "", "that was said of another revision");
});

test("what was never heard is not made up", () => {
  const silent = setup({ reported: null, state: "waiting", firmware: null, offered: "2.5" });
  assert.deepEqual(setupRow(silent).slice(1), ["waits for the device", "none of 7", "", "unknown, should be 2.5"]);
  assert.deepEqual(setupRow(setup({ desired: null, state: null })).slice(1, 3), ["--", "--"]);
});

test("what needs a technician comes first", () => {
  const all = ["in_force", "waiting", null, "unanswered", "rejected"].map((state, i) => setup({ device: `d${i}`, state }));
  assert.deepEqual(setupOrder(all).map((s) => s.device), ["d4", "d3", "d1", "d0", "d2"]);
});
