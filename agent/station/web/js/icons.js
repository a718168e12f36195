// Small signs, drawn here. A bell crossed with a dashed X is "audio paused", with a solid one "audio off"; a triangle
// crossed with a solid X is "alarm off". Each stands beside words or has a title: none means anything by itself.

import { svg } from "./dom.js";

const BELL = "M8 2.2c-2.5 0-4 1.9-4 4.4 0 3-1.6 3.9-1.6 5h11.2c0-1.1-1.6-2-1.6-5 0-2.5-1.5-4.4-4-4.4zM6.6 13.2a1.5 1.5 0 0 0 2.8 0z";
const TRIANGLE = "M8 2 15 14H1z";
const CROSS = "M2 1.5 14 14.5M14 1.5 2 14.5";

const stroke = (d, more = {}) => svg("path", { d, fill: "none", stroke: "currentColor", "stroke-width": "1.7", "stroke-linecap": "round", ...more });
const fill = (d) => svg("path", { d, fill: "currentColor" });

const DRAW = {
  "audio-paused": () => [fill(BELL), stroke(CROSS, { "stroke-dasharray": "3 2.2" })],
  "audio-off": () => [fill(BELL), stroke(CROSS)],
  "alarm-off": () => [stroke(TRIANGLE), stroke(CROSS)],
  link: () => [fill("M6.5 11.5h3v3h-3z"), stroke("M5 9.5a4.2 4.2 0 0 1 6 0M2.5 6.5a8 8 0 0 1 11 0")],
  "no-link": () => [fill("M6.5 11.5h3v3h-3z"), stroke("M5 9.5a4.2 4.2 0 0 1 6 0M2.5 6.5a8 8 0 0 1 11 0", { opacity: ".45" }), stroke("M2.5 2 13.5 14")],
};

/** A sign by its name. */
export function icon(name, title) {
  return frame(title, ...DRAW[name]());
}

/** A battery with its level, 0 to 100 %. */
export function battery(percent, title) {
  const level = svg("rect", { x: "2.5", y: "6", width: String((8.6 * Math.max(0, Math.min(100, percent))) / 100), height: "5", fill: "currentColor" });
  return frame(title, stroke("M1.2 4.5h11.3v8H1.2zM14.6 7v3", { "stroke-width": "1.3" }), level);
}

function frame(title, ...shapes) {
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("title", {}, title), ...shapes);
}
