// Messages to the reviewer.

import { byId } from "./dom.js";

/**
 * Say something to those who listen to a screen reader.
 * @param {string} text
 */
export function announce(text) {
  byId("said").textContent = text;
}

/**
 * Say something to all: in the bar at the bottom, and to screen readers.
 * @param {string} text
 */
export function notify(text) {
  byId("dock-count").textContent = text;
  announce(text);
}
