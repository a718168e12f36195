// The limits of a bed: what holds, what is usual, what would fit, who changed it; and what another limit would have done.

import { bedPath, get, post } from "./api.js";
import { openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { input, showProblem } from "./form.js";
import * as f from "./format.js";
import { limitChange, limitValue } from "./limit.js";
import { identify, notice, question } from "./person.js";
import { openWhatIf } from "./whatif.js";

export async function openLimits(name, actions, changed) {
  let limits;
  try {
    limits = (await get(bedPath(name))).bed.limits;
  } catch (error) {
    notice(`The limits of ${f.bedName(name)} cannot be shown: ${error.message}`, true);
    return;
  }
  const rows = limits.map(limitRow);
  const said = el("p", { class: "problem", role: "status" });
  const save = () => saveAll(name, rows, said, () => {
    dialog.close();
    changed();
  });
  const whatIf = () => {
    const bodies = rows.map((r) => r.change()).filter(Boolean);
    if (bodies.length === 0) said.textContent = "Change a limit first, then look what it would have changed.";
    else openWhatIf(name, bodies);
  };
  const reset = async () => {
    const sure = await question({ title: `Defaults for ${f.bedName(name)}?`, text: "All limits go back to those of the age group.", yes: "Set defaults" });
    if (!sure) return;
    const problem = await post(bedPath(name, "/limits/reset"), {});
    if (problem) said.textContent = `Not done: ${problem.error}`;
    else {
      dialog.close();
      notice(`${f.bedName(name)}: limits set to the defaults`);
      changed();
    }
  };
  const head = ["Parameter", "Low", "High", "Delay, s", "Default", "Fits now", "Changed by"].map((h) => el("th", { scope: "col", text: h }));
  const button = (label, act, kind = null) => el("button", { class: kind, type: "button", text: label, on: { click: act } });
  const dialog = openDialog({
    title: `Limits of ${f.bedName(name)}`,
    wide: true,
    body: [
      el("p", { text: "An empty field switches that side off. A suggestion fits the value of now; it is never set by itself." }),
      el("div", { class: "table limits" }, el("table", {}, el("caption", { class: "unseen", text: "Limits" }), el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows.map((r) => r.node)))),
      said,
    ],
    buttons: [button("Defaults …", reset), button("Show what this would have changed", whatIf), button("Save", save, "yes")],
  });
  rows[0]?.fields[0].node.focus();
}

function limitRow(limit) {
  const p = limit.parameter;
  const name = f.label(p);
  const shown = (v) => (v === null ? "" : f.number(v, p));
  const number = (key, label, value) => input(key, label, { inputmode: "decimal", value, "aria-label": `${name} ${label}` });
  const fields = [number("low", "low", shown(limit.low)), number("high", "high", shown(limit.high)), number("delay_s", "delay in seconds", String(limit.delay_s))];
  const [low, high, delay] = fields;
  const suggest = limit.proposed_low === null && limit.proposed_high === null ? "" : suggestion(limit, low, high);
  const change = () => limitChange(limit, limitValue(low.node.value), limitValue(high.node.value), limitValue(delay.node.value));
  const by = limit.changed_by ? `${limit.changed_by} ${f.clock(limit.changed_at)}` : "";
  const cells = [...fields.map((x) => x.box), f.range(limit.default_low, limit.default_high, p) || "none", suggest, by];
  const heads = ["Low", "High", "Delay, s", "Default", "Fits now", "Changed by"];
  const node = el("tr", {}, el("th", { scope: "row", text: `${name} ${f.unit(p)}` }), ...cells.map((c, i) => el("td", { data: { head: heads[i] } }, c)));
  return { parameter: p, fields, change, node, name };
}

function suggestion(limit, low, high) {
  const text = f.range(limit.proposed_low, limit.proposed_high, limit.parameter);
  const fill = () => {
    for (const [field, value] of [
      [low, limit.proposed_low],
      [high, limit.proposed_high],
    ]) {
      if (value !== null) field.node.value = f.number(value, limit.parameter);
    }
  };
  return el("button", { type: "button", text: `Suggest ${text}`, on: { click: fill } });
}

/** Sends row by row, so that a refusal stands at its field and what was accepted holds. */
async function saveAll(name, rows, said, done) {
  const changes = rows.map((row) => ({ row, body: row.change() })).filter(({ body }) => body !== null);
  if (changes.length === 0) {
    said.textContent = "Nothing is changed.";
    return;
  }
  if ((await identify()) === null) return;
  for (const { row, body } of changes) {
    if (Object.values(body).some((v) => Number.isNaN(v))) {
      showProblem({ error: "not a number", field: "low" }, row.fields, said);
      return;
    }
    const problem = await post(bedPath(name, "/limits"), body);
    if (problem) {
      if (!showProblem(problem, row.fields, said)) said.textContent = `${row.name}: ${said.textContent}`;
      return;
    }
    for (const x of row.fields) x.say("");
  }
  notice(`${f.bedName(name)}: limits saved`);
  done();
}
