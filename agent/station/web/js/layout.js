// How many columns the grid has. Pure.

/** Width of a tile to its height at which everything has its place. */
const ASPECT = 1.5;
/** Below this a tile cannot be read, and the page scrolls instead, in px. */
const MIN_WIDTH = 216;
const MIN_HEIGHT = 102;
/** One column on a phone, with tiles of this height. */
const PHONE_WIDTH = 560;
const PHONE_HEIGHT = 224;

/**
 * Columns and row height for `count` tiles in `width` × `height` px with gaps of `gap` px: all on one screen if they
 * stay readable, else the smallest readable ones and scrolling.
 */
export function grid(count, width, height, gap) {
  if (width < PHONE_WIDTH) return { columns: 1, rowHeight: PHONE_HEIGHT, scrolls: true };
  let best = null;
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(count / columns);
    const w = (width - gap * (columns - 1)) / columns;
    const h = (height - gap * (rows - 1)) / rows;
    if (w < MIN_WIDTH || h < MIN_HEIGHT) continue;
    const scale = Math.min(w / ASPECT, h);
    if (!best || scale > best.scale) best = { scale, columns, rowHeight: h, scrolls: false };
  }
  if (best) return { columns: best.columns, rowHeight: Math.floor(Math.min(best.rowHeight, height)), scrolls: false };
  const columns = Math.max(1, Math.floor((width + gap) / (MIN_WIDTH + gap)));
  return { columns, rowHeight: Math.max(MIN_HEIGHT, Math.round(((width / columns) / ASPECT) * 0.82)), scrolls: true };
}

/** Where an arrow key leads from tile `index` of `count` in `columns` columns. */
export function neighbour(index, key, count, columns) {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  if (step === undefined) return index;
  const next = index + step;
  return next >= 0 && next < count ? next : index;
}
