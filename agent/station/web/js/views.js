// Which view is shown, by the address: the ward, or one of the pages beside it. A page beside it never hides the banner.

import { handoverView } from "./handover.js";
import { burdenView } from "./burden.js";
import { byId, el, show } from "./dom.js";
import { route } from "./route.js";
import { systemView } from "./system.js";

const PAGES = { handover: handoverView, burden: burdenView, system: systemView };

export class Views {
  #shown = null;

  /** `context`: `{ model, actions, scores, view(), openBed(name) }`. */
  constructor(context) {
    this.context = context;
    this.node = byId("view");
    addEventListener("hashchange", () => this.#go());
  }

  /** Shows what the address says, once the ward is known. */
  refresh() {
    if (this.#shown === null) this.#go();
  }

  async #go() {
    const to = route(location.hash);
    this.#shown = to.page;
    for (const link of byId("views").children) {
      if (link.hash === `#${to.page}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    show(byId("grid"), to.page === "ward");
    show(this.node, to.page !== "ward");
    this.node.replaceChildren();
    if (to.page === "ward") return;
    this.node.append(el("p", { class: "note", text: "One moment …" }));
    const again = () => this.#go();
    let nodes;
    try {
      nodes = await PAGES[to.page](this.context, to.bed, again);
    } catch (error) {
      nodes = [el("p", { class: "problem", role: "alert", text: `This page cannot be shown: ${error.message}` }), el("button", { type: "button", text: "Try again", on: { click: again } })];
    }
    // Somebody may have gone elsewhere while this was asked for.
    if (this.#shown !== to.page) return;
    this.node.replaceChildren(...nodes);
    this.node.scrollTop = 0;
    this.node.focus();
  }
}
