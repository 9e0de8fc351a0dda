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

/** @type {Map<string, number>} until which second a clip was played without a gap, with what was hidden then */
const reached = new Map();

/** What plays now without a jump, and from where. */
const stretch = { key: "", /** @type {HTMLVideoElement | null} */ video: null, from: 0 };

/**
 * @param {Row} row
 * @param {Review} review
 */
const keyOf = ({ clip }, review) => `${clip.sha256} ${review.in_s} ${review.out_s} ${hiddenText(review)}`;

/**
 * Note what a film shows of a clip. Call this whenever the film moved. What was played before the masks
 * changed does not count.
 * @param {Row} row
 * @param {HTMLVideoElement} video
 * @param {{ from: number, to: number }} span what of the clip is shown
 */
export function notePlayed(row, video, { from, to }) {
  const key = keyOf(row, reviewOf(row));
  const now = video.currentTime;
  if (video.seeking || stretch.key !== key || stretch.video !== video) {
    Object.assign(stretch, { key, video, from: now });
    return;
  }
  const before = reached.get(key) ?? from;
  if (now <= stretch.from || stretch.from > before + GAP_S) return;
  reached.set(key, Math.max(before, now));
  if (now >= to - GAP_S) watched.add(key);
}

/**
 * Whether somebody watched a clip to its end on this page, with what a review hides of it.
 * @param {Row} row
 * @param {Review} review
 */
export const wasWatched = (row, review) => watched.has(keyOf(row, review));
