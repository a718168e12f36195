import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel, JITTER_MS, WaveStore, decode, preference, trouble, waveName } from "./wave.js";

/** A frame as the station makes it. */
function frame(bed, samples, { code = 131330, t0 = 0, rate = 100, scale = 0.5, offset = 0 } = {}) {
  const name = new TextEncoder().encode(bed);
  const at = 36 + name.length + (name.length % 2);
  const view = new DataView(new ArrayBuffer(at + 2 * samples.length));
  view.setUint8(0, 1);
  view.setUint8(1, name.length);
  view.setUint16(2, 1, true);
  view.setUint32(4, code, true);
  view.setFloat64(8, t0, true);
  view.setFloat32(16, rate, true);
  view.setFloat32(20, scale, true);
  view.setInt32(24, offset, true);
  view.setUint32(28, samples.length, true);
  new Uint8Array(view.buffer).set(name, 36);
  samples.forEach((s, i) => view.setInt16(at + 2 * i, s, true));
  return view.buffer;
}

const block = (t0, samples, rate = 100) => ({ t0, rate, samples: Float32Array.from(samples) });

/** The range as a value; null where there is none. */
function range(channel, from, to) {
  const out = {};
  return channel.range(from, to, out) ? out : null;
}

test("a frame is decoded with its scale, and a missing sample is no number", () => {
  const b = decode(frame("b1x", [2, -32768, -4], { t0: 1_700_000_000_000, offset: 2 }));
  assert.deepEqual([b.bed, b.code, b.rate, b.t0], ["b1x", 131330, 100, 1_700_000_000_000]);
  assert.deepEqual([...b.samples], [2, NaN, -1]);
});

test("samples of a lead that is off are not of the patient", () => {
  const buffer = frame("b1", [1, 2]);
  new DataView(buffer).setUint16(2, 4, true);
  assert.deepEqual([...decode(buffer).samples], [NaN, NaN]);
  assert.deepEqual([1, 2, 4, 8, 12, 32].map(trouble), ["", "", "lead off", "disturbed", "lead off", "calibrating"]);
});

test("a frame that is cut short or of another version is refused", () => {
  const good = frame("b1", [1, 2, 3]);
  assert.equal(decode(good.slice(0, good.byteLength - 1)), null);
  assert.equal(decode(good.slice(0, 20)), null);
  new DataView(good).setUint8(0, 2);
  assert.equal(decode(good), null);
});

test("a column shows the lowest and highest of its samples, so no spike is lost", () => {
  const c = new Channel(131330, 100);
  c.push(block(1000, [0, 9, -3, 1]), 0);
  assert.deepEqual(range(c, 1000, 1040), { low: -3, high: 9 });
  assert.deepEqual(range(c, 1010, 1012), { low: 9, high: 9 });
  assert.deepEqual(range(c, 1013, 1017), { low: 9, high: 9 });
});

test("a gap stays a gap", () => {
  const c = new Channel(131330, 100);
  c.push(block(0, [1, 1]), 0);
  c.push(block(50, [2, NaN, 2]), 30);
  assert.equal(range(c, 20, 50), null);
  assert.equal(range(c, 60, 70), null);
  assert.deepEqual(range(c, 50, 60), { low: 2, high: 2 });
  assert.equal(range(c, 80, 90), null);
  assert.equal(range(c, -100, -10), null);
});

test("rounding of block times makes no gap", () => {
  const c = new Channel(131330, 300);
  c.push({ t0: 0, rate: 300, samples: new Float32Array(100).fill(1) }, 0);
  c.push({ t0: 333, rate: 300, samples: new Float32Array(100).fill(2) }, 333);
  assert.equal(c.end, 200);
  for (let ms = 0; ms < 660; ms += 5) assert.notEqual(range(c, ms, ms + 5), null, `gap at ${ms} ms`);
});

test("a device whose clock jumps starts anew", () => {
  const c = new Channel(131330, 100);
  c.push(block(1_000_000, [1, 1]), 0);
  c.push(block(5000, [7, 7]), 20);
  assert.deepEqual(range(c, 5000, 5020), { low: 7, high: 7 });
  assert.equal(range(c, 1_000_000, 1_000_020), null);
  assert.ok(c.playhead(20) < 6000);
});

test("old samples are overwritten, not shown as new", () => {
  const c = new Channel(131330, 10);
  for (let s = 0; s < 60; s += 1) c.push(block(s * 1000, new Array(10).fill(s), 10), s * 1000);
  assert.equal(range(c, 0, 1000), null);
  assert.deepEqual(range(c, 59_000, 60_000), { low: 59, high: 59 });
});

test("the sweep runs one block and the jitter buffer behind, and never ahead of the data", () => {
  const c = new Channel(131330, 100);
  for (let s = 0; s < 5; s += 1) {
    const late = s === 3 ? 400 : 0;
    c.push(block(s * 1000, new Array(100).fill(1)), (s + 1) * 1000 + late);
  }
  const newest = 5000;
  assert.ok(c.playhead(5000) <= newest - JITTER_MS);
  assert.ok(c.playhead(5999) <= newest);
});

test("a wave without news is frozen", () => {
  const c = new Channel(131330, 100);
  assert.equal(c.frozen(0), true);
  c.push(block(0, new Array(100).fill(1)), 1000);
  assert.equal(c.frozen(3900), false);
  assert.equal(c.frozen(4100), true);
});

test("a tile shows ECG II, else another ECG, else pleth", () => {
  assert.deepEqual([150452, 131389, 131330].sort((a, b) => preference(a) - preference(b)), [131330, 131389, 150452]);
  assert.equal(waveName(131331), "ECG V1");
  const store = new WaveStore();
  assert.equal(store.tile("b1", 0), null);
  store.push({ bed: "b1", code: 150452, rate: 100, t0: 0, samples: new Float32Array(10) }, 0);
  store.push({ bed: "b1", code: 131330, rate: 250, t0: 0, samples: new Float32Array(10) }, 0);
  assert.equal(store.tile("b1", 100).code, 131330);
  store.push({ bed: "b1", code: 150452, rate: 100, t0: 60_000, samples: new Float32Array(10) }, 60_000);
  assert.equal(store.tile("b1", 60_100).code, 150452, "an ECG silent for half a minute gives way");
});

test("an impossible rate is refused", () => {
  const store = new WaveStore();
  for (const rate of [0, -1, NaN, Infinity, 1e9]) store.push({ bed: "b", code: 131330, rate, t0: 0, samples: new Float32Array(1) }, 0);
  assert.deepEqual(store.of("b"), []);
});
