// The banner: the newest of the most urgent alarms, what a person may answer, and how many wait. Always in sight.

import { callText } from "./call.js";
import { settled } from "./clock.js";
import { byId, el, put, show, text } from "./dom.js";
import { paint } from "./flash.js";
import * as f from "./format.js";
import { notice } from "./person.js";

export class Banner {
  #foremost = null;
  #since = -Infinity;

  /** `on`: `{ open(bed), list() }`. */
  constructor(model, actions, on) {
    Object.assign(this, { model, actions });
    this.mark = el("span", { class: "mark" });
    this.where = el("span", { class: "bed-name" });
    this.what = el("span", { class: "what" });
    this.cause = el("span", { class: "cause" });
    this.call = el("span", { class: "call" });
    this.age = el("span", { class: "age" });
    this.button = byId("banner-alarm");
    this.button.append(this.mark, this.where, this.what, this.cause, this.call, this.age);
    this.button.addEventListener("click", () => (this.#foremost ? on.open(this.#foremost.bed) : on.list()));
    byId("counts").addEventListener("click", () => on.list());
    this.#answer("do-acknowledge", (alarm) => actions.acknowledge(alarm));
    this.#answer("do-accept", (alarm) => actions.respond(alarm, true));
    this.#answer("do-reject", (alarm) => actions.respond(alarm, false));
    this.#answer("do-escalate", (alarm) => actions.escalate(alarm));
    byId("pause-bed").addEventListener("click", () => this.#pauseBed());
    byId("pause-all").addEventListener("click", () => (this.#everywherePaused() ? actions.resumeAudio() : actions.pauseAudio()));
  }

  #answer(id, act) {
    byId(id).addEventListener("click", () => {
      if (this.#foremost === null) return;
      if (settled(this.#since, performance.now())) act(this.#foremost);
      else notice("The banner changed as you pressed. Look again, then press.", true);
    });
  }

  #pauseBed() {
    const bed = this.#foremost?.bed;
    if (!bed) return;
    if (this.model.beds.get(bed)?.audio_pause) this.actions.resumeAudio(bed);
    else this.actions.pauseAudio(bed);
  }

  #everywherePaused() {
    return [...this.model.beds.values()].every((bed) => bed.audio_pause || bed.stay === null) && this.model.longestPause() !== null;
  }

  update(now) {
    const alarm = this.model.foremost();
    if (alarm?.id !== this.#foremost?.id) this.#since = performance.now();
    this.#foremost = alarm;
    put(byId("banner"), "priority", alarm?.priority ?? "none");
    paint(this.button, alarm?.priority ?? null, alarm ? "calls" : null);
    text(this.mark, alarm ? f.stars(alarm.priority) : "");
    text(this.where, alarm ? f.bedName(alarm.bed) : "");
    text(this.what, alarm?.text ?? "No alarm is waiting");
    text(this.cause, alarm ? f.cause(alarm) : "");
    text(this.call, alarm ? callText(alarm) : "");
    text(this.age, alarm ? f.age(now - f.began(alarm)) : "");
    byId("do-escalate").disabled = byId("do-reject").disabled = alarm?.receiver === "charge_nurse";
    this.#pauses(alarm?.bed ?? null, now);
    this.#counts(this.model.counts());
  }

  #pauses(bed, now) {
    const paused = bed === null ? null : (this.model.beds.get(bed)?.audio_pause ?? null);
    show(byId("pause-bed"), bed !== null);
    pauseLabel(byId("pause-bed"), paused, bed ?? "", now);
    pauseLabel(byId("pause-all"), this.#everywherePaused() ? this.model.longestPause() : null, "all beds", now);
  }

  #counts(counts) {
    for (const node of byId("counts").children) {
      const n = counts[node.dataset.priority];
      text(node.querySelector("b"), String(n));
      put(node, "fill", n > 0 ? node.dataset.priority : null);
    }
    const urgent = counts.high + counts.medium;
    const title = urgent > 0 ? `(${counts.high > 0 ? "*** " : ""}${urgent}) Wardlight` : "Wardlight";
    if (document.title !== title) document.title = title;
  }
}

/** `Pause audio 2 min · B05` or `Audio paused 1:34 · B05`. */
function pauseLabel(button, pause, where, now) {
  const label = pause ? `Audio paused ${f.left(pause.until - now)}` : "Pause audio 2 min";
  const sub = pause ? `${where}: audio on` : `${where}, page only`;
  if (button.dataset.label === label + sub) return;
  button.dataset.label = label + sub;
  button.setAttribute("aria-pressed", String(pause !== null));
  button.replaceChildren(label, el("small", { text: sub }));
}

