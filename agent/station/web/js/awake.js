// A page that nobody can see alarms nobody by light: keeps the screen on, and says so when it was hidden.

import * as f from "./format.js";

/** Shorter times are people changing windows, in ms. */
const WORTH_SAYING_MS = 10_000;

/** `onHidden(message)` is told when the page comes back; `onAwake(boolean)` whether the screen stays on. */
export function stayAwake(onHidden, onAwake) {
  let hiddenAt = null;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      hiddenAt = performance.now();
      return;
    }
    const away = hiddenAt === null ? 0 : performance.now() - hiddenAt;
    hiddenAt = null;
    if (away >= WORTH_SAYING_MS) onHidden(`This page was hidden for ${f.age(away)}. Only its sound could alarm you.`);
    lock(onAwake);
  });
  lock(onAwake);
}

async function lock(onAwake) {
  if (document.hidden) return;
  try {
    const held = await navigator.wakeLock.request("screen");
    onAwake(true);
    held.addEventListener("release", () => onAwake(false));
  } catch {
    // Not a secure address, or refused, for example on low battery.
    onAwake(false);
  }
}
