// The list of clips: which rows are shown, in which order, and where the reader is. Cards are made
// as the reader comes near to them.

import { isBare } from "./alike.js";
import { makeCard, warningText } from "./cards.js";
import { isConsentUsed } from "./consents.js";
import { facts } from "./data.js";
import { buttonById, byId, control, element, inputById, setChoices } from "./dom.js";
import { passesMailFilter, refreshMailChoices } from "./mail_filter.js";
import { explain } from "./messages.js";
import { isSilent, isWaiting, openComments, reviewOf } from "./reviews.js";
import { clipRow, hasLookalikes, hasMailRows, isDecidableRow, isMine, isNew, isShared, mailRow, photoOf, rows } from "./rows.js";
import { makeSignal } from "./signal.js";
import { ORDERS } from "./sorting.js";
import { nameCollator, numberFormat, textOf, textOfCode } from "./texts.js";

/** @typedef {import("./rows.js").Row} Row */

const CARDS_AT_ONCE = 40;
const NO_CATEGORY = "\u2205";
const CONTROLS = /** @type {const} */ (["text", "status", "decision", "category", "reason", "mail", "sort"]);

const list = {
  shown: rows, // the rows that pass the filters, in order
  laid: 0, // how many of them have a card on the page
  current: /** @type {Row | undefined} */ (undefined), // the one that the keys act on, also while a filter hides it
};

/** Sent after the rows that are shown changed.
 * @type {{ listen: (listener: () => void) => void, send: () => void }} */
export const listChanged = makeSignal();
/** Sent after the keys began to act on another row.
 * @type {{ listen: (listener: (row: Row | undefined) => void) => void, send: (row: Row | undefined) => void }} */
export const currentChanged = makeSignal();

export const shownRows = () => list.shown;
const currentPlace = () => (list.current ? list.shown.indexOf(list.current) : -1);
/** @returns {Row | undefined} the row that the keys act on; undefined also while a filter hides it */
export const currentRow = () => list.shown[currentPlace()];
/** @returns {Row | undefined} the row that the keys acted on last, also one that a filter hides */
export const lastRow = () => list.current;

/** @param {(string | null | undefined)[]} values */
const distinct = (values) => /** @type {string[]} */ ([...new Set(values)].filter(Boolean)).sort(nameCollator.compare);

function setFilterChoices() {
  /** @type {[string, string]} */
  const any = ["", textOf("filter.any")];
  const present = new Set(rows.filter((row) => !row.isMail).map((row) => row.clip.status));
  const statuses = /** @type {const} */ (["accepted", "rejected", "duplicate", "failed", "pending", "withdrawn"]);
  setChoices("status", [
    any, ["waiting", textOf("filter.waiting")],
    ...(isShared ? [/** @type {[string, string]} */ (["mine", textOf("filter.mine")])] : []), ["new", textOf("filter.new")],
    ...(isConsentUsed() ? [/** @type {[string, string]} */ (["consent", textOf("filter.consent")])] : []),
    ["commented", textOf("filter.commented")],
    ...(hasLookalikes() ? [/** @type {[string, string]} */ (["bare", textOf("filter.bare")])] : []),
    ...labelled(statuses.filter((status) => present.has(status)), (status) => textOf(`status.${status}`)),
  ]);
  setChoices("decision", [any, ...labelled(
    /** @type {const} */ (["undecided", "approved", "held", "rejected"]), (key) => textOf(`decision.${key}`))]);
  const categories = distinct([...facts.categories, ...rows.map((row) => row.clip.category)]);
  setChoices("category", [any, [NO_CATEGORY, textOf("filter.no_category")], ...labelled(categories, (name) => name)]);
  setChoices("reason", [any, ...labelled(
    distinct(rows.map((row) => row.clip.reason?.code)), (code) => textOfCode("reason", code))]);
  refreshMailChoices();
  setChoices("sort", labelled(
    /** @type {const} */ (["received", "newest", "sender", "filename", "longest", "decision", "stars"]),
    (key) => textOf(`sort.${key}`)));
  document.body.append(element("datalist", { id: "categories" },
    ...categories.map((value) => element("option", { value }))));
}

/**
 * @template {string} Value
 * @param {readonly Value[]} values
 * @param {(value: Value) => string} label
 * @returns {[string, string][]}
 */
const labelled = (values, label) => values.map((value) => [value, label(value)]);

/**
 * All words by which a row can be found, in lower case.
 * @param {Row} row
 */
function searchTextOf(row) {
  if (row.searchText === null) {
    const { clip, mail } = row;
    const words = [
      clip.filename, photoOf(row)?.filename, mail.sender, mail.subject, mail.text, clip.caption, clip.category, ...mail.links,
      mail.sender_name, mail.sender_number && `${textOf("filter.sender_word")} ${mail.sender_number}`,
      ...mail.needs_answer.map((code) => textOfCode("matter", code)), ...clip.warnings.map(warningText), ...mail.notes.map((code) => textOfCode("note", code)),
    ];
    if (clip.reason) words.push(textOfCode("reason", clip.reason.code), clip.reason.detail);
    row.searchText = words.filter(Boolean).join("\n").toLowerCase();
  }
  return row.searchText;
}

/**
 * Whether a reviewer wrote a word. It is not kept with the other words of the row: it changes.
 * @param {Row} row
 * @param {string} word
 */
function isInReview(row, word) {
  const { note, caption, category, by, tags = [], comments = [] } = reviewOf(row);
  return [note, caption, category, by, ...tags, ...comments.flatMap((comment) => [comment.text, comment.by])]
    .some((text) => text?.toLowerCase().includes(word));
}

/**
 * @param {Row} row
 * @param {string} wanted
 */
function hasStatus(row, wanted) {
  if (wanted === "waiting") return isWaiting(row);
  if (wanted === "mine") return isWaiting(row) && isMine(row);
  if (wanted === "new") return isNew(row);
  if (wanted === "consent") return isSilent(row);
  if (wanted === "bare") return isBare(row);
  if (wanted === "commented") return openComments(reviewOf(row)).length > 0;
  return !wanted || (!row.isMail && row.clip.status === wanted);
}

/**
 * The words that are searched for. The number of a sender stays with its word, and is a whole number:
 * "sender 1" does not find sender 17.
 * @param {string} text
 */
function wordsOf(text) {
  const words = text.toLowerCase().trim().split(/\s+/).filter(Boolean);
  const place = words.indexOf(textOf("filter.sender_word"));
  if (place >= 0 && /^\d+$/.test(words[place + 1] ?? "")) words.splice(place, 2, `${words[place]} ${words[place + 1]}`);
  return words;
}

/**
 * @param {Row} row
 * @param {string} word
 */
function hasWord(row, word) {
  const text = searchTextOf(row);
  if (!/ \d+$/.test(word)) return text.includes(word) || row.clip.sha256?.startsWith(word) === true;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!/\d/.test(text.charAt(at + word.length))) return true;
  }
  return false;
}

/** The test of a row by the filters as they are set now. */
function filter() {
  const [text, status, decision, category, reason, mail] = CONTROLS.map((name) => control(name).value);
  const isWithWarnings = inputById("f-warnings").checked;
  const words = wordsOf(text);
  return (/** @type {Row} */ row) => {
    const { clip } = row;
    const review = reviewOf(row);
    return hasStatus(row, status)
      && (!decision || (isDecidableRow(row) && review.decision === decision))
      && passesMailFilter(row, mail)
      && (!category || (!row.isMail && ((review.category ?? clip.category) || NO_CATEGORY) === category))
      && (!reason || clip.reason?.code === reason)
      && (!isWithWarnings || clip.warnings.length > 0 || isBare(row) || row.mail.notes.length > 0)
      && words.every((word) => hasWord(row, word) || isInReview(row, word));
  };
}

/** Show the rows that pass the filters. The row that the keys act on stays the same one. */
export function showFiltered() {
  list.shown = rows.filter(filter());
  list.shown.sort(ORDERS[/** @type {import("./sorting.js").OrderName} */ (control("sort").value)]);
  list.laid = 0;
  byId("list").replaceChildren();
  do layMoreCards(); while (list.laid <= currentPlace());
  byId("count").textContent = textOf(hasMailRows ? "count.mails" : "count", { shown: numberFormat.format(list.shown.length), n: rows.length });
  byId("empty").hidden = list.shown.length > 0;
  byId("empty").textContent = textOf(rows.length ? "empty" : "empty.yet");
  showFold();
  listChanged.send();
}

/** Say on the button that folds the filters how many of them are set: on a phone they are folded. */
function showFold() {
  const n = [...byId("tools").querySelectorAll("select, input[type=checkbox]")].filter((field) =>
    (field instanceof HTMLInputElement ? field.checked : field instanceof HTMLSelectElement && field.selectedIndex > 0)).length;
  const isFolded = byId("tools").classList.contains("folded");
  buttonById("fold").textContent = n ? textOf("filter.fold", { n }) : textOf("filter.fold.none");
  buttonById("fold").setAttribute("aria-expanded", String(!isFolded));
}

function layMoreCards() {
  const next = list.shown.slice(list.laid, list.laid + CARDS_AT_ONCE);
  list.laid += next.length;
  // a card is kept once it is made, so that what was typed or is playing stays
  byId("list").append(...next.map((row) => row.card ?? makeCard(row)));
  list.current?.card?.classList.add("current");
  byId("more").hidden = list.laid >= list.shown.length;
}

/** Take all filters away. */
export function showAll() {
  byId("tools", HTMLFormElement).reset();
  showFiltered();
  currentRow()?.card?.scrollIntoView({ block: "nearest" });
}

/**
 * Set these filters and no others, and go to the list.
 * @param {Record<string, string>} filters
 */
export function showOnly(filters) {
  byId("tools", HTMLFormElement).reset();
  for (const [name, value] of Object.entries(filters)) control(name).value = value;
  showFiltered();
  byId("clips").scrollIntoView();
  byId("clips").focus({ preventScroll: true });
}

/**
 * Go to the card of a clip, whatever the filters are.
 * @param {string} sha256
 */
export const goToClip = (sha256) => goToRow(clipRow(sha256));

/**
 * Go to where a mail is shown, whatever the filters are.
 * @param {string} id
 */
export const goToMail = (id) => goToRow(mailRow(id));

/** @param {Row | undefined} row */
function goToRow(row) {
  if (!row) return;
  if (!list.shown.includes(row)) showAll();
  goTo(list.shown.indexOf(row));
}

/**
 * Go to a row, if the filters show it.
 * @param {Row} row
 */
export const goToCurrent = (row) => goTo(list.shown.indexOf(row));

/** @param {number} place */
function goTo(place) {
  if (place < 0 || place >= list.shown.length) return;
  while (list.laid <= place) layMoreCards();
  const card = markCurrent(list.shown[place]);
  card?.focus({ preventScroll: true });
  card?.scrollIntoView({ block: "nearest" });
}

/**
 * Make a row the one that the keys act on.
 * @param {Row} row
 */
function markCurrent(row) {
  const before = list.current;
  before?.card?.classList.remove("current");
  list.current = row;
  row.card?.classList.add("current");
  if (row !== before) currentChanged.send(row);
  return row.card;
}

/**
 * Let the keys act on a row without going there: a filter may hide it.
 * @param {Row} row
 */
export const rememberRow = (row) => void markCurrent(row);

/** Let the keys act on no row. */
export function forgetRow() {
  if (!list.current) return;
  list.current.card?.classList.remove("current");
  list.current = undefined;
  currentChanged.send(undefined);
}

/**
 * Where to go on from: before the first row, or where the row would be that a filter hides.
 * @param {number} direction
 */
function startPlace(direction) {
  const place = currentPlace();
  if (place >= 0 || !list.current) return place;
  const { index } = list.current;
  const next = list.shown.findIndex((row) => row.index > index);
  return (next < 0 ? list.shown.length : next) - (direction > 0 ? 1 : 0);
}

/**
 * Go on by a row, or back, or say that there is none.
 * @param {1 | -1} direction
 * @param {(row: Row) => boolean} isWanted other rows are passed over
 */
export function goBy(direction, isWanted = () => true) {
  for (let place = startPlace(direction) + direction; place >= 0 && place < list.shown.length; place += direction) {
    if (isWanted(list.shown[place])) {
      goTo(place);
      return;
    }
  }
  const isEmpty = !list.shown.length;
  explain(textOf(isEmpty ? "empty" : direction > 0 ? "why.last" : "why.first"));
}

/** Go to the next clip without a decision; behind the last it begins again. */
export function goToNextUndecided() {
  for (let step = 1; step <= list.shown.length; step += 1) {
    const place = (startPlace(1) + step) % list.shown.length;
    if (isWaiting(list.shown[place])) {
      goTo(place);
      return;
    }
  }
  explain(textOf("said.all_decided"));
}

/**
 * The card that the reader works on becomes the one that the keys act on.
 * @param {Event} event
 */
function onFocus(event) {
  const card = /** @type {Element} */ (event.target).closest(".card");
  if (!card || currentRow()?.card === card) return;
  const row = list.shown.find((shown) => shown.card === card);
  if (row) markCurrent(row);
}

/** Lay further cards when the end of the list comes near. */
function watchTheEnd() {
  const watcher = new IntersectionObserver((entries) => {
    if (byId("more").hidden || !entries.some((entry) => entry.isIntersecting)) return;
    layMoreCards();
    // it reports changes only, so it is started again in case the end is still near
    watcher.unobserve(entries[0].target);
    watcher.observe(entries[0].target);
  }, { rootMargin: "1200px" });
  watcher.observe(/** @type {Element} */ (byId("more").parentElement));
}

export function startList() {
  setFilterChoices();
  let typing = 0;
  control("text").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(showFiltered, 120);
  });
  for (const name of [...CONTROLS.slice(1), "warnings"]) control(name).addEventListener("change", showFiltered);
  byId("tools").addEventListener("submit", (event) => event.preventDefault());
  buttonById("clear").addEventListener("click", showAll);
  byId("tools").classList.add("folded"); // which has an effect on a phone only
  buttonById("fold").addEventListener("click", () => {
    byId("tools").classList.toggle("folded");
    showFold();
  });
  buttonById("more").addEventListener("click", layMoreCards);
  byId("list").addEventListener("focusin", onFocus);
  byId("list").addEventListener("pointerdown", onFocus);
  watchTheEnd();
}
