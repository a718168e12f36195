// The audible signal. A burst with its silence is one looped buffer on the audio clock: it needs no timer and goes on in a
// hidden tab. So does the signal of a lost link: each heartbeat puts it off, and it sounds by itself when none does.

import { LOST_AFTER_MS } from "./clock.js";
import { BURSTS, render } from "./melody.js";

const LEVEL = 0.5;

export class Sound {
  #context = null;
  #playing = null;
  #kind = null;
  /** The burst of a lost link, started for the time at which the link would be lost. */
  #guard = null;
  #buffers = new Map();

  /** `onState("on" | "off")` is told whether sound can be heard. */
  constructor(onState) {
    this.onState = onState;
    onState("off");
  }

  get armed() {
    return this.#context?.state === "running";
  }

  /** Browsers allow sound only after a gesture: call this from one. */
  async arm() {
    if (!this.#context) {
      this.#context = new AudioContext();
      this.#context.onstatechange = () => this.onState(this.armed ? "on" : "off");
    }
    await this.#context.resume();
    this.onState(this.armed ? "on" : "off");
    if (!this.armed) return;
    this.heard();
    if (!this.#restart()) this.tone();
  }

  /** Switches the sound of this page off until armed again. */
  async disarm() {
    await this.#context?.suspend();
  }

  /** One pulse, so that people hear whether the speaker works. */
  tone() {
    if (this.armed) this.#start("low", false).stop(this.#context.currentTime + 1);
  }

  /** Sounds this burst from now on (`null`: silence). `again`: start it anew, because of a new call of the same priority. */
  set(kind, again = false) {
    if (kind === this.#kind && !again) return;
    const before = this.#kind;
    this.#kind = kind;
    if (kind === "high") this.#guardOff();
    else if (before === "high" || (kind === "link" && this.#guard === null)) this.#guardFrom(kind === "link" ? 0 : LOST_AFTER_MS / 1000);
    this.#restart();
  }

  /** The agent was heard: the signal of a lost link is put off. */
  heard() {
    if (!this.armed || this.#kind === "high") return;
    this.#guardFrom(LOST_AFTER_MS / 1000);
  }

  #guardFrom(seconds) {
    this.#guardOff();
    if (this.#context) this.#guard = this.#start("link", true, this.#context.currentTime + seconds);
  }

  #guardOff() {
    this.#guard?.stop();
    this.#guard = null;
  }

  #restart() {
    this.#playing?.stop();
    this.#playing = null;
    if (!this.#context || this.#kind === null) return false;
    // A lost link sounds through its guard.
    if (this.#kind !== "link") this.#playing = this.#start(this.#kind, true);
    return true;
  }

  #start(kind, loop, at = 0) {
    const source = this.#context.createBufferSource();
    source.buffer = this.#buffer(kind);
    source.loop = loop;
    const gain = this.#context.createGain();
    gain.gain.value = LEVEL;
    source.connect(gain).connect(this.#context.destination);
    source.start(at);
    return source;
  }

  #buffer(kind) {
    let buffer = this.#buffers.get(kind);
    if (!buffer) {
      const samples = render(BURSTS[kind], this.#context.sampleRate);
      buffer = this.#context.createBuffer(1, samples.length, this.#context.sampleRate);
      buffer.copyToChannel(samples, 0);
      this.#buffers.set(kind, buffer);
    }
    return buffer;
  }
}
