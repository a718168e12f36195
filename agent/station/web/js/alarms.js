// Banner, list of alarms, what the screen reader hears, and the way of an acknowledgement.

import { byId, el, put, show, text } from "./dom.js";
import { paint } from "./flash.js";
import * as f from "./format.js";
import { Announcer, calls } from "./model.js";
import { identify, notice, question } from "./person.js";

const announcer = new Announcer();

/** Acknowledges an alarm in the name of whoever acts; says so if it was not sent. */
export async function acknowledge(socket, alarm, confirm = false) {
  const by = await identify();
  if (by === null) return;
  if (confirm) {
    const sure = await question({
      title: `Bed ${alarm.bed}: ${alarm.text}`,
      text: `${f.cause(alarm)} Acknowledge on this page only: the bedside monitor goes on by itself.`.trim(),
      yes: "Acknowledge",
    });
    if (!sure) return;
  }
  const problem = await socket.acknowledge(alarm.id, by);
  if (problem === null) notice(`Bed ${alarm.bed}: ${alarm.text} acknowledged by ${by}`);
  else notice(`NOT SENT. Bed ${alarm.bed}, ${alarm.text}: ${problem}`, true);
}

/** A button that acknowledges; it says that the bedside device is not silenced. */
export function ackButton(onClick, label = "Acknowledge") {
  return el("button", { class: "ack", type: "button", on: { click: onClick } }, label, el("small", { text: "page only" }));
}

export class Banner {
  #foremost = null;

  constructor(onOpen, onAcknowledge, onList) {
    this.mark = el("span", { class: "mark" });
    this.where = el("span", { class: "bed-name" });
    this.what = el("span", { class: "what" });
    this.cause = el("span");
    this.age = el("span", { class: "age" });
    this.button = byId("banner-alarm");
    this.button.append(this.mark, this.where, this.what, this.cause, this.age);
    this.button.addEventListener("click", () => (this.#foremost ? onOpen(this.#foremost.bed) : onList()));
    byId("banner-ack").addEventListener("click", () => this.#foremost && onAcknowledge(this.#foremost));
    byId("counts").addEventListener("click", onList);
  }

  update(model, now) {
    const alarm = model.foremost();
    this.#foremost = alarm;
    put(byId("banner"), "priority", alarm?.priority ?? "none");
    paint(this.button, alarm?.priority ?? null, alarm ? "calls" : null);
    text(this.mark, alarm ? f.stars(alarm.priority) : "");
    text(this.where, alarm ? `Bed ${alarm.bed}` : "");
    text(this.what, alarm?.text ?? "No alarm is waiting");
    text(this.cause, alarm ? f.cause(alarm) : "");
    text(this.age, alarm ? f.age(now - f.began(alarm)) : "");
    show(byId("banner-ack"), alarm !== null);
    this.#counts(model.counts());
  }

  #counts(counts) {
    for (const node of byId("counts").children) {
      const n = counts[node.dataset.priority];
      text(node.querySelector("b"), String(n));
      put(node, "fill", n > 0 ? node.dataset.priority : null);
    }
    const urgent = counts.high + counts.medium;
    const title = urgent > 0 ? `(${counts.high > 0 ? "*** " : ""}${urgent}) Wardlight` : "Wardlight";
    if (document.title !== title) document.title = title;
  }
}

/** Reads new alarms out: high ones at once, the rest politely, one per bed in ten seconds. */
export function announce(raised, at) {
  for (const alarm of raised) {
    if (!calls(alarm) || !announcer.allows(alarm, at)) continue;
    const region = byId(alarm.priority === "high" ? "say-high" : "say");
    text(region, `${alarm.priority} alarm, bed ${alarm.bed}: ${alarm.text} ${f.cause(alarm)}`);
  }
}

/** One alarm as a row: in the list with its bed, in the detail without. */
export function alarmRow(alarm, now, onAcknowledge, onOpen = null) {
  const row = el(
    "div",
    { class: "alarm-row" },
    onOpen ? el("button", { class: "where", type: "button", text: alarm.bed, "aria-label": `Bed ${alarm.bed}`, on: { click: onOpen } }) : null,
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
      calls(alarm) ? ackButton(() => onAcknowledge(alarm)) : null,
    ),
  );
  paint(row, alarm.priority, calls(alarm) ? "calls" : "acked");
  return row;
}

function describe(alarm) {
  const began = `since ${f.clock(f.began(alarm), true)}`;
  const kind = alarm.technical ? "technical, " : "";
  if (alarm.state === "acknowledged") return `${kind}${began}, acknowledged by ${alarm.acknowledged_by ?? "?"}`;
  if (alarm.state === "latched") return `${kind}${began}, condition over, stays until acknowledged`;
  return `${kind}${began}`;
}
