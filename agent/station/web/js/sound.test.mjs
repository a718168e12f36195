import assert from "node:assert/strict";
import { test } from "node:test";
import { BURSTS } from "./melody.js";
import { Sound } from "./sound.js";

/** An audio device that notes what was started and stopped, and when. */
class FakeContext {
  static made = null;
  state = "suspended";
  currentTime = 0;
  sampleRate = 1000;
  sources = [];
  constructor() {
    FakeContext.made = this;
  }
  async resume() {
    this.state = "running";
  }
  async suspend() {
    this.state = "suspended";
    this.onstatechange?.();
  }
  createBuffer(_channels, length) {
    return { length, copyToChannel() {} };
  }
  createGain() {
    return { gain: {}, connect: (next) => next };
  }
  createBufferSource() {
    const source = { at: null, stopped: null, connect: (next) => next };
    source.start = (at) => (source.at = Math.max(at, this.currentTime));
    source.stop = (at = this.currentTime) => (source.stopped = at);
    this.sources.push(source);
    return source;
  }
  /** Periods (s) of the loops that sound at `time`. */
  heard(time) {
    const sounds = this.sources.filter((s) => s.loop && s.at <= time && (s.stopped === null || s.stopped > time));
    return sounds.map((s) => s.buffer.length / this.sampleRate);
  }
}

async function armed() {
  globalThis.AudioContext = FakeContext;
  const states = [];
  const sound = new Sound((state) => states.push(state));
  await sound.arm();
  return { sound, device: FakeContext.made, states };
}

test("sound is off until a person arms it, and says so when the browser suspends it", async () => {
  const { sound, device, states } = await armed();
  assert.deepEqual(states, ["off", "on"]);
  await device.suspend();
  assert.equal(states.at(-1), "off");
  assert.equal(sound.armed, false);
});

test("a burst goes on by the audio clock: one loop of the right length, and no timer", async () => {
  const { sound, device } = await armed();
  sound.set("high");
  for (const later of [0, 7, 600]) assert.deepEqual(device.heard(later), [BURSTS.high.period_s]);
  sound.set("high");
  assert.equal(device.sources.filter((s) => s.loop && s.stopped === null).length, 1, "the same again changes nothing");
  sound.set(null);
  assert.deepEqual(device.heard(1).filter((period) => period === BURSTS.high.period_s), []);
});

test("a new call of the same priority starts the burst anew", async () => {
  const { sound, device } = await armed();
  sound.set("medium");
  device.currentTime = 5;
  sound.set("medium", true);
  const starts = device.sources.filter((s) => s.loop && s.buffer.length === 20_000).map((s) => [s.at, s.stopped]);
  assert.deepEqual(starts, [
    [0, 5],
    [5, null],
  ]);
});

test("a lost link sounds by itself 3 s after the last heartbeat, even if no script runs any more", async () => {
  const { sound, device } = await armed();
  for (let t = 0; t < 5; t += 1) {
    device.currentTime = t;
    sound.heard();
  }
  assert.deepEqual(device.heard(6.9), []);
  assert.deepEqual(device.heard(7), [BURSTS.link.period_s]);
  device.currentTime = 8;
  sound.set("link");
  assert.deepEqual(device.heard(9), [BURSTS.link.period_s], "and once, when the script says it too");
  sound.heard();
  sound.set(null);
  assert.deepEqual(device.heard(9), []);
});

test("a high alarm is not mixed with the signal of the link", async () => {
  const { sound, device } = await armed();
  sound.heard();
  sound.set("high");
  assert.deepEqual(device.heard(20), [BURSTS.high.period_s]);
});
