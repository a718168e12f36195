// What the screen reader hears: high alarms at once, the rest politely, one per bed in ten seconds; and calls that went up.

import { unacknowledged } from "./alarm.js";
import { escalationText } from "./call.js";
import { byId, text } from "./dom.js";
import * as f from "./format.js";
import { Announcer } from "./model.js";

const announcer = new Announcer();

/** Reads new alarms out; `at` is any clock in ms. */
export function announce(raised, at) {
  for (const alarm of raised) {
    if (!unacknowledged(alarm) || !announcer.allows(alarm, at)) continue;
    const region = byId(alarm.priority === "high" ? "say-high" : "say");
    text(region, `${alarm.priority} alarm, ${f.bedName(alarm.bed)}: ${alarm.text} ${f.cause(alarm)}`);
  }
}

/** Says that a call went up: read out, and shown for a while. One event is said once. */
export function announceEscalation(escalated, notice) {
  const events = new Map(escalated.map((alarm) => [`${alarm.bed} ${alarm.call}`, alarm]));
  for (const alarm of events.values()) {
    const said = escalationText(alarm);
    text(byId(alarm.priority === "high" ? "say-high" : "say"), said);
    notice(said);
  }
}
