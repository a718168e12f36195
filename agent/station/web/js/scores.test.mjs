import assert from "node:assert/strict";
import { test } from "node:test";
import { ScoreHistory, arrow } from "./scores.js";

const MINUTE = 60_000;
const bed = (total, admitted_at = 1) => ({ bed: "b1", stay: { admitted_at }, news2: total === null ? null : { total } });

test("the arrow tells the change over an hour, or over what is known if that is long enough", () => {
  const scores = new ScoreHistory();
  scores.note(bed(2), 0);
  assert.equal(scores.change("b1", 5, 9 * MINUTE), null, "too short to be told");
  assert.deepEqual(scores.change("b1", 5, 10 * MINUTE), { delta: 3, since: 0 });
  for (let m = 1; m <= 90; m += 1) scores.note(bed(m < 60 ? 2 : 4), m * MINUTE);
  assert.deepEqual(scores.change("b1", 7, 125 * MINUTE), { delta: 3, since: 65 * MINUTE });
  assert.deepEqual([3, 0, -2].map(arrow), ["↑ +3", "→", "↓ −2"]);
});

test("an incomplete score is no sample, and has no arrow", () => {
  const scores = new ScoreHistory();
  scores.note(bed(null), 0);
  assert.equal(scores.range("b1", MINUTE), null);
  scores.note(bed(3), MINUTE);
  assert.equal(scores.change("b1", null, 60 * MINUTE), null);
});

test("at most one sample a minute; a new patient starts anew", () => {
  const scores = new ScoreHistory();
  scores.note(bed(1), 0);
  scores.note(bed(9), 30_000);
  scores.note(bed(4), MINUTE);
  assert.deepEqual(scores.range("b1", 2 * MINUTE), { min: 1, max: 4, last: 4, since: 0 });
  scores.note(bed(2, 77), 3 * MINUTE);
  assert.deepEqual(scores.range("b1", 4 * MINUTE), { min: 2, max: 2, last: 2, since: 3 * MINUTE });
  scores.note({ bed: "b1", stay: null, news2: null }, 5 * MINUTE);
  assert.equal(scores.range("b1", 6 * MINUTE), null);
});
