// How past alarms read: what happened when, and how long each step took. Pure.

import { byCall } from "./call.js";
import * as f from "./format.js";

const STEPS = [
  ["received_at", "received"],
  ["decided_at", "decided"],
  ["displayed_at", "shown"],
  ["seen_at", "opened"],
  ["acknowledged_at", "acknowledged"],
  ["ended_at", "condition over"],
];

/** A short time: `380 ms`, `4.2 s`, then as an age. */
export function took(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : f.age(ms);
}

/** The steps of an episode with the time since its onset: `[{ step, at, after }]`, in order; what did not happen is left out. */
export function receipts(episode) {
  const start = f.began(episode);
  const known = STEPS.map(([key, step]) => ({ step, at: episode.receipts?.[key] ?? null })).filter((r) => r.at !== null);
  return known.sort((a, b) => a.at - b.at).map((r) => ({ ...r, after: `+${took(r.at - start)}` }));
}

/** What became of it, in a few words. */
export function outcome(episode) {
  const { acknowledged_at: acked, ended_at: ended } = episode.receipts ?? {};
  const parts = [];
  if (acked) parts.push(`acknowledged after ${took(acked - f.began(episode))}${episode.acknowledged_by ? ` by ${episode.acknowledged_by}` : ""}`);
  else parts.push("not acknowledged");
  const furthest = episode.reached ?? episode.receiver;
  if (furthest === "second") parts.push("2nd nurse called");
  if (furthest === "charge_nurse") parts.push("charge nurse called");
  if (ended) parts.push(`over after ${took(ended - f.began(episode))}`);
  else if (episode.state !== "cleared") parts.push("stands");
  return parts.join(", ");
}

/** Episodes as events of one call each, newest first, with how many the event joins. */
export function past(episodes) {
  return byCall(episodes).map(({ alarms }) => alarms);
}

/** Counts by text and priority, most frequent first: `[{ text, priority, count, median_ack_ms }]`. */
export function byKind(episodes) {
  const kinds = new Map();
  for (const e of episodes) {
    const entry = kinds.get(e.kind) ?? { text: e.text, priority: e.priority, count: 0, acks: [] };
    entry.count += 1;
    const acked = e.receipts?.acknowledged_at;
    if (acked) entry.acks.push(acked - f.began(e));
    kinds.set(e.kind, entry);
  }
  return [...kinds.values()].sort((a, b) => b.count - a.count).map(({ acks, ...rest }) => ({ ...rest, median_ack_ms: median(acks) }));
}

/** The middle one; null of nothing. */
export function median(numbers) {
  if (numbers.length === 0) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
