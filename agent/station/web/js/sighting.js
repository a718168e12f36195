// What an ECG model saw when it began a condition, and which parts of the strip made it say so.

import { el, svg } from "./dom.js";
import * as f from "./format.js";
import { waveName } from "./wave.js";

const NAMES = { vf: "ventricular fibrillation", vt: "ventricular tachycardia" };
const WIDTH = 1000;
const HEIGHT = 160;

/** Points of the strip as an SVG path in a box of WIDTH × HEIGHT. Pure. */
export function path(strip) {
  const low = Math.min(...strip);
  const span = Math.max(Math.max(...strip) - low, 1);
  const step = WIDTH / Math.max(strip.length - 1, 1);
  return strip.map((v, i) => `${i === 0 ? "M" : "L"}${(i * step).toFixed(1)} ${(HEIGHT - ((v - low) / span) * HEIGHT).toFixed(1)}`).join("");
}

/** How strongly a part is shaded, 0 to 1: its share of the strongest effect that speaks for the condition. Pure. */
export function shades(parts) {
  const strongest = Math.max(...parts, 1);
  return parts.map((part) => Math.max(0, part) / strongest);
}

/** Nothing if no model has seen anything in this stay. */
export function sightingSection(seen, view) {
  if (!seen) return [];
  const width = WIDTH / seen.parts_ppm.length;
  const bars = shades(seen.parts_ppm).map((shade, i) => svg("rect", { x: i * width, y: 0, width, height: HEIGHT, class: "part", "fill-opacity": (shade * 0.5).toFixed(2) }));
  const length = Math.round((seen.strip.length * seen.step_ms) / 100) / 10;
  const label = `${waveName(seen.lead)}, ${length} s, as the model saw it`;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "strip", role: "img", "aria-label": label }, ...bars, svg("path", { d: path(seen.strip) }));
  const points = seen.parts_ppm.map(f.points).join(", ");
  const beside = seen.beside_ppm === null ? "" : ` Intervals and shapes beside it add ${f.points(seen.beside_ppm)}.`;
  return [
    el("h3", { text: `A model saw ${NAMES[seen.rhythm] ?? seen.rhythm}, ${f.percent(seen.permille)}` }),
    picture,
    el("p", { class: "note", text: `${label}, ${f.age(view.now - seen.from)} ago. What speaks for it is shaded: from left to right the parts add ${points} points to ${f.percent(seen.base_ppm / 1000)}.${beside}` }),
    el("p", { class: "note", text: `Model ${seen.model}, a second witness beside the rules: it may raise an alarm and never silences one. Look at the patient and the monitor.` }),
  ];
}
