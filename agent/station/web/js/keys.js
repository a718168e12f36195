// The page's help: what the keys and signs mean.

import { el } from "./dom.js";
import { openDialog } from "./dialog.js";
import { icon } from "./icons.js";

const KEYS = [
  ["arrows", "from bed to bed"],
  ["Enter", "opens the bed"],
  ["A", "acknowledges the bed's most urgent alarm, after a question"],
  ["P", "pauses the bed's audio for two minutes, or ends the pause"],
  ["L", "opens the list of alarms"],
  ["?", "this help"],
  ["Escape", "closes what is open"],
];

const SIGNS = [
  ["audio-paused", "Audio paused: counts down, and a new high alarm breaks it"],
  ["audio-off", "Audio off: these alarms are seen and not heard"],
  ["alarm-off", "Alarm off: these alarms are neither seen nor heard"],
  ["no-link", "No data from the device"],
];

export function openHelp() {
  openDialog({
    title: "Keys and signs",
    body: [
      el("table", {}, el("tbody", {}, ...KEYS.map(([key, does]) => el("tr", {}, el("th", { scope: "row" }, el("kbd", { text: key })), el("td", { text: does }))))),
      el("ul", { class: "signs" }, ...SIGNS.map(([name, says]) => el("li", {}, icon(name), ` ${says}`))),
      el("p", { text: "*** red, twice a second: high. ** yellow, every two seconds: medium. * blue-green, steady: low. -- is no value: look at the patient." }),
    ],
  });
}

/** Keys that work everywhere but where people type. */
export function globalKeys(on) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest?.("input, textarea, select, dialog")) return;
    const act = { "?": on.help, l: on.list, L: on.list }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
