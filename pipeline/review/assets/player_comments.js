// Comments on the clip that the player shows, its tags and its stars.

import { momentProblem, spanOfRow } from "./cuts.js";
import { amend, noteTaken, timestamp } from "./decisions.js";
import { byId, element, inputById, makeButton, quoted, textAround } from "./dom.js";
import { announce, explain } from "./messages.js";
import { playerChanged, playerRow, playerTime, playerVideo, seekPlayer } from "./player.js";
import { stop } from "./playing.js";
import { openComments, reviewOf } from "./reviews.js";
import { reviewerName } from "./server.js";
import { isServed, sendComment } from "./sync.js";
import { textOf } from "./texts.js";
import { exactTimeText, parseTime } from "./times.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./data.js").Comment} Comment
 */

const MOST_STARS = 5;

const DRAFT_FIELDS = ["comment-text", "comment-from", "comment-to"];

/** @type {Map<string, string[]>} by SHA-256: what was typed for a comment and is not added yet */
const drafts = new Map();

/** @type {{ row: Row | null }} the clip whose comment is typed */
const typed = { row: null };

/** @param {string} id */
const draftField = (id) => /** @type {HTMLInputElement | HTMLTextAreaElement} */ (byId(id));

/**
 * Keep what was typed for the clip that was shown, and show what was typed for another one.
 * @param {Row | null} row
 */
function changeDraft(row) {
  const texts = DRAFT_FIELDS.map((id) => draftField(id).value);
  if (typed.row) drafts.set(typed.row.clip.sha256 ?? "", texts);
  typed.row = row;
  const kept = drafts.get(row?.clip.sha256 ?? "") ?? [];
  DRAFT_FIELDS.forEach((id, at) => { draftField(id).value = kept[at] ?? ""; });
}

/** @type {string[]} the tags that the field showed before somebody typed in it */
const shownTags = [];

const textField = () => byId("comment-text", HTMLTextAreaElement);

/** A new name for a comment: 12 hex digits. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Add a comment to a clip, or mark one as resolved or not.
 * @param {Row} row
 * @param {Comment} comment
 * @param {{ whenTaken?: () => void, whenRefused?: () => void }} then what follows
 */
function store(row, comment, { whenTaken = () => {}, whenRefused = () => {} } = {}) {
  if (isServed) {
    sendComment(row.clip.sha256 ?? "", comment, {
      whenTaken: () => {
        noteTaken();
        whenTaken();
      },
      whenRefused,
    });
    return;
  }
  const others = (reviewOf(row).comments ?? []).filter(({ id }) => id !== comment.id);
  amend([row], { comments: [...others, comment].sort(byMoment) });
  whenTaken();
}

/**
 * Give back what was typed for a comment that was not taken, unless another one is typed there by now.
 * @param {Row} row
 * @param {string[]} texts
 */
function giveBack(row, texts) {
  const sha256 = row.clip.sha256 ?? "";
  if (typed.row !== row) {
    if (!drafts.get(sha256)?.[0]) drafts.set(sha256, texts);
  } else if (!textField().value) DRAFT_FIELDS.forEach((id, at) => { draftField(id).value = texts[at]; });
}

/**
 * @param {Comment} one
 * @param {Comment} other
 */
const byMoment = (one, other) => (one.from_s ?? -1) - (other.from_s ?? -1) || one.at.localeCompare(other.at);

/**
 * Where in the clip a comment belongs, as text; empty for the whole clip.
 * @param {Comment} comment
 */
function placeText({ from_s: from, to_s: to }) {
  if (from === null) return "";
  return to === null ? exactTimeText(from) : `${exactTimeText(from)}–${exactTimeText(to)}`;
}

/**
 * @param {Row} row
 * @param {Comment} comment
 */
function commentItem(row, comment) {
  const item = element("li", comment.resolved_by ? { class: "resolved" } : {});
  const place = placeText(comment);
  if (place) {
    const go = makeButton("link", { "aria-label": textOf("comment.go", { time: place }) }, place);
    go.addEventListener("click", () => goTo(comment.from_s ?? 0));
    item.append(go, " ");
  }
  if (comment.by) item.append(element("b", {}, quoted(comment.by)), " ");
  item.append(element("span", { dir: "auto" }, comment.text), " ");
  const resolve = makeButton("quiet", {}, textOf(comment.resolved_by ? "comment.reopen" : "comment.resolve"));
  resolve.addEventListener("click", () =>
    store(row, { ...comment, resolved_by: comment.resolved_by ? "" : reviewerName() || textOf("live.somebody") }));
  item.append(resolve);
  if (comment.resolved_by) {
    item.append(" ", element("span", { class: "by" }, ...textAround("comment.resolved", "by", quoted(comment.resolved_by))));
  }
  return item;
}

/** @param {number} seconds */
function goTo(seconds) {
  stop(playerVideo());
  seekPlayer(seconds);
}

/** Show the comments of the clip, and where they are on the bar. */
export function refreshComments() {
  const row = playerRow();
  if (!row) return;
  const review = reviewOf(row);
  const comments = [...(review.comments ?? [])].sort(byMoment);
  byId("comments").replaceChildren(...comments.map((comment) => commentItem(row, comment)));
  byId("comments").hidden = !comments.length;
  const { length } = spanOfRow(row);
  byId("player-ticks").replaceChildren(...openComments(review).flatMap(({ from_s: from, to_s: to }) => {
    if (from === null) return [];
    const tick = element("span");
    tick.style.insetInlineStart = `${Math.min(100, (100 * from) / length)}%`;
    if (to !== null) tick.style.width = `${(100 * (Math.min(to, length) - from)) / length}%`;
    return [tick];
  }));
  const tags = inputById("player-tags");
  if (tags !== document.activeElement) showTags(review.tags ?? []);
  for (const radio of byId("player-stars").querySelectorAll("input")) {
    radio.checked = Number(radio.value) === (review.stars ?? 0);
  }
}

/** The moment that the player shows, as a field has it. */
const timeHere = () => exactTimeText(Math.round(playerTime() * 1000) / 1000);

/** Begin a comment at the moment that the player shows. */
export function beginComment() {
  if (!playerRow()) return;
  stop(playerVideo());
  inputById("comment-from").value = timeHere();
  inputById("comment-to").value = "";
  textField().focus();
}

/**
 * The time in a field: null if it is empty, undefined if it is not a time.
 * @param {string} id
 */
function timeIn(id) {
  const text = inputById(id).value.trim();
  return text ? parseTime(text) ?? undefined : null;
}

function addComment() {
  const row = playerRow();
  const text = textField().value.trim();
  const [from, to] = [timeIn("comment-from"), timeIn("comment-to")];
  if (!row) return;
  if (!text) explain(textOf("comment.empty"));
  else if (from === undefined || to === undefined) explain(textOf("edit.no_time"));
  else if (momentProblem(row, from) || momentProblem(row, to)) explain(momentProblem(row, from) || momentProblem(row, to));
  else if (to !== null && (from === null || to <= from)) explain(textOf("comment.no_stretch"));
  else {
    const texts = DRAFT_FIELDS.map((id) => draftField(id).value);
    store(row, { id: newId(), text, from_s: from, to_s: to, by: reviewerName(), at: timestamp(), resolved_by: "" }, {
      whenTaken: () => announce(textOf("comment.added")),
      whenRefused: () => giveBack(row, texts),
    });
    for (const id of ["comment-from", "comment-to"]) inputById(id).value = "";
    textField().value = "";
    byId("player").focus();
  }
}

/** @param {number} stars */
function rate(stars) {
  const row = playerRow();
  if (row) amend([row], { stars });
}

/** Take the tags that were added in the field, and remove those that were removed there: others may change them too. */
function takeTags() {
  const row = playerRow();
  if (!row) return;
  const written = inputById("player-tags").value.split(",").map((tag) => tag.trim()).filter(Boolean);
  const removed = shownTags.filter((tag) => !written.includes(tag));
  const kept = (reviewOf(row).tags ?? []).filter((tag) => !removed.includes(tag) && !shownTags.includes(tag));
  const tags = [...new Set([...written, ...kept])];
  showTags(tags);
  amend([row], { tags });
}

/** @param {string[]} tags */
function showTags(tags) {
  shownTags.splice(0, shownTags.length, ...tags);
  inputById("player-tags").value = tags.join(", ");
}

/** What the keys do in the player with comments, tags and stars.
 * @type {Record<string, () => void>} */
export const COMMENT_KEYS = {
  c: beginComment,
  t: () => inputById("player-tags").focus(),
  ...Object.fromEntries(Array.from({ length: MOST_STARS + 1 }, (_, stars) => [String(stars), () => rate(stars)])),
};

function makeStars() {
  let byPointer = false;
  byId("player-stars").addEventListener("pointerdown", () => { byPointer = true; });
  byId("player-stars").addEventListener("keydown", () => { byPointer = false; });
  for (let stars = 0; stars <= MOST_STARS; stars += 1) {
    const radio = element("input", { type: "radio", name: "stars", value: String(stars) });
    radio.addEventListener("change", () => {
      rate(stars);
      if (byPointer) radio.blur(); // so the arrow keys go on to move the film
    });
    byId("player-stars").append(element("label", { class: "check" }, radio, String(stars)));
  }
}

export function startComments() {
  makeStars();
  byId("comment-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    addComment();
  });
  for (const id of ["comment-from", "comment-to"]) {
    byId(`${id}-here`).addEventListener("click", () => {
      inputById(id).value = timeHere();
    });
  }
  textField().addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    addComment();
  });
  inputById("player-tags").addEventListener("change", takeTags);
  playerChanged.listen((row) => {
    changeDraft(row);
    if (row) refreshComments();
  });
}
