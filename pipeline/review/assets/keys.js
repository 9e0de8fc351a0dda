// The keys, and the help that lists them. Each key has a button or a control that does the same.

import { cutAtPlayhead, playOrPause } from "./card_actions.js";
import { decide, markMail, undo } from "./decisions.js";
import { buttonById, byId, control, element, inputById } from "./dom.js";
import { currentRow, goBy, goToNextUndecided } from "./list.js";
import { MONTAGE_KEYS } from "./montage.js";
import { decideSelected, hasSelection, isSelected, select } from "./selection.js";
import { isServed } from "./sync.js";
import { textOf } from "./texts.js";

/** @typedef {import("./rows.js").Row} Row */

/** @type {Record<string, (event: KeyboardEvent) => void>} */
const CLIP_KEYS = {
  j: () => goBy(1),
  k: () => goBy(-1),
  n: goToNextUndecided,
  a: () => decideHere("approved"),
  h: () => decideHere("held"),
  r: () => decideHere("rejected"),
  x: (event) => onCurrent((row) => select(row, !isSelected(row), event.shiftKey)),
  m: () => onCurrent(markMail),
  u: undo,
  " ": () => onCurrent(playOrPause),
  i: () => onCurrent((row) => cutAtPlayhead(row, "in_s")),
  o: () => onCurrent((row) => cutAtPlayhead(row, "out_s")),
  "/": () => control("text").focus(),
};

/** The keys as the help shows them, each with the end of its text's key. */
const CLIP_HELP = /** @type {const} */ ([
  ["J", "j"], ["K", "k"], ["N", "n"], ["A", "a"], ["H", "h"], ["R", "r"], ["X", "x"], ["M", "m"], ["U", "u"],
  ["Space", "space"], ["I", "i"], ["O", "o"], ["/", "slash"], ["?", "help"],
]);
const MONTAGE_HELP = /** @type {const} */ ([
  ["J", "j"], ["K", "k"], ["⇧ J", "film.later"], ["⇧ K", "film.earlier"], ["P", "film.pin"],
  ["X", "film.out"], ["U", "u"], ["S", "film.save"],
]);

/** @param {(row: Row) => void} act */
function onCurrent(act) {
  const row = currentRow();
  if (row) act(row);
}

/**
 * Decide on the selection if there is one, else on the clip that the keys act on.
 * @param {import("./data.js").Decision} decision
 */
function decideHere(decision) {
  if (hasSelection()) decideSelected(decision);
  else onCurrent((row) => decide(row, decision));
}

const openHelp = () => byId("help", HTMLDialogElement).showModal();

/**
 * Whether a key belongs to the control that has the focus.
 * @param {Element} target
 * @param {string} key
 */
function isForControl(target, key) {
  if (target.closest("input:not([type=checkbox]), textarea, select, dialog")) return true;
  return key === " " && target.closest("button, summary, video, a, input") !== null;
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !inputById("keys-on").checked) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const act = key === "?" ? openHelp : (byId("view-montage").hidden ? CLIP_KEYS : MONTAGE_KEYS)[key];
  if (!act || isForControl(/** @type {Element} */ (event.target), key)) return;
  event.preventDefault();
  act(event);
}

/** @param {typeof CLIP_HELP | typeof MONTAGE_HELP} keys */
const helpParts = (keys) => keys.flatMap(([key, name]) =>
  [element("dt", {}, element("kbd", {}, key)), element("dd", {}, textOf(`key.${name}`))]);

export function startKeys() {
  byId("help-keys").append(...helpParts(CLIP_HELP));
  if (isServed) byId("help-montage-keys").append(...helpParts(MONTAGE_HELP));
  buttonById("help-open").addEventListener("click", openHelp);
  document.addEventListener("keydown", onKey);
}
