// How NEWS2 has moved at each bed, as far as this page has seen it. Pure.

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** A change is told over an hour, or over what the page has seen if that is at least so long. */
const AT_LEAST_MS = 10 * MINUTE_MS;
/** One sample a minute for twelve hours. */
const KEPT = 720;

export class ScoreHistory {
  /** @type {Map<string, { stay: number, samples: { at: number, total: number }[] }>} */
  #beds = new Map();

  /** Takes a bed as it is at `now`; at most one sample a minute, and none of an incomplete score. */
  note(bed, now) {
    if (!bed.stay) {
      this.#beds.delete(bed.bed);
      return;
    }
    let kept = this.#beds.get(bed.bed);
    if (kept?.stay !== bed.stay.admitted_at) this.#beds.set(bed.bed, (kept = { stay: bed.stay.admitted_at, samples: [] }));
    const total = bed.news2?.total ?? null;
    const last = kept.samples.at(-1);
    if (total === null || (last && now - last.at < MINUTE_MS)) return;
    kept.samples.push({ at: now, total });
    if (kept.samples.length > KEPT) kept.samples.shift();
  }

  /** `{ delta, since }` of `total` against an hour ago, or the oldest that is known; null while nothing is. */
  change(name, total, now) {
    const samples = this.#beds.get(name)?.samples ?? [];
    const then = samples.find((s) => now - s.at <= HOUR_MS);
    if (!then || total === null || now - then.at < AT_LEAST_MS) return null;
    return { delta: total - then.total, since: then.at };
  }

  /** Smallest, largest and last total in the time before `now`, with how many samples; null without any. */
  range(name, now, overMs = 12 * HOUR_MS) {
    const samples = (this.#beds.get(name)?.samples ?? []).filter((s) => now - s.at <= overMs);
    if (samples.length === 0) return null;
    const totals = samples.map((s) => s.total);
    return { min: Math.min(...totals), max: Math.max(...totals), last: totals.at(-1), since: samples[0].at };
  }
}

/** `↑ +3`, `↓ −2` or `→`. */
export function arrow(delta) {
  if (delta === 0) return "→";
  return delta > 0 ? `↑ +${delta}` : `↓ −${-delta}`;
}
