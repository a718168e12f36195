// An erase-bar sweep on a canvas: constant px per second, drawn one column at a time.

import { el } from "./dom.js";
import { trouble, waveName } from "./wave.js";

const PX_PER_MM = 96 / 25.4;
/** Paper speed in mm/s. */
const SPEED = { ecg: 25, pleth: 25, abp: 25, resp: 6.25, co2: 6.25 };
/** Millimetres per millivolt that an ECG may have; the largest that fits is taken. */
const GAINS = [20, 10, 7.5, 5, 2.5, 1.25, 0.5];
const COLOUR = { ecg: "#00e676", pleth: "#00e5ff", abp: "#ff5252", resp: "#ffeb3b", co2: "#ffb74d" };
/** Width of the erase bar in CSS px. */
const BAR = 14;
/** Room at the left for the 1 mV bar, in CSS px. */
const MARGIN = 14;
/** Where a column's lowest and highest sample are put: one for all, so that drawing makes no garbage. */
const RANGE = { low: 0, high: 0 };

export class Sweep {
  #channel = null;
  #last = null;
  /** Whether the column before was drawn, and where. */
  #joined = false;
  #top = 0;
  #bottom = 0;
  #gain = null;
  /** Gain for which the 1 mV bar stands, or null. */
  #barGain = null;
  /** What the state shown was made of. */
  #silent = null;
  #quality = null;

  /** Makes its own `box`; `pick(at)` returns the channel to draw, or null. */
  constructor(kind, pick) {
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.name = el("span", { class: "wave-name" });
    this.off = el("span", { class: "wave-off" });
    this.box = el("div", { class: kind }, this.canvas, this.name, this.off);
    this.pick = pick;
    this.context = this.canvas.getContext("2d");
    this.width = 0;
    this.height = 0;
    this.visible = true;
  }

  /** Fits the canvas to its box; what was drawn is drawn again from the samples kept. */
  resize(width, height, ratio) {
    this.ratio = Math.min(2, ratio);
    this.width = Math.max(1, Math.floor(width * this.ratio));
    this.height = Math.max(1, Math.floor(height * this.ratio));
    this.canvas.width = this.width;
    this.canvas.height = this.height;
    this.#last = null;
    this.#barGain = null;
  }

  /** Draws what has come since the last frame. `at`: local time in ms; `lost`: the page hears nothing any more. */
  draw(at, lost) {
    if (this.width <= MARGIN) return;
    const channel = this.pick(at);
    if (channel !== this.#channel) this.#take(channel);
    this.#showState(channel, channel === null || lost || channel.frozen(at));
    if (channel === null || lost) return;
    this.#advance(channel, channel.playhead(at));
  }

  /** Hatched with the reason where nothing of the patient comes; a disturbed wave is drawn and says so. */
  #showState(channel, silent) {
    const quality = channel === null ? null : channel.quality;
    if (silent === this.#silent && quality === this.#quality) return;
    this.#silent = silent;
    this.#quality = quality;
    const why = channel === null ? "" : trouble(quality);
    const frozen = silent || why === "lead off" || why === "calibrating";
    this.box.dataset.frozen = String(frozen);
    this.box.dataset.none = String(channel === null);
    this.off.textContent = silent ? "no signal" : why;
    this.name.textContent = channel === null ? "" : [waveName(channel.code), why].filter(Boolean).join(" – ");
  }

  #take(channel) {
    this.#channel = channel;
    this.#last = null;
    this.#gain = null;
    this.#silent = null;
    this.context.clearRect(0, 0, this.width, this.height);
  }

  #advance(channel, head) {
    const kind = channel.kind;
    const perMs = (SPEED[kind] * PX_PER_MM * this.ratio) / 1000;
    const span = this.width - Math.round(MARGIN * this.ratio);
    const now = Math.floor(head * perMs);
    if (this.#last === null || now - this.#last > span || now < this.#last) {
      this.context.clearRect(0, 0, this.width, this.height);
      this.#last = now - span + Math.round(BAR * this.ratio);
      this.#joined = false;
      this.#barGain = null;
    }
    if (now === this.#last) return;
    this.#fit(channel, kind);
    this.#erase(this.#last + 1, now + Math.round(BAR * this.ratio), span);
    this.context.fillStyle = COLOUR[kind];
    for (let column = this.#last + 1; column <= now; column += 1) this.#column(channel, column, perMs, span);
    this.#last = now;
  }

  #erase(from, to, span) {
    const left = this.width - span;
    const start = ((from % span) + span) % span;
    const length = to - from + 1;
    const first = Math.min(length, span - start);
    this.context.clearRect(left + start, 0, first, this.height);
    if (length > first) this.context.clearRect(left, 0, length - first, this.height);
  }

  #column(channel, column, perMs, span) {
    if (!channel.range(column / perMs, (column + 1) / perMs, RANGE)) {
      this.#joined = false;
      return;
    }
    let top = this.#y(RANGE.high);
    let bottom = this.#y(RANGE.low);
    const above = this.#top;
    const below = this.#bottom;
    this.#top = top;
    this.#bottom = bottom;
    if (this.#joined) {
      if (below < top) top = below;
      if (above > bottom) bottom = above;
    }
    this.#joined = true;
    const thick = 1.6 * this.ratio;
    const x = this.width - span + (((column % span) + span) % span);
    this.context.fillRect(x, top - thick / 2, Math.max(1, this.ratio), bottom - top + thick);
  }

  #y(value) {
    return this.height / 2 - (value - this.middle) * this.#gain;
  }

  /** Chooses scale and place: an ECG by mm per mV, the rest by its own range. */
  #fit(channel, kind) {
    const low = channel.low ?? 0;
    const high = channel.high ?? 1;
    const room = this.height * 0.86;
    const size = Math.max(high - low, 1e-6);
    this.middle = (low + high) / 2;
    if (kind === "ecg") {
      const pxPerMm = PX_PER_MM * this.ratio;
      let fits = GAINS[GAINS.length - 1];
      for (let i = GAINS.length - 1; i >= 0; i -= 1) if (GAINS[i] * pxPerMm * size <= room) fits = GAINS[i];
      const gain = fits * pxPerMm;
      const tooBig = this.#gain !== null && this.#gain * size > this.height;
      const muchRoom = this.#gain !== null && gain > this.#gain && gain * size < room * 0.85;
      if (this.#gain === null || tooBig || muchRoom) this.#gain = gain;
    } else {
      this.#gain = room / size;
    }
    this.#calibrate(kind);
  }

  /** The 1 mV bar at the left edge. */
  #calibrate(kind) {
    if (this.#barGain === this.#gain) return;
    this.#barGain = this.#gain;
    const left = Math.round(MARGIN * this.ratio);
    this.context.clearRect(0, 0, left, this.height);
    if (kind !== "ecg") return;
    const c = this.context;
    const half = Math.min(this.#gain, this.height) / 2;
    const y = this.height / 2;
    c.fillStyle = "#93a1af";
    const t = Math.max(1, this.ratio);
    c.fillRect(left * 0.5, y - half, t, 2 * half);
    c.fillRect(left * 0.3, y - half, left * 0.4, t);
    c.fillRect(left * 0.3, y + half - t, left * 0.4, t);
  }
}

/** Draws all sweeps in one frame loop; with many, each is drawn every second frame. */
export class SweepLoop {
  #sweeps = new Map();
  #turn = 0;

  constructor() {
    this.sizes = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) {
        this.#sweeps.get(target)?.resize(contentRect.width, contentRect.height, devicePixelRatio);
      }
    });
    this.sight = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const sweep = this.#sweeps.get(target);
        if (sweep) sweep.visible = isIntersecting;
      }
    });
  }

  add(sweep) {
    this.#sweeps.set(sweep.box, sweep);
    this.sizes.observe(sweep.box);
    this.sight.observe(sweep.box);
  }

  remove(sweep) {
    this.#sweeps.delete(sweep.box);
    this.sizes.unobserve(sweep.box);
    this.sight.unobserve(sweep.box);
  }

  /** One animation frame. */
  frame(at, lost) {
    const share = this.#sweeps.size > 24 ? 2 : 1;
    this.#turn += 1;
    let index = 0;
    for (const sweep of this.#sweeps.values()) {
      index += 1;
      if (sweep.visible && (index + this.#turn) % share === 0) sweep.draw(at, lost);
    }
  }
}
