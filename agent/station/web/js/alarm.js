// What one alarm, and its bed, is to the page. Pure.

/** Urgency by priority. */
export const RANK = { high: 3, medium: 2, low: 1 };

/** How a bed is called: `Bed 04`, but a name that says "bed" itself stands alone. */
export function bedName(name) {
  return /^bed/iu.test(name) ? name : `Bed ${name}`;
}

/** Highest priority first, newest first inside a priority. */
export function byUrgency(a, b) {
  return RANK[b.priority] - RANK[a.priority] || b.raised_at - a.raised_at || (a.id < b.id ? -1 : 1);
}

/** Whether somebody still has to take note of the alarm. */
export function unacknowledged(alarm) {
  return alarm.state === "active" || alarm.state === "latched";
}

/** Whether the alarm is heard: nobody has taken note, and nobody has paused it or switched it off. */
export function sounds(alarm) {
  return unacknowledged(alarm) && (alarm.audio ?? "on") === "on";
}

/** Whether a screen reader must read `after`: it is new, back again, or of another priority. */
export function calls(before, after) {
  if (!unacknowledged(after)) return false;
  return before === undefined || !unacknowledged(before) || before.priority !== after.priority;
}
