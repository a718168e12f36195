// Switching alarms of a bed off and on, kind by kind. Red ones are shown, so that nobody looks for them, and stay on.

import { openDialog } from "./dialog.js";
import { el } from "./dom.js";
import * as f from "./format.js";

const CHOICES = [
  ["on", "on"],
  ["audio_off", "audio off"],
  ["alarm_off", "alarm off"],
];
/** Red kinds, for beds at which none stands now. */
const RED = [
  ["desaturation", "Desaturation"],
  ["apnoea", "Apnoea"],
  ["extreme_tachy", "Extreme tachycardia"],
  ["extreme_brady", "Extreme bradycardia"],
];
const OTHERS = [
  ["news2_high", "NEWS2 7 or more"],
  ["news2_medium", "NEWS2 5 or 6"],
  ["risk_high", "Risk estimate high"],
  ["lead_off", "Lead off"],
  ["artefact", "Signal disturbed"],
  ["low_battery", "Battery low"],
];

/** Every kind that the bed may alarm with: `[{ kind, text, red, how }]`, red ones first, then what stands or is off. Pure. */
export function kindsOf(bed) {
  const kinds = new Map(RED.map(([kind, text]) => [kind, { kind, text, red: true, how: "on" }]));
  for (const a of bed.alarms) if (!kinds.has(a.kind)) kinds.set(a.kind, { kind: a.kind, text: a.text, red: Boolean(a.red), how: "on" });
  for (const o of bed.inactivated ?? []) kinds.set(o.kind, { kind: o.kind, text: o.text, red: false, how: o.how });
  for (const [p, n] of f.inOrder(bed.numerics)) {
    for (const side of ["low", "high"]) {
      const kind = `${p}_${side}`;
      if (n[side] !== null && n[side] !== undefined && !kinds.has(kind)) kinds.set(kind, { kind, text: `${f.label(p)} ${side}`, red: false, how: "on" });
    }
  }
  for (const [kind, text] of OTHERS) if (!kinds.has(kind)) kinds.set(kind, { kind, text, red: false, how: "on" });
  return [...kinds.values()];
}

export function openSwitches(name, { model, actions }, changed) {
  const bed = model.beds.get(name);
  const rows = kindsOf(bed).map((k) => el("tr", {}, el("th", { scope: "row", text: k.text }), el("td", {}, k.red ? el("span", { class: "sub", text: "red: always on" }) : choice(name, k, actions, changed))));
  openDialog({
    title: `Alarms of ${f.bedName(name)}`,
    body: [
      el("p", { text: "Audio off: seen and not heard. Alarm off: neither seen nor heard. Either stays until somebody switches it on again or the patient is discharged, and stands on the tile." }),
      el("div", { class: "table" }, el("table", {}, el("caption", { class: "unseen", text: "Kinds of alarms" }), el("tbody", {}, ...rows))),
    ],
  });
}

function choice(name, kind, actions, changed) {
  const node = el("select", { "aria-label": kind.text }, ...CHOICES.map(([value, text]) => el("option", { value, text, selected: value === kind.how })));
  const said = el("span", { class: "problem", role: "status" });
  let set = kind.how;
  node.addEventListener("change", async () => {
    const problem = await actions.switchAlarm(name, kind.kind, node.value);
    if (problem) node.value = set;
    else set = node.value;
    said.textContent = problem ? problem.error : "done";
    if (!problem) changed();
  });
  return el("span", { class: "switch" }, node, said);
}
