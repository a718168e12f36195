// The grid of beds: one tile each, in fixed order, updated in place.

import { grid, neighbour } from "./layout.js";
import { Tile } from "./tile.js";

export class Tiles {
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #columns = 1;

  /** `on`: what a tile's keys do with the name of its bed, `{ open, acknowledge, pause }`. */
  constructor(root, loop, store, on) {
    this.root = root;
    this.loop = loop;
    this.store = store;
    this.on = on;
    root.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#arrange()).observe(root);
  }

  /** Makes the tiles for these beds, in this order. */
  layout(names) {
    for (const tile of this.#tiles.values()) this.loop.remove(tile.sweep);
    this.#tiles = new Map(names.map((name) => [name, new Tile(name, this.store, () => this.on.open(name))]));
    this.root.replaceChildren(...[...this.#tiles.values()].map((tile) => tile.node));
    for (const tile of this.#tiles.values()) this.loop.add(tile.sweep);
    const first = this.#tiles.values().next().value;
    if (first) first.node.tabIndex = 0;
    this.#arrange();
  }

  /** Whether these are the beds shown. */
  shows(names) {
    return names.length === this.#tiles.size && names.every((name) => this.#tiles.has(name));
  }

  /** Shows a bed's newest state. `view`: `{ now, private, blank, model }`. */
  update(bed, view) {
    this.#tiles.get(bed.bed)?.update(bed, view);
  }

  focus(name) {
    this.#tiles.get(name)?.node.focus();
  }

  #arrange() {
    const style = getComputedStyle(this.root);
    const gap = parseFloat(style.rowGap) || 8;
    const width = this.root.clientWidth - 2 * gap;
    const height = this.root.clientHeight - 2 * gap;
    const { columns, rowHeight } = grid(this.#tiles.size, width, height, gap);
    this.#columns = columns;
    this.root.style.setProperty("--columns", columns);
    this.root.style.setProperty("--row", `${rowHeight}px`);
  }

  #key(event) {
    const nodes = [...this.#tiles.values()].map((tile) => tile.node);
    const index = nodes.indexOf(event.target);
    if (index < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const name = [...this.#tiles.keys()][index];
    if (event.key.startsWith("Arrow")) {
      const next = nodes[neighbour(index, event.key, nodes.length, this.#columns)];
      nodes[index].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    } else {
      const act = { Enter: "open", " ": "open", a: "acknowledge", p: "pause" }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (act === undefined) return;
      this.on[act](name);
    }
    event.preventDefault();
  }
}
