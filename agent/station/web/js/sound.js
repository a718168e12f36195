// The audible signal. A burst with its silence is one looped buffer: it needs no timer and goes on in a hidden tab.

import { BURSTS, render } from "./melody.js";

const LEVEL = 0.5;

export class Sound {
  #context = null;
  #playing = null;
  #kind = null;
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
    if (this.armed && !this.#restart()) this.#once("low");
  }

  /** Switches the sound of this page off until armed again. */
  async disarm() {
    await this.#context?.suspend();
  }

  /** Sounds this burst from now on (`null`: silence). `again`: start it anew, because of a new alarm of the same priority. */
  set(kind, again = false) {
    if (kind === this.#kind && !again) return;
    this.#kind = kind;
    this.#restart();
  }

  #restart() {
    this.#playing?.stop();
    this.#playing = null;
    if (!this.#context || this.#kind === null) return false;
    this.#playing = this.#start(this.#kind, true);
    return true;
  }

  #once(kind) {
    this.#start(kind, false).stop(this.#context.currentTime + 1);
  }

  #start(kind, loop) {
    const source = this.#context.createBufferSource();
    source.buffer = this.#buffer(kind);
    source.loop = loop;
    const gain = this.#context.createGain();
    gain.gain.value = LEVEL;
    source.connect(gain).connect(this.#context.destination);
    source.start();
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
