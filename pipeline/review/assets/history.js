// The history on a card: who decided what and when, and what the decision was before.

import { element, find, quoted } from "./dom.js";
import { trailOf } from "./reviews.js";
import { momentText, numberFormat, textOf } from "./texts.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {Exclude<keyof import("./data.js").Review, "by" | "at">} Field
 */

/**
 * Bring the history of a card up to date.
 * @param {Row} row
 * @param {HTMLElement} card
 */
export function refreshHistory(row, card) {
  const place = card.querySelector(".history");
  if (!(place instanceof HTMLDetailsElement)) return;
  const events = trailOf(row);
  place.hidden = !events.length;
  find(place, "summary").textContent = textOf("history", { n: events.length });
  // most are never opened, so the list is made when it is
  if (place.open) find(place, "ol").replaceChildren(...events.map(eventItem).reverse());
}

/** @param {import("./data.js").TrailEvent} event */
function eventItem({ at, by, undoes, before, after }) {
  const fields = /** @type {Field[]} */ (Object.keys(after));
  const changes = fields.map((field) => element("span", { class: "change" },
    `${textOf(`history.${field}`)}: `, quoted(valueText(field, before[field])),
    textOf("history.to"), quoted(valueText(field, after[field]))));
  return element("li", {}, element("time", { datetime: at }, momentText(at)), " · ",
    quoted(by || textOf("live.somebody")), undoes ? ` · ${textOf("history.undo")}` : "", ...changes);
}

/**
 * The value of a review's field in words. Of comments the history has the number.
 * @param {Field} field
 * @param {unknown} value lists of masks and of other records come as their number
 */
function valueText(field, value) {
  if (field === "decision") {
    const decision = /** @type {import("./data.js").Decision} */ (value);
    return textOf(`decision.${decision}`);
  }
  if (Array.isArray(value)) return value.length ? `“${value.join(", ")}”` : textOf("history.nothing");
  if (value === null || value === undefined || value === "") return textOf("history.nothing");
  if (typeof value !== "number") return `“${value}”`;
  const isTime = field === "in_s" || field === "out_s";
  return isTime ? textOf("card.seconds", { n: numberFormat.format(value) }) : numberFormat.format(value);
}
