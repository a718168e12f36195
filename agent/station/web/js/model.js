// The page's copy of the ward: what frames say, and what follows from them. Pure: no DOM, no clock.

import { RANK, byUrgency, calls, unacknowledged } from "./alarm.js";
import { escalated, rings } from "./call.js";

export class WardModel {
  /** @type {Map<string, object>} beds by name, in the page's order */
  beds = new Map();
  /** Names of those who are called, by bed and step. */
  #receivers = new Map();
  info = null;
  ward = null;
  health = null;

  /**
   * Takes a frame of the station. Returns what changed:
   * `layout` (the set or order of beds), `beds` (names), `raised` (alarms to read out: new, back, or of another
   * priority), `rings` (those for which the burst starts anew), `escalated` (whose call went up), `ward`.
   */
  apply(frame) {
    switch (frame.type) {
      case "snapshot":
        return this.#snapshot(frame);
      case "beds":
        return this.#beds(frame.beds);
      case "alarm":
        return this.#alarm(frame.alarm);
      case "heartbeat":
        this.ward = frame.ward;
        this.health = frame.health;
        return { ...NOTHING_CHANGED, ward: true };
      default:
        return NOTHING_CHANGED;
    }
  }

  #snapshot(frame) {
    const known = this.beds;
    this.info = frame.info;
    this.ward = frame.ward;
    this.health = frame.health;
    this.beds = new Map();
    for (const unit of frame.info.units) {
      for (const bed of unit.beds) {
        this.beds.set(bed, empty(bed, unit.unit));
        this.#receivers.set(bed, unit.receivers);
      }
    }
    for (const bed of frame.beds) {
      this.#name(bed.bed, bed.alarms);
      this.beds.set(bed.bed, bed);
    }
    const changes = { layout: true, beds: [...this.beds.keys()], ...noAlarms(), ward: true };
    for (const bed of frame.beds) compare(known.get(bed.bed)?.alarms ?? [], bed.alarms, bed.bed, changes);
    return changes;
  }

  #beds(beds) {
    const changes = { layout: false, beds: beds.map((b) => b.bed), ...noAlarms(), ward: false };
    for (const bed of beds) {
      const before = this.beds.get(bed.bed);
      changes.layout ||= before === undefined;
      this.#name(bed.bed, bed.alarms);
      compare(before?.alarms ?? [], bed.alarms, bed.bed, changes);
      this.beds.set(bed.bed, bed);
    }
    return changes;
  }

  #alarm(change) {
    const bed = this.beds.get(change.bed);
    if (!bed) return NOTHING_CHANGED;
    const before = bed.alarms;
    this.#name(change.bed, [change]);
    bed.alarms = before.filter((a) => a.id !== change.id);
    if (change.state !== "cleared") {
      bed.alarms.push(change);
      bed.alarms.sort(byUrgency);
    }
    const changes = { layout: false, beds: [change.bed], ...noAlarms(), ward: false };
    compare(before, bed.alarms, change.bed, changes);
    return changes;
  }

  /** Puts to each alarm the names of those who are called now. */
  #name(bed, alarms) {
    for (const alarm of alarms) alarm.calling = this.#receivers.get(bed)?.[alarm.receiver] ?? [];
  }

  /** All standing alarms with their bed, most urgent first. */
  alarms() {
    return [...this.beds.values()].flatMap((bed) => bed.alarms.map((a) => ({ ...a, bed: bed.bed }))).sort(byUrgency);
  }

  /** Alarms that nobody has acknowledged, by priority. */
  counts() {
    const counts = { high: 0, medium: 0, low: 0 };
    for (const bed of this.beds.values()) {
      for (const a of bed.alarms) if (unacknowledged(a)) counts[a.priority] += 1;
    }
    return counts;
  }

  /** The alarm that the banner shows: of those that call, the newest of the highest priority. */
  foremost() {
    return this.alarms().find(unacknowledged) ?? null;
  }

  /** The audio pause that ends last, or null. */
  longestPause() {
    let longest = null;
    for (const { audio_pause: pause } of this.beds.values()) {
      if (pause && (longest === null || pause.until > longest.until)) longest = pause;
    }
    return longest;
  }

  /** Devices at no bed. */
  unassigned() {
    return this.ward?.unassigned ?? [];
  }
}

const noAlarms = () => ({ raised: [], rings: [], escalated: [] });
const NOTHING_CHANGED = { layout: false, beds: [], ...noAlarms(), ward: false };

/** Puts what is new between a bed's alarms before and after into `changes`. */
function compare(before, after, bed, changes) {
  const known = new Map(before.map((a) => [a.id, a]));
  for (const alarm of after) {
    const was = known.get(alarm.id);
    if (was === alarm) continue;
    const named = { ...alarm, bed };
    if (calls(was, alarm)) changes.raised.push(named);
    if (rings(was, alarm, before)) changes.rings.push(named);
    if (escalated(was, alarm)) changes.escalated.push(named);
  }
}

function empty(bed, unit) {
  return {
    bed,
    unit,
    stay: null,
    devices: [],
    numerics: {},
    news2: null,
    risk: null,
    alarms: [],
    blind_since: null,
    blind_ms: 0,
    audio_pause: null,
    inactivated: [],
  };
}

/** Whose announcement may be read now: one per bed in ten seconds, but a higher priority always. */
export class Announcer {
  #last = new Map();

  /** Whether `alarm` may be announced at `now` (ms, any clock). */
  allows(alarm, now) {
    const last = this.#last.get(alarm.bed);
    const rank = RANK[alarm.priority];
    if (last && now - last.at < 10_000 && rank <= last.rank) return false;
    this.#last.set(alarm.bed, { at: now, rank });
    return true;
  }
}
