// Standing alarms as rows: those of one call together, as one event with one answer.

import { unacknowledged } from "./alarm.js";
import { byCall, callText } from "./call.js";
import { el } from "./dom.js";
import { paint } from "./flash.js";
import * as f from "./format.js";

/** Rows of `alarms` (each with its bed), grouped by call. With `onOpen(bed)` each says its bed and leads there. */
export function alarmEvents(alarms, now, actions, onOpen = null) {
  return byCall(alarms).map((event) => {
    const rows = event.alarms.map((alarm) => alarmRow(alarm, now, actions));
    const open = event.alarms.find(unacknowledged);
    const where = onOpen ? el("button", { class: "where", type: "button", text: event.bed, "aria-label": `Open ${f.bedName(event.bed)}`, on: { click: () => onOpen(event.bed) } }) : null;
    const joined = event.alarms.length > 1 ? `${event.alarms.length} conditions, one call. ` : "";
    return el(
      "div",
      { class: "event" },
      where,
      el("div", { class: "event-rows" }, ...rows, open ? answers(open, joined, actions) : null),
    );
  });
}

function answers(alarm, joined, actions) {
  const button = (label, act) => el("button", { type: "button", text: label, on: { click: act } });
  const everybody = alarm.receiver === "charge_nurse";
  return el(
    "div",
    { class: "answers" },
    el("span", { class: "sub", text: `${joined}${callText(alarm) || "The bed's nurse is called."}` }),
    button("I am going", () => actions.respond(alarm, true)),
    everybody ? null : button("Not my bed", () => actions.respond(alarm, false)),
    everybody ? null : button("Escalate now", () => actions.escalate(alarm)),
  );
}

function alarmRow(alarm, now, actions) {
  const open = unacknowledged(alarm);
  const row = el(
    "div",
    { class: "alarm-row" },
    el("span", { class: "mark", text: f.stars(alarm.priority) }),
    el(
      "span",
      { class: "about" },
      el("span", { class: "what", text: `${alarm.text} ` }),
      el("span", { text: f.cause(alarm) }),
      el("span", { class: "sub", text: describe(alarm) }),
    ),
    el(
      "span",
      { class: "end" },
      el("span", { class: "age", text: f.age(now - f.began(alarm)), data: { since: f.began(alarm) } }),
      open ? el("button", { class: "ack", type: "button", on: { click: () => actions.acknowledge(alarm) } }, "Acknowledge", el("small", { text: "page only" })) : null,
    ),
  );
  paint(row, alarm.priority, open ? "calls" : "acked");
  return row;
}

const AUDIO = { paused: ", audio paused", off: ", audio off" };

/** State of an alarm in words. */
export function describe(alarm) {
  const began = `since ${f.clock(f.began(alarm), true)}`;
  const kind = alarm.technical ? "technical, " : "";
  const audio = AUDIO[alarm.audio] ?? "";
  const again = alarm.reminders > 0 ? `, reminded ${alarm.reminders}×` : "";
  if (alarm.state === "acknowledged") return `${kind}${began}, acknowledged by ${alarm.acknowledged_by ?? "?"}${again}`;
  if (alarm.state === "latched") return `${kind}${began}, condition over, stays until acknowledged${audio}`;
  return `${kind}${began}${audio}${again}`;
}
