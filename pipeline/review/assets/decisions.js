// What the reviewer decides on this page, and its undo.

import { consentOf, isSameConsent, showConsent } from "./consents.js";
import { facts } from "./data.js";
import { find } from "./dom.js";
import { goToClip, goToMail } from "./list.js";
import { handledOf } from "./mails.js";
import { announce, explain, notify } from "./messages.js";
import { changedFields, entryOf, reviewOf, setReviews } from "./reviews.js";
import { isDecidableRow, nameOf } from "./rows.js";
import { isSameDecision, settledReview } from "./rules.js";
import { reviewerName } from "./server.js";
import { isServed, send, sendConsent, sendMark, undoOnServer } from "./sync.js";
import { textOf, textOfCode } from "./texts.js";
import { wasWatched } from "./watching.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./data.js").Review} Review
 * @typedef {import("./data.js").Decision} Decision
 */

/** @type {(() => string)[]} takes back each act of a page without a server, newest last, and says so */
const undoable = [];

/** @type {((() => void) | null)[]} takes back what was done on this page, newest last; null: a decision or a comment */
const acts = [];

/** Note that a comment was sent to the server, so that it is undone in its turn. */
export const noteComment = () => acts.push(null);

export const canUndo = () => undoable.length > 0;

/** The time now as the ledger writes it: UTC, to the second. */
export const timestamp = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");

/**
 * Change the reviews of some rows in the same way, as one act.
 * @param {Row[]} changed
 * @param {Partial<Review>} change
 * @param {boolean} keepFields the fields of the cards show the change already
 * @returns {boolean} whether the reviewer may do that; if not, the page has said why
 */
export function amend(changed, change, keepFields = true) {
  return amendEach(changed.map((row) => [row, change]), keepFields);
}

/**
 * Change the reviews of some rows, each in its own way, as one act.
 * @param {[Row, Partial<Review>][]} changes
 * @param {boolean} keepFields the fields of the cards show the change already
 * @returns {boolean} as {@link amend}
 */
export function amendEach(changes, keepFields = true) {
  if (!mayDecide()) {
    setReviews(changes.map(([row]) => ({ sha256: row.clip.sha256 ?? "", review: reviewOf(row) })));
    return false;
  }
  const mark = { by: reviewerName(), at: timestamp() };
  const act = changes
    .map(([row, change]) => {
      const before = reviewOf(row);
      const changed = { ...before, ...change, ...mark };
      const review = settledReview(before, changed, {
        by: mark.by, watched: wasWatched(row, changed), approved: change.decision === "approved",
      });
      return { sha256: row.clip.sha256 ?? "", before, review };
    })
    .filter(({ before, review }) => !isSameDecision(before, review));
  if (!act.length) return true;
  const before = act.map(({ sha256, before: review }) => ({ sha256, review }));
  undoable.push(() => {
    const undone = before.map(({ sha256, review }) => ({ sha256, fields: changedFields(entryOf(sha256).now, review) }));
    setReviews(before);
    return showUndone(undone);
  });
  setReviews(act, keepFields);
  if (isServed) send(act.map(({ sha256 }) => sha256));
  acts.push(null);
  return true;
}

/** Whether the reviewer may decide; if not, the page says why. */
function mayDecide() {
  const isEditor = facts.live?.role === "editor";
  if (isEditor) explain(textOf("why.editor"));
  return !isEditor;
}

/**
 * @param {Row} row
 * @param {Decision} decision
 * @returns {boolean} whether the clip has this decision now; if not, the page has said why
 */
export function decide(row, decision) {
  if (row.isMail) sayOnMail(row, textOf("mail.no_decision"));
  else if (!isDecidableRow(row)) explain(textOf("why.no_decision", { status: textOfCode("status", row.clip.status) }));
  if (!isDecidableRow(row) || !amend([row], { decision })) return false;
  announce(textOf("said.decided", { decision: textOf(`decision.${decision}`), name: row.clip.filename }));
  return true;
}

/**
 * @param {Row[]} chosen
 * @param {Decision} decision
 * @returns {boolean} whether the clips have this decision now; if not, the page has said why
 */
export function decideAll(chosen, decision) {
  if (!amend(chosen, { decision })) return false;
  announce(textOf("said.decided_all", { decision: textOf(`decision.${decision}`), n: chosen.length }));
  return true;
}

/**
 * Say that a mail is dealt with, or take that back.
 * @param {Row} row
 */
export function markMail(row) {
  if (!row.isMail) {
    explain(textOf("mail.no_mail"));
  } else if (!isServed) {
    sayOnMail(row, textOf("mail.no_server"));
  } else if (!row.mail.needs_answer.length && !handledOf(row.mail)) {
    sayOnMail(row, textOf("mail.nothing_to_do"));
  } else if (mayDecide()) {
    const wasHandled = Boolean(handledOf(row.mail));
    acts.push(() => mark(row, wasHandled));
    mark(row, !wasHandled);
  }
}

/**
 * @param {Row} row
 * @param {boolean} isHandled
 */
function mark(row, isHandled) {
  sendMark(row.mail.id, isHandled, () => {
    goToMail(row.mail.id);
    notify(textOf(isHandled ? "mail.said.handled" : "mail.said.open", { name: row.clip.filename }));
  });
}

/**
 * Say on the card of a mail why a key does nothing there.
 * @param {Row} row
 * @param {string} text
 */
function sayOnMail(row, text) {
  if (row.card) find(row.card, ".said").textContent = text;
  announce(text);
}

/**
 * Record what the sender of a row's mail agreed to.
 * @param {Row} row
 * @param {{ state: import("./data.js").ConsentState, name: string, place: string }} wanted
 */
export function recordConsent(row, wanted) {
  const before = consentOf(row.mail.id);
  const consent = { ...wanted, by: reviewerName(), at: timestamp() };
  if (isSameConsent(before, consent) || !mayDecide()) return;
  putConsent(row, consent);
  if (isServed) {
    acts.push(() => putConsent(row, before));
    return;
  }
  undoable.push(() => {
    putConsent(row, before);
    return textOf("said.consent", { consent: textOfCode("consent", before.state), name: row.clip.filename });
  });
}

/**
 * @param {Row} row
 * @param {import("./data.js").Consent} consent
 */
function putConsent(row, consent) {
  const said = textOf("said.consent", { consent: textOfCode("consent", consent.state), name: row.clip.filename });
  showConsent(row.mail.id, consent);
  if (isServed) sendConsent(row.mail.id, consent, () => announce(said));
  else announce(said);
}

/** Take back the last act. */
export function undo() {
  if (isServed) {
    const takeBack = acts.pop();
    if (takeBack) {
      takeBack();
      return;
    }
    undoOnServer((undone) => notify(showUndone(undone)));
    return;
  }
  const last = undoable.pop();
  if (!last) {
    announce(textOf("said.nothing_to_undo"));
    return;
  }
  announce(last());
}

/**
 * Go to what was undone.
 * @param {import("./sync.js").Undone[]} undone
 * @returns {string} what to say about it
 */
function showUndone(undone) {
  const [{ sha256, fields }] = undone;
  goToClip(sha256);
  if (undone.length > 1) return textOf("said.undone_all", { n: undone.length });
  const name = nameOf(sha256);
  if (fields.length && !fields.includes("decision")) {
    return textOf("said.undone_fields", { name, what: fields.map((field) => textOf(`history.${field}`)).join(", ") });
  }
  const { decision } = entryOf(sha256).now;
  return textOf("said.undone", { name, decision: textOf(`decision.${decision}`) });
}
