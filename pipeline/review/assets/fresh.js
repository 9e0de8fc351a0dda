// What came while a served page was open: a running night makes clips that the page does not have.

import { facts } from "./data.js";
import { buttonById } from "./dom.js";
import { announce } from "./messages.js";
import { textOf } from "./texts.js";

/** @typedef {{ attachments: number, clips: number }} Counts how many the ledger has */

const seen = { text: "" };

/**
 * Offer what came since the page was loaded.
 * @param {Counts} now
 */
export function offerNew(now) {
  const before = facts.live?.counts ?? now;
  const clips = now.clips - before.clips;
  const files = now.attachments - before.attachments;
  const button = buttonById("show-new");
  button.hidden = clips <= 0 && files <= 0;
  if (button.hidden) return;
  const text = clips > 0 ? textOf("new.clips", { n: clips }) : textOf("new.files", { n: files });
  if (text === seen.text) return;
  seen.text = text;
  button.textContent = text;
  announce(text);
}

export function startNew() {
  // the address leads back to the same place
  buttonById("show-new").addEventListener("click", () => location.reload());
}
