// What a press or an entry on a card does. One listener on the list serves all cards.

import { amend, decide, markMail } from "./decisions.js";
import { byId, find } from "./dom.js";
import { changeIn, inputOf, makeFields } from "./fields.js";
import { goToClip, goToMail } from "./list.js";
import { reviewOf } from "./reviews.js";
import { rows } from "./rows.js";
import { select } from "./selection.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./data.js").Decision} Decision
 */

/**
 * The row of the card that an element is in.
 * @param {Element} target
 * @returns {Row | undefined}
 */
function rowAt(target) {
  const card = /** @type {HTMLElement | null} */ (target.closest(".card"));
  return rows[Number(card?.dataset.row)];
}

/** @param {MouseEvent} event */
function onClick(event) {
  const target = /** @type {Element} */ (event.target);
  const row = rowAt(target);
  const pressed = /** @type {HTMLElement | null} */ (target.closest("button, .pick input"));
  if (!row || !pressed) return;
  const { decision, goTo, goToMail: mail, handle, cut } = pressed.dataset;
  if (decision) decide(row, reviewOf(row).decision === decision ? "undecided" : /** @type {Decision} */ (decision));
  else if (goTo) goToClip(goTo);
  else if (mail) goToMail(mail);
  else if (handle !== undefined) markMail(row);
  else if (cut) cutAtPlayhead(row, /** @type {"in_s" | "out_s"} */ (cut));
  else if (pressed instanceof HTMLInputElement) select(row, pressed.checked, event.shiftKey);
}

/** @param {Event} event */
function onChange(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const row = rowAt(target);
  if (row && target.dataset.key) takeField(row, /** @type {import("./fields.js").FieldInput} */ (target));
}

/**
 * @param {Row} row
 * @param {import("./fields.js").FieldInput} input
 */
function takeField(row, input) {
  const change = changeIn(row, input);
  if (change) amend([row], change);
}

/**
 * Set the in or out point to where the clip is now.
 * @param {Row} row
 * @param {"in_s" | "out_s"} key
 */
export function cutAtPlayhead(row, key) {
  const video = videoOf(row);
  if (!row.card || !video) return;
  makeFields(row, row.card);
  find(row.card, ".edit", HTMLDetailsElement).open = true;
  const input = inputOf(row.card, key);
  input.value = video.currentTime.toFixed(2);
  takeField(row, input);
}

/** @param {Row} row */
export function playOrPause(row) {
  const video = videoOf(row);
  if (video?.paused) video.play();
  else video?.pause();
}

/** @param {Row} row */
const videoOf = (row) => row.card?.querySelector("video") ?? null;

/**
 * One clip plays at a time.
 * @param {Event} event
 */
function onPlay(event) {
  for (const video of document.querySelectorAll("video")) if (video !== event.target) video.pause();
}

export function startCardActions() {
  byId("list").addEventListener("click", onClick);
  byId("list").addEventListener("change", onChange);
  document.addEventListener("play", onPlay, true);
}
