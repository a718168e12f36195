// For the technician: what runs, and how full it is.

import { get } from "./api.js";
import { figure } from "./burden.js";
import { table } from "./bedview.js";
import { el } from "./dom.js";
import * as f from "./format.js";


/** Bytes as people read them: `812 MB`. Pure. */
export function bytes(n) {
  if (n === null || n === undefined) return f.NOTHING;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A long time: `3 d 4 h`, `5 h 12 min`. Pure. */
export function long(seconds) {
  if (seconds === null || seconds === undefined) return f.NOTHING;
  const minutes = Math.floor(seconds / 60);
  const [d, h, m] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  return d > 0 ? `${d} d ${h} h` : h > 0 ? `${h} h ${m} min` : `${m} min`;
}

/** A device with what is asked of it from afar, as the cells of a row. Pure. */
export function setupRow(s) {
  const words = { in_force: "in force", waiting: "waits for the device", rejected: "REJECTED", unanswered: "NO ANSWER" };
  const revision = s.desired === null ? f.NOTHING : `${s.reported ?? "none"} of ${s.desired}`;
  const firmware = s.offered && s.offered !== s.firmware ? `${s.firmware ?? "unknown"}, should be ${s.offered}` : (s.firmware ?? f.NOTHING);
  const reasons = s.desired !== null && s.desired === s.reported ? Object.entries(s.rejected).map(([name, reason]) => `${name} = ${reason}`) : [];
  return [s.device, words[s.state] ?? f.NOTHING, revision, reasons.join("; "), firmware];
}

/** What needs a technician comes first. Pure. */
export function setupOrder(setups) {
  const urgency = (s) => ["rejected", "unanswered", "waiting"].indexOf(s.state) >>> 0;
  return [...setups].sort((a, b) => urgency(a) - urgency(b) || (a.device < b.device ? -1 : 1));
}

export async function systemView(_context, _bed, again) {
  const s = await get("system");
  const cells = (...texts) => el("tr", {}, ...texts.map((text) => el("td", { text })));
  const state = (name, part) => cells(name, part ? part.state : "unknown", part?.since ? `since ${f.clock(part.since, true)}` : "", part?.reason ?? "");
  const counters = Object.entries(s.counters ?? {}).map(([name, value]) => cells(name.replaceAll("_", " "), String(value)));
  const refused = s.refused.map((r) => cells(r.door, r.who, r.reason.replaceAll("_", " "), String(r.count), f.clock(r.last, true)));
  const free = (s.unassigned ?? []).map((d) => cells(d.device, d.model || "unknown model", d.live ? "live" : "no data"));
  const setups = setupOrder(s.setups).map((setup) => cells(...setupRow(setup)));
  const models = s.models.map((m) => cells(m.id, m.version, m.link.state, m.runs_on, [m.link.reason, m.taken_back].filter(Boolean).join(" ")));
  return [
    el("div", { class: "view-head" }, el("h2", { text: "System" }), el("p", { class: "note", text: `Wardlight ${s.version}, as of ${f.clock(s.now, true)} ${f.zone(s.now)}` }), el("button", { type: "button", text: "Again", on: { click: again } })),
    el("div", { class: "figures" }, figure(long(s.uptime_s), "", "running"), figure(bytes(s.journal_bytes), "", "journal"), figure(bytes(s.disk_free_bytes), "", "disk free")),
    el("h3", { text: "Parts" }),
    table("Parts", ["Part", "State", "Since", "Reason"], [state("Broker", s.broker), state("Journal", s.journal)]),
    el("h3", { text: "Models" }),
    models.length > 0 ? table("Models", ["Model", "Version", "State", "Runs on", "Note"], models) : el("p", { class: "note", text: "None runs: rules only." }),
    el("h3", { text: "Turned away" }),
    refused.length > 0 ? table("Turned away", ["Door", "Who", "Why", "Count", "Last"], refused) : el("p", { class: "note", text: "Nobody since the start." }),
    el("h3", { text: "Asked of devices" }),
    setups.length > 0 ? table("Asked of devices", ["Device", "Configuration", "Revision", "Not taken", "Firmware"], setups) : el("p", { class: "note", text: "Nothing is asked of any device from afar." }),
    el("h3", { text: "Devices at no bed" }),
    free.length > 0 ? table("Devices at no bed", ["Device", "Model", "State"], free) : el("p", { class: "note", text: "None: every device that speaks has a bed." }),
    el("h3", { text: "Counters" }),
    table("Counters", ["What", "Count"], counters),
  ];
}
