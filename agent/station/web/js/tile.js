// One bed's tile, updated in place: only what changed touches the DOM.

import { unacknowledged } from "./alarm.js";
import { callState, callText } from "./call.js";
import { news2Chip, riskChip } from "./chips.js";
import { el, put, show, text } from "./dom.js";
import { paint } from "./flash.js";
import * as f from "./format.js";
import { battery, icon } from "./icons.js";
import { Sweep } from "./sweep.js";

const HOUR_MS = 3_600_000;
const PRESSURES = ["nibp_sys", "nibp_dia", "nibp_map", "abp_sys", "abp_dia", "abp_map"];

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

export class Tile {
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

  /** Shows the bed. `view`: `{ now, private, blank, model, scores }`. */
  update(bed, view) {
    this.#alarm(bed, view);
    this.#head(bed, view);
    const pulse = bed.numerics.hr ? "hr" : bed.numerics.pr ? "pr" : "hr";
    this.#number("hr", pulse, bed, view);
    this.#number("spo2", "spo2", bed, view);
    this.#number("rr", "rr", bed, view);
    this.#pressure(bed, view);
    this.#number("temp", "temp", bed, view);
    const change = view.scores?.change(bed.bed, bed.news2?.total ?? null, view.now) ?? null;
    this.news2.update(view.blank ? null : bed.news2, change);
    this.risk.update(view.blank ? null : bed.risk, view);
    put(this.node, "empty", bed.stay === null && Object.keys(bed.numerics).length === 0);
    const label = f.summary(bed, view.now);
    if (this.node.getAttribute("aria-label") !== label) this.node.setAttribute("aria-label", label);
  }

  #alarm(bed, view) {
    const top = bed.alarms.find(unacknowledged) ?? bed.alarms[0] ?? null;
    put(this.strip, "quiet", top === null);
    paint(this.strip, top?.priority ?? null, top === null ? null : unacknowledged(top) ? "calls" : "acked");
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
    const known = view.private || bed.stay === null ? "" : f.who(bed.stay);
    if (this.name.title !== known) this.name.title = known;
    const tags = view.blank ? [] : tagsOf(bed, view.now);
    // The countdown changes every second and must not make the other signs anew.
    const key = tags.map((t) => `${t.kind}:${t.icon}:${t.label}`).join("|");
    if (this.tagKey !== key) {
      this.tagKey = key;
      this.tags.replaceChildren(...tags.map(tagNode));
    }
    const pause = this.tags.querySelector("[data-until]");
    if (pause) text(pause, f.left(Number(pause.dataset.until) - view.now));
  }

  #number(box, parameter, bed, view) {
    const b = this.numbers[box];
    const n = bed.numerics[parameter];
    const gone = !n || n.freshness === "expired" || view.blank;
    text(b.label, f.label(parameter));
    text(b.value, f.number(gone ? null : n.value, parameter));
    text(b.limits, n ? f.range(n.low, n.high, parameter) : "");
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
    text(b.limits, bp ? f.range(bp.lead.low, bp.lead.high, "bp") : "");
    text(b.value, bp && !view.blank ? bp.text : f.NOTHING);
    text(b.extra, bp && !view.blank ? `(${bp.map})` : "");
    const old = bp?.kind === "nibp" && view.now - bp.lead.measured_at > HOUR_MS;
    put(b.node, "old", old ? true : null);
    put(b.node, "fresh", bp ? bp.lead.freshness : "none");
    text(b.note, bp?.kind === "nibp" && !view.blank ? f.clock(bp.lead.measured_at) : "");
    this.#mark(b, bed, PRESSURES);
  }

  /** The number whose alarm stands has its label filled, so that the eye finds it. */
  #mark(b, bed, parameters) {
    let alarm = null;
    for (const a of bed.alarms) {
      if (!parameters.includes(a.parameter)) continue;
      if (alarm === null || (!unacknowledged(alarm) && unacknowledged(a))) alarm = a;
    }
    put(b.node, "alarm", alarm ? alarm.priority : null);
    paint(b.label, alarm?.priority ?? null, alarm ? (unacknowledged(alarm) ? "calls" : "acked") : null);
  }
}

/** `latched 0:42`, `✓ K. Brandt 2:10` or just the age. */
function stateAndAge(alarm, now) {
  const age = f.age(now - f.began(alarm));
  if (alarm.state === "acknowledged") return `✓ ${alarm.acknowledged_by ?? ""} ${age}`;
  return alarm.state === "latched" ? `latched ${age}` : age;
}

/** The signs beside the name, what matters most first. */
function tagsOf(bed, now) {
  const tags = [];
  const called = bed.alarms.find((a) => callState(a) !== null);
  if (called) tags.push({ kind: "called", label: callState(called).long, short: callState(called).short, title: callText(called) });
  if (bed.blind_since !== null) tags.push({ kind: "blind", label: `CANNOT ALARM ${f.age(now - bed.blind_since)}` });
  const off = bed.inactivated ?? [];
  const pause = bed.audio_pause;
  if (pause && pause.until > now) tags.push({ kind: "pause", icon: "audio-paused", label: "", until: pause.until, title: `Audio paused by ${pause.by}` });
  for (const [how, sign, words] of [
    ["alarm_off", "alarm-off", "ALARM OFF"],
    ["audio_off", "audio-off", "AUDIO OFF"],
  ]) {
    const those = off.filter((o) => o.how === how);
    if (those.length > 0) tags.push({ kind: "switched", icon: sign, label: those.length === 1 ? those[0].text : String(those.length), title: `${words}: ${those.map((o) => `${o.text} by ${o.by}`).join(", ")}` });
  }
  for (const d of bed.devices) {
    if (d.demo) tags.push({ kind: "demo", label: "DEMO DEVICE" });
    if (d.battery_percent !== null) {
      const low = d.battery_percent <= 30;
      tags.push({ kind: low ? "battery" : "plain", battery: d.battery_percent, label: low ? `${d.battery_percent} %` : "", title: `${d.device}: battery ${d.battery_percent} %` });
    }
    if (!d.live) tags.push({ kind: "off", icon: "no-link", label: bed.blind_since === null ? "NO LINK" : "", title: `${d.device}: no data` });
    else tags.push({ kind: "plain", icon: "link", label: "", title: `${d.device}: live` });
  }
  if (bed.stay && bed.devices.length === 0) tags.push({ kind: "off", label: "NO DEVICE" });
  return tags;
}

function tagNode(tag) {
  const sign = tag.battery === undefined ? (tag.icon ? icon(tag.icon, tag.title) : null) : battery(tag.battery, tag.title);
  const count = tag.until === undefined ? null : el("span", { data: { until: tag.until } });
  const words = tag.label ? el("span", { class: "tag-label", text: tag.label }) : null;
  return el("span", { class: `tag ${tag.kind}`, title: tag.title ?? tag.label, data: { short: tag.short } }, sign, count, words);
}
