// What a person can do to a bed: one button for each dialog.

import { bedPath, post } from "./api.js";
import { el } from "./dom.js";
import * as f from "./format.js";
import { formDialog, input, select } from "./form.js";
import { openLimits } from "./limits.js";
import { openSwitches } from "./switches.js";

/** Buttons for a bed as it is. `changed()` is called when something was done. */
export function bedTools(bed, context, changed) {
  const { actions, model } = context;
  const name = bed.bed;
  const button = (label, act) => el("button", { type: "button", text: label, on: { click: act } });
  const link = el("a", { class: "button", href: `#handover/${encodeURIComponent(name)}`, text: "Handover" });
  const devices = [button("Attach a device …", () => attach(name, model, changed)), ...bed.devices.map((d) => button(`Detach ${d.device} …`, () => detach(name, d.device, changed)))];
  if (!bed.stay) return el("div", { class: "toolbar" }, button("Admit …", () => admit(name, changed)), ...devices);
  const pause = bed.audio_pause ? button("Audio on", () => actions.resumeAudio(name)) : button("Pause audio 2 min", () => actions.pauseAudio(name));
  return el(
    "div",
    { class: "toolbar", role: "group", "aria-label": f.bedName(name) },
    button("Limits …", () => openLimits(name, actions, changed)),
    pause,
    button("Alarms on or off …", () => openSwitches(name, context, changed)),
    button("Chart …", () => chart(name, bed.stay, changed)),
    link,
    button("Transfer …", () => transfer(name, model, changed)),
    button("Discharge …", () => discharge(name, changed)),
    ...devices,
  );
}

const LEVELS = [
  ["", "no change"],
  ["A", "A – alert"],
  ["C", "C – new confusion"],
  ["V", "V – voice"],
  ["P", "P – pain"],
  ["U", "U – unresponsive"],
];

function chart(name, stay, after) {
  const acvpu = select("consciousness", "Consciousness", LEVELS, stay.consciousness ?? "");
  const breathes = [
    ["", "no change"],
    ["false", "air"],
    ["true", "oxygen"],
  ];
  const oxygen = select("oxygen", "Breathes", breathes, stay.oxygen === null ? "" : String(stay.oxygen));
  const send = () => {
    const body = {};
    if (acvpu.node.value) body.consciousness = acvpu.node.value;
    if (oxygen.node.value) body.oxygen = oxygen.node.value === "true";
    return post(bedPath(name, "/chart"), body);
  };
  formDialog({ title: `Chart for ${f.bedName(name)}`, text: "Both count in NEWS2.", fields: [acvpu, oxygen], yes: "Save", send, done: `${f.bedName(name)}: charted`, after });
}

const GROUPS = [
  ["", "by age"],
  ["adult", "adult"],
  ["paediatric", "paediatric"],
  ["neonate", "neonate"],
];

function admit(name, after) {
  const person = input("name", "Name", { maxlength: "64" });
  const years = input("age_years", "Age in years", { type: "number", min: "0", max: "130" });
  const group = select("age_group", "Age group", GROUPS);
  const scales = [
    ["1", "1"],
    ["2", "2 – prescribed 88–92 %"],
  ];
  const scale = select("spo2_scale", "SpO2 scale of NEWS2", scales, "1");
  const pregnant = input("pregnant", "Pregnant", { type: "checkbox" });
  const send = () => {
    const body = { name: person.node.value.trim(), spo2_scale: Number(scale.node.value), pregnant: pregnant.node.checked };
    if (years.node.value !== "") body.age_years = Number(years.node.value);
    if (group.node.value) body.age_group = group.node.value;
    return post(bedPath(name, "/admit"), body);
  };
  const text = "Limits start at the defaults of the age group.";
  formDialog({ title: `Admit to ${f.bedName(name)}`, text, fields: [person, years, group, scale, pregnant], yes: "Admit", send, done: `${f.bedName(name)}: admitted`, after });
}

function transfer(name, model, after) {
  const free = [...model.beds.values()].filter((bed) => bed.stay === null).map((bed) => [bed.bed, bed.bed]);
  const to = select("to", "To bed", free.length > 0 ? free : [["", "no bed is free"]], free[0]?.[0]);
  const along = input("with_devices", "The devices go along", { type: "checkbox", checked: true });
  const send = () => post(bedPath(name, "/transfer"), { to: to.node.value, with_devices: along.node.checked });
  const text = "The patient keeps limits, charted observations and alarms. Devices that stay behind alarm nobody.";
  formDialog({ title: `Transfer from ${f.bedName(name)}`, text, fields: [to, along], yes: "Transfer", send, done: `${f.bedName(name)}: transferred`, after });
}

function discharge(name, after) {
  const text = "Limits, charted observations and alarms of this bed start anew. Devices stay attached to the bed.";
  formDialog({ title: `Discharge the patient of ${f.bedName(name)}?`, text, fields: [], yes: "Discharge", send: () => post(bedPath(name, "/discharge"), {}), done: `${f.bedName(name)}: discharged`, after });
}

function attach(name, model, after) {
  const free = model.unassigned().map((d) => [d.device, d.model ? `${d.device} (${d.model})` : d.device]);
  const which = free.length > 0 ? select("device", "Device at no bed", free, free[0][0]) : input("device", "Device", { placeholder: "its name, as it sends it", maxlength: "64" });
  const send = () => post(bedPath(name, "/attach"), { device: which.node.value.trim() });
  const text = "Look at the device: is it on this patient? What it measures counts for this bed from now on.";
  formDialog({ title: `Attach a device to ${f.bedName(name)}`, text, fields: [which], yes: "Attach", send, done: `${f.bedName(name)}: attached`, after });
}

function detach(name, device, after) {
  const text = "The page then shows nothing of it at this bed, and nothing of it alarms here.";
  formDialog({ title: `Take ${device} from ${f.bedName(name)}?`, text, fields: [], yes: "Detach", send: () => post(`devices/${encodeURIComponent(device)}/detach`, {}), done: `${device}: detached`, after });
}
