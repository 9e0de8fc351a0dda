// The bar at the bottom: how many decisions are unsaved, undo, save.

import { unsavedConsents } from "./consents.js";
import { facts } from "./data.js";
import { canUndo, undo } from "./decisions.js";
import { saveDecisions, wasSaved } from "./decisions_file.js";
import { buttonById, byId, inputById } from "./dom.js";
import { unsaved } from "./reviews.js";
import { hasSelection } from "./selection.js";
import { textOf } from "./texts.js";

/** Show what there is to do; the bar is hidden where there is nothing. */
export function refreshDock() {
  const count = unsaved.size + unsavedConsents.size;
  if (!facts.live) {
    if (count) byId("dock-count").textContent = textOf("dock.count", { n: count });
    buttonById("save").disabled = !count || facts.is_ledger_older;
    if (count && facts.is_ledger_older) byId("dock-count").textContent = textOf("dock.older");
    buttonById("undo").disabled = !canUndo();
  }
  const isUsed = Boolean(facts.live || count || canUndo() || wasSaved());
  byId("dock-save").hidden = !isUsed;
  byId("dock").hidden = !isUsed && !hasSelection();
  document.body.classList.toggle("docked", !byId("dock").hidden);
}

export function startDock() {
  buttonById("undo").addEventListener("click", undo);
  buttonById("save").addEventListener("click", saveDecisions);
  if (facts.live) {
    inputById("reviewer").value = facts.live.by;
    inputById("reviewer").readOnly = facts.live.is_named; // the link was made for this name
    buttonById("save").hidden = true;
    byId("dock-count").textContent = textOf("live.ready");
    byId("dock-count").className = "idle";
    byId("help-file").textContent = textOf("live.help");
  }
  refreshDock();
}
