// Taking over what a look-alike hides, where the footage is the same in another file.

import { sameFootage } from "./alike.js";
import { amend } from "./decisions.js";
import { byId } from "./dom.js";
import { explain } from "./messages.js";
import { reviewOf } from "./reviews.js";
import { lacking } from "./rules.js";
import { textOf } from "./texts.js";

/**
 * Hide in a clip what the same footage in another file hides. A person has to look at it then.
 * @param {import("./rows.js").Row} row
 */
export function takeHidden(row) {
  const other = sameFootage(row);
  if (!other) return;
  const { masks = [], sounds = [], protect } = reviewOf(other);
  const lacks = lacking(reviewOf(row), reviewOf(other));
  const isWeak = masks.some(({ fill }) => fill !== "solid") || sounds.some(({ kind }) => kind !== "mute");
  if (reviewOf(row).protect === "known" && isWeak) {
    explain(textOf("mask.only_strong"));
    return;
  }
  const isDone = amend([row], {
    // as drawn by hand: masks of faces would stand in place of those that are found in this file
    ...(lacks.includes("masks")
      ? { masks: masks.map((mask) => ({ ...mask, origin: /** @type {const} */ ("hand"), by: "" })) } : {}),
    ...(lacks.includes("sounds") ? { sounds } : {}),
    ...(lacks.includes("protect") ? { protect } : {}),
  }, false);
  if (!isDone) return;
  const player = byId("player", HTMLDialogElement);
  (player.open ? player : row.card)?.focus({ preventScroll: true }); // the button is gone
  explain(textOf("alike.taken", { name: other.clip.filename }));
}
