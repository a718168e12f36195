// The two estimates at the foot of a tile: NEWS2 with its parts and where it goes, and the model's risk.

import { el, put, show, text } from "./dom.js";
import * as f from "./format.js";
import { arrow } from "./scores.js";

/** NEWS2: a number or a lower bound, its arrow over an hour, its seven parts. */
export function news2Chip() {
  const total = el("b");
  const trend = el("span", { class: "trend" });
  const parts = el("span", { class: "parts" });
  const cells = f.NEWS2_PARTS.map((part) => el("i", { title: f.input(part) }));
  parts.append(...cells);
  const band = el("span", { class: "band" });
  const missing = el("span", { class: "missing" });
  const node = el("div", { class: "chip news2" }, el("span", { class: "word", text: "NEWS2" }), total, trend, parts, band, missing);
  const update = (score, change) => {
    show(node, score !== null);
    if (score === null) return;
    const shown = f.news2(score);
    text(total, shown.text);
    show(trend, change !== null);
    if (change !== null) {
      text(trend, arrow(change.delta));
      const title = `${change.delta >= 0 ? "+" : ""}${change.delta} since ${f.clock(change.since)}`;
      if (trend.title !== title) trend.title = title;
      put(trend, "way", change.delta > 0 ? "up" : change.delta < 0 ? "down" : "level");
    }
    text(band, score.band);
    text(missing, shown.missing ? `no ${shown.missing}` : "");
    f.NEWS2_PARTS.forEach((part, i) => {
      const points = score.parts[part];
      text(cells[i], points === null ? "?" : String(points));
      put(cells[i], "points", points === null ? "?" : points);
    });
  };
  return { node, update };
}

/** The model's risk, or that only rules work. */
export function riskChip() {
  const word = el("span", { class: "word", text: "Risk est." });
  const value = el("b");
  const band = el("span", { class: "band" });
  const node = el("div", { class: "chip risk" }, word, value, band);
  const update = (risk, view) => {
    const rules = view.model !== "live" && !view.blank;
    show(node, rules || risk !== null);
    text(word, rules ? "" : "Risk est.");
    text(value, rules || risk === null ? "" : f.percent(risk.permille));
    text(band, rules ? "rules only" : risk === null ? "" : risk.band);
  };
  return { node, update };
}
