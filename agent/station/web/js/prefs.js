// What this screen remembers: hidden names and the dimmed colours of the night. Nothing of patients.

import { byId, text } from "./dom.js";

const state = { private: read("private"), night: read("night") };

function read(name) {
  return localStorage.getItem(name) === "true";
}

/** Whether names are hidden. */
export const namesHidden = () => state.private;

/** Makes the two buttons work; `onChange` after each change. */
export function preferences(onChange) {
  const toggle = (id, key, words) => {
    const button = byId(id);
    const apply = () => {
      button.setAttribute("aria-pressed", String(state[key]));
      text(button, words[state[key] ? 1 : 0]);
      document.body.classList.toggle(key, state[key]);
    };
    button.addEventListener("click", () => {
      state[key] = !state[key];
      localStorage.setItem(key, String(state[key]));
      apply();
      onChange();
    });
    apply();
  };
  toggle("privacy", "private", ["Hide names", "Show names"]);
  toggle("night", "night", ["Night", "Day"]);
}
