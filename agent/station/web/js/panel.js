// The panel at the right: the list of alarms, or one bed in detail. The banner stays visible above it.

import { alarmRow } from "./alarms.js";
import { bedForms } from "./bedforms.js";
import { byId, el } from "./dom.js";
import * as f from "./format.js";
import { Sweep } from "./sweep.js";

/** Waves in the detail. */
const MAX_WAVES = 4;

export class Panel {
  #sections = new Map();
  #sweeps = [];
  #bed = null;
  #returnTo = null;

  constructor({ model, store, loop, onAcknowledge, onOpen }) {
    Object.assign(this, { model, store, loop, onAcknowledge, onOpen });
    this.node = byId("panel");
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  /** Bed shown, `"list"`, or null. */
  get shows() {
    return this.node.hidden ? null : (this.#bed ?? "list");
  }

  openBed(name, view) {
    this.onOpen(name);
    this.#begin(name, `Bed ${name}`);
    const bed = this.model.beds.get(name);
    for (const section of ["alarms", "waves", "numerics", "news2", "risk", "devices"]) this.#section(section);
    const forms = el("div", { class: "forms" });
    this.node.append(forms);
    bedForms(forms, name, this.model);
    this.#waves(name);
    if (bed) this.update(view);
    this.node.focus();
  }

  openList(view) {
    this.#begin(null, "Alarms");
    this.#section("alarms");
    this.update(view);
    this.node.focus();
  }

  close() {
    this.#dropSweeps();
    this.node.hidden = true;
    this.node.replaceChildren();
    this.#sections.clear();
    this.#returnTo?.focus?.();
  }

  /** Shows the newest state; only sections that changed are made anew. */
  update(view) {
    if (this.node.hidden) return;
    if (this.#bed === null) {
      this.#list(view);
      return;
    }
    const bed = this.model.beds.get(this.#bed);
    if (!bed) return;
    this.subtitle.textContent = patient(bed, view);
    this.#fill("alarms", [bed.alarms, bed.blind_since], () => alarmSection(bed, view, this.onAcknowledge));
    this.#fill("numerics", [bed.numerics, view.now, view.blank], () => numericSection(bed, view));
    this.#fill("news2", [bed.news2, Math.floor(view.now / 60_000)], () => news2Section(bed.news2, view));
    this.#fill("risk", [bed.risk, view.model, Math.floor(view.now / 10_000)], () => riskSection(bed.risk, view));
    this.#fill("devices", [bed.devices.map(stable), bed.blind_ms], () => deviceSection(bed));
    this.#ages(view.now);
  }

  #list(view) {
    const alarms = this.model.alarms();
    this.subtitle.textContent = `${alarms.length} standing`;
    const open = (name) => () => this.openBed(name, view);
    this.#fill("alarms", alarms, () => [
      ...alarms.map((a) => alarmRow(a, view.now, this.onAcknowledge, open(a.bed))),
      alarms.length === 0 ? el("p", { class: "note", text: "No alarms stand." }) : null,
    ]);
    this.#ages(view.now);
  }

  #begin(bed, title) {
    this.#dropSweeps();
    if (this.node.hidden) this.#returnTo = document.activeElement;
    this.#bed = bed;
    this.#sections.clear();
    this.subtitle = el("p");
    this.node.replaceChildren(
      el(
        "div",
        { class: "panel-head" },
        el("h2", { id: "panel-title", text: title }),
        this.subtitle,
        el("button", { class: "close", type: "button", text: "Close", on: { click: () => this.close() } }),
      ),
    );
    this.node.style.setProperty("--top", `${byId("top").offsetHeight}px`);
    this.node.hidden = false;
  }

  #section(name) {
    const node = el("div");
    this.#sections.set(name, { node, key: null });
    this.node.append(node);
  }

  #fill(name, data, make) {
    const section = this.#sections.get(name);
    const key = JSON.stringify(data);
    if (!section || section.key === key) return;
    section.key = key;
    section.node.replaceChildren(...[make()].flat().filter(Boolean));
  }

  #ages(now) {
    for (const node of this.node.querySelectorAll("[data-since]")) {
      node.textContent = f.age(now - Number(node.dataset.since));
    }
  }

  #waves(name) {
    const section = this.#sections.get("waves");
    for (const channel of this.store.of(name).slice(0, MAX_WAVES)) {
      const sweep = new Sweep("wave big-wave", () => this.store.of(name).find((c) => c.code === channel.code) ?? null);
      section.node.append(sweep.box);
      this.loop.add(sweep);
      this.#sweeps.push(sweep);
    }
  }

  #dropSweeps() {
    for (const sweep of this.#sweeps) this.loop.remove(sweep);
    this.#sweeps = [];
  }
}

/** A device without what changes every second. */
function stable({ last_received_at: _at, skew_ms: _skew, ...rest }) {
  return rest;
}

function patient(bed, view) {
  if (!bed.stay) return "no patient";
  const s = bed.stay;
  const parts = [view.private ? f.initials(s.name) : s.name];
  parts.push(s.age_years === null ? s.age_group : `${s.age_years} years`);
  parts.push(`admitted ${f.clock(s.admitted_at)}, ${f.age(view.now - s.admitted_at)} ago`);
  if (s.spo2_scale === 2) parts.push("SpO2 scale 2 (88–92 % prescribed)");
  return parts.filter(Boolean).join(" · ");
}

function alarmSection(bed, view, onAcknowledge) {
  const rows = bed.alarms.map((a) => alarmRow({ ...a, bed: bed.bed }, view.now, onAcknowledge));
  if (bed.blind_since !== null) {
    const since = f.clock(bed.blind_since, true);
    rows.push(el("p", { class: "note", text: `This bed has not been able to alarm since ${since}. Look at the bedside monitor.` }));
  }
  if (rows.length === 0) rows.push(el("p", { class: "note", text: "No alarms stand at this bed." }));
  return [el("h3", { text: "Alarms" }), ...rows];
}

const COLOURS = { hr: "hr", pr: "hr", spo2: "spo2", rr: "rr" };

function numericSection(bed, view) {
  const rows = f.inOrder(bed.numerics).map(([p, n]) => {
    const gone = n.freshness === "expired" || view.blank;
    const kind = COLOURS[p] ?? (p.startsWith("abp") ? "bp" : "");
    return el(
      "tr",
      {},
      el("td", { text: f.label(p) }),
      el("td", { class: `big ${kind}`, data: { kind: p.startsWith("abp") ? "abp" : null }, text: f.number(gone ? null : n.value, p) }),
      el("td", { text: f.unit(p) }),
      el("td", { text: n.low === null && n.high === null ? "" : `${f.number(n.low, p)} – ${f.number(n.high, p)}` }),
      el("td", { text: f.clock(n.measured_at, true) }),
      el("td", { text: [f.age(view.now - n.measured_at), n.freshness === "fresh" ? "" : n.freshness, n.implausible ? "implausible" : ""].filter(Boolean).join(", ") }),
    );
  });
  const head = ["Parameter", "Value", "Unit", "Limits", "Measured", "Age"].map((h) => el("th", { text: h, scope: "col" }));
  return [el("h3", { text: "Values" }), el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows))];
}

const RESPONSE = {
  low: "Ward-based response.",
  "low-medium": "3 in one parameter: urgent ward-based review.",
  medium: "Urgent threshold: urgent review by clinicians competent in acute illness.",
  high: "Emergency threshold: emergency assessment by a team with critical-care skills.",
};

function news2Section(score, view) {
  if (!score) return [el("h3", { text: "NEWS2" }), el("p", { class: "note", text: "Not scored for this patient." })];
  const shown = f.news2(score);
  const blocks = f.NEWS2_PARTS.map((part) => {
    const points = score.parts[part];
    const word = points === null ? "?" : String(points);
    return el("div", { class: "block", data: { points: word } }, el("b", { text: word }), f.input(part));
  });
  const oldest = score.oldest_input_at === null ? "" : `Oldest input ${f.age(view.now - score.oldest_input_at)} old.`;
  const missing = shown.missing ? `Missing or too old: ${shown.missing}. The number is what the score is at least.` : "";
  return [
    el("h3", { text: `NEWS2 ${shown.text} · ${score.band}` }),
    el("div", { class: "stack" }, ...blocks),
    el("p", { class: "note", text: [RESPONSE[score.band], oldest, missing].filter(Boolean).join(" ") }),
  ];
}

const MODEL_STATE = {
  late: "The model answers too late: rules only.",
  gone: "No model runs: rules only.",
};

function riskSection(risk, view) {
  const title = el("h3", { text: "Risk estimate" });
  if (view.model !== "live") return [title, el("p", { class: "note", text: MODEL_STATE[view.model] ?? MODEL_STATE.gone })];
  if (!risk) return [title, el("p", { class: "note", text: "No estimate yet: too few values." })];
  const rows = risk.inputs.map(({ name, value }) =>
    el("tr", {}, el("td", { text: f.input(name) }), el("td", { text: value === null ? "missing" : String(Math.round(value * 10) / 10) })),
  );
  const meter = el("i");
  meter.style.width = `${risk.permille / 10}%`;
  return [
    el("h3", { text: `Risk estimate ${f.percent(risk.permille)} · ${risk.band}` }),
    el("div", { class: "meter" }, meter),
    el("p", {
      class: "note",
      text:
        `Model ${risk.model}, computed ${f.age(view.now - risk.computed_at)} ago from ${risk.completeness_percent} % of its inputs. ` +
        "An estimate from a model that was trained on other hospitals' patients: not a diagnosis, and it never silences an alarm.",
    }),
    el("table", {}, el("thead", {}, el("tr", {}, el("th", { text: "Input, mean of the last hour", scope: "col" }), el("th", { text: "Value", scope: "col" }))), el("tbody", {}, ...rows)),
  ];
}

function deviceSection(bed) {
  const rows = bed.devices.map((d) =>
    el(
      "tr",
      {},
      el("td", { text: d.device }),
      el("td", { text: d.model || "unknown model" }),
      el("td", { text: d.live ? "live" : d.online === false ? "switched off" : "no data" }),
      el("td", { text: d.battery_percent === null ? "" : `battery ${d.battery_percent} %` }),
      el("td", { text: d.demo ? "DEMO" : "" }),
      el("td", { text: d.missed > 0 ? `${d.missed} messages missed` : "" }),
    ),
  );
  const blind = bed.blind_ms > 0 ? `In this stay the bed could not have alarmed for ${f.age(bed.blind_ms)} in total.` : "";
  return [
    el("h3", { text: "Devices" }),
    rows.length > 0 ? el("table", {}, el("tbody", {}, ...rows)) : el("p", { class: "note", text: "No device is attached." }),
    blind ? el("p", { class: "note", text: blind }) : null,
  ];
}
