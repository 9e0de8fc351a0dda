// What there is to do about each mail, and which clips are held because of one.

import { facts, report } from "./data.js";
import { rows, rowsOf } from "./rows.js";
import { makeSignal } from "./signal.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./data.js").Handled} Handled
 * @typedef {import("./data.js").Submission} Submission
 * @typedef {{ version: string, handled: Record<string, Handled>, held: Record<string, string[]>, consents: Record<string, import("./data.js").Consent> }} MailState
 *   handled: by submission; held: by SHA-256, the submissions that take the clip back
 */

/** The reasons why somebody has to answer a mail, the most urgent first. */
export const MATTERS = /** @type {const} */ (["takes-back", "after-consent", "after-no", "link-only", "more-by-link", "refused", "damaged", "wrote-again", "words-only"]);

const state = { version: facts.live?.mails ?? "" };
/** @type {Map<string, Handled>} by submission */
const handled = new Map();
for (const { id, handled: mark } of report.submissions) if (mark) handled.set(id, mark);
/** @type {Map<string, string[]>} by SHA-256 */
let held = new Map();
for (const { sha256, held_by: mails } of report.clips) if (sha256 && mails.length) held.set(sha256, mails);

/** Sent after mails were dealt with: the rows that show it.
 * @type {{ listen: (listener: (rows: Row[]) => void) => void, send: (rows: Row[]) => void }} */
export const mailsChanged = makeSignal();

/** Which state of the mails the page has. */
export const mailsVersion = () => state.version;

/** @param {Submission} mail */
export const handledOf = (mail) => handled.get(mail.id);

/**
 * Whether somebody still has to answer a mail.
 * @param {Submission} mail
 */
export const isOpen = (mail) => mail.needs_answer.length > 0 && !handled.has(mail.id);

/**
 * The mails by which a clip may be taken back and that nobody has dealt with.
 * @param {Pick<import("./data.js").Clip, "sha256">} clip
 */
export const heldBy = ({ sha256 }) => held.get(sha256 ?? "") ?? [];

/** How many mails wait for an answer: all, and by reason. */
export function countOpen() {
  /** @type {Map<string, number>} */
  const byMatter = new Map();
  const open = report.submissions.filter(isOpen);
  for (const matter of open.flatMap((mail) => mail.needs_answer)) {
    byMatter.set(matter, (byMatter.get(matter) ?? 0) + 1);
  }
  return { all: open.length, oldest: open[0], byMatter };
}

/**
 * Show what the ledger has now.
 * @param {MailState} now
 */
export function setMails(now) {
  const changed = new Set([...handled.keys(), ...Object.keys(now.handled)]
    .filter((id) => handled.get(id)?.at !== now.handled[id]?.at));
  const clips = [...held.keys(), ...Object.keys(now.held)]
    .filter((sha256) => String(held.get(sha256) ?? "") !== String(now.held[sha256] ?? ""));
  state.version = now.version;
  handled.clear();
  for (const [id, mark] of Object.entries(now.handled)) handled.set(id, mark);
  held = new Map(Object.entries(now.held));
  const touched = new Set(rows.filter((row) => changed.has(row.mail.id)));
  for (const row of [...new Set(clips)].flatMap(rowsOf)) touched.add(row);
  mailsChanged.send([...touched]);
}
