// Waveforms: frames in, samples by time out. Pure: no DOM, no clock.

const decoder = new TextDecoder();
/** Raw value of a missing sample. */
const MISSING = -32768;
/** Quality bits of a block, as devices send them. */
const LEAD_OFF = 4;
const ARTEFACT = 8;
const CALIBRATING = 32;

/** What is wrong with a wave of this quality, in words; empty if nothing is. */
export function trouble(quality) {
  if (quality & LEAD_OFF) return "lead off";
  if (quality & CALIBRATING) return "calibrating";
  return quality & ARTEFACT ? "disturbed" : "";
}

/** How far behind the newest sample the sweep runs, beyond one block, in ms. */
export const JITTER_MS = 500;
/** Seconds of samples kept per channel: more than the widest sweep shows. */
const KEPT_S = 24;

/** Decodes a binary frame; `null` for a layout that this page does not know. */
export function decode(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < 36 || view.getUint8(0) !== 1) return null;
  const nameLength = view.getUint8(1);
  const count = view.getUint32(28, true);
  const samplesAt = 36 + nameLength + (nameLength % 2);
  if (buffer.byteLength < samplesAt + 2 * count) return null;
  const scale = view.getFloat32(20, true);
  const offset = view.getInt32(24, true);
  const samples = new Float32Array(count);
  const quality = view.getUint16(2, true);
  // What comes from a lead that is off, or from a calibration, is not of the patient.
  const foreign = (quality & (LEAD_OFF | CALIBRATING)) !== 0;
  for (let i = 0; i < count; i += 1) {
    const raw = view.getInt16(samplesAt + 2 * i, true);
    samples[i] = foreign || raw === MISSING ? NaN : (raw + offset) * scale;
  }
  return {
    bed: decoder.decode(new Uint8Array(buffer, 36, nameLength)),
    quality,
    code: view.getUint32(4, true),
    t0: view.getFloat64(8, true),
    rate: view.getFloat32(16, true),
    samples,
  };
}

const NAMES = new Map([
  [131329, "ECG I"],
  [131330, "ECG II"],
  [131389, "ECG III"],
  [131390, "ECG aVR"],
  [131391, "ECG aVL"],
  [131392, "ECG aVF"],
  [131395, "ECG V"],
  [150452, "Pleth"],
  [151780, "Resp"],
  [151700, "CO2"],
  [150036, "ABP"],
]);

/** Name of a waveform by its MDC code. */
export function waveName(code) {
  return NAMES.get(code) ?? (code >= 131331 && code <= 131336 ? `ECG V${code - 131330}` : `Wave ${code}`);
}

/** `ecg`, `pleth`, `resp`, `co2` or `abp`: decides colour, speed and scale. */
export function waveKind(code) {
  if (waveName(code).startsWith("ECG")) return "ecg";
  return { 150452: "pleth", 151780: "resp", 151700: "co2", 150036: "abp" }[code] ?? "pleth";
}

/** Which waveform a tile shows: ECG II, any ECG, arterial pressure, pleth, then the rest. Smaller is better. */
export function preference(code) {
  if (code === 131330) return 0;
  return { ecg: 1, pleth: 2, abp: 3, resp: 4, co2: 5 }[waveKind(code)];
}

/** Samples of one waveform of one bed, by device time. Gaps stay gaps. */
export class Channel {
  constructor(code, rate) {
    this.code = code;
    this.kind = waveKind(code);
    this.rate = rate;
    this.ring = new Float32Array(Math.ceil(rate * KEPT_S)).fill(NaN);
    /** Index of the sample after the newest: sample i was measured at i × 1000 / rate ms. */
    this.end = null;
    /** Device time minus local time, by the block that came fastest. */
    this.offset = null;
    this.blockMs = 0;
    /** Local time of the newest block. */
    this.heardAt = -Infinity;
    /** Quality of the newest block. */
    this.quality = 1;
    /** Where the trace stands on the screen: a slow mean of the samples. */
    this.baseline = null;
    this.low = null;
    this.high = null;
  }

  /** Takes a block that arrived at local time `at` (ms). */
  push(block, at) {
    const first = this.#firstIndex(block);
    const samples = block.samples;
    this.quality = block.quality ?? 1;
    const restart = this.end === null || first > this.end + this.ring.length || first + samples.length < this.end - this.ring.length;
    if (restart) this.ring.fill(NaN);
    else this.#blank(this.end, first);
    for (let i = 0; i < samples.length; i += 1) this.#put(first + i, samples[i]);
    const end = first + samples.length;
    this.end = restart ? end : Math.max(this.end, end);
    this.#follow(samples);
    this.#keepTime(end, samples.length, at);
  }

  /** Continues the numbering where a block follows the last one up to rounding; otherwise goes by its time. */
  #firstIndex(block) {
    const byTime = Math.round((block.t0 * this.rate) / 1000);
    return this.end !== null && Math.abs(byTime - this.end) <= 2 ? this.end : byTime;
  }

  #blank(from, to) {
    for (let i = from; i < to; i += 1) this.#put(i, NaN);
  }

  #put(index, value) {
    this.ring[((index % this.ring.length) + this.ring.length) % this.ring.length] = value;
  }

  #keepTime(end, count, at) {
    const offset = (end * 1000) / this.rate - at;
    // A jump of the device's clock, or the first block: take it as it is. Otherwise drift towards slower arrivals gently.
    const jumped = this.offset === null || Math.abs(offset - this.offset) > 2000;
    this.offset = jumped ? offset : Math.max(offset, this.offset - 1);
    this.blockMs = (count * 1000) / this.rate;
    this.heardAt = at;
  }

  /** Slow mean and range, for the place and size of the trace. */
  #follow(samples) {
    let low = Infinity;
    let high = -Infinity;
    let sum = 0;
    let count = 0;
    for (const s of samples) {
      if (Number.isNaN(s)) continue;
      if (s < low) low = s;
      if (s > high) high = s;
      sum += s;
      count += 1;
    }
    if (count === 0) return;
    const mean = sum / count;
    const k = Math.min(1, count / this.rate / 3);
    this.baseline = this.baseline === null ? mean : this.baseline + k * (mean - this.baseline);
    this.low = this.low === null || low < this.low ? low : this.low + k * 0.3 * (low - this.low);
    this.high = this.high === null || high > this.high ? high : this.high + k * 0.3 * (high - this.high);
  }

  /** Device time (ms) that the sweep shows at local time `at`. */
  playhead(at) {
    return this.offset === null ? null : at + this.offset - this.blockMs - JITTER_MS;
  }

  /** Whether nothing came for `ms` before local time `at`. */
  frozen(at, ms = 2000) {
    return at - this.heardAt > ms + this.blockMs;
  }

  /**
   * Puts the lowest and highest sample in device time [from, to) ms into `out.low` and `out.high`; returns whether there
   * is one. A column narrower than a sample takes the one it lies in, unless that one is missing. Makes no garbage: the
   * sweeps ask for each column of each frame.
   */
  range(from, to, out) {
    if (this.end === null) return false;
    let i = Math.ceil((from * this.rate) / 1000);
    let last = Math.ceil((to * this.rate) / 1000) - 1;
    if (last < i) i = last = Math.floor((from * this.rate) / 1000);
    const size = this.ring.length;
    const oldest = this.end - size;
    let low = Infinity;
    let high = -Infinity;
    for (; i <= last; i += 1) {
      if (i < oldest || i >= this.end) continue;
      const s = this.ring[((i % size) + size) % size];
      if (s < low) low = s;
      if (s > high) high = s;
    }
    out.low = low;
    out.high = high;
    return low !== Infinity;
  }
}

const NONE = Object.freeze([]);

/** The channels of all beds. */
export class WaveStore {
  /** @type {Map<string, Map<number, Channel>>} */
  #beds = new Map();
  /** Channels of each bed in their order: made when a channel comes, because the tiles ask in every frame. */
  #sorted = new Map();

  /** Takes a decoded block. */
  push(block, at) {
    if (!(block.rate >= 1 && block.rate <= 2000)) return;
    let channels = this.#beds.get(block.bed);
    if (!channels) this.#beds.set(block.bed, (channels = new Map()));
    let channel = channels.get(block.code);
    if (!channel || channel.rate !== block.rate) {
      channels.set(block.code, (channel = new Channel(block.code, block.rate)));
      this.#sorted.set(block.bed, [...channels.values()].sort((a, b) => preference(a.code) - preference(b.code)));
    }
    channel.push(block, at);
  }

  /** Channels of a bed, preferred first. Not to be changed. */
  of(bed) {
    return this.#sorted.get(bed) ?? NONE;
  }

  /** The channel of this code, or null. */
  channel(bed, code) {
    return this.#beds.get(bed)?.get(code) ?? null;
  }

  /** The channel for a bed's tile: the preferred one, unless it has been silent for half a minute and another lives. */
  tile(bed, at) {
    const channels = this.of(bed);
    for (let i = 0; i < channels.length; i += 1) if (!channels[i].frozen(at, 30_000)) return channels[i];
    return channels[0] ?? null;
  }
}
