// Which view is shown, by the address: the ward, or one of the pages beside it.

import { byId, show } from "./dom.js";

export class Views {
  constructor(context) {
    this.context = context;
    addEventListener("hashchange", () => this.refresh());
  }
  refresh() {
    show(byId("grid"), true);
  }
}
