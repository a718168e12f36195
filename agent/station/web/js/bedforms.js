// Small forms of a bed: charting, admission, discharge, devices.

import { el } from "./dom.js";
import { question } from "./person.js";
import { post } from "./socket.js";

/** Puts the forms for a bed into `root`. They are made once per opening, so that nothing moves under a finger. */
export function bedForms(root, name, model) {
  const bed = model.beds.get(name);
  if (!bed) return;
  root.append(...(bed.stay ? [chart(name, bed.stay)] : [admit(name)]), devices(name, bed, model));
  if (bed.stay) root.append(discharge(name));
}

/** A form that posts, and says what came of it. */
function form(title, button, fields, send) {
  const problem = el("p", { class: "problem", role: "status" });
  const submit = async (event) => {
    event.preventDefault();
    problem.textContent = "Sending …";
    const refusal = await send();
    problem.textContent = refusal === null ? "Done." : `Not done: ${refusal}`;
  };
  return el(
    "div",
    {},
    el("h3", { text: title }),
    el("form", { class: "form", on: { submit } }, ...fields, el("button", { type: "submit", text: button }), problem),
  );
}

function select(label, options, value) {
  const node = el("select", {}, ...options.map(([v, text]) => el("option", { value: v, text, selected: v === value })));
  return { node, field: el("label", {}, label, node) };
}

function field(label, attributes) {
  const node = el("input", attributes);
  return { node, field: el("label", {}, label, node) };
}

function chart(name, stay) {
  const acvpu = select(
    "Consciousness",
    [
      ["", "no change"],
      ["A", "A – alert"],
      ["C", "C – new confusion"],
      ["V", "V – voice"],
      ["P", "P – pain"],
      ["U", "U – unresponsive"],
    ],
    stay.consciousness ?? "",
  );
  const oxygen = select(
    "Breathes",
    [
      ["", "no change"],
      ["false", "air"],
      ["true", "oxygen"],
    ],
    stay.oxygen === null ? "" : String(stay.oxygen),
  );
  return form("Chart", "Save", [acvpu.field, oxygen.field], () => {
    const body = {};
    if (acvpu.node.value) body.consciousness = acvpu.node.value;
    if (oxygen.node.value) body.oxygen = oxygen.node.value === "true";
    return post(`beds/${encodeURIComponent(name)}/chart`, body);
  });
}

function admit(name) {
  const person = field("Name", { maxlength: "64", autocomplete: "off" });
  const years = field("Age in years", { type: "number", min: "0", max: "130" });
  const group = select(
    "Age group",
    [
      ["", "by age"],
      ["adult", "adult"],
      ["paediatric", "paediatric"],
      ["neonate", "neonate"],
    ],
    "",
  );
  const scale = select(
    "SpO2 scale of NEWS2",
    [
      ["1", "1"],
      ["2", "2 – prescribed 88–92 %"],
    ],
    "1",
  );
  const pregnant = field("Pregnant", { type: "checkbox" });
  return form("Admit", "Admit", [person.field, years.field, group.field, scale.field, pregnant.field], () => {
    const body = { name: person.node.value.trim(), spo2_scale: Number(scale.node.value), pregnant: pregnant.node.checked };
    if (years.node.value !== "") body.age_years = Number(years.node.value);
    if (group.node.value) body.age_group = group.node.value;
    return post(`beds/${encodeURIComponent(name)}/admit`, body);
  });
}

function discharge(name) {
  return form("Discharge", "Discharge …", [], async () => {
    const sure = await question({
      title: `Discharge the patient of bed ${name}?`,
      text: "Limits, charted observations and alarms of this bed start anew. Devices stay attached to the bed.",
      yes: "Discharge",
    });
    return sure ? post(`beds/${encodeURIComponent(name)}/discharge`, {}) : "cancelled";
  });
}

function devices(name, bed, model) {
  const node = document.createDocumentFragment();
  const free = model.unassigned().map((d) => [d.device, d.model ? `${d.device} (${d.model})` : d.device]);
  if (free.length > 0) {
    const which = select("Unassigned device", free, free[0][0]);
    node.append(form("Attach a device", "Attach", [which.field], () => post(`beds/${encodeURIComponent(name)}/attach`, { device: which.node.value })));
  }
  for (const d of bed.devices) {
    node.append(form(`Device ${d.device}`, "Detach …", [], () => detach(name, d.device)));
  }
  return node;
}

async function detach(name, device) {
  const sure = await question({
    title: `Take ${device} from bed ${name}?`,
    text: "The page then shows nothing of it at this bed, and nothing of it alarms here.",
    yes: "Detach",
  });
  return sure ? post(`devices/${encodeURIComponent(device)}/detach`, {}) : "cancelled";
}
