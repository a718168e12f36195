import assert from "node:assert/strict";
import { test } from "node:test";
import { FLASH_HZ, ServerClock, bright, link } from "./clock.js";

test("the link is lost after 3 s and blank after 10 s", () => {
  assert.deepEqual([0, 2999, 3000, 9999, 10_000].map(link), ["live", "live", "lost", "lost", "blank"]);
});

test("the flash is bright half of the time at 2.0 and 0.5 Hz", () => {
  assert.deepEqual(FLASH_HZ, { high: 2.0, medium: 0.5 });
  assert.deepEqual([0, 249, 250, 499, 500].map((t) => bright(t, 2)), [true, true, false, false, true]);
  assert.deepEqual([0, 999, 1000, 1999, 2000].map((t) => bright(t, 0.5)), [true, true, false, false, true]);
});

test("nothing flashes more than three times in any second", () => {
  for (const hz of Object.values(FLASH_HZ)) {
    for (let start = 0; start < 4000; start += 50) {
      let flashes = 0;
      for (let t = start; t < start + 1000; t += 1) if (bright(t, hz) && !bright(t - 1, hz)) flashes += 1;
      assert.ok(flashes <= 3, `${flashes} flashes at ${hz} Hz`);
    }
  }
});

test("the agent's clock is taken from the frame that travelled fastest", () => {
  const clock = new ServerClock();
  assert.equal(clock.at(5), null);
  clock.heard(1000, 50);
  clock.heard(2000, 1020);
  clock.heard(3000, 2090);
  assert.equal(clock.at(3000), 3980);
});

test("an agent whose clock was set back is followed at its second frame", () => {
  const clock = new ServerClock();
  clock.heard(10_000_000, 0);
  clock.heard(6_401_000, 1000);
  assert.equal(clock.at(1000), 10_001_000);
  clock.heard(6_402_000, 2000);
  assert.equal(clock.at(2000), 6_402_000);
});
