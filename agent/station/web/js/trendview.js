// Trends of a bed: one line per parameter over 2, 12 or 24 hours, the limits shaded, gaps left as gaps.

import { byId, el, svg } from "./dom.js";
import * as f from "./format.js";
import { band, extent, path, runs, scale, ticks } from "./trend.js";

const HEIGHT = 92;
const LEFT = 116;
const RIGHT = 56;
const TOP = 6;
const BOTTOM = 20;
const SPANS = [2, 12, 24];
/** Hours between the marks of the time axis. */
const EVERY = { 2: 1, 12: 2, 24: 4 };
const HOUR_MS = 3_600_000;
const SHOWN = ["hr", "pr", "spo2", "rr", "nibp_sys", "nibp_map", "abp_sys", "abp_map", "etco2", "temp"];
const COLOUR = { hr: "hr", pr: "hr", spo2: "spo2", rr: "rr", abp_sys: "abp", abp_map: "abp", etco2: "co2" };

/** `trends` and `limits` may be null, then `waiting` says why; `onHours(hours)` when a person chooses another span. */
export function trendSection(trends, limits, hours, onHours, waiting) {
  const choice = SPANS.map((h) => el("button", { type: "button", text: `${h} h`, "aria-pressed": String(h === hours), on: { click: () => onHours(h) } }));
  const head = el("div", { class: "section-head" }, el("h3", { text: "Trends" }), el("div", { class: "choice", role: "group", "aria-label": "Hours shown" }, ...choice));
  if (!trends) return [head, el("p", { class: "note", text: `Not shown yet: ${waiting}` })];
  const width = Math.max(300, byId("panel").clientWidth - 44);
  const charts = SHOWN.filter((p) => trends.parameters[p]?.some((v) => v !== null)).map((p) => chart(p, trends, limits?.find((l) => l.parameter === p), hours, width));
  return [head, ...(charts.length > 0 ? charts : [el("p", { class: "note", text: "Nothing was measured in the last 24 hours." })])];
}

function chart(parameter, trends, limit, hours, width) {
  const until = trends.now;
  const since = until - hours * HOUR_MS;
  const lines = runs(trends.parameters[parameter], trends.from, trends.step_s * 1000, since, until);
  const low = limit?.low ?? null;
  const high = limit?.high ?? null;
  const range = extent(lines, low, high);
  const figure = svg("svg", { class: `trend-chart ${COLOUR[parameter] ?? ""}`, width, height: HEIGHT, role: "img", "aria-label": spoken(parameter, lines, hours, low, high) });
  const x = scale(since, until, LEFT, width - RIGHT);
  const bottom = HEIGHT - BOTTOM;
  const label = (text, more) => svg("text", more, text);
  figure.append(label(f.label(parameter), { x: 0, y: 18, class: "name" }), label(f.unit(parameter), { x: 0, y: 34, class: "axis" }));
  axis(figure, ticks(since, until, EVERY[hours]), x, bottom);
  if (range === null) {
    figure.append(label(`nothing in ${hours} h`, { x: LEFT + 8, y: HEIGHT / 2, class: "axis" }));
    return figure;
  }
  const y = scale(range.min, range.max, bottom, TOP);
  const allowed = band(low, high, y, TOP, bottom);
  if (allowed) figure.append(svg("rect", { x: LEFT, y: allowed.top, width: width - RIGHT - LEFT, height: allowed.height, class: "band" }));
  for (const run of lines) figure.append(svg("path", { d: path(run, x, y), class: "line" }));
  for (const value of [low, high]) {
    if (value !== null) figure.append(label(f.number(value, parameter), { x: LEFT - 6, y: y(value) + 4, class: "axis end" }));
  }
  const last = lines.at(-1).at(-1);
  figure.append(label(f.number(last.value, parameter), { x: width - RIGHT + 8, y: Math.min(bottom, Math.max(16, y(last.value) + 6)), class: "last" }));
  return figure;
}

function axis(figure, marks, x, bottom) {
  for (const { at, label, shift } of marks) {
    figure.append(svg("line", { x1: x(at), x2: x(at), y1: TOP, y2: bottom, class: "grid-line" }));
    figure.append(svg("text", { x: x(at), y: HEIGHT - 5, class: "axis middle" }, shift ? `${label} ${f.zone(at)}` : label));
  }
}

function spoken(parameter, lines, hours, low, high) {
  const values = lines.flat().map((p) => p.value);
  if (values.length === 0) return `${f.label(parameter)}: nothing in the last ${hours} hours`;
  const n = (v) => f.number(v, parameter);
  const limits = f.range(low, high, parameter);
  return `${f.label(parameter)} in the last ${hours} hours: ${n(Math.min(...values))} to ${n(Math.max(...values))}, last ${n(values.at(-1))}${limits ? `, limits ${limits}` : ""}`;
}
