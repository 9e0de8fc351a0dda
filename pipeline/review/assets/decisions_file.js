// The decisions file of a page without a server. `footage decide` takes it.

import { consentOf, markConsentsSaved, unsavedConsents } from "./consents.js";
import { facts, report } from "./data.js";
import { timestamp } from "./decisions.js";
import { offerFile } from "./dom.js";
import { announce, notify } from "./messages.js";
import { entryOf, markSaved, unsaved } from "./reviews.js";
import { reviewerName } from "./server.js";
import { textOf } from "./texts.js";

const MOST_WAS = 50; // as entries.py allows

const saved = { isAny: false };

/** Whether a decisions file was saved from this page. */
export const wasSaved = () => saved.isAny;

/** Offer the unsaved decisions as a file. */
export function saveDecisions() {
  if (facts.is_ledger_older) return; // the page says so at its top
  const by = reviewerName();
  const decisions = [...unsaved].map((sha256) => {
    const { now, was } = entryOf(sha256);
    const author = now.by || by; // the name may be written after the decisions
    const watched = now.seen_by?.includes(now.by) ? { watched: true } : {};
    // what is left out here is not in the version that was approved
    const agreed = now.agreed_by?.includes(now.by) === true;
    return { sha256, ...now, by: author, ...watched, agreed, was: was.slice(-MOST_WAS) };
  });
  const consents = [...unsavedConsents].map((id) => {
    const { state, name, place, by: author, at } = consentOf(id);
    return { submission: id, consent: state, name, place, by: author || by, at, knows: facts.knows };
  });
  const n = decisions.length + consents.length;
  const file = `decisions-${timestamp().replace(/[:-]/g, "").replace("T", "-").slice(0, 15)}.json`;
  const content = JSON.stringify({ schema: 1, campaign: report.campaign, decisions, consents }, null, 1);
  offerFile(file, content, "application/json");
  saved.isAny = true;
  markSaved(decisions.map(({ sha256 }) => sha256));
  markConsentsSaved();
  notify(textOf("dock.saved", { n, file }));
  announce(textOf("said.saved", { n, file }));
}
