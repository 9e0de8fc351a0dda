// The orders in which rows can be listed.

import { reviewOf, shownSeconds } from "./reviews.js";
import { isDecidableRow, isSettled } from "./rows.js";
import { nameCollator } from "./texts.js";

/** @typedef {import("./rows.js").Row} Row */

const DECISION_RANK = { undecided: 0, held: 1, approved: 2, rejected: 3 };

/**
 * Rows with which nothing is to be done come last: what was refused, and what was taken back.
 * @param {Row} a
 * @param {Row} b
 */
const settledLast = (a, b) => Number(isSettled(a)) - Number(isSettled(b));

/** The orders by name, each as a function that compares two rows. */
export const ORDERS = {
  received: (/** @type {Row} */ a, /** @type {Row} */ b) => settledLast(a, b) || a.index - b.index,
  newest: (/** @type {Row} */ a, /** @type {Row} */ b) => settledLast(a, b) || b.index - a.index,
  sender: (/** @type {Row} */ a, /** @type {Row} */ b) =>
    nameCollator.compare(a.mail.sender, b.mail.sender) || a.index - b.index,
  filename: (/** @type {Row} */ a, /** @type {Row} */ b) =>
    nameCollator.compare(a.clip.filename, b.clip.filename) || a.index - b.index,
  longest: (/** @type {Row} */ a, /** @type {Row} */ b) => shownSeconds(b) - shownSeconds(a) || a.index - b.index,
  decision: (/** @type {Row} */ a, /** @type {Row} */ b) =>
    Number(isDecidableRow(b)) - Number(isDecidableRow(a))
    || DECISION_RANK[reviewOf(a).decision] - DECISION_RANK[reviewOf(b).decision] || a.index - b.index,
  stars: (/** @type {Row} */ a, /** @type {Row} */ b) =>
    (reviewOf(b).stars ?? 0) - (reviewOf(a).stars ?? 0) || a.index - b.index,
};

/** @typedef {keyof typeof ORDERS} OrderName */
