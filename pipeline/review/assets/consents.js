// What senders agreed to: as the ledger has it, and as a reviewer entered it on this page.

import { facts, report } from "./data.js";
import { rows, rowsOf } from "./rows.js";
import { allowsClip, combinedConsent, isDecidable } from "./rules.js";
import { makeSignal } from "./signal.js";

/**
 * @typedef {import("./data.js").Consent} Consent
 * @typedef {import("./data.js").ConsentState} ConsentState
 * @typedef {import("./rows.js").Row} Row
 */

/** @type {readonly ConsentState[]} */
export const CONSENTS = ["unknown", "asked", "yes", "yes-with-name", "no"];

/** @type {Consent} */
const UNKNOWN = { state: "unknown", name: "", place: "", by: "", at: null };

/** @type {Map<string, Consent>} by submission, as the ledger has it */
const saved = new Map();
/** @type {Map<string, Consent>} by submission, as the page shows it */
const shown = new Map();
for (const { id, consent: { state, name, place, by, at } } of report.submissions) {
  saved.set(id, { state, name, place, by, at });
  shown.set(id, { state, name, place, by, at });
}

const known = { isAny: [...shown.values()].some(({ state }) => state !== "unknown") };

/** The submissions whose consent is on this page only. Empty where a server writes them. */
export const unsavedConsents = /** @type {Set<string>} */ (new Set());

/** Sent after consents changed: the rows that show them.
 * @type {{ listen: (listener: (rows: Row[]) => void) => void, send: (rows: Row[]) => void }} */
export const consentsChanged = makeSignal();

/** @param {string} id of a submission */
export const consentOf = (id) => shown.get(id) ?? UNKNOWN;

/** @param {string} id of a submission */
export const savedConsentOf = (id) => saved.get(id) ?? UNKNOWN;

/**
 * What was agreed to for the bytes of a clip, by whichever mails they came.
 * @param {Pick<import("./data.js").Clip, "sha256">} clip
 * @returns {ConsentState}
 */
export const consentFor = ({ sha256 }) =>
  combinedConsent(rowsOf(sha256 ?? "").map(({ mail }) => consentOf(mail.id).state));

/**
 * Whether the clip of a row stays out of the montage for want of consent.
 * @param {Row} row
 */
export const lacksConsent = ({ clip }) => isDecidable(clip) && !allowsClip(consentFor(clip), facts.needs_consent);

/**
 * What the words of the sender propose, unless a person has recorded a consent since.
 * @param {import("./data.js").Submission} mail
 */
export function proposalOf({ id, consent }) {
  const { state, at } = consentOf(id);
  return consent.proposed && state === consent.state && at === consent.at ? consent.proposed : null;
}

/** Whether this campaign asks for consent, or has recorded one. */
export const isConsentUsed = () => facts.needs_consent || known.isAny;

/**
 * Show the consent of a mail that a reviewer entered here.
 * @param {string} id
 * @param {Consent} consent
 */
export function showConsent(id, consent) {
  shown.set(id, consent);
  known.isAny = true;
  if (facts.live || isSameConsent(consent, savedConsentOf(id))) unsavedConsents.delete(id);
  else unsavedConsents.add(id);
  announceChange(new Set([id]));
}

/**
 * Show what the ledger has now.
 * @param {Record<string, Consent>} now by submission
 */
export function setConsents(now) {
  const changed = new Set([...shown.keys()].filter((id) => {
    const consent = now[id] ?? UNKNOWN;
    saved.set(id, consent);
    return !isSameConsent(consent, consentOf(id)) || consent.at !== consentOf(id).at;
  }));
  for (const id of changed) shown.set(id, savedConsentOf(id));
  known.isAny ||= changed.size > 0;
  if (changed.size) announceChange(changed);
}

/** Take what the page shows as saved. */
export function markConsentsSaved() {
  const ids = new Set(unsavedConsents);
  for (const id of ids) saved.set(id, consentOf(id));
  unsavedConsents.clear();
  announceChange(ids);
}

/**
 * @param {Consent} one
 * @param {Consent} other
 */
export const isSameConsent = (one, other) =>
  one.state === other.state && one.name === other.name && one.place === other.place;

/** @param {Set<string>} ids */
function announceChange(ids) {
  // the same bytes may have come in other mails, whose cards show it too
  const touched = rows.filter(({ mail }) => ids.has(mail.id));
  consentsChanged.send([...new Set(touched.flatMap((row) => [row, ...rowsOf(row.clip.sha256 ?? "")]))]);
}
