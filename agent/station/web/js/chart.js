// Bars: the length says the same as the number beside it.

import { el } from "./dom.js";

/** Share of `value` in the largest of `all`, 0 to 100. Pure. */
export function share(value, all) {
  const largest = Math.max(...all, 0);
  return largest > 0 ? (100 * value) / largest : 0;
}

/** Counts per bucket of a cumulative histogram `[{ le, count }]`: `[{ from, to, count }]`; no bound is null. Pure. */
export function buckets(cumulative, total) {
  let before = 0;
  let from = 0;
  const out = cumulative.map(({ le, count }) => {
    const bucket = { from, to: le, count: Math.max(0, count - before) };
    before = Math.max(before, count);
    from = le;
    return bucket;
  });
  if (total > before) out.push({ from, to: null, count: total - before });
  return out;
}

/** A table of `[label, value, text, note?]` with a bar each. */
export function bars(caption, heads, rows) {
  const values = rows.map(([, value]) => value);
  const line = ([label, value, text, note]) => {
    const bar = el("i");
    bar.style.width = `${share(value, values)}%`;
    return el("tr", {}, el("th", { scope: "row", text: label }), el("td", { class: "bar" }, bar), el("td", { class: "amount", text }), el("td", { class: "sub", text: note ?? "" }));
  };
  const head = [heads[0], "", heads[1], heads[2] ?? ""].map((text) => (text ? el("th", { scope: "col", text }) : el("td")));
  return el("div", { class: "table" }, el("table", { class: "bars" }, el("caption", { text: caption }), el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows.map(line))));
}
