// Clips that show what is hidden in a clip that looks like them. The program masks nothing there by itself:
// it can't know where the same face is in the other file.

import { element, makeButton, quoted, textAround } from "./dom.js";
import { isAdmitted, reviewOf } from "./reviews.js";
import { isDecidableRow, lookalikesOf } from "./rows.js";
import { lacking } from "./rules.js";
import { textOf } from "./texts.js";

/** @typedef {import("./rows.js").Row} Row */

const MOST_LONGER_S = 0.1;
const MOST_WIDER = 0.015; // of the other's shape

/**
 * The clips that look like a clip and hide more, each with what this one lacks; none if it was rejected.
 * @param {Row} row
 */
export function hidingMore(row) {
  if (!isDecidableRow(row) || reviewOf(row).decision === "rejected") return [];
  return lookalikesOf(row)
    .map((other) => ({ other, lacks: lacking(reviewOf(row), reviewOf(other)) }))
    .filter(({ lacks }) => lacks.length);
}

/**
 * Whether two files have pictures of one shape and one length, so that a mask lies at the same place in both
 * unless one of them was mirrored or cropped.
 * @param {Row} row
 * @param {Row} other
 */
function hasSameShape({ clip }, { clip: { source: there, warnings } }) {
  const { source: here } = clip;
  if (!here || !there || [...clip.warnings, ...warnings].includes("size-changes")) return false;
  const isAsLong = here.duration_s === null || there.duration_s === null
    ? here.duration_s === there.duration_s : Math.abs(here.duration_s - there.duration_s) <= MOST_LONGER_S;
  return isAsLong && Math.abs((here.width * there.height) / (here.height * there.width) - 1) < MOST_WIDER;
}

/**
 * A look-alike whose masks and changes of the sound can be taken over.
 * @param {Row} row
 */
export const sameFootage = (row) => hidingMore(row)
  .find(({ other, lacks }) => (lacks.includes("masks") || lacks.includes("sounds")) && hasSameShape(row, other))?.other;

/** @param {Row} row */
export const isBare = (row) => hidingMore(row).length > 0;

/**
 * What a clip shows that another one hides, as sentences.
 * @param {Row} row
 */
export function bareLines(row) {
  const [first] = hidingMore(row);
  if (!first) return [];
  const { other, lacks } = first;
  const whom = textOf(`mask.protect.${reviewOf(other).protect ?? "none"}`);
  return lacks.map((what) => element("p", {},
    element("b", {}, ...textAround(`alike.${what}`, "name", quoted(other.clip.filename), { whom }))));
}

/**
 * The same for a card, with a way to the other clip.
 * @param {Row} row
 */
export function bareParts(row) {
  const [first] = hidingMore(row);
  if (!first) return [];
  const go = makeButton("link", { "data-go-to": first.other.clip.sha256 ?? "" }, textOf("card.show_other"));
  const now = isAdmitted(row) ? [`${textOf("alike.admitted")} `] : [];
  const take = sameFootage(row) ? [" ", makeButton("take-hidden", { "data-take-hidden": "" }, textOf("alike.take"))] : [];
  return [...bareLines(row), element("p", {}, ...now, go, ...take)];
}
