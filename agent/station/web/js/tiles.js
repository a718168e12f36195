// The grid of beds: one tile each, in fixed order, updated in place.

import { el, put, show, text } from "./dom.js";
import { paint } from "./flash.js";
import * as f from "./format.js";
import { grid, neighbour } from "./layout.js";
import { calls } from "./model.js";
import { Sweep } from "./sweep.js";

const HOUR_MS = 3_600_000;

export class Tiles {
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #columns = 1;

  constructor(root, loop, store, onOpen, onAcknowledge) {
    this.root = root;
    this.loop = loop;
    this.store = store;
    this.onOpen = onOpen;
    root.addEventListener("keydown", (event) => this.#key(event, onAcknowledge));
    new ResizeObserver(() => this.#arrange()).observe(root);
  }

  /** Makes the tiles for these beds, in this order. */
  layout(names) {
    for (const tile of this.#tiles.values()) this.loop.remove(tile.sweep);
    this.#tiles = new Map(names.map((name) => [name, new Tile(name, this.store, () => this.onOpen(name))]));
    this.root.replaceChildren(...[...this.#tiles.values()].map((tile) => tile.node));
    for (const tile of this.#tiles.values()) this.loop.add(tile.sweep);
    const first = this.#tiles.values().next().value;
    if (first) first.node.tabIndex = 0;
    this.#arrange();
  }

  /** Whether these are the beds shown. */
  shows(names) {
    return names.length === this.#tiles.size && names.every((name) => this.#tiles.has(name));
  }

  /** Shows a bed's newest state. `view`: `{ now, private, blank, model }`. */
  update(bed, view) {
    this.#tiles.get(bed.bed)?.update(bed, view);
  }

  focus(name) {
    this.#tiles.get(name)?.node.focus();
  }

  #arrange() {
    const style = getComputedStyle(this.root);
    const gap = parseFloat(style.rowGap) || 8;
    const width = this.root.clientWidth - 2 * gap;
    const height = this.root.clientHeight - 2 * gap;
    const { columns, rowHeight } = grid(this.#tiles.size, width, height, gap);
    this.#columns = columns;
    this.root.style.setProperty("--columns", columns);
    this.root.style.setProperty("--row", `${rowHeight}px`);
  }

  #key(event, onAcknowledge) {
    const nodes = [...this.#tiles.values()].map((tile) => tile.node);
    const index = nodes.indexOf(event.target);
    if (index < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const name = [...this.#tiles.keys()][index];
    if (event.key.startsWith("Arrow")) {
      const next = nodes[neighbour(index, event.key, nodes.length, this.#columns)];
      nodes[index].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      this.onOpen(name);
    } else if (event.key === "a" || event.key === "A") {
      onAcknowledge(name);
    } else {
      return;
    }
    event.preventDefault();
  }
}

/** A number with its label, limits and age. */
function numberBox(kind, title) {
  const label = el("span", { text: title });
  const limits = el("small");
  const value = el("span", { class: "val", text: f.NOTHING });
  const note = el("span", { class: "note" });
  const extra = el("span", { class: "note strong" });
  const node = el("div", { class: `num ${kind}` }, el("div", { class: "lab" }, label, limits), value, extra, note);
  return { node, label, limits, value, note, extra };
}

class Tile {
  constructor(name, store, onOpen) {
    this.strip = el("div", { class: "strip" });
    this.mark = el("span", { class: "mark" });
    this.what = el("span", { class: "what" });
    this.cause = el("span", { class: "cause" });
    this.more = el("span", { class: "more" });
    this.age = el("span", { class: "age" });
    this.quiet = el("span", { class: "quiet" });
    this.strip.append(this.mark, this.what, this.cause, this.quiet, el("span", { class: "end" }, this.more, this.age));
    this.name = el("span", { class: "name" });
    this.tags = el("span", { class: "tags" });
    this.sweep = new Sweep("wave", (at) => store.tile(name, at));
    this.numbers = {
      hr: numberBox("hr", "HR"),
      spo2: numberBox("spo2", "SpO2"),
      rr: numberBox("rr", "RR"),
      bp: numberBox("bp", "NIBP"),
      temp: numberBox("temp", "T"),
    };
    const n = this.numbers;
    this.news2 = news2Chip();
    this.risk = riskChip();
    this.node = el(
      "div",
      { class: "tile", tabindex: "-1", role: "group", on: { click: onOpen } },
      el(
        "div",
        { class: "in" },
        this.strip,
        el("div", { class: "head" }, el("span", { class: "bed", text: name }), this.name, this.tags),
        this.sweep.box,
        el("div", { class: "nums" }, n.hr.node, n.spo2.node, n.rr.node),
        el("div", { class: "nums second" }, n.bp.node, n.temp.node),
        el("div", { class: "chips" }, this.news2.node, this.risk.node),
      ),
    );
  }

  update(bed, view) {
    this.#alarm(bed, view);
    this.#head(bed, view);
    const pulse = bed.numerics.hr ? "hr" : bed.numerics.pr ? "pr" : "hr";
    this.#number("hr", pulse, bed, view);
    this.#number("spo2", "spo2", bed, view);
    this.#number("rr", "rr", bed, view);
    this.#pressure(bed, view);
    this.#temperature(bed, view);
    this.news2.update(view.blank ? null : bed.news2);
    this.risk.update(view.blank ? null : bed.risk, view);
    put(this.node, "empty", bed.stay === null && Object.keys(bed.numerics).length === 0);
    const label = f.summary(bed);
    if (this.node.getAttribute("aria-label") !== label) this.node.setAttribute("aria-label", label);
  }

  #alarm(bed, view) {
    const top = bed.alarms.find(calls) ?? bed.alarms[0] ?? null;
    put(this.strip, "quiet", top === null);
    paint(this.strip, top?.priority ?? null, top === null ? null : calls(top) ? "calls" : "acked");
    // The frame stays in the colour of the worst condition that stands, acknowledged or not.
    put(this.node, "priority", bed.alarms[0]?.priority ?? null);
    for (const part of [this.mark, this.what, this.cause]) show(part, top !== null);
    text(this.mark, top ? (top.technical ? `${f.stars(top.priority)} ⚙` : f.stars(top.priority)) : "");
    text(this.what, top?.text ?? "");
    text(this.cause, top ? f.cause(top) : "");
    show(this.more, bed.alarms.length > 1);
    text(this.more, `+${bed.alarms.length - 1}`);
    text(this.age, top ? stateAndAge(top, view.now) : "");
    text(this.quiet, top ? "" : view.blank ? "Not known: link lost" : bed.stay === null ? "No patient" : "No alarms");
  }

  #head(bed, view) {
    const name = bed.stay?.name ?? "";
    text(this.name, view.private ? f.initials(name) : name);
    const tags = view.blank ? [] : tagsOf(bed, view.now);
    const key = JSON.stringify(tags);
    if (this.tagKey === key) return;
    this.tagKey = key;
    this.tags.replaceChildren(...tags.map(([kind, label]) => el("span", { class: `tag ${kind}`, text: label })));
  }

  #number(box, parameter, bed, view) {
    const b = this.numbers[box];
    const n = bed.numerics[parameter];
    const gone = !n || n.freshness === "expired" || view.blank;
    text(b.label, f.label(parameter));
    text(b.value, f.number(gone ? null : n.value, parameter));
    text(b.limits, limitsText(n, parameter));
    put(b.node, "fresh", n ? n.freshness : "none");
    put(b.node, "implausible", n?.implausible ? true : null);
    text(b.note, n?.freshness === "ageing" && !view.blank ? f.age(view.now - n.measured_at) : "");
    this.#mark(b, bed, [parameter]);
  }

  #pressure(bed, view) {
    const b = this.numbers.bp;
    const bp = f.pressure(bed.numerics);
    put(b.node, "kind", bp?.kind ?? null);
    text(b.label, bp?.kind === "abp" ? "ABP" : "NIBP");
    text(b.limits, limitsText(bp?.lead, "bp"));
    text(b.value, bp && !view.blank ? bp.text : f.NOTHING);
    text(b.extra, bp && !view.blank ? `(${bp.map})` : "");
    const old = bp?.kind === "nibp" && view.now - bp.lead.measured_at > HOUR_MS;
    put(b.node, "old", old ? true : null);
    put(b.node, "fresh", bp ? bp.lead.freshness : "none");
    text(b.note, bp?.kind === "nibp" && !view.blank ? f.clock(bp.lead.measured_at) : "");
    this.#mark(b, bed, ["nibp_sys", "nibp_dia", "nibp_map", "abp_sys", "abp_dia", "abp_map"]);
  }

  #temperature(bed, view) {
    this.#number("temp", "temp", bed, view);
  }

  /** The number whose alarm stands has its label filled, so that the eye finds it. */
  #mark(b, bed, parameters) {
    const alarms = bed.alarms.filter((a) => parameters.includes(a.parameter));
    const alarm = alarms.find(calls) ?? alarms[0];
    put(b.node, "alarm", alarm ? alarm.priority : null);
    paint(b.label, alarm?.priority ?? null, alarm ? (calls(alarm) ? "calls" : "acked") : null);
  }
}

function limitsText(n, parameter) {
  if (!n || (n.low === null && n.high === null)) return "";
  return `${f.number(n.low, parameter)}–${f.number(n.high, parameter)}`;
}

/** `latched 0:42`, `✓ K. Brandt 2:10` or just the age. */
function stateAndAge(alarm, now) {
  const age = f.age(now - f.began(alarm));
  if (alarm.state === "acknowledged") return `✓ ${alarm.acknowledged_by ?? ""} ${age}`;
  return alarm.state === "latched" ? `latched ${age}` : age;
}

function tagsOf(bed, now) {
  const tags = [];
  if (bed.blind_since !== null) tags.push(["blind", `CANNOT ALARM ${f.age(now - bed.blind_since)}`]);
  for (const d of bed.devices) {
    if (d.demo) tags.push(["demo", "DEMO DEVICE"]);
    if (!d.live) tags.push(["off", "NO LINK"]);
    if (d.battery_percent !== null && d.battery_percent <= 30) tags.push(["battery", `▭ ${d.battery_percent} %`]);
  }
  if (bed.stay && bed.devices.length === 0) tags.push(["off", "NO DEVICE"]);
  if (bed.devices.some((d) => d.live)) tags.push(["plain", "● live"]);
  return tags;
}

function news2Chip() {
  const total = el("b");
  const parts = el("span", { class: "parts" });
  const cells = f.NEWS2_PARTS.map((part) => el("i", { title: f.input(part) }));
  parts.append(...cells);
  const band = el("span", { class: "band" });
  const missing = el("span", { class: "missing" });
  const node = el("div", { class: "chip news2" }, el("span", { class: "word", text: "NEWS2" }), total, parts, band, missing);
  const update = (score) => {
    show(node, score !== null);
    if (score === null) return;
    const shown = f.news2(score);
    text(total, shown.text);
    text(band, score.band);
    text(missing, shown.missing ? `no ${shown.missing}` : "");
    f.NEWS2_PARTS.forEach((part, i) => {
      const points = score.parts[part];
      text(cells[i], points === null ? "?" : String(points));
      put(cells[i], "points", points === null ? "?" : points);
    });
  };
  return { node, update };
}

function riskChip() {
  const word = el("span", { class: "word", text: "Risk est." });
  const value = el("b");
  const band = el("span", { class: "band" });
  const node = el("div", { class: "chip risk" }, word, value, band);
  const update = (risk, view) => {
    const rules = view.model !== "live" && !view.blank;
    show(node, rules || risk !== null);
    text(word, rules ? "" : "Risk est.");
    text(value, rules || risk === null ? "" : f.percent(risk.permille));
    text(band, rules ? "rules only" : risk === null ? "" : risk.band);
  };
  return { node, update };
}
