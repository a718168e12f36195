// Where the address leads. Pure.

const PAGES = ["handover", "burden", "system"];

/** `#handover/B03` as `{ page: "handover", bed: "B03" }`; the ward for anything else. */
export function route(hash) {
  const [page, bed] = hash.replace(/^#/, "").split("/");
  return PAGES.includes(page) ? { page, bed: bed ? decodeURIComponent(bed) : null } : { page: "ward", bed: null };
}
