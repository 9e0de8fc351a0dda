// Clips that show what is hidden in a clip that looks like them. The program masks nothing there by itself:
// it can't know where the same face is in the other file.

import { element, makeButton, quoted, textAround } from "./dom.js";
import { isAdmitted, reviewOf } from "./reviews.js";
import { isDecidableRow, lookalikesOf } from "./rows.js";
import { lacking } from "./rules.js";
import { textOf } from "./texts.js";

/** @typedef {import("./rows.js").Row} Row */

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
  return [...bareLines(row), element("p", {}, ...now, go)];
}
