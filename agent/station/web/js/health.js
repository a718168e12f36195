// What works: agent, broker, journal, model and this screen, each for itself. A dead broker is not a dead device.

import { byId, el } from "./dom.js";

/** `link`: state of the link; `health` and `model` as the station sends them; `awake`: whether the screen stays on. */
export function healthItems(link, health, model, awake) {
  const part = (name, of) => [name, of?.state ?? "unknown", of?.reason ?? null];
  const items = [part("Broker", health?.broker), part("Journal", health?.journal), models(health?.models ?? [], model)];
  const shown = link === "live" ? items : items.map(([name]) => [name, "unknown", null]);
  const screen = awake === false ? [["Screen", "unknown", "may sleep"]] : [];
  return [["Agent", link === "live" ? "up" : "down", link === "live" ? null : "not heard"], ...shown, ...screen];
}

/** All models as one item: those that do not answer are named, and versions that were taken back. Pure. */
export function models(all, risk) {
  const silent = all.filter((m) => m.link.state !== "up").map((m) => `${m.id}: ${m.link.reason ?? "rules only"}`);
  if (all.length === 0 || (risk !== "live" && silent.length === 0)) silent.push("rules only");
  const back = all.filter((m) => m.taken_back).map((m) => `${m.id} ${m.taken_back}; ${m.version} answers.`);
  if (risk !== "live" || silent.length > 0) return ["Models", "down", [...silent, ...back].join(" ")];
  return back.length > 0 ? ["Models", "unknown", back.join(" ")] : ["Models", "up", null];
}

/** Shows them in the header; made anew only if something changed. */
export function showHealth(items) {
  const node = byId("health");
  const key = JSON.stringify(items);
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  node.replaceChildren(
    ...items.map(([name, state, reason]) => el("span", { class: "item", data: { state }, title: reason ?? state, text: reason ? `${name}: ${reason}` : name })),
  );
}
