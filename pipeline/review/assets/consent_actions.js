// What a press in the consent part of a card does. One listener on the list serves all cards.

import { enteredConsent, makeConsentFields, openConsentFields } from "./consent_box.js";
import { recordConsent } from "./decisions.js";
import { byId } from "./dom.js";
import { rows } from "./rows.js";

/** @param {Event} event */
function rowAt(event) {
  const card = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".card"));
  return rows[Number(card?.dataset.row)];
}

/** @param {MouseEvent} event */
function onClick(event) {
  const pressed = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("button"));
  const row = rowAt(event);
  if (!pressed || !row) return;
  const { confirmConsent, recordConsent: record } = pressed.dataset;
  if (confirmConsent === "yes-with-name") openConsentFields(row, confirmConsent);
  else if (confirmConsent) recordConsent(row, { state: /** @type {import("./data.js").ConsentState} */ (confirmConsent), name: "", place: "" });
  else if (record !== undefined) {
    const wanted = enteredConsent(row);
    if (wanted) recordConsent(row, wanted);
  }
}

/** @param {Event} event */
function onToggle(event) {
  const opened = /** @type {HTMLElement} */ (event.target);
  const row = rowAt(event);
  if (row && opened.classList.contains("agree")) makeConsentFields(row);
}

export function startConsentActions() {
  byId("list").addEventListener("click", onClick);
  byId("list").addEventListener("toggle", onToggle, true); // it does not bubble
}
