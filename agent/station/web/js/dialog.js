// Dialogs: one look, one way to open and close. The browser keeps the focus inside and gives it back.

import { byId, el } from "./dom.js";

let count = 0;

/**
 * Opens a dialog with `body` (nodes) and `buttons` (nodes) and returns it; `close()` closes it.
 * While a dialog is open the rest of the page is inert, so the regions that a screen reader listens to move into it.
 */
export function openDialog({ title, body, buttons = [], wide = false }) {
  count += 1;
  const id = `dialog-${count}`;
  const node = el("dialog", { class: wide ? "ask wide" : "ask", "aria-labelledby": id });
  const closer = el("button", { type: "button", text: "Close", on: { click: () => node.close() } });
  node.append(el("h2", { id, text: title }), ...body, el("div", { class: "row" }, ...buttons, closer));
  document.body.append(node);
  node.addEventListener("close", () => {
    place();
    node.remove();
  });
  node.style.setProperty("--top", `${byId("top").offsetHeight}px`);
  node.showModal();
  place();
  return node;
}

/** Puts the spoken regions into the innermost open dialog, or back. */
export function place() {
  const open = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  for (const id of ["say-high", "say", "toast"]) {
    const region = byId(id);
    if (region.parentElement !== open) open.append(region);
  }
}
