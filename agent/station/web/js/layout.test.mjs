import assert from "node:assert/strict";
import { test } from "node:test";
import { grid, neighbour } from "./layout.js";

test("12 beds fill one large screen in four columns", () => {
  const { columns, rowHeight, scrolls } = grid(12, 1904, 960, 8);
  assert.deepEqual([columns, scrolls], [4, false]);
  assert.ok(3 * rowHeight + 16 <= 960);
});

test("64 beds fit one large screen", () => {
  const { columns, rowHeight, scrolls } = grid(64, 1904, 890, 8);
  assert.deepEqual([columns, scrolls], [8, false]);
  assert.ok(8 * rowHeight + 56 <= 890);
});

test("what does not fit scrolls and stays readable", () => {
  const { columns, rowHeight, scrolls } = grid(64, 1264, 600, 8);
  assert.equal(scrolls, true);
  assert.ok((1264 - 8 * (columns - 1)) / columns >= 215 && rowHeight >= 102);
});

test("a phone has one column", () => {
  assert.equal(grid(12, 374, 600, 8).columns, 1);
});

test("an empty ward has a layout", () => {
  assert.ok(grid(0, 1904, 960, 8).columns >= 1);
});

test("arrows stay inside the grid", () => {
  assert.equal(neighbour(0, "ArrowLeft", 12, 4), 0);
  assert.equal(neighbour(0, "ArrowDown", 12, 4), 4);
  assert.equal(neighbour(10, "ArrowDown", 12, 4), 10);
  assert.equal(neighbour(5, "ArrowUp", 12, 4), 1);
  assert.equal(neighbour(5, "Enter", 12, 4), 5);
});
