import assert from "node:assert/strict";
import { test } from "node:test";
import { BURSTS, needed, render } from "./melody.js";

const round = (x) => Math.round(x * 1000) / 1000;
const gaps = ({ starts_s, pulse_s }) => starts_s.slice(1).map((s, i) => round(s - starts_s[i] - pulse_s));

test("high is ten pulses in two groups of 3 + 2, inside the standard's ranges", () => {
  const { starts_s, pulse_s, period_s } = BURSTS.high;
  assert.equal(starts_s.length, 10);
  assert.ok(pulse_s >= 0.075 && pulse_s <= 0.2);
  assert.deepEqual(gaps(BURSTS.high), [0.1, 0.1, 0.32, 0.1, 0.5, 0.1, 0.1, 0.32, 0.1]);
  const silence = period_s - starts_s.at(-1) - pulse_s;
  assert.ok(silence >= 2.5 && silence <= 15, `${silence} s between bursts`);
});

test("medium is three pulses and low is one", () => {
  assert.deepEqual(gaps(BURSTS.medium), [0.2, 0.2]);
  const silence = BURSTS.medium.period_s - 1;
  assert.ok(silence >= 2.5 && silence <= 30);
  assert.equal(BURSTS.low.starts_s.length, 1);
  assert.ok(BURSTS.low.period_s - 0.2 > 15);
});

/** Strength of one frequency in a pulse (Goertzel by the sum). */
function strength(samples, hz, rate) {
  let re = 0;
  let im = 0;
  samples.forEach((s, i) => {
    re += s * Math.cos((2 * Math.PI * hz * i) / rate);
    im += s * Math.sin((2 * Math.PI * hz * i) / rate);
  });
  return Math.hypot(re, im);
}

test("the pulse has its fundamental and four harmonics between 300 and 4000 Hz within 15 dB", () => {
  const rate = 16_000;
  const samples = render(BURSTS.medium, rate).slice(0, 0.2 * rate);
  const { hz } = BURSTS.medium;
  assert.ok(hz >= 150 && hz <= 1000);
  const first = strength(samples, hz, rate);
  const heard = [2, 3, 4, 5, 6].filter((n) => Math.abs(20 * Math.log10(strength(samples, n * hz, rate) / first)) <= 15);
  assert.ok(heard.length >= 4, `${heard.length} harmonics`);
});

test("the loop is silent between pulses and never clips", () => {
  const rate = 8000;
  for (const burst of Object.values(BURSTS)) {
    const samples = render(burst, rate);
    assert.equal(samples.length, burst.period_s * rate);
    assert.ok(samples.every((s) => Math.abs(s) <= 1));
    assert.equal(samples.at(-1), 0);
  }
});

test("what sounds: high over a lost link over the rest", () => {
  const none = { high: 0, medium: 0, low: 0 };
  assert.equal(needed(none, "live"), null);
  assert.equal(needed({ ...none, low: 1 }, "live"), "low");
  assert.equal(needed({ ...none, low: 1, medium: 2 }, "live"), "medium");
  assert.equal(needed({ ...none, medium: 2 }, "lost"), "link");
  assert.equal(needed({ high: 1, medium: 2, low: 0 }, "blank"), "high");
});
