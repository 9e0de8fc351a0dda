// Why a clip stays out of every film although a reviewer may have approved it. A card says so beside the
// decision, because "Approved" alone would promise more.

import { element } from "./dom.js";
import { isAsDecided, reviewOf } from "./reviews.js";
import { isDecidableRow } from "./rows.js";
import { textOf } from "./texts.js";

/**
 * What has to be done with a clip first, in words; nothing if it was rejected.
 * @param {import("./rows.js").Row} row
 */
export function keptOutParts(row) {
  const { decision, needs = [] } = reviewOf(row);
  if (!isDecidableRow(row) || decision === "rejected") return [];
  const marks = needs.map((need) => textOf(`mask.${need}`)).join(", ");
  return [
    ...(needs.length ? [element("p", {}, element("b", {}, `${marks}.`), ` ${textOf("mask.needs.why")}`)] : []),
    ...(isAsDecided(row) ? [] : [element("p", {}, textOf("mask.anew"))]),
  ];
}
