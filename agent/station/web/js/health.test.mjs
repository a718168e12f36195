import assert from "node:assert/strict";
import { test } from "node:test";

import { models } from "./health.js";

const up = (id) => ({ id, link: { state: "up", reason: null } });
const down = (id, reason) => ({ id, link: { state: "down", reason } });

test("models that do not answer are named, and without any only rules work", () => {
  assert.deepEqual(models([up("deterioration"), up("ecg-vf")], "live"), ["Models", "up", null]);
  assert.deepEqual(models([up("deterioration"), down("ecg-vf", "too late")], "live"), ["Models", "down", "ecg-vf: too late"]);
  const back = { ...up("ecg-vf"), version: "1.0.0", taken_back: "1.1.0 was taken back by itself: it raises 9.0 alarms in an hour of one bed" };
  const said = "ecg-vf 1.1.0 was taken back by itself: it raises 9.0 alarms in an hour of one bed; 1.0.0 answers.";
  assert.deepEqual(models([up("deterioration"), back], "live"), ["Models", "unknown", said]);
  assert.deepEqual(models([], "gone"), ["Models", "down", "rules only"]);
  assert.deepEqual(models([up("deterioration")], "late"), ["Models", "down", "rules only"]);
});
