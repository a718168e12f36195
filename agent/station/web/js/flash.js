// The one flash clock: whatever flashes does so in phase with the agent's clock, and nothing ever flashes faster than 2 Hz.

import { FLASH_HZ, bright } from "./clock.js";
import { put } from "./dom.js";

const flashing = { high: new Set(), medium: new Set() };
const shown = { high: null, medium: null };

/**
 * Fills a node in an alarm's colour and lets it flash while somebody must take note; acknowledged ones get a frame only.
 * `state`: `calls`, `acked` or null for no alarm.
 */
export function paint(node, priority, state) {
  put(node, "fill", state === "calls" ? priority : null);
  put(node, "acked", state === "acked" ? priority : null);
  for (const p of ["high", "medium"]) {
    if (state === "calls" && p === priority) {
      flashing[p].add(node);
      put(node, "phase", shown[p] === false ? "dark" : "bright");
    } else if (flashing[p].delete(node)) {
      put(node, "phase", null);
    }
  }
}

/** Called each frame with the agent's time in ms. */
export function tick(serverMs) {
  for (const p of ["high", "medium"]) {
    const now = bright(serverMs, FLASH_HZ[p]);
    if (now === shown[p]) continue;
    shown[p] = now;
    for (const node of flashing[p]) {
      if (node.isConnected) put(node, "phase", now ? "bright" : "dark");
      else flashing[p].delete(node);
    }
  }
}
