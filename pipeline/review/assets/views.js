// The tabs of a served review: the clips, and the montage.

import { byId, buttonById } from "./dom.js";
import { openMontage } from "./montage.js";
import { clearSelection } from "./selection.js";

const VIEWS = /** @type {const} */ (["clips", "montage"]);

/** @param {typeof VIEWS[number]} name */
function showView(name) {
  for (const view of VIEWS) {
    const isShown = view === name;
    const tab = buttonById(`tab-${view}`);
    byId(`view-${view}`).hidden = !isShown;
    tab.setAttribute("aria-selected", String(isShown));
    tab.tabIndex = isShown ? 0 : -1;
  }
  buttonById("undo").hidden = name === "montage"; // the montage has an undo of its own
  if (name !== "montage") return;
  clearSelection();
  openMontage();
}

export function startViews() {
  byId("tabs").hidden = false;
  byId("help-montage").hidden = false;
  VIEWS.forEach((view, index) => {
    const panel = byId(`view-${view}`);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `tab-${view}`);
    const tab = buttonById(`tab-${view}`);
    tab.addEventListener("click", () => showView(view));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = VIEWS[1 - index];
      showView(other);
      buttonById(`tab-${other}`).focus();
    });
  });
}
