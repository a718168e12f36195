// Alarm history of a bed, each with its receipts.

import { table } from "./bedview.js";
import { el } from "./dom.js";
import * as f from "./format.js";
import { outcome, past, receipts } from "./history.js";

/** Rows shown before "all". */
const FIRST = 12;

/** `answer`: the station's `{ episodes, since }`, or null; then `waiting` says why. */
export function historyRows(answer, hours, waiting) {
  const since = answer?.since ? `, complete since ${f.clock(answer.since)}` : "";
  const head = el("h3", { text: `Alarms of the last ${hours} hours${since}` });
  if (!answer) return [head, el("p", { class: "note", text: `Not shown yet: ${waiting}` })];
  const { episodes } = answer;
  if (episodes.length === 0) return [head, el("p", { class: "note", text: "None." })];
  const rows = past(episodes).flatMap((alarms) => alarms.map((alarm, i) => episode(alarm, i > 0)));
  const shown = table("Alarm history", ["Began", "Alarm", "What became of it"], rows.slice(0, FIRST));
  if (rows.length <= FIRST) return [head, shown];
  const more = el("button", { type: "button", text: `Show all ${rows.length}` });
  more.addEventListener("click", () => {
    shown.querySelector("tbody").append(...rows.slice(FIRST));
    more.remove();
  });
  return [head, shown, more];
}

function episode(alarm, joined) {
  const steps = receipts(alarm).map((r) => `${r.step} ${r.after}`).join(" · ");
  return el(
    "tr",
    { class: joined ? "joined" : "" },
    el("td", { text: joined ? "same call" : f.clock(f.began(alarm), true) }),
    el("td", {}, el("span", { class: "mark", text: `${f.stars(alarm.priority)} ` }), `${alarm.text} ${f.cause(alarm)}`),
    el("td", {}, outcome(alarm), el("span", { class: "sub", text: steps })),
  );
}
