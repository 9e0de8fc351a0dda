// What a press or an entry on a card does. One listener on the list serves all cards.

import { takeHidden } from "./alike_actions.js";
import { amend, decide, markMail } from "./decisions.js";
import { comparedFilms, openCompare } from "./compare.js";
import { byId } from "./dom.js";
import { changeIn } from "./fields.js";
import { goToClip, goToMail } from "./list.js";
import { explain } from "./messages.js";
import { cutHere, openPlayer } from "./player.js";
import { playOrStop, stopOthers } from "./playing.js";
import { decisionHere, unsentNotes } from "./reviews.js";
import { rows } from "./rows.js";
import { select } from "./selection.js";
import { textOf } from "./texts.js";

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
  const { decision, goTo, goToMail: mail, handle, cut, enlarge, compare, takeHidden: take } = pressed.dataset;
  if (decision) decide(row, decisionHere(row) === decision ? "undecided" : /** @type {Decision} */ (decision));
  else if (goTo) goToClip(goTo);
  else if (mail) goToMail(mail);
  else if (handle !== undefined) markMail(row);
  else if (enlarge !== undefined) openPlayer();
  else if (compare !== undefined) openCompare();
  else if (take !== undefined) takeHidden(row);
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
 * A note that could not be saved is saved when its field is left again.
 * @param {FocusEvent} event
 */
function onLeave(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const row = rowAt(target);
  if (target.dataset.key === "note" && unsentNotes.has(row?.clip.sha256 ?? "")) onChange(event);
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
export const cutAtPlayhead = (row, key) => onFilm(row, (video) => cutHere(row, key, video));

/** @param {Row} row */
export const playOrPause = (row) => onFilm(row, playOrStop);

/**
 * Do something with the film of a card, or say that there is none.
 * @param {Row} row
 * @param {(video: HTMLVideoElement) => void} act
 */
export function onFilm(row, act) {
  const video = row.card?.querySelector("video");
  if (video) act(video);
  else explain(textOf("why.no_film"));
}

/**
 * What plays on other cards stops when the reviewer goes on.
 * @param {Row | undefined} row
 */
export function stopOtherFilms(row) {
  const kept = row?.card?.querySelector("video");
  stopOthers(kept ? [kept] : []);
}

/**
 * One clip plays at a time.
 * @param {Event} event
 */
function onPlay(event) {
  const video = /** @type {HTMLVideoElement} */ (event.target);
  if (!video.paused && !comparedFilms().includes(video)) stopOthers([video]); // the event may come after it was stopped again
}

export function startCardActions() {
  byId("list").addEventListener("click", onClick);
  byId("list").addEventListener("change", onChange);
  byId("list").addEventListener("focusout", onLeave);
  document.addEventListener("play", onPlay, true);
}
