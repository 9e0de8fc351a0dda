// Decisions of a served page: written at once, and those of others shown as they come.

import { consentOf, isSameConsent, savedConsentOf, setConsents, showConsent } from "./consents.js";
import { facts } from "./data.js";
import { byId } from "./dom.js";
import { offerNew } from "./fresh.js";
import { mailsVersion, setMails } from "./mails.js";
import { notify, warn } from "./messages.js";
import { addToTrails, changedFields, entryOf, isInReport, reviewsChanged, setReviews, unsentNotes } from "./reviews.js";
import { nameOf } from "./rows.js";
import { hiddenText, isSameDecision } from "./rules.js";
import { ask, reviewerName, writeInOrder } from "./server.js";
import { makeSignal } from "./signal.js";
import { textOf, textOfCode } from "./texts.js";

/**
 * @typedef {import("./reviews.js").ClipReview} ClipReview
 * @typedef {{ sha256: string, fields: import("./reviews.js").ReviewField[] }} Undone what of a clip was undone
 */

const POLL_MS = 1000;
let counter = facts.live?.counter ?? 0; // the last entry of the audit trail that the page has

let withdrawn = -1; // how many withdrawn originals the page has heard of; -1: it has not asked yet

/** Sent after more originals were withdrawn: the SHA-256 of all of them, and the ids of all mails without words.
 * @type {{ listen: (listener: (shas: string[], emptied: string[]) => void) => void, send: (shas: string[], emptied: string[]) => void }} */
export const withdrawnSeen = makeSignal();

let writes = 0; // how many acts were begun or answered

/** The acts that can't be undone, because somebody else decided since.
 * @type {number[]} */
const passed = [];

/** Whether a server is behind this page. */
export const isServed = facts.live !== null;

/** What keeps this page from the server; "": nothing. It is said once, also if each request fails.
 * @type {{ trouble: string }} */
const link = { trouble: "" };

/** @param {string} trouble */
function reportTrouble(trouble) {
  if (trouble === link.trouble && isTroubleShown()) return;
  link.trouble = trouble;
  warn(trouble);
}

/** Whether nothing newer was said. More may be said behind it. */
const isTroubleShown = () => byId("dock-count").textContent?.startsWith(link.trouble) === true;

export const reportLoss = () => reportTrouble(textOf("live.lost"));

/**
 * Show what the ledger has of some clips.
 * @param {ClipReview[]} items
 */
function showSaved(items) {
  for (const { sha256, review } of items) entryOf(sha256).saved = review;
  setReviews(items);
}

/**
 * Show what the ledger has, and drop what was decided on the page since and is not sent yet.
 * @param {ClipReview[]} items
 */
function goBack(items) {
  for (const { sha256 } of items) entryOf(sha256).refusals += 1;
  showSaved(items);
}

/**
 * Show the saved reviews again, because what the page shows could not be written.
 * @param {string[]} shas
 * @param {string} message
 */
function giveUp(shas, message) {
  const unsent = shas.filter((sha256) => {
    const { now, saved } = entryOf(sha256);
    return now.note && now.note !== saved.note;
  });
  for (const sha256 of unsent) unsentNotes.set(sha256, entryOf(sha256).now.note);
  goBack(shas.map((sha256) => ({ sha256, review: entryOf(sha256).saved })));
  warn(unsent.length ? `${message} ${textOf("live.note_kept")}` : message);
}

/**
 * Write what the page shows of these clips, as one act. The act is fixed now: what is decided while
 * it is on its way is another act, which is undone by itself.
 * @param {string[]} shas
 * @param {() => void} whenTaken called if the server took a part of it
 */
export function send(shas, whenTaken) {
  writes += 1;
  const act = shas.map((sha256) => {
    const entry = entryOf(sha256);
    return { sha256, entry, now: entry.now, refusals: entry.refusals };
  });
  writeInOrder(async () => {
    // if an earlier act was refused, the page has gone back and dropped what was built on it
    const sent = act.filter(({ entry, now, refusals }) =>
      entry.refusals === refusals && !isSameDecision(now, entry.saved));
    if (!sent.length) return;
    const entries = sent.map(({ sha256, entry, now }) => {
      const { decision, note, caption, category, in_s, out_s, tags = [], stars = 0 } = now;
      const fields = { decision, note, caption, category, in_s, out_s, tags, stars, ...protectionOf(now, entry.saved) };
      return { entry: { sha256, ...fields }, seen: entry.saved };
    });
    const { status, data } = await ask("/api/decide", { entries, by: reviewerName() });
    writes += 1;
    if (status !== 200 && status !== 409) {
      giveUp(sent.map(({ sha256 }) => sha256), textOf("live.refused", { problem: data.problem }));
      return;
    }
    const { changes, overtaken } = /** @type {Record<string, ClipReview[]>} */ (data);
    if (changes.length) whenTaken();
    for (const { sha256, review } of changes) entryOf(sha256).saved = review;
    // a clip that was decided on again since is left as it is: the next act is on its way
    const final = new Set(sent.filter(({ entry, now }) => entry.now === now).map(({ sha256 }) => sha256));
    showSaved(changes.filter(({ sha256 }) => final.has(sha256)));
    const said = overtaken.length ? overtakenText(overtaken) : "";
    goBack(overtaken);
    if (said) warn(said);
    catchUp().catch(reportLoss);
  }, () => {
    reportLoss();
    giveUp(shas, textOf("live.lost"));
  });
}

/**
 * The fields of a review that protect people, as far as they were changed, and whether its author has
 * watched the clip and approved it.
 * @param {import("./data.js").Review} now
 * @param {import("./data.js").Review} saved
 */
function protectionOf(now, saved) {
  const { masks = [], sounds = [], protect = "none", needs = [] } = now;
  return {
    ...(hiddenText(now) === hiddenText(saved) ? {} : { masks, sounds }),
    ...(protect === (saved.protect ?? "none") ? {} : { protect }),
    ...(JSON.stringify(needs) === JSON.stringify(saved.needs ?? []) ? {} : { needs }),
    ...(now.seen_by?.includes(now.by) ? { watched: true } : {}),
    agreed: now.agreed_by?.includes(now.by) === true,
  };
}

/**
 * Why an act was not written. The page does not show yet what others did.
 * @param {ClipReview[]} overtaken
 */
function overtakenText(overtaken) {
  const [{ sha256, review }] = overtaken;
  if (overtaken.length > 1) return textOf("live.overtaken_all", { n: overtaken.length });
  const [name, by] = [nameOf(sha256), review.by || textOf("live.somebody")];
  const fields = changedFields(entryOf(sha256).saved, review).filter((field) => field !== "comments");
  if (!fields.length || fields.includes("decision")) {
    return textOf("live.overtaken", { name, by, decision: textOf(`decision.${review.decision}`) });
  }
  return textOf("live.overtaken_fields", { name, by, what: fields.map((field) => textOf(`history.${field}`)).join(", ") });
}

/**
 * What somebody else did on a clip. Only who decided is said to have decided.
 * @param {ClipReview} item
 * @param {import("./data.js").TrailEvent[]} events since the page asked last
 */
function otherText({ sha256, review }, events) {
  const own = events.filter((event) => event.sha256 === sha256);
  const decided = own.filter(({ after }) => "decision" in after || "agreed_by" in after).at(-1);
  const last = decided ?? own.at(-1);
  const [by, name] = [last?.by || textOf("live.somebody"), nameOf(sha256)];
  if (decided || !last) return textOf("live.other", { by, name, decision: textOf(`decision.${review.decision}`) });
  const fields = /** @type {(keyof typeof last.after & keyof import("./data.js").Review)[]} */ (Object.keys(last.after));
  return textOf("live.other_fields", {
    by, name, what: fields.map((field) => textOf(/** @type {import("./texts.js").TextKey} */ (`history.${field}`))).join(", "),
  });
}

/**
 * Take back the last act of this reviewer, also one from before the server was started. It is called
 * while nothing else is written.
 * @param {(undone: Undone[]) => void} whenUndone
 * @returns {Promise<boolean>} whether that is settled: it is undone, or can't be undone any more
 */
export async function undoOnServer(whenUndone) {
  writes += 1;
  const { status, data } = await ask("/api/undo", { by: reviewerName(), passed });
  writes += 1;
  if (status === 409) {
    passed.push(data.undone); // it is said once, and the next undo is for the act before it
    warn(textOf("live.undo_overtaken"));
  } else if (status !== 200) warn(textOf("live.refused", { problem: data.problem }));
  else if (!data.changes.length) notify(textOf("said.nothing_to_undo"));
  else {
    const changes = /** @type {ClipReview[]} */ (data.changes).filter(({ sha256 }) => isInReport(sha256));
    const undone = changes.map(({ sha256, review }) => ({ sha256, fields: changedFields(entryOf(sha256).now, review) }));
    goBack(changes);
    if (undone.length) whenUndone(undone);
    else notify(textOf("said.undone_elsewhere"));
    catchUp().catch(reportLoss);
  }
  return status === 200 || status === 409;
}

/**
 * Add a comment to a clip, or mark one as resolved or not.
 * @param {string} sha256
 * @param {import("./data.js").Comment} comment
 * @param {{ whenTaken: () => void, whenRefused: () => void }} then what follows the answer
 */
export function sendComment(sha256, comment, { whenTaken, whenRefused }) {
  writeInOrder(async () => {
    const { status, data } = await ask("/api/comment", { sha256, comment, by: reviewerName() });
    if (status === 200) {
      showComments(data.changes);
      whenTaken();
    } else if (status !== 409) { // the ledger has it already
      whenRefused();
      warn(textOf("live.refused", { problem: data.problem }));
    }
    catchUp().catch(reportLoss);
  }, () => {
    whenRefused();
    reportLoss();
  });
}

/**
 * Show the comments that the ledger has, and keep what is decided on the page and not sent yet.
 * @param {ClipReview[]} items
 */
function showComments(items) {
  for (const { sha256, review } of items) {
    const entry = entryOf(sha256);
    const { comments } = review;
    // the first comment on a clip also gives its review a time
    const isOnlyCommented = isSameDecision(entry.saved, { ...review, comments: entry.saved.comments });
    entry.saved = isOnlyCommented ? review : { ...entry.saved, comments };
    setReviews([{ sha256, review: { ...entry.now, comments } }], true);
  }
}

/** @typedef {"done" | "overtaken" | "refused"} WriteOutcome overtaken: the ledger has something else by now */

/**
 * Record that a mail is dealt with, or take that back.
 * @param {string} id
 * @param {boolean} isHandled
 * @param {(isChanged: boolean) => void} whenDone called with false if the ledger had it already
 */
export function sendMark(id, isHandled, whenDone) {
  writeInOrder(async () => {
    const outcome = await writeMark(id, isHandled);
    if (outcome !== "refused") whenDone(outcome === "done");
  }, reportLoss);
}

/**
 * Write that a mail is dealt with, or that it is not. It is called while nothing else is written.
 * @param {string} id
 * @param {boolean} isHandled
 * @returns {Promise<WriteOutcome>} overtaken: the ledger had it already
 */
export async function writeMark(id, isHandled) {
  const { status, data } = await ask("/api/handled", { submission: id, handled: isHandled, by: reviewerName() });
  if (status !== 200) {
    warn(textOf("live.refused", { problem: data.problem }));
    return "refused";
  }
  setMails(data.mails);
  setConsents(data.mails.consents);
  return data.changed ? "done" : "overtaken";
}

/**
 * Record what the sender of a mail agreed to.
 * @param {string} id
 * @param {import("./consents.js").Consent} wanted
 * @param {import("./consents.js").Consent} before what the page showed when that was entered
 * @param {() => void} whenDone
 */
export function sendConsent(id, wanted, before, whenDone) {
  writeInOrder(async () => {
    // an act before this one has another time in the ledger than on the page
    const saved = savedConsentOf(id);
    const outcome = await writeConsent(id, wanted, isSameConsent(saved, before) ? saved : before);
    if (outcome === "done") whenDone();
  }, () => {
    showConsent(id, savedConsentOf(id));
    reportLoss();
  });
}

/**
 * Write what the sender of a mail agreed to. It is called while nothing else is written.
 * @param {string} id
 * @param {import("./consents.js").Consent} wanted
 * @param {import("./consents.js").Consent} seen nothing is written if the ledger has another one
 * @returns {Promise<WriteOutcome>}
 */
export async function writeConsent(id, wanted, seen) {
  const { state: consent, name, place } = wanted;
  const { status, data } = await ask("/api/consent", { submission: id, consent, name, place, seen, knows: facts.knows, by: reviewerName() });
  if (status !== 200 && status !== 409) {
    showConsent(id, savedConsentOf(id));
    warn(textOf("live.refused", { problem: data.problem }));
    return "refused";
  }
  setMails(data.mails);
  setConsents(data.mails.consents);
  if (status === 200) return "done";
  warn(data.unseen ? textOf("live.consent_unseen")
    : textOf("live.consent_overtaken", { state: textOfCode("consent", consentOf(id).state) }));
  return "overtaken";
}

/** Show what was decided since the last time, here and by others. */
async function catchUp() {
  const before = writes;
  const { status, data } = await ask(`/api/changes?since=${counter}&mails=${mailsVersion()}&withdrawn=${withdrawn}`);
  // what was written meanwhile on this page would look like a change that somebody else made
  if (before !== writes) return;
  if (status === 403) reportTrouble(textOf("live.ended"));
  else if (status !== 200) reportTrouble(data.problem);
  else if (link.trouble) {
    if (isTroubleShown()) notify(textOf("live.back"));
    link.trouble = "";
  }
  if (status === 200) offerNew(data.counts);
  if (status === 200 && data.withdrawn) {
    withdrawn = data.withdrawn.length;
    withdrawnSeen.send(data.withdrawn, data.emptied);
  }
  if (status === 200 && data.mails) {
    setMails(data.mails);
    setConsents(data.mails.consents);
  }
  if (status !== 200 || data.counter <= counter) return;
  counter = data.counter;
  reviewsChanged.send(addToTrails(data.events), true);
  for (const { sha256, review } of /** @type {ClipReview[]} */ (data.changes)) {
    if (!isInReport(sha256)) continue;
    const entry = entryOf(sha256);
    if (!isSameDecision(entry.saved, { ...entry.saved, comments: review.comments })) {
      showComments([{ sha256, review }]);
      if (isSameDecision(entry.saved, review)) {
        const by = review.comments?.at(-1)?.by || textOf("live.somebody");
        notify(textOf("comment.other", { by, name: nameOf(sha256) }));
      }
    }
    // what is on its way to the server is settled by the answer
    if (!isSameDecision(entry.now, entry.saved)) continue;
    if (isSameDecision(entry.now, review)) {
      entry.saved = review;
      entry.now = review;
    } else {
      showSaved([{ sha256, review }]);
      notify(otherText({ sha256, review }, data.events));
    }
  }
}

async function poll() {
  await catchUp().catch(reportLoss);
  setTimeout(poll, POLL_MS);
}

/** Begin to ask for what others decide. */
export function startPolling() {
  setTimeout(poll, POLL_MS);
}
