// What a reviewer chose about keys and playing. The browser keeps it in the storage of the page's
// address. A cookie would also go to pages on other ports, and the review uses none.

import { makeSignal } from "./signal.js";

/**
 * @typedef {{ keys: "reviewer" | "editor", autoplay: boolean, advance: boolean }} PlayerOptions
 *   keys: what J, K and L do: go through the clips, or shuttle as in an editing program; autoplay: a
 *   clip plays as soon as the player shows it; advance: after a decision the next clip is shown
 */

const NAME = "footage-options";

/** @type {PlayerOptions} */
export const options = { keys: "reviewer", autoplay: false, advance: false };

/** Sent after an option changed.
 * @type {{ listen: (listener: () => void) => void, send: () => void }} */
export const optionsChanged = makeSignal();

/** @param {string | null} text as {@link keep} wrote it, or anything else */
function take(text) {
  const chosen = new URLSearchParams(text ?? "");
  options.keys = chosen.get("keys") === "editor" ? "editor" : "reviewer";
  options.autoplay = chosen.get("autoplay") === "1";
  options.advance = chosen.get("advance") === "1";
}

/** Read what the browser has kept; a browser that keeps nothing gives the defaults. */
function restore() {
  try {
    take(localStorage.getItem(NAME));
  } catch {
    // this browser lets pages keep nothing
  }
}

function keep() {
  const { keys, autoplay, advance } = options;
  const text = String(new URLSearchParams({ keys, autoplay: autoplay ? "1" : "0", advance: advance ? "1" : "0" }));
  try {
    localStorage.setItem(NAME, text);
  } catch {
    // the options then last as long as the page
  }
}

/** @param {Partial<PlayerOptions>} change */
export function setOptions(change) {
  Object.assign(options, change);
  keep();
  optionsChanged.send();
}

restore();
