// Messages to the reviewer. In an open dialog they are shown there: the page behind it can't be read.

import { byId } from "./dom.js";

const placeInDialog = () => [...document.querySelectorAll("dialog[open] [role=status]")].at(-1);

/** What {@link explain} said last in a dialog, and where. */
const explained = { place: /** @type {Element | null} */ (null), text: "" };

/**
 * Say something to those who listen to a screen reader.
 * @param {string} text
 */
export function announce(text) {
  const place = placeInDialog() ?? byId("said");
  place.textContent = text;
  place.classList.remove("trouble");
}

/**
 * Say something to all: in the bar at the bottom, and to screen readers.
 * @param {string} text
 */
export function notify(text) {
  byId("dock-count").textContent = text;
  byId("dock-count").className = "";
  announce(text);
}

/**
 * Say to all that something was not written, so that nobody takes it for done.
 * @param {string} text
 */
export function warn(text) {
  notify(text);
  byId("dock-count").className = "trouble";
  placeInDialog()?.classList.add("trouble");
}

/**
 * Say to all what a key did or why it did nothing. The message is there until the next press.
 * @param {string} text
 */
export function explain(text) {
  announce(text);
  const place = placeInDialog();
  if (place) {
    Object.assign(explained, { place, text });
    return; // where all can read it
  }
  byId("why").textContent = text;
  byId("why").hidden = false;
}

/** Remove the last message of {@link explain}. */
export function forgetExplanation() {
  byId("why").hidden = true;
  byId("why").textContent = "";
  const { place, text } = explained;
  if (place?.textContent === text) place.textContent = "";
  explained.place = null;
}
