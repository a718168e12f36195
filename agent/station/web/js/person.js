// Who is acting on this page, and the small questions that the page asks. Forgotten after ten minutes without a gesture.

import { nameBy } from "./api.js";
import { place } from "./dialog.js";
import { byId, el, text } from "./dom.js";
import * as login from "./login.js";

const FORGET_AFTER_MS = 10 * 60_000;

let name = null;
let lastGesture = 0;

for (const event of ["pointerdown", "keydown"]) {
  addEventListener(event, () => (lastGesture = performance.now()), { capture: true, passive: true });
}

/** The name, if somebody has given one lately. */
export function current() {
  if (!login.open()) return login.person();
  if (name !== null && performance.now() - lastGesture > FORGET_AFTER_MS) name = null;
  return name;
}

nameBy(() => (login.open() ? current() : null));

export function forget() {
  name = null;
}

/** The name, asked for if need be; `null` if the person turned away. */
export async function identify() {
  if (!login.open()) return login.logged();
  const known = current();
  if (known !== null) return known;
  const given = await question({
    title: "Who is acting?",
    text: "Your name stands with what you do. The page forgets it after ten minutes without use.",
    field: "Your name",
    yes: "Continue",
  });
  if (given) name = given;
  return given;
}

/** Asks for yes or no, or with `field` for a text. Resolves to true, to the text, or to null. */
export function question({ title, text: body, field, yes }) {
  const dialog = byId("ask");
  const input = field ? el("input", { "aria-label": field, maxlength: "64", autocomplete: "off", placeholder: field }) : null;
  return new Promise((resolve) => {
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", { id: "ask-title", text: title }),
      el("p", { text: body }),
      input,
      el(
        "div",
        { class: "row" },
        el("button", { type: "button", text: "Cancel", on: { click: () => dialog.close("") } }),
        el("button", { class: "yes", type: "submit", value: "yes", text: yes }),
      ),
    );
    dialog.replaceChildren(form);
    dialog.returnValue = "";
    dialog.onclose = () => {
      place();
      const agreed = dialog.returnValue === "yes";
      resolve(!agreed ? null : input ? input.value.trim() || null : true);
    };
    dialog.showModal();
    place();
  });
}

let fading;

/** A short notice; bad ones stay longer. */
export function notice(message, bad = false) {
  const toast = byId("toast");
  text(toast, message);
  toast.dataset.kind = bad ? "bad" : "good";
  clearTimeout(fading);
  fading = setTimeout(() => text(toast, ""), bad ? 12_000 : 4000);
}
