// One bed in detail: what the frames say of it, and what is asked for besides (limits, trends, history).

import { alarmEvents } from "./alarms.js";
import { bedPath, get } from "./api.js";
import { bedTools } from "./bedtools.js";
import { blindSection, deviceSection, news2Section, patient, riskSection, switchedSection, valueSection } from "./bedview.js";
import { el } from "./dom.js";
import * as f from "./format.js";
import { historyRows } from "./historyview.js";
import { sightingSection } from "./sighting.js";
import { Sweep } from "./sweep.js";
import { changedInAnHour } from "./trend.js";
import { trendSection } from "./trendview.js";

/** Waves in the detail. */
const MAX_WAVES = 4;
const DETAIL_EVERY_MS = 5000;
const TRENDS_EVERY_MS = 60_000;
const HISTORY_EVERY_MS = 20_000;
const HISTORY_HOURS = 12;

export class BedPanel {
  #sweeps = [];
  #open = true;
  #asked = new Map();
  #detail = null;
  #trends = null;
  #history = null;
  #hours = 24;
  /** Why a question has had no answer, for what is not there yet. */
  #refused = new Map();

  constructor(name, panel, context) {
    Object.assign(this, { name, panel, context });
    for (const section of ["tools", "alarms", "switched", "waves", "values", "sighting", "trends", "news2", "risk", "history", "devices", "blind"]) {
      panel.section(section);
    }
  }

  close() {
    this.#open = false;
    for (const sweep of this.#sweeps) this.context.loop.remove(sweep);
  }

  update(view) {
    const bed = this.context.model.beds.get(this.name);
    if (!bed) return;
    this.#ask("detail", DETAIL_EVERY_MS, bedPath(this.name), (answer) => (this.#detail = answer.bed));
    this.#ask("trends", TRENDS_EVERY_MS, bedPath(this.name, "/trends"), (answer) => (this.#trends = answer));
    this.#ask("history", HISTORY_EVERY_MS, `history?hours=${HISTORY_HOURS}&bed=${encodeURIComponent(this.name)}`, (answer) => (this.#history = answer));
    this.panel.subtitle.textContent = patient(bed, view);
    this.#fill(bed, view);
    this.#waves();
  }

  #fill(bed, view) {
    const { panel } = this;
    const { model, actions } = this.context;
    const limits = this.#detail?.limits ?? null;
    panel.fill("tools", [bed.stay?.admitted_at, bed.audio_pause, bed.devices.map((d) => d.device), model.unassigned().length], () => bedTools(bed, this.context, () => this.refresh()));
    panel.fill("alarms", [bed.alarms, bed.blind_since], () => standing(bed, view, actions));
    panel.fill("switched", [bed.inactivated], () => switchedSection(bed));
    panel.fill("values", [bed.numerics, limits, view.now, view.blank], () => valueSection(bed, limits, view));
    panel.fill("sighting", [this.#detail?.sighting, Math.floor(view.now / 10_000)], () => sightingSection(this.#detail?.sighting, view));
    const waiting = (what) => this.#refused.get(what) ?? "asking …";
    panel.fill("trends", [this.#trends?.now ?? waiting("trends"), this.#hours, limits], () => trendSection(this.#trends, limits, this.#hours, (hours) => this.#span(hours), waiting("trends")));
    panel.fill("news2", [bed.news2, Math.floor(view.now / 60_000)], () => news2Section(bed.news2, view));
    panel.fill("risk", [bed.risk, view.model, this.#trends?.now, Math.floor(view.now / 10_000)], () => riskSection(bed.risk, view, changedInAnHour(this.#trends)));
    panel.fill("history", [this.#history?.episodes ?? waiting("history")], () => historyRows(this.#history, HISTORY_HOURS, waiting("history")));
    panel.fill("devices", [bed.devices.map(stable)], () => deviceSection(bed));
    panel.fill("blind", [this.#detail?.blind_by_cause, this.#detail?.blind_recent, bed.blind_ms], () => blindSection(bed, this.#detail));
  }

  /** Asks for everything again, because a person has changed something. */
  refresh() {
    this.#asked.clear();
    this.update(this.context.view());
  }

  #span(hours) {
    this.#hours = hours;
    this.update(this.context.view());
  }

  /** Asks for `path` if the last answer is older than `every` ms. A question without an answer leaves what is shown. */
  async #ask(what, every, path, take) {
    const now = performance.now();
    if (now - (this.#asked.get(what) ?? -Infinity) < every) return;
    this.#asked.set(what, now);
    try {
      const answer = await get(path);
      if (!this.#open) return;
      take(answer);
      this.#refused.delete(what);
      this.#fill(this.context.model.beds.get(this.name), this.context.view());
    } catch (error) {
      // Asked again at the next turn; what is shown stays.
      if (this.#open) this.#refused.set(what, error.message);
    }
  }

  #waves() {
    const { store, loop } = this.context;
    const channels = store.of(this.name).slice(0, MAX_WAVES);
    if (this.#sweeps.length >= channels.length) return;
    const root = this.panel.node.querySelector(".section.waves");
    for (const { code } of channels.slice(this.#sweeps.length)) {
      const sweep = new Sweep("wave big-wave", () => store.channel(this.name, code));
      root.append(sweep.box);
      loop.add(sweep);
      this.#sweeps.push(sweep);
    }
  }
}

/** A device without what changes every second. */
function stable({ last_received_at: _at, skew_ms: _skew, ...rest }) {
  return rest;
}

function standing(bed, view, actions) {
  const alarms = bed.alarms.map((alarm) => ({ ...alarm, bed: bed.bed }));
  const rows = alarmEvents(alarms, view.now, actions);
  if (bed.blind_since !== null) {
    const since = f.clock(bed.blind_since, true);
    rows.push(el("p", { class: "note", text: `This bed has not been able to alarm since ${since}. Look at the bedside monitor.` }));
  }
  if (rows.length === 0) rows.push(el("p", { class: "note", text: "No alarms stand at this bed." }));
  return [el("h3", { text: "Alarms" }), ...rows];
}
