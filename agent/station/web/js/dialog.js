// Dialogs: one look, one way to open and close. What is behind a dialog is inert, but never the banner: an alarm can be
// answered while limits are being edited. That is why these are not the browser's modal dialogs.

import { byId, el } from "./dom.js";

const BEHIND = ["grid", "view", "panel", "foot"];
const open = [];
let count = 0;

/** Opens a dialog with `body` and `buttons` (nodes) and returns it; `close()` closes it and gives the focus back. */
export function openDialog({ title, body, buttons = [], wide = false }) {
  count += 1;
  const id = `dialog-${count}`;
  const node = el("dialog", { class: wide ? "ask wide" : "ask", "aria-labelledby": id });
  const closer = el("button", { type: "button", text: "Close", on: { click: () => node.close() } });
  node.append(el("h2", { id, text: title }), ...body, el("div", { class: "row" }, ...buttons, closer));
  const shade = el("div", { class: "shade" });
  const returnTo = document.activeElement;
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    node.close();
  });
  node.addEventListener("close", () => {
    open.splice(open.indexOf(node), 1);
    node.remove();
    shade.remove();
    behind();
    if (returnTo?.isConnected) returnTo.focus();
  });
  document.body.style.setProperty("--top", `${byId("top").offsetHeight}px`);
  document.body.append(shade, node);
  open.push(node);
  behind();
  node.show();
  return node;
}

function behind() {
  for (const id of BEHIND) byId(id).inert = open.length > 0;
  open.forEach((node, i) => (node.inert = i < open.length - 1));
}

/** While a modal dialog is open the rest is inert, so the regions that a screen reader listens to move into it; else back. */
export function place() {
  const modal = document.querySelector("dialog:modal") ?? document.body;
  for (const id of ["say-high", "say", "toast"]) {
    const region = byId(id);
    if (region.parentElement !== modal) modal.append(region);
  }
}
