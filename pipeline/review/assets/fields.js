// The fields of a card: note, caption, category, in and out points.

import { element, find, makeButton } from "./dom.js";
import { facts } from "./data.js";
import { readCut } from "./cuts.js";
import { noteText, reviewOf } from "./reviews.js";
import { textOf } from "./texts.js";
import { exactTimeText } from "./times.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {"note" | "caption" | "category" | "in_s" | "out_s"} FieldKey
 * @typedef {HTMLInputElement | HTMLTextAreaElement} FieldInput
 */

const LABELS = /** @type {const} */ ({
  note: "edit.note", caption: "edit.caption", category: "edit.category", in_s: "edit.in", out_s: "edit.out",
});

/**
 * @param {ParentNode} card
 * @returns {FieldInput[]}
 */
const inputsOf = (card) => [...card.querySelectorAll("[data-key]")].map((input) => /** @type {FieldInput} */ (input));

/**
 * @param {ParentNode} card
 * @param {FieldKey} key
 */
export const inputOf = (card, key) => /** @type {FieldInput} */ (find(card, `[data-key=${key}]`));

/**
 * Make the fields of a card, unless they are there.
 * @param {Row} row
 * @param {HTMLElement} card
 */
export function makeFields(row, card) {
  const place = find(card, ".fields");
  if (place.firstChild) return;
  const { clip } = row;
  const time = { maxlength: "20", placeholder: textOf("edit.time") };
  place.append(
    labelled(row, "note", element("textarea", { rows: "2", maxlength: "2000", dir: "auto" })),
    labelled(row, "caption", element("input", { maxlength: "500", dir: "auto", placeholder: clip.caption })),
    labelled(row, "category",
      element("input", { maxlength: "200", dir: "auto", list: "categories", placeholder: clip.category ?? "" })),
    labelled(row, "in_s", element("input", time)),
    labelled(row, "out_s", element("input", time)),
  );
  // a press is handled by the listener on the list
  find(place, ".in_s").append(makeButton("", { "data-cut": "in_s" }, textOf("edit.in.here")));
  find(place, ".out_s").append(makeButton("", { "data-cut": "out_s" }, textOf("edit.out.here")));
  fillFields(row);
}

/**
 * @param {Row} row
 * @param {FieldKey} key
 * @param {FieldInput} input
 */
function labelled(row, key, input) {
  const id = `${key}-${row.index}`;
  for (const [name, value] of [["id", id], ["data-key", key], ["autocomplete", "off"]]) input.setAttribute(name, value);
  return element("div", { class: `field ${key}` }, element("label", { for: id }, textOf(LABELS[key])), input);
}

/**
 * Show in the fields of a card what its review says.
 * @param {Row} row
 */
export function fillFields(row) {
  if (!row.card) return;
  const review = reviewOf(row);
  for (const input of inputsOf(row.card)) {
    if (input === document.activeElement && facts.live) continue; // somebody is typing in it
    const key = /** @type {FieldKey} */ (input.dataset.key);
    const value = (key === "note" ? noteText(row) : review[key]) ?? "";
    input.value = typeof value === "number" ? exactTimeText(value) : value;
    input.setCustomValidity("");
  }
}

/**
 * What a field changes in the review of its row; null, with a message at the field, where the
 * value is not valid.
 * @param {Row} row
 * @param {FieldInput} input
 * @returns {Partial<import("./data.js").Review> | null}
 */
export function changeIn(row, input) {
  const key = /** @type {FieldKey} */ (input.dataset.key);
  const text = input.value.trim();
  if (key === "note") return { note: text };
  if (key === "caption" || key === "category") return { [key]: text || null };
  const { seconds, problem } = readCut(row, key, text);
  for (const other of inputsOf(row.card ?? document)) other.setCustomValidity("");
  if (!problem) return { [key]: seconds };
  input.setCustomValidity(problem);
  input.reportValidity();
  return null;
}
