// For the ward's manager: how much the ward alarms, how fast it is answered, and when it could not have alarmed.

import { get } from "./api.js";
import { bars, buckets } from "./chart.js";
import { el } from "./dom.js";
import * as f from "./format.js";
import { took } from "./history.js";

/** The station keeps three days. */
const SPANS = [12, 24, 72];
let hours = 24;

/** One number with what it counts. */
export function figure(value, unit, words) {
  return el("div", { class: "figure" }, el("b", { text: value }), el("span", { class: "unit", text: ` ${unit}` }), el("span", { class: "words", text: words }));
}

const one = (value, digits = 1) => (value === null || value === undefined ? f.NOTHING : value.toFixed(digits));

export async function burdenView(_context, _bed, again) {
  const b = await get(`burden?hours=${hours}`);
  const choose = (h) => () => {
    hours = h;
    again();
  };
  const choice = SPANS.map((h) => el("button", { type: "button", text: `${h} h`, "aria-pressed": String(h === hours), on: { click: choose(h) } }));
  const rate = b.alarms_per_bed_day;
  return [
    el("div", { class: "view-head" }, el("h2", { text: "Alarm burden" }), el("p", { class: "note", text: `The last ${f.span(b.hours)}, ${b.beds} beds with a patient.${b.hours < 1 ? " So short a time says little about a day." : ""}` }), el("div", { class: "choice", role: "group", "aria-label": "Time" }, ...choice)),
    el(
      "div",
      { class: "figures" },
      figure(one(b.audible_per_bed_day), "per bed and day", "alarms that were heard"),
      figure(one(rate.high), "per bed and day", "*** high"),
      figure(one(rate.medium), "per bed and day", "** medium"),
      figure(one(rate.low), "per bed and day", "* low"),
      figure(one(rate.technical), "per bed and day", "technical"),
      figure(one(b.self_resolved_15s_percent, 0), "%", "over by themselves within 15 s"),
      figure(one(b.acknowledged_s.p50, 0), "s", `to the acknowledgement, half of them; 90 % within ${one(b.acknowledged_s.p90, 0)} s`),
      figure(one(b.escalated_percent), "%", "went on to the second or the charge nurse"),
    ),
    ...latency(b.display_latency_ms),
    blind(b.blind),
  ];
}

function latency(l) {
  const title = el("h3", { text: "From the measurement to the screen" });
  if (!l || l.count === 0) return [title, el("p", { class: "note", text: "No alarm was shown in this time." })];
  const rows = buckets(l.buckets, l.count).map(({ from, to, count }) => {
    const label = to === null ? `over ${took(from)}` : `${from === 0 ? "up to" : `${took(from)} to`} ${took(to)}`;
    return [label, count, String(count), `${((100 * count) / l.count).toFixed(1)} %`];
  });
  return [title, el("p", { class: "note", text: `${l.count} alarms shown: half within ${took(l.p50)}, 99 % within ${took(l.p99)}, the slowest ${took(l.max)}.` }), bars("Alarms by the time until they were shown", ["Time", "Alarms", "Share"], rows)];
}

function blind(beds) {
  const title = el("h3", { text: "Blind time" });
  const some = beds.filter((b) => b.ms > 0).sort((a, b) => b.ms - a.ms);
  if (some.length === 0) return el("div", {}, title, el("p", { class: "note", text: "Every bed could have alarmed at any time." }));
  const causes = (by) =>
    Object.entries(by)
      .filter(([, ms]) => ms > 0)
      .sort((a, b) => b[1] - a[1])
      .map(([cause, ms]) => `${f.blindCause(cause)} ${f.age(ms)}`)
      .join(", ");
  const rows = some.map((b) => [b.bed, b.ms, f.age(b.ms), causes(b.by_cause)]);
  return el("div", {}, title, el("p", { class: "note", text: "Time in which a bed with a patient could not have alarmed. Causes overlap." }), bars("Blind time by bed", ["Bed", "Time", "Causes"], rows));
}
