// The page's copy of the ward: what frames say, and what follows from them. Pure: no DOM, no clock.

const RANK = { high: 3, medium: 2, low: 1 };

/** Highest priority first, newest first inside a priority. */
export function byUrgency(a, b) {
  return RANK[b.priority] - RANK[a.priority] || b.raised_at - a.raised_at || (a.id < b.id ? -1 : 1);
}

/** Whether somebody still has to take note of the alarm. */
export function calls(alarm) {
  return alarm.state === "active" || alarm.state === "latched";
}

/** Whether two alarms are the same in everything that a strip shows. */
function sameAlarm(a, b) {
  return a.state === b.state && a.priority === b.priority && a.value === b.value && a.limit === b.limit;
}

export class WardModel {
  /** @type {Map<string, object>} beds by name, in the page's order */
  beds = new Map();
  info = null;
  ward = null;
  health = null;

  /**
   * Takes a frame of the station. Returns what changed:
   * `layout` (the set or order of beds), `beds` (names), `raised` (alarms that are new or have risen or changed), `ward`.
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
    const known = new Map([...this.beds].flatMap(([, bed]) => bed.alarms.map((a) => [a.id, a])));
    this.info = frame.info;
    this.ward = frame.ward;
    this.health = frame.health;
    this.beds = new Map();
    for (const unit of frame.info.units) {
      for (const bed of unit.beds) this.beds.set(bed, empty(bed, unit.unit));
    }
    for (const bed of frame.beds) this.beds.set(bed.bed, bed);
    const raised = this.alarms().filter((a) => differs(known.get(a.id), a));
    return { layout: true, beds: [...this.beds.keys()], raised, ward: true };
  }

  #beds(beds) {
    const raised = [];
    let layout = false;
    for (const bed of beds) {
      const before = this.beds.get(bed.bed);
      layout ||= before === undefined;
      const known = new Map((before?.alarms ?? []).map((a) => [a.id, a]));
      raised.push(...bed.alarms.filter((a) => differs(known.get(a.id), a)).map((a) => ({ ...a, bed: bed.bed })));
      this.beds.set(bed.bed, bed);
    }
    return { layout, beds: beds.map((b) => b.bed), raised, ward: false };
  }

  #alarm(change) {
    const bed = this.beds.get(change.bed);
    if (!bed) return NOTHING_CHANGED;
    const before = bed.alarms.find((a) => a.id === change.id);
    bed.alarms = bed.alarms.filter((a) => a.id !== change.id);
    if (change.state !== "cleared") {
      bed.alarms.push(change);
      bed.alarms.sort(byUrgency);
    }
    const raised = change.state !== "cleared" && differs(before, change) ? [change] : [];
    return { layout: false, beds: [change.bed], raised, ward: false };
  }

  /** All standing alarms with their bed, most urgent first. */
  alarms() {
    return [...this.beds.values()].flatMap((bed) => bed.alarms.map((a) => ({ ...a, bed: bed.bed }))).sort(byUrgency);
  }

  /** Alarms that nobody has acknowledged, by priority. */
  counts() {
    const counts = { high: 0, medium: 0, low: 0 };
    for (const bed of this.beds.values()) {
      for (const a of bed.alarms) if (calls(a)) counts[a.priority] += 1;
    }
    return counts;
  }

  /** The alarm that the banner shows: of those that call, the newest of the highest priority. */
  foremost() {
    return this.alarms().find(calls) ?? null;
  }

  /** Devices at no bed. */
  unassigned() {
    return this.ward?.unassigned ?? [];
  }
}

const NOTHING_CHANGED = { layout: false, beds: [], raised: [], ward: false };

function differs(before, after) {
  return calls(after) && (before === undefined || !sameAlarm(before, after));
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
