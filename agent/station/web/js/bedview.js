// Sections of a bed's detail: values, NEWS2, risk, devices, blind time.

import { el } from "./dom.js";
import * as f from "./format.js";
import { icon } from "./icons.js";

/** Who lies there, in one line. */
export function patient(bed, view) {
  if (!bed.stay) return "no patient";
  const s = bed.stay;
  const parts = [view.private ? f.initials(s.name) : s.name];
  parts.push(s.age_years === null ? s.age_group : `${s.age_years} years`);
  parts.push(`admitted ${f.clock(s.admitted_at)}, ${f.age(view.now - s.admitted_at)} ago`);
  if (s.spo2_scale === 2) parts.push("SpO2 scale 2 (88–92 % prescribed)");
  return parts.filter(Boolean).join(" · ");
}

/** A table with a head. */
export function table(caption, head, rows) {
  const cells = head.map((h) => el("th", { text: h, scope: "col" }));
  const name = el("caption", { class: "unseen", text: caption });
  return el("div", { class: "table" }, el("table", {}, name, el("thead", {}, el("tr", {}, ...cells)), el("tbody", {}, ...rows)));
}

const row = (...cells) => el("tr", {}, ...cells.map((c) => (c instanceof Node ? c : el("td", { text: c }))));

const COLOURS = { hr: "hr", pr: "hr", spo2: "spo2", rr: "rr" };

export function valueSection(bed, limits, view) {
  const rows = f.inOrder(bed.numerics).map(([p, n]) => {
    const gone = n.freshness === "expired" || view.blank;
    const kind = COLOURS[p] ?? (p.startsWith("abp") ? "bp" : "");
    const changed = limits?.find((l) => l.parameter === p && l.changed_by);
    const note = [f.age(view.now - n.measured_at), n.freshness === "fresh" ? "" : n.freshness, n.implausible ? "implausible" : ""].filter(Boolean).join(", ");
    return row(
      f.label(p),
      el("td", { class: `big ${kind}`, data: { kind: p.startsWith("abp") ? "abp" : null }, text: f.number(gone ? null : n.value, p) }),
      f.unit(p),
      f.range(n.low, n.high, p),
      changed ? `${changed.changed_by} ${f.clock(changed.changed_at)}` : "",
      f.clock(n.measured_at, true),
      note,
    );
  });
  return [el("h3", { text: "Values and limits" }), table("Values", ["Parameter", "Value", "Unit", "Limits", "Set by", "Measured", "Age"], rows)];
}

export function switchedSection(bed) {
  const off = bed.inactivated ?? [];
  if (off.length === 0) return [];
  const line = (o) =>
    el("li", {}, icon(o.how === "alarm_off" ? "alarm-off" : "audio-off"), ` ${o.text}: ${o.how === "alarm_off" ? "alarm off" : "audio off"}, by ${o.by} at ${f.clock(o.at)}`);
  return [el("h3", { text: "Switched off" }), el("ul", { class: "signs" }, ...off.map(line))];
}

const RESPONSE = {
  low: "Ward-based response.",
  "low-medium": "3 in one parameter: urgent ward-based review.",
  medium: "Urgent threshold: urgent review by clinicians competent in acute illness.",
  high: "Emergency threshold: emergency assessment by a team with critical-care skills.",
};

export function news2Section(score, view) {
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

/** `changes`: sentences on what has moved within the hour. */
export function riskSection(risk, view, changes) {
  const title = el("h3", { text: "Risk estimate" });
  if (view.model !== "live") return [title, el("p", { class: "note", text: MODEL_STATE[view.model] ?? MODEL_STATE.gone })];
  if (!risk) return [title, el("p", { class: "note", text: "No estimate yet: too few values." })];
  const rows = byEffect(risk.inputs).map((i) =>
    row(f.input(i.name), i.value === null ? "missing" : String(Math.round(i.value * 10) / 10), f.points(i.effect_ppm), i.hour_ago_ppm === null ? "" : f.points(i.effect_ppm - i.hour_ago_ppm)),
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
    changes.length > 0 ? el("p", { class: "note", text: `Mean of the last hour against the hour before: ${changes.join(", ")}.` }) : null,
    el("p", { class: "note", text: `Of patients as long here of whom nothing else is known it says ${f.percent(risk.base_ppm / 1000)}; each input adds its points to that.` }),
    table("Inputs of the model", ["Input, mean of the last hour", "Value", "Adds, points", "In the last hour"], rows),
  ];
}

/** The inputs that move the estimate most come first. */
function byEffect(inputs) {
  return inputs.toSorted((a, b) => Math.abs(b.effect_ppm) - Math.abs(a.effect_ppm));
}

export function deviceSection(bed) {
  const rows = bed.devices.map((d) =>
    row(
      d.device,
      d.model || "unknown model",
      d.live ? "live" : d.online === false ? "switched off" : "no data",
      d.battery_percent === null ? "" : `${d.battery_percent} %`,
      [d.demo ? "DEMO" : "", d.missed > 0 ? `${d.missed} messages missed` : ""].filter(Boolean).join(", "),
    ),
  );
  const body = rows.length > 0 ? table("Devices", ["Device", "Model", "State", "Battery", "Note"], rows) : el("p", { class: "note", text: "No device is attached." });
  return [el("h3", { text: "Devices" }), body];
}

export function blindSection(bed, detail) {
  const causes = Object.entries(detail?.blind_by_cause ?? {}).filter(([, ms]) => ms > 0);
  if (bed.blind_ms === 0 && causes.length === 0) return [];
  const recent = (detail?.blind_recent ?? []).slice(-6).reverse();
  const rows = recent.map((b) => row(f.blindCause(b.cause), f.clock(b.from, true), f.clock(b.until, true), f.age(b.until - b.from)));
  return [
    el("h3", { text: "Blind time" }),
    el("p", { class: "note", text: `In this stay the bed could not have alarmed for ${f.age(bed.blind_ms)} in total. ${causes.map(([c, ms]) => `${f.blindCause(c)} ${f.age(ms)}`).join(", ")}` }),
    rows.length > 0 ? table("The last blind times", ["Cause", "From", "Until", "Length"], rows) : null,
  ];
}
