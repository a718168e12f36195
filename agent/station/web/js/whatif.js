// The recorded hours once more with other limits: what they would have changed.

import { send } from "./api.js";
import { table } from "./bedview.js";
import { openDialog } from "./dialog.js";
import { el } from "./dom.js";
import * as f from "./format.js";
import { took } from "./history.js";

/** The station plays a day at most. */
const SPANS = [1, 6, 12, 24];
const FIRST = 12;
/** Hours of a busy bed take a while to play, in ms. */
const PLAYED_WITHIN_MS = 60_000;

/** Rows `[kind, before, after, change]` of both sides, alarms in the hours played, the largest change first. Pure. */
export function compareKinds(before, after) {
  const kinds = new Set([...Object.keys(before.by_kind), ...Object.keys(after.by_kind)]);
  const rows = [...kinds].map((kind) => {
    const b = before.by_kind[kind] ?? 0;
    const a = after.by_kind[kind] ?? 0;
    return [kind, b, a, a - b];
  });
  return rows.sort((x, y) => Math.abs(y[3]) - Math.abs(x[3]));
}

/** A change as people read it: `−14`, `+3`, `0`. Pure. */
export function signed(value) {
  if (value === 0) return "0";
  return `${value > 0 ? "+" : "−"}${Math.abs(value)}`;
}

/** Opens the dialog for changed limits `bodies` of a bed. */
export function openWhatIf(bed, bodies) {
  const result = el("div", { "aria-live": "polite" });
  const run = async (hours) => {
    result.replaceChildren(el("p", { text: `Playing the last ${hours} hours again …` }));
    const parts = [];
    for (const body of bodies) parts.push(...(await one(bed, body, hours)));
    result.replaceChildren(...parts);
  };
  const choice = SPANS.map((hours) => el("button", { type: "button", text: `${hours} h`, on: { click: () => run(hours) } }));
  openDialog({
    title: `What this would have changed at ${f.bedName(bed)}`,
    body: [
      el("p", { text: "Recorded values, not a forecast. A limit that rings less may also ring later: look at what would have been lost." }),
      el("div", { class: "choice", role: "group", "aria-label": "Hours played again" }, ...choice),
      result,
    ],
  });
  run(FIRST);
}

async function one(bed, body, hours) {
  const title = el("h3", { text: `${f.label(body.parameter)} ${f.range(body.low, body.high, body.parameter) || "off"}` });
  const { problem, answer } = await send("what-if", { bed, ...body, hours }, PLAYED_WITHIN_MS);
  if (problem) return [title, el("p", { class: "problem", text: `Not known: ${problem.error}` })];
  const { before, after, gained, lost, earlier_s: earlier, later_s: later } = answer;
  const rows = compareKinds(before, after).map(([kind, b, a, change]) =>
    el("tr", {}, ...[kind.replaceAll("_", " "), String(b), String(a), signed(change)].map((text) => el("td", { text }))),
  );
  const moved = [earlier > 0 ? `${took(earlier * 1000)} earlier` : "", later > 0 ? `${took(later * 1000)} later` : ""].filter(Boolean).join(" or ");
  return [
    title,
    el("p", { class: "result" }, el("b", { text: `${before.alarms_per_bed_day.toFixed(1)} → ${after.alarms_per_bed_day.toFixed(1)}` }), " alarms per bed and day"),
    el("p", { text: `Alarms in these hours: ${gained} more and ${lost} fewer${moved ? `; of those that stay, some would have come ${moved} on average` : ""}.` }),
    table("Alarms in these hours by kind", ["Kind, alarms in these hours", "As it was", "With these limits", "Change"], rows),
  ];
}
