// Which clips were watched to their end on this page, with the masks that they had then.

import { isAsDecided, reviewOf } from "./reviews.js";
import { hiddenText } from "./rules.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./data.js").Review} Review
 */

const GAP_FRAMES = 2; // that a player may leave out where it begins anew
const GAP_SHARE = 0.1; // of the clip, which may be shorter than some frames
const MOST_SPEED = 2; // at which somebody still sees what is in a film

/** @type {Set<string>} the clip and what was hidden of it */
const watched = new Set();

/** @type {Map<string, number>} until which second a clip was played without a gap, with what was hidden then */
const reached = new Map();

/** What plays now without a jump, and from where. */
const stretch = { key: "", /** @type {HTMLVideoElement | null} */ video: null, from: 0 };

/**
 * How many seconds of a clip need not have been played for it to count as watched.
 * @param {{ from: number, to: number, fps: number }} span
 */
const gapOf = ({ from, to, fps }) => Math.min(GAP_FRAMES / fps, (to - from) * GAP_SHARE);

/**
 * @param {Row} row
 * @param {Review} review
 */
const keyOf = ({ clip }, review) => `${clip.sha256} ${review.in_s} ${review.out_s} ${hiddenText(review)}`;

/**
 * Note what a film shows of a clip. Call this whenever the film moved. What was played before the masks
 * changed does not count, and neither does a film that has other masks than the review: nobody has seen
 * the film that will be made.
 * @param {Row} row
 * @param {HTMLVideoElement} video
 * @param {{ from: number, to: number, fps: number }} span what of the clip is shown
 */
export function notePlayed(row, video, span) {
  if (!isAsDecided(row)) return;
  const key = keyOf(row, reviewOf(row));
  const now = video.currentTime;
  // what was not loaded yet only says where it will begin
  const isJump = video.seeking || video.readyState < HTMLMediaElement.HAVE_METADATA;
  const isTooFast = video.playbackRate > MOST_SPEED;
  if (isJump || isTooFast || stretch.key !== key || stretch.video !== video) {
    Object.assign(stretch, { key, video, from: now });
    return;
  }
  const gap = gapOf(span);
  const before = Math.max(span.from, reached.get(key) ?? 0);
  if (now <= stretch.from || stretch.from > before + gap) return;
  reached.set(key, Math.max(before, now));
  if (now >= span.to - gap) watched.add(key);
}

/**
 * Whether somebody watched a clip to its end on this page, with what a review hides of it.
 * @param {Row} row
 * @param {Review} review
 */
export const wasWatched = (row, review) => watched.has(keyOf(row, review));
