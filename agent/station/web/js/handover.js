// Shift handover after I-PASS: what the agent knows beside what people write, for a unit or for one bed, on screen and paper.

import { bedPath, get, post } from "./api.js";
import { el } from "./dom.js";
import { area, select, showProblem } from "./form.js";
import * as f from "./format.js";
import { identify, notice } from "./person.js";
import { SHIFT_HOURS, shiftFacts } from "./shift.js";

/** Beds asked for at the same time. */
const AT_ONCE = 4;
const SEVERITIES = [
  ["stable", "Stable"],
  ["watcher", "Watcher"],
  ["unstable", "Unstable"],
];

export async function handoverView(context, bed, again) {
  const { model } = context;
  const beds = bed ? [bed] : [...model.beds.values()].filter((b) => b.stay !== null).map((b) => b.bed);
  const now = context.view().now;
  const title = bed ? `Handover of ${f.bedName(bed)}` : `Handover, ${model.info.units.map((u) => u.name).join(", ")}`;
  const print = el("button", { class: "no-print", type: "button", text: "Print", on: { click: () => window.print() } });
  const whole = bed ? el("a", { class: "button no-print", href: "#handover", text: "Whole unit" }) : null;
  const head = el("div", { class: "view-head" }, el("h2", { text: title }), el("p", { class: "note", text: `${date(now)} ${f.clock(now)} ${f.zone(now)}, the last ${SHIFT_HOURS} hours. ${model.info.simulated ? "SIMULATED: no real patients." : ""}` }), whole, print);
  const sheets = await inTurn(beds, (name) => sheet(name, context, again));
  return [head, ...(sheets.length > 0 ? sheets : [el("p", { class: "note", text: "No bed has a patient." })])];
}

/** Local date as `2026-03-29`. Pure but for the browser's zone. */
export function date(ms) {
  const d = new Date(ms);
  const two = (n) => String(n).padStart(2, "0");
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** `make` of each, a few at a time, in their order. */
export async function inTurn(names, make) {
  const out = new Array(names.length);
  let next = 0;
  const work = async () => {
    while (next < names.length) {
      const i = next;
      next += 1;
      out[i] = await make(names[i]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, names.length) }, work));
  return out;
}

async function sheet(name, context, again) {
  const [{ bed }, { episodes }, trends] = await Promise.all([
    get(bedPath(name)),
    get(`history?hours=${SHIFT_HOURS}&bed=${encodeURIComponent(name)}`),
    get(bedPath(name, "/trends")).catch(() => null),
  ]);
  const view = context.view();
  const who = bed.stay ? (view.private ? f.initials(bed.stay.name) : f.who(bed.stay)) : "no patient";
  const facts = shiftFacts(bed, episodes, trends, context.scores.range(name, view.now), view.now);
  return el(
    "article",
    { class: "sheet", "aria-label": f.bedName(name) },
    el("h3", {}, `${name} `, el("span", { class: "who", text: who })),
    el("div", { class: "sheet-columns" }, el("div", { class: "written" }, ...note(name, bed.handover, again)), el("div", { class: "facts" }, ...facts.filter(([, lines]) => lines.length > 0).map(factBlock))),
  );
}

function factBlock([title, lines]) {
  return el("section", {}, el("h4", { text: title }), el("ul", {}, ...lines.map((text) => el("li", { text }))));
}

const ROWS = [
  ["summary", "Patient summary"],
  ["actions", "Actions: what, who, when"],
  ["contingency", "If this happens, then"],
];

/** What people wrote, or the form to write it. */
function note(name, handover, again) {
  if (!handover) return [el("p", { class: "note", text: "Nothing is written yet." }), edit(name, null, again, "Write the handover")];
  const row = (title, text) => el("div", { class: "ipass" }, el("h4", { text: title }), el("p", { text: text || "–" }));
  const severity = SEVERITIES.find(([key]) => key === handover.severity)?.[1] ?? handover.severity;
  const read = handover.read_back_by
    ? el("p", { text: `✓ Read back by ${handover.read_back_by} at ${f.clock(handover.read_back_at)}` })
    : el("div", {}, el("p", { class: "print-only", text: "☐ Read back by ____________________ at ______" }), el("button", { class: "no-print", type: "button", text: "I have read it back", on: { click: () => readBack(name, again) } }));
  return [
    row("Illness severity", severity),
    ...ROWS.map(([key, title]) => row(title, handover[key])),
    el("div", { class: "ipass" }, el("h4", { text: "Synthesis by receiver" }), read),
    el("p", { class: "note", text: `Written by ${handover.by} at ${f.clock(handover.at)}` }),
    edit(name, handover, again, "Change"),
  ];
}

async function readBack(name, again) {
  if ((await identify()) === null) return;
  const problem = await post(bedPath(name, "/handover/read-back"), {});
  notice(problem ? `NOT SENT. ${f.bedName(name)}: ${problem.error}` : `${f.bedName(name)}: read back`, problem !== null);
  if (!problem) again();
}

function edit(name, handover, again, label) {
  const details = el("details", { class: "no-print" }, el("summary", { class: "button", text: label }));
  // Made when it is opened: a unit has many beds.
  details.addEventListener("toggle", () => details.open && details.childElementCount === 1 && details.append(form(name, handover, again)));
  return details;
}

function form(name, handover, again) {
  const severity = select("severity", "Illness severity", SEVERITIES, handover?.severity ?? "stable");
  const rows = ROWS.map(([key, title]) => area(key, title, handover?.[key] ?? ""));
  const fields = [severity, ...rows];
  const rest = el("p", { class: "problem", role: "status" });
  const submit = async (event) => {
    event.preventDefault();
    if ((await identify()) === null) return;
    const body = Object.fromEntries(fields.map((field) => [field.name, field.node.value]));
    const problem = await post(bedPath(name, "/handover"), body);
    if (problem) showProblem(problem, fields, rest);
    else {
      notice(`${f.bedName(name)}: handover saved`);
      again();
    }
  };
  return el("form", { class: "form", on: { submit } }, ...fields.map((field) => field.box), rest, el("button", { class: "yes", type: "submit", text: "Save" }));
}
