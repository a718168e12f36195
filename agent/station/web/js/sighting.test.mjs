import assert from "node:assert/strict";
import { test } from "node:test";

import { path, shades } from "./sighting.js";

test("the strip fills its box from left to right and from the lowest value to the highest", () => {
  assert.equal(path([0, 100, 50]), "M0.0 160.0L500.0 0.0L1000.0 80.0");
  assert.equal(path([7, 7]), "M0.0 160.0L1000.0 160.0");
});

test("only what speaks for the condition is shaded, the strongest fully", () => {
  assert.deepEqual(shades([100, -50, 50]), [1, 0, 0.5]);
  assert.deepEqual(shades([-10, -20]), [0, 0]);
});
