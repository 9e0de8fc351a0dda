// Why a clip stays out of every film although a reviewer may have approved it. A card says so beside the
// decision, because "Approved" alone would promise more.

import { element } from "./dom.js";
import { isAsDecided, reviewOf } from "./reviews.js";
import { isDecidableRow } from "./rows.js";
import { isReleased } from "./rules.js";
import { textOf, textOfCode } from "./texts.js";

/**
 * What becomes of a clip that does not hide yet what its review hides.
 * @param {import("./rows.js").Row} row
 */
export const anewText = ({ clip }) => textOf(clip.original_deleted ? "mask.not_anew" : "mask.anew");

/**
 * What has to be done with a clip first, in words; nothing if it was rejected.
 * @param {import("./rows.js").Row} row
 */
export function keptOutParts(row) {
  const review = reviewOf(row);
  const { decision, needs = [] } = review;
  if (!isDecidableRow(row) || decision === "rejected") return [];
  const marks = needs.map((need) => textOf(`mask.${need}`)).join(", ");
  const isUnseen = decision === "approved" && !isReleased(row.clip.warnings, review);
  return [
    ...(isUnseen ? [element("p", {}, element("b", {}, textOfCode("warning", "withheld")))] : []),
    ...(needs.length ? [element("p", {}, element("b", {}, `${marks}.`), ` ${textOf("mask.needs.why")}`)] : []),
    ...(isAsDecided(row) ? [] : [element("p", {}, anewText(row))]),
  ];
}
