// Watches the link to the agent and says when it is lost: a banner over all, and blanked numbers.

import { link } from "./clock.js";
import { byId, el, show, text } from "./dom.js";
import * as f from "./format.js";

/** An open socket that says nothing for so long is given up, so that a new one is tried. */
const GIVE_UP_MS = 15_000;

export class Watch {
  /** Local time of the newest heartbeat, and the agent's clock in it. */
  #at = performance.now();
  #now = 0;
  connected = false;
  /** State of the link as the page shows it. */
  shown = null;

  /** Takes a frame; returns whether it is a sign of life. A snapshot counts too, but only if the agent's clock has moved. */
  heard(frame, at) {
    if (frame.type !== "heartbeat" && frame.type !== "snapshot") return false;
    if (frame.now === this.#now) return false;
    this.#now = frame.now;
    this.#at = at;
    return true;
  }

  /** `live`, `lost` or `blank` at local time `at`. */
  state(at) {
    return link(at - this.#at);
  }

  /** Whether orders can be given. */
  get live() {
    return this.connected && this.state(performance.now()) === "live";
  }

  /** Shows the state; `giveUp` is called while an open socket stays dead. */
  show(at, giveUp) {
    const state = this.state(at);
    this.shown = state;
    const node = byId("lost");
    document.body.classList.toggle("blank", state === "blank");
    show(node, state !== "live");
    if (state === "live") {
      node.dataset.key = "";
      return state;
    }
    // Made once, so that a screen reader reads it once; only the seconds change.
    if (node.dataset.key !== String(this.connected)) {
      node.dataset.key = String(this.connected);
      const why = this.connected ? "The agent does not answer." : "This page has no connection to the agent.";
      node.replaceChildren(el("strong", { text: "LINK LOST" }), `${why} Look at the bedside monitors. `, el("span", { "aria-live": "off" }));
    }
    text(node.lastChild, `No data for ${f.age(at - this.#at)}.`);
    if (this.connected && at - this.#at > GIVE_UP_MS) giveUp();
    return state;
  }
}
