// A selection of clips, and one decision on all of them. Only rows that are shown are selected.

import { DECISIONS } from "./cards.js";
import { decideAll } from "./decisions.js";
import { buttonById, byId, icon, makeButton } from "./dom.js";
import { shownRows } from "./list.js";
import { announce } from "./messages.js";
import { isDecidableRow, rows } from "./rows.js";
import { makeSignal } from "./signal.js";
import { textOf } from "./texts.js";

/** @typedef {import("./rows.js").Row} Row */

/** @type {Set<Row>} */
const selected = new Set();
/** @type {{ row: Row | null }} the row where a range begins */
const anchor = { row: null };

/** Sent after the selection changed.
 * @type {{ listen: (listener: () => void) => void, send: () => void }} */
export const selectionChanged = makeSignal();

export const hasSelection = () => selected.size > 0;
/** @param {Row} row */
export const isSelected = (row) => selected.has(row);

/**
 * Select a row, or unselect it.
 * @param {Row} row
 * @param {boolean} isOn
 * @param {boolean} isRange do so with all rows from the last one that was touched
 */
export function select(row, isOn, isRange) {
  const shown = shownRows();
  const [from, to] = [shown.indexOf((isRange && anchor.row) || row), shown.indexOf(row)];
  selectAll(from < 0 ? [row] : shown.slice(Math.min(from, to), Math.max(from, to) + 1), isOn);
  anchor.row = row;
}

/**
 * @param {Row[]} chosen
 * @param {boolean} isOn
 */
function selectAll(chosen, isOn) {
  for (const row of chosen.filter(isDecidableRow)) {
    if (isOn) selected.add(row);
    else selected.delete(row);
  }
  showSelection();
}

export const clearSelection = () => selectAll([...selected], false);

function showSelection() {
  for (const row of rows) {
    const box = row.card?.querySelector(".pick input");
    if (box instanceof HTMLInputElement) box.checked = selected.has(row);
    row.card?.classList.toggle("selected", selected.has(row));
  }
  byId("selection").hidden = !selected.size;
  byId("selection-count").textContent = textOf("pick.count", { n: selected.size });
  selectionChanged.send();
}

/** Unselect what the filters no longer show. */
export function keepShownSelected() {
  const shown = new Set(shownRows());
  const gone = [...selected].filter((row) => !shown.has(row));
  if (gone.length) selectAll(gone, false);
}

/** @param {import("./data.js").Decision} decision */
export function decideSelected(decision) {
  const chosen = shownRows().filter((row) => selected.has(row));
  if (decideAll(chosen, decision)) selectAll(chosen, false);
}

export function startSelection() {
  buttonById("pick-all").addEventListener("click", () => {
    selectAll(shownRows(), true);
    announce(textOf("pick.count", { n: selected.size }));
  });
  buttonById("pick-none").addEventListener("click", clearSelection);
  for (const [decision, sign] of DECISIONS) {
    const button = makeButton(decision, {}, icon(sign), textOf(`do.${decision}`));
    button.addEventListener("click", () => decideSelected(decision));
    byId("selection-do").append(button);
  }
}
