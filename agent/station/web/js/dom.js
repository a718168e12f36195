// Small helpers over the DOM. Data only ever becomes text, never markup.

/** Makes an element: `el("span", { class: "x", text: "…", on: { click } }, child, …)`. */
export function el(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "on") for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    else if (name === "data") for (const [key, v] of Object.entries(value)) put(node, key, v);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}

/** Sets a text if it changed: an unchanged tile costs no layout. */
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** Sets or, with null, removes a data attribute if it changed. */
export function put(node, key, value) {
  if (value === null || value === undefined) {
    if (key in node.dataset) delete node.dataset[key];
  } else if (node.dataset[key] !== String(value)) {
    node.dataset[key] = String(value);
  }
}

/** Shows or hides. */
export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

export const byId = (id) => document.getElementById(id);

/** Makes an SVG element: `svg("path", { d: "…" })`. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}
