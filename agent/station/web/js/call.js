// A call: alarms of one bed that began together are one event. They ring once, and they go up to the next receiver together. Pure.

import { RANK, bedName, sounds, unacknowledged } from "./alarm.js";

const RECEIVERS = ["primary", "second", "charge_nurse"];

/** How many alarms are heard, by priority. */
export function sounding(alarms) {
  const counts = { high: 0, medium: 0, low: 0 };
  for (const alarm of alarms) if (sounds(alarm)) counts[alarm.priority] += 1;
  return counts;
}

/**
 * Whether the burst starts anew for `after`: it has just begun to sound or has risen, and no other alarm of its call
 * sounds that is as urgent. `before` is its last state or undefined; `others` are the bed's other alarms.
 */
export function rings(before, after, others) {
  if (!sounds(after)) return false;
  const wentOn = before && sounds(before) && RANK[before.priority] >= RANK[after.priority];
  if (wentOn) return false;
  return !others.some((o) => o.id !== after.id && o.call === after.call && sounds(o) && RANK[o.priority] >= RANK[after.priority]);
}

/** Whether the call of `after` has gone up to the next receiver. */
export function escalated(before, after) {
  const level = (alarm) => RECEIVERS.indexOf(alarm?.receiver ?? "primary");
  return unacknowledged(after) && before !== undefined && level(after) > level(before);
}

/** Alarms with their bed, in their order, as events: those of one bed and one call together. */
export function byCall(alarms) {
  const events = new Map();
  for (const alarm of alarms) {
    const key = `${alarm.bed}\n${alarm.call ?? alarm.id}`;
    const event = events.get(key);
    if (event) event.alarms.push(alarm);
    else events.set(key, { key, bed: alarm.bed, alarms: [alarm] });
  }
  return [...events.values()];
}

/** How far the call has gone, long and short; null while only the bed's own nurse is called and nobody has answered. */
export function callState(alarm) {
  if (!unacknowledged(alarm)) return null;
  if (alarm.accepted_by) return { long: `${alarm.accepted_by} is going`, short: "→" };
  if (alarm.receiver === "second") return { long: "2nd nurse called", short: "⇑" };
  if (alarm.receiver === "charge_nurse") return { long: "charge nurse called", short: "⇑⇑" };
  return null;
}

/** How far the call has gone, and who is called by the names that the hospital gave; may be empty. */
export function callText(alarm) {
  const waits = unacknowledged(alarm) && !alarm.accepted_by;
  const calling = waits && names(alarm) ? `calling: ${names(alarm)}` : null;
  return [callState(alarm)?.long, calling].filter(Boolean).join(", ");
}

const names = (alarm) => (alarm.calling ?? []).join(", ");

/** What a screen reader says of a call that went up. */
export function escalationText(alarm) {
  const whom = alarm.receiver === "charge_nurse" ? "The charge nurse" : "The second nurse";
  return `${bedName(alarm.bed)}: ${alarm.text} not answered. ${whom} is called${names(alarm) && `: ${names(alarm)}`}.`;
}
