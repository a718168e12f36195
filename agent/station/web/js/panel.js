// The panel at the right: the list of alarms, or one bed in detail. The banner stays visible above it.

import { alarmEvents } from "./alarms.js";
import { BedPanel } from "./bedpanel.js";
import { byId, el } from "./dom.js";
import * as f from "./format.js";

export class Panel {
  #sections = new Map();
  /** The bed shown, or null for the list. */
  #bed = null;
  #returnTo = null;

  /** `context`: `{ model, store, loop, actions, view() }`. */
  constructor(context) {
    this.context = context;
    this.node = byId("panel");
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  openBed(name) {
    this.#begin(f.bedName(name));
    this.#bed = new BedPanel(name, this, this.context);
    this.update(this.context.view());
    this.node.focus();
  }

  openList() {
    this.#begin("Alarms");
    this.section("alarms");
    this.update(this.context.view());
    this.node.focus();
  }

  close() {
    this.#bed?.close();
    this.#bed = null;
    this.node.hidden = true;
    this.node.replaceChildren();
    this.#sections.clear();
    if (this.#returnTo?.isConnected) this.#returnTo.focus();
  }

  /** Shows the newest state; only sections that changed are made anew. */
  update(view) {
    if (this.node.hidden) return;
    if (this.#bed) this.#bed.update(view);
    else this.#list(view);
    for (const node of this.node.querySelectorAll("[data-since]")) {
      node.textContent = f.age(view.now - Number(node.dataset.since));
    }
  }

  /** Adds an empty section. */
  section(name) {
    const node = el("div", { class: `section ${name}` });
    this.#sections.set(name, { node, key: null });
    this.node.append(node);
    return node;
  }

  /** Makes a section anew if `data` is not what it was made from; the focus stays where it was. */
  fill(name, data, make) {
    const section = this.#sections.get(name);
    const key = JSON.stringify(data) ?? "";
    if (!section || section.key === key) return;
    section.key = key;
    const focused = section.node.contains(document.activeElement) ? [...section.node.querySelectorAll("button, a, input, select")].indexOf(document.activeElement) : -1;
    section.node.replaceChildren(...[make()].flat().filter(Boolean));
    if (focused >= 0) [...section.node.querySelectorAll("button, a, input, select")].at(focused)?.focus();
  }

  #list(view) {
    const { model, actions } = this.context;
    const alarms = model.alarms();
    this.subtitle.textContent = `${alarms.length} standing`;
    const open = (name) => {
      this.openBed(name);
      actions.seen(alarms.filter((a) => a.bed === name), view.now);
    };
    this.fill("alarms", alarms, () => (alarms.length > 0 ? alarmEvents(alarms, view.now, actions, open) : el("p", { class: "note", text: "No alarms stand." })));
  }

  #begin(title) {
    this.#bed?.close();
    this.#bed = null;
    if (this.node.hidden) this.#returnTo = document.activeElement;
    this.#sections.clear();
    this.subtitle = el("p");
    const closer = el("button", { class: "close", type: "button", text: "Close", on: { click: () => this.close() } });
    this.node.replaceChildren(el("div", { class: "panel-head" }, el("h2", { id: "panel-title", text: title }), this.subtitle, closer));
    this.node.style.setProperty("--top", `${byId("top").offsetHeight}px`);
    this.node.hidden = false;
    this.node.scrollTop = 0;
  }
}
