// The agent's clock as seen from here, the state of the link, and the flash. Pure: whoever calls brings the time.

/** Without a frame for so long the page says LINK LOST. */
export const LOST_AFTER_MS = 3000;
/** Without a frame for so long numbers are blanked. */
export const BLANK_AFTER_MS = 10_000;
/** Flashes per second: high 2.0, medium 0.5 (IEC 60601-1-8: 1.4 to 2.8 and 0.4 to 0.8); low does not flash. */
export const FLASH_HZ = { high: 2.0, medium: 0.5 };

const SAMPLES = 12;
const JUMP_MS = 1500;

/**
 * Estimates the agent's clock from the `now` of its frames against a monotonic local clock, so that a wrong or
 * changed clock of this computer does not matter.
 */
export class ServerClock {
  #offsets = [];
  #offset = null;

  /** A frame with `now` arrived at local time `at` (both in ms). */
  heard(now, at) {
    const offset = now - at;
    if (this.#offset !== null && Math.abs(offset - this.#offset) > JUMP_MS && this.#agrees(offset)) {
      this.#offsets = [];
    }
    this.#offsets.push(offset);
    if (this.#offsets.length > SAMPLES) this.#offsets.shift();
    // The frame that travelled fastest has the largest offset.
    this.#offset = Math.max(...this.#offsets);
  }

  /** Two frames in a row that tell another time: the agent's clock was set, and we follow. */
  #agrees(offset) {
    const last = this.#offsets.at(-1);
    return last !== undefined && Math.abs(last - offset) < JUMP_MS;
  }

  /** The agent's time at local time `at`, or `null` before the first frame. */
  at(at) {
    return this.#offset === null ? null : this.#offset + at;
  }
}

/** State of the link, `sinceMs` after the last heartbeat: `live`, `lost` or `blank`. */
export function link(sinceMs) {
  if (sinceMs < LOST_AFTER_MS) return "live";
  return sinceMs < BLANK_AFTER_MS ? "lost" : "blank";
}

/** Whether the flash is in its bright half, at epoch time `ms`: one clock for all tiles, 50 % duty. */
export function bright(ms, hz) {
  const period = 1000 / hz;
  return ((ms % period) + period) % period < period / 2;
}

/** A press so soon after the banner changed was meant for what stood there before, in ms. */
const SETTLE_MS = 500;

/** Whether a press at `now` may count for what has been shown since `since` (any clock, ms). */
export function settled(since, now) {
  return now - since >= SETTLE_MS;
}
