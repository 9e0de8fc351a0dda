// The decision on each clip as this page shows it, and who decided what before.

import { consentFor, consentOf, lacksConsent } from "./consents.js";
import { facts, report } from "./data.js";
import { heldBy } from "./mails.js";
import { filmsWith, rowsOf } from "./rows.js";
import {
  hiddenText, hidesPicture, isAdmittedBy, isDecidable, isReady, isReleased, isSameDecision, needsTwo, people, shownFrames, waitsForConsent,
} from "./rules.js";
import { reviewerName } from "./server.js";
import { makeSignal } from "./signal.js";

/**
 * @typedef {import("./data.js").Review} Review
 * @typedef {import("./rows.js").Row} Row
 * @typedef {{ sha256: string, review: Review }} ClipReview
 * @typedef {{ saved: Review, now: Review, refusals: number, was: Review[] }} Entry
 *   saved: as the ledger has it; now: as the page shows it; refusals: how often the page had to
 *   go back to what the ledger has; was: as the report has it, then as each decisions file has it
 */

/** @type {Review} */
const UNDECIDED = {
  decision: "undecided", note: "", by: "", at: null,
  caption: null, category: null, in_s: null, out_s: null,
};

/** @type {Map<string, Entry>} by SHA-256 */
const entries = new Map();
for (const { sha256, review } of report.clips) {
  if (sha256 && !entries.has(sha256)) entries.set(sha256, { saved: review, now: review, refusals: 0, was: [review] });
}
/** @type {Map<string, import("./data.js").TrailEvent[]>} by SHA-256, oldest first */
const trails = new Map();
addToTrails(facts.trail);

/** The SHA-256 of the clips whose decision is on this page only. Empty where a server writes them. */
export const unsaved = /** @type {Set<string>} */ (new Set());

/** By SHA-256: what was written as a note and could not be saved. @type {Map<string, string>} */
export const unsentNotes = new Map();

/**
 * What the note's field of a clip shows: what could not be saved stays there.
 * @param {Row} row
 */
export const noteText = (row) => unsentNotes.get(row.clip.sha256 ?? "") ?? reviewOf(row).note;

/**
 * Sent after reviews changed: the rows that show them, and whether to keep the fields of their cards
 * as they are, because the reviewer has typed in them.
 * @type {{ listen: (listener: (rows: Row[], keepFields: boolean) => void) => void, send: (rows: Row[], keepFields: boolean) => void }}
 */
export const reviewsChanged = makeSignal();

/**
 * @param {string} sha256
 * @returns {Entry}
 */
export function entryOf(sha256) {
  const entry = entries.get(sha256);
  if (!entry) throw new Error(`the report has no clip ${sha256}`);
  return entry;
}

/** @param {string} sha256 */
export const isInReport = (sha256) => entries.has(sha256);

/** @param {Row} row */
export const reviewOf = (row) => (row.clip.sha256 ? entryOf(row.clip.sha256).now : UNDECIDED);

/**
 * The comments of a review that nobody has resolved.
 * @param {Review} review
 */
export const openComments = ({ comments }) => (comments ?? []).filter((comment) => !comment.resolved_by);

/**
 * Whether two people must approve the clip of a row.
 * @param {Row} row
 */
export const isForTwo = (row) => needsTwo(row.clip.two_people, reviewOf(row), facts.four_eyes);

/**
 * Whether a clip is approved, and still needs the approval of another person.
 * @param {Row} row
 */
export const lacksApproval = (row) =>
  isDecidable(row.clip) && isForTwo(row) && reviewOf(row).decision === "approved" && people(reviewOf(row).agreed_by ?? []).length < 2;

/**
 * Whether a clip waits for the second approval, and the person at this page can give it.
 * @param {Row} row
 */
export const waitsForMe = (row) => {
  const agreed = reviewOf(row).agreed_by ?? [];
  return lacksApproval(row) && people([...agreed, reviewerName()]).length > people(agreed).length;
};

/**
 * The decision on a clip; undecided while the approval of the person at this page is missing.
 * @param {Row} row
 */
export const decisionHere = (row) => (waitsForMe(row) ? "undecided" : reviewOf(row).decision);

/** @param {Row} row */
export const isWaiting = (row) => isDecidable(row.clip) && decisionHere(row) === "undecided";

/** @type {Map<string, string>} by SHA-256: what the clip hides, where that was what its review hides */
const hides = new Map();
for (const { sha256, review, to_be_made_anew: isOld } of report.clips) if (sha256 && !isOld) hides.set(sha256, hiddenText(review));

/**
 * Whether the clip hides what its review hides now. If not, it is made anew first.
 * @param {Row} row
 */
export const isAsDecided = (row) => hides.get(row.clip.sha256 ?? "") === hiddenText(reviewOf(row));

/**
 * Whether a part of a film may not be seen that shows the same as a photo.
 * @param {string | null} photo
 */
export const isPhotoHidden = (photo) => filmsWith(photo).some((film) => hidesPicture(reviewOf(film)));

/**
 * Whether the clip of a row goes into the montage.
 * @param {Row} row
 */
export function isAdmitted(row) {
  if (!isDecidable(row.clip) || !isReady(reviewOf(row), isForTwo(row)) || !isAsDecided(row)) return false;
  const review = reviewOf(row);
  return isAdmittedBy(review.decision, facts.required, heldBy(row.clip), !lacksConsent(row))
    && isReleased(row.clip.warnings, review);
}

/**
 * Whether the clip of a row waits for the consent of its sender.
 * @param {Row} row
 */
export const isSilent = (row) =>
  isDecidable(row.clip) && waitsForConsent(consentFor(row.clip), reviewOf(row).decision, facts.needs_consent);

/**
 * The mails whose senders the clip of a row waits for: all that brought its bytes and said nothing.
 * @param {Row} row
 */
export const silentMails = (row) => !isSilent(row) ? [] : rowsOf(row.clip.sha256 ?? "")
  .map(({ mail }) => mail.id)
  .filter((id) => waitsForConsent(consentOf(id).state, reviewOf(row).decision, facts.needs_consent));

/** @param {Row} row */
export const isUnsaved = (row) => unsaved.has(row.clip.sha256 ?? "") && row.clip.status !== "duplicate";

/**
 * How long the clip of a row is between its in and out points, in seconds.
 * @param {Row} row
 */
export function shownSeconds(row) {
  const [output] = row.clip.outputs;
  return output ? shownFrames(output, reviewOf(row)) / output.fps : 0;
}

/**
 * Show other reviews.
 * @param {ClipReview[]} changed
 * @param {boolean} keepFields the fields of the card show the change already
 */
export function setReviews(changed, keepFields = false) {
  for (const { sha256, review } of changed) {
    const entry = entryOf(sha256);
    entry.now = review;
    if (facts.live || isSameDecision(review, entry.saved)) unsaved.delete(sha256);
    else unsaved.add(sha256);
  }
  reviewsChanged.send(changed.flatMap(({ sha256 }) => rowsOf(sha256)), keepFields);
}

/**
 * Take what the page shows of these clips as saved.
 * @param {string[]} shas
 */
export function markSaved(shas) {
  for (const entry of shas.map(entryOf)) {
    entry.saved = entry.now;
    entry.was.push(entry.now);
  }
  setReviews(shas.map((sha256) => ({ sha256, review: entryOf(sha256).now })), true);
}

/** @typedef {Exclude<keyof Review, "by" | "at" | "agreed_by" | "seen_by">} ReviewField what a person enters */

const FIELDS = /** @type {const} */ ([
  "decision", "note", "caption", "category", "in_s", "out_s", "masks", "sounds", "protect", "needs", "comments", "tags", "stars",
]);

/**
 * The fields in which two reviews differ.
 * @param {Review} one
 * @param {Review} other
 * @returns {ReviewField[]}
 */
export const changedFields = (one, other) => FIELDS.filter((field) => !isSameDecision(one, { ...one, [field]: other[field] }));

/**
 * Who made the decision that a clip has. Its review names who changed it last, if only by a star.
 * @param {Row} row
 */
export function decidersOf(row) {
  const { decision, by, agreed_by: agreed = [] } = reviewOf(row);
  if (decision === "approved" && people(agreed).length) return people(agreed).join(", ");
  const isHere = row.clip.sha256 && entryOf(row.clip.sha256).saved.decision !== decision; // decided on this page just now
  const last = isHere ? undefined : deciding(trailOf(row));
  return last && last.after.decision === decision ? last.by : by;
}

/**
 * The event by which a clip has its decision. An undo gives it back to whom it had before: it takes back
 * the newest event that is left.
 * @param {import("./data.js").TrailEvent[]} trail of one clip
 */
function deciding(trail) {
  /** @type {import("./data.js").TrailEvent[]} */
  const left = [];
  for (const event of trail) {
    const isOnlyCommented = Object.keys(event.after).every((field) => field === "comments");
    if (event.undoes && !isOnlyCommented) left.pop();
    else if (!isOnlyCommented) left.push(event);
  }
  return left.filter(({ after }) => "decision" in after).at(-1);
}

/** @param {Row} row */
export const trailOf = (row) => trails.get(row.clip.sha256 ?? "") ?? [];

/**
 * Add events to the trails of their clips.
 * @param {import("./data.js").TrailEvent[]} events
 * @returns {Row[]} the rows that show these clips
 */
export function addToTrails(events) {
  for (const event of events) trails.set(event.sha256, [...(trails.get(event.sha256) ?? []), event]);
  return [...new Set(events.map(({ sha256 }) => sha256))].flatMap(rowsOf);
}
