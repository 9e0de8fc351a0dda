// What the reviewer decides on this page, and its undo.

import { consentOf, isSameConsent, savedConsentOf, showConsent } from "./consents.js";
import { facts } from "./data.js";
import { find } from "./dom.js";
import { goToClip, goToMail } from "./list.js";
import { handledOf } from "./mails.js";
import { announce, explain, notify, warn } from "./messages.js";
import { changedFields, entryOf, reviewOf, setReviews, unsentNotes } from "./reviews.js";
import { isDecidableRow, nameOf } from "./rows.js";
import { isSameDecision, settledReview } from "./rules.js";
import { reviewerName, writeInOrder } from "./server.js";
import {
  isServed, reportLoss, send, sendConsent, sendMark, undoOnServer, writeConsent, writeMark,
} from "./sync.js";
import { textOf, textOfCode } from "./texts.js";
import { wasWatched } from "./watching.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./data.js").Review} Review
 * @typedef {import("./data.js").Decision} Decision
 */

/** @type {(() => string)[]} takes back each act of a page without a server, newest last, and says so */
const undoable = [];

/**
 * What the server took from this page, newest last. Each takes the act back and answers whether that is
 * settled: if the server did not answer, the act stays in the list.
 * @type {(() => Promise<boolean>)[]}
 */
const taken = [];

/** Note that the server took a decision or a comment, so that it is undone in its turn. */
export const noteTaken = () => taken.push(undoHere);

/** The mark and the consent of each mail as this page left them in the ledger: nothing else is taken back.
 * @type {Map<string, import("./data.js").Handled | undefined>} */
const leftMarks = new Map();
/** @type {Map<string, import("./data.js").Consent>} */
const leftConsents = new Map();

/** How many undos are not answered yet, and the acts that wait for that.
 * @type {{ count: number, then: (() => void)[] }} */
const undoing = { count: 0, then: [] };

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
  if (undoing.count) {
    // the undo may change the same clips, and this act comes after it
    undoing.then.push(() => amendEach(changes, false));
    return true;
  }
  for (const [row, change] of changes) if (change.note !== undefined) unsentNotes.delete(row.clip.sha256 ?? "");
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
  if (isServed) send(act.map(({ sha256 }) => sha256), noteTaken);
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
    const isHandled = !handledOf(row.mail);
    sendMark(row.mail.id, isHandled, (isChanged) => {
      if (isChanged) taken.push(() => takeBackMark(row, isHandled));
      leaveMark(row, isHandled);
    });
  }
}

/**
 * Take back that a mail was marked, or that its mark was taken off, unless somebody did so since.
 * @param {Row} row
 * @param {boolean} wasHandled
 */
async function takeBackMark(row, wasHandled) {
  const [now, left] = [handledOf(row.mail), leftMarks.get(row.mail.id)];
  if (now?.at !== left?.at || now?.by !== left?.by) {
    warn(textOf("live.undo_overtaken_mail", { name: row.clip.filename }));
    return true;
  }
  if (await writeMark(row.mail.id, !wasHandled) === "refused") return false;
  leaveMark(row, !wasHandled);
  return true;
}

/**
 * Go to a mail that this page has just marked, or whose mark it took off, and say so.
 * @param {Row} row
 * @param {boolean} isHandled
 */
function leaveMark(row, isHandled) {
  leftMarks.set(row.mail.id, handledOf(row.mail));
  goToMail(row.mail.id);
  notify(textOf(isHandled ? "mail.said.handled" : "mail.said.open", { name: row.clip.filename }));
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
  showConsent(row.mail.id, consent);
  if (isServed) {
    sendConsent(row.mail.id, consent, before, () => {
      taken.push(() => takeBackConsent(row, before));
      leftConsents.set(row.mail.id, savedConsentOf(row.mail.id));
      announce(consentText(row, consent));
    });
    return;
  }
  announce(consentText(row, consent));
  undoable.push(() => {
    showConsent(row.mail.id, before);
    return consentText(row, before);
  });
}

/**
 * @param {Row} row
 * @param {import("./data.js").Consent} consent
 */
const consentText = (row, { state }) =>
  textOf("said.consent", { consent: textOfCode("consent", state), name: row.clip.filename });

/**
 * Take back a consent that was recorded here, unless somebody recorded another one since.
 * @param {Row} row
 * @param {import("./data.js").Consent} before
 */
async function takeBackConsent(row, before) {
  const { id } = row.mail;
  const outcome = await writeConsent(id, before, leftConsents.get(id) ?? savedConsentOf(id));
  if (outcome === "done") {
    leftConsents.set(id, savedConsentOf(id));
    notify(consentText(row, before));
  }
  return outcome !== "refused";
}

/** Let the server take back the last decision or comment of this reviewer, and show it. */
const undoHere = () => undoOnServer((undone) => notify(showUndone(undone)));

/**
 * Take back the last act that the server took. An act that is on its way may be refused, so the undo
 * waits until it is answered.
 */
function undoInOrder() {
  undoing.count += 1;
  writeInOrder(async () => {
    const takeBack = taken.at(-1) ?? undoHere;
    if (await takeBack()) taken.pop();
    endUndo();
  }, () => {
    reportLoss();
    endUndo();
  });
}

/** Do what was decided on the page while undos were on their way. */
function endUndo() {
  undoing.count -= 1;
  if (!undoing.count) for (const act of undoing.then.splice(0)) act();
}

/** Take back the last act. */
export function undo() {
  if (isServed) {
    undoInOrder();
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
