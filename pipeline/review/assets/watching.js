// Which clips were watched to their end on this page, with the masks that they had then.

import { reviewOf } from "./reviews.js";
import { hiddenText } from "./rules.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./data.js").Review} Review
 */

const GAP_S = 0.5; // that a player may leave out where it begins anew

/** @type {Set<string>} the clip and what was hidden of it */
const watched = new Set();

/**
 * @param {Row} row
 * @param {Review} review
 */
const keyOf = ({ clip }, review) => `${clip.sha256} ${review.in_s} ${review.out_s} ${hiddenText(review)}`;

/**
 * Note what a film has shown of a clip.
 * @param {Row} row
 * @param {TimeRanges} played
 * @param {{ from: number, to: number }} span what of the clip is shown
 */
export function notePlayed(row, played, { from, to }) {
  let reached = from + GAP_S;
  for (let index = 0; index < played.length; index += 1) {
    if (played.start(index) <= reached) reached = Math.max(reached, played.end(index) + GAP_S);
  }
  if (played.length && reached >= to) watched.add(keyOf(row, reviewOf(row)));
}

/**
 * Whether somebody watched a clip to its end on this page, with what a review hides of it.
 * @param {Row} row
 * @param {Review} review
 */
export const wasWatched = (row, review) => watched.has(keyOf(row, review));
