// Forms in dialogs: fields with a label and a place for what is wrong with them; the station's refusal is shown at its field.

import { openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { identify, notice } from "./person.js";

let count = 0;

/** One field: `node` to read, `box` to place, `say(text)` for what is wrong with it. */
function field(name, label, node) {
  count += 1;
  const problem = el("span", { class: "problem", id: `problem-${count}` });
  node.setAttribute("aria-describedby", problem.id);
  const say = (text) => {
    problem.textContent = text;
    if (text) node.setAttribute("aria-invalid", "true");
    else node.removeAttribute("aria-invalid");
  };
  return { name, node, say, box: el("label", { class: "field" }, el("span", { text: label }), node, problem) };
}

/** A choice; `options` are `[value, text]`. */
export function select(name, label, options, value = "") {
  return field(name, label, el("select", { name }, ...options.map(([v, text]) => el("option", { value: v, text, selected: v === value }))));
}

export function input(name, label, attributes = {}) {
  return field(name, label, el("input", { name, autocomplete: "off", ...attributes }));
}

export function area(name, label, value, attributes = {}) {
  return field(name, label, el("textarea", { name, text: value, rows: "4", maxlength: "1000", ...attributes }));
}

/** Shows a problem of the station at its field, or in `rest`. Returns the field, if it is one of ours. */
export function showProblem(problem, fields, rest) {
  for (const f of fields) f.say("");
  const at = fields.find((f) => f.name === problem.field);
  const text = problem.expected ? `${problem.error}; expected ${problem.expected}` : problem.error;
  rest.textContent = at ? "" : `Not done: ${text}`;
  at?.say(text);
  at?.node.focus();
  return at ?? null;
}

/** A dialog with a form. `send()` resolves to null or a problem; on success the dialog closes, `done` is said and `after()` called. */
export function formDialog({ title, text, fields, yes, send, done, after = () => {} }) {
  const rest = el("p", { class: "problem", role: "status" });
  const id = `form-${(count += 1)}`;
  const submit = async (event) => {
    event.preventDefault();
    if ((await identify()) === null) return;
    rest.textContent = "Sending …";
    const problem = await send();
    if (problem) {
      showProblem(problem, fields, rest);
      return;
    }
    dialog.close();
    notice(done);
    after();
  };
  const form = el("form", { id, class: "form", on: { submit } }, ...fields.map((f) => f.box));
  const dialog = openDialog({
    title,
    body: [text ? el("p", { text }) : null, form, rest].filter(Boolean),
    buttons: [el("button", { class: "yes", type: "submit", form: id, text: yes })],
  });
  (fields[0]?.node ?? dialog.querySelector(".yes")).focus();
  return dialog;
}
