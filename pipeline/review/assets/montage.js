// The montage tab of a served review: the admitted clips are moved, pinned, left out, saved.

import { buttonById, byId, control, offerFile, setChoices } from "./dom.js";
import { heldBy } from "./mails.js";
import { notify, warn } from "./messages.js";
import { followPointer } from "./montage_drag.js";
import { itemOf, layItems } from "./montage_items.js";
import { MontageOrder } from "./montage_order.js";
import { isAdmitted, reviewOf, shownSeconds } from "./reviews.js";
import { allClipRows, clipRow, isDecidableRow, nameOf } from "./rows.js";
import { montageStarts, orderText, shownFrames } from "./rules.js";
import { ask, reviewerName, writeInOrder } from "./server.js";
import { ORDERS } from "./sorting.js";
import { oneDecimal, textOf, timeText } from "./texts.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {{
 *   order: string, file: boolean, problem: string, admitted: string[], chapters: boolean,
 *   fps: number, fade_frames: number, most_frames: number,
 *   digest: string, lines: { sha256: string, pinned: boolean }[], left_out: string[],
 * }} ServedOrder what the server has: montage.order, whether it is a file, and what the file says
 */

const tab = {
  montage: new MontageOrder([], [], []),
  served: /** @type {ServedOrder | null} */ (null),
  current: "", // the SHA-256 of the clip that the keys act on
};

const reportLoss = () => warn(textOf("live.lost"));
const rowOf = (/** @type {string} */ sha256) => /** @type {Row} */ (clipRow(sha256));

/** Whether there is a change that is not saved. */
export const isMontageChanged = () => tab.served !== null && tab.montage.isChanged;

/** Begin anew with what the server has. */
async function load() {
  const { status, data } = await ask("/api/order");
  if (status !== 200) {
    warn(textOf("film.not_loaded", { problem: data.problem ?? String(status) }));
    return;
  }
  /** @type {ServedOrder} */
  const served = data;
  const lines = served.lines.filter(({ sha256 }) => clipRow(sha256) && isDecidableRow(rowOf(sha256)));
  tab.served = served;
  tab.montage = new MontageOrder(
    lines.map(({ sha256 }) => sha256),
    served.left_out.filter(clipRow),
    lines.filter(({ pinned }) => pinned).map(({ sha256 }) => sha256),
  );
  tab.montage.add(served.admitted.filter(clipRow));
  if (!served.file) tab.montage.markSaved(); // there is no file that it could differ from
  showAbout(served);
  show(served);
}

/** @param {ServedOrder} served */
function showAbout({ order, file, problem, chapters }) {
  const about = problem ? textOf("film.problem", { problem }) : textOf(file ? "film.file" : "film.rule", { order });
  byId("film-about").textContent = chapters ? `${about} ${textOf("film.chapters")}` : about;
  buttonById("film-save").hidden = Boolean(problem);
  buttonById("film-save").textContent = textOf(file ? "film.save" : "film.download");
  byId("film-as-text").hidden = file;
}

/** Take in what was decided since. New clips go to the end. */
export function followDecisions() {
  if (!tab.served) return;
  tab.montage.add(allClipRows().filter(isAdmitted).map((row) => row.clip.sha256 ?? ""));
  if (!byId("view-montage").hidden) show(tab.served);
}

/** Show the tab, after the editor turned to it. */
export function openMontage() {
  if (tab.served) followDecisions();
  else load().catch(reportLoss);
}

/**
 * Bring the tab up to date with the order.
 * @param {ServedOrder} served
 */
function show(served) {
  const { montage } = tab;
  const times = timesOf(montage.order, served);
  layItems(montage, (sha256) => {
    const row = rowOf(sha256);
    if (heldBy(row.clip).length) return textOf("card.held");
    if (!isAdmitted(row)) return textOf("film.not_admitted", { decision: textOf(`decision.${reviewOf(row).decision}`) });
    return times.of.get(sha256) ?? textOf("card.seconds", { n: oneDecimal(shownSeconds(row)) });
  });
  byId("film-out-title").hidden = !montage.leftOut.length;
  byId("film-empty").hidden = montage.order.length > 0;
  byId("film-length").textContent = textOf("film.length", { n: times.of.size, length: timeText(times.seconds) });
  byId("film-changed").hidden = !montage.isChanged;
  buttonById("film-save").disabled = served.file && !montage.isChanged;
  buttonById("film-undo").disabled = !montage.canUndo;
  byId("film-text", HTMLTextAreaElement).value = served.file ? "" : fileText();
}

/**
 * When each clip of the montage begins and how long it is, as text; and the length of the whole.
 * @param {string[]} order
 * @param {ServedOrder} served
 */
function timesOf(order, { fps, fade_frames: fade, most_frames: most }) {
  // render leaves out what has no frame between its in and out points
  const clips = order.map((sha256) => ({ sha256, row: rowOf(sha256) })).filter(({ row }) => isAdmitted(row))
    .map(({ sha256, row }) => ({ sha256, length: shownFrames(row.clip.outputs[0], reviewOf(row), most) }))
    .filter(({ length }) => length > 0);
  const { starts, frames } = montageStarts(clips.map(({ length }) => length), fade);
  const of = new Map(clips.map(({ sha256, length }, index) =>
    [sha256, textOf("film.when", { at: timeText(starts[index] / fps), n: oneDecimal(length / fps) })]));
  return { of, seconds: frames / fps };
}

const lines = () => tab.montage.order.map((sha256) => ({ sha256, pinned: tab.montage.pinned.has(sha256) }));
const fileText = () => orderText(lines(), tab.montage.leftOut, nameOf);

/**
 * Change the order so that it can be undone, and say what changed.
 * @param {() => void} change
 * @param {() => string} message
 */
function changeOrder(change, message) {
  if (!tab.served) return;
  const before = tab.montage.snapshot();
  change();
  tab.montage.remember(before);
  show(tab.served);
  notify(message());
}

/** @param {string} sha256 */
const placeText = (sha256) => textOf("film.said.moved",
  { name: nameOf(sha256), at: tab.montage.placeOf(sha256), n: tab.montage.order.length });

/**
 * Move a clip by one place.
 * @param {string} sha256
 * @param {1 | -1} by
 */
function step(sha256, by) {
  const { montage } = tab;
  if (montage.pinned.has(sha256)) notify(textOf("film.said.is_pinned", { name: nameOf(sha256) }));
  else if (montage.canStep(sha256, by)) changeOrder(() => montage.step(sha256, by), () => placeText(sha256));
}

/** @param {string} sha256 */
function togglePin(sha256) {
  const { montage } = tab;
  if (!montage.order.includes(sha256)) return;
  changeOrder(() => montage.togglePin(sha256), () =>
    textOf(montage.pinned.has(sha256) ? "film.said.pinned" : "film.said.unpinned",
      { name: nameOf(sha256), at: montage.placeOf(sha256) }));
}

/** @param {string} sha256 */
function toggleLeftOut(sha256) {
  const { montage } = tab;
  changeOrder(() => montage.toggleLeftOut(sha256), () =>
    (montage.order.includes(sha256) ? placeText(sha256) : textOf("film.said.out", { name: nameOf(sha256) })));
}

/**
 * The same by key; then the keys act on the clip that follows.
 * @param {string} sha256
 */
function toggleLeftOutByKey(sha256) {
  const { montage } = tab;
  const place = montage.order.indexOf(sha256);
  toggleLeftOut(sha256);
  const next = place < 0 ? sha256 : montage.order[Math.min(place, montage.order.length - 1)];
  if (next) itemOf(next).focus({ preventScroll: true });
}

/**
 * The clip of the item that an element is in.
 * @param {EventTarget | null} target
 */
const clipAt = (target) =>
  /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest(".reel"))?.dataset.sha256;

/** @param {MouseEvent} event */
function onClick(event) {
  const sha256 = clipAt(event.target);
  const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-move]"));
  if (!sha256 || !button) return;
  if (button.dataset.move === "pin") togglePin(sha256);
  else if (button.dataset.move === "out") toggleLeftOut(sha256);
  else step(sha256, button.dataset.move === "later" ? 1 : -1);
}

/** @param {PointerEvent} event */
function onPress(event) {
  const handle = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".handle"));
  const sha256 = clipAt(event.target);
  const { montage, served } = tab;
  if (!handle || !sha256 || !served || event.button !== 0) return;
  event.preventDefault();
  if (montage.pinned.has(sha256)) {
    notify(textOf("film.said.is_pinned", { name: nameOf(sha256) }));
    return;
  }
  const before = montage.snapshot();
  const ended = (/** @type {boolean} */ isCancelled) => {
    if (isCancelled) montage.order = before.order;
    else if (montage.order.join() !== before.order.join()) {
      montage.remember(before);
      notify(placeText(sha256));
    }
    show(served);
  };
  followPointer(event, handle, montage, { sha256, moved: () => show(served), ended });
}

/**
 * The clip that has the focus becomes the one that the keys act on.
 * @param {FocusEvent} event
 */
function onFocus(event) {
  const sha256 = clipAt(event.target);
  if (!sha256) return;
  if (tab.current) itemOf(tab.current).classList.remove("current");
  tab.current = sha256;
  itemOf(sha256).classList.add("current");
}

function sort() {
  const name = /** @type {keyof typeof ORDERS | "shuffle"} */ (control("film-sort").value);
  const sorted = tab.montage.movable.map(rowOf);
  if (name === "shuffle") shuffle(sorted);
  else sorted.sort(ORDERS[name]);
  changeOrder(() => tab.montage.arrange(sorted.map((row) => row.clip.sha256 ?? "")),
    () => textOf("film.said.sorted", { n: sorted.length }));
}

/**
 * Put the items of a list into an order by chance (Fisher and Yates).
 * @param {unknown[]} items
 */
function shuffle(items) {
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = Math.floor(Math.random() * (at + 1));
    [items[at], items[other]] = [items[other], items[at]];
  }
}

function undo() {
  const isUndone = tab.montage.undo();
  if (isUndone && tab.served) show(tab.served);
  notify(textOf(isUndone ? "film.said.undone" : "said.nothing_to_undo"));
}

/** Write the order file, or offer it where the configuration names none. */
function save() {
  if (!tab.served?.file) {
    offerFile("order.txt", fileText(), "text/plain");
    notify(textOf("film.said.downloaded"));
    return;
  }
  const body = { lines: lines(), left_out: tab.montage.leftOut, by: reviewerName() };
  writeInOrder(async () => {
    const { status, data } = await ask("/api/order", { ...body, seen: tab.served?.digest });
    if (status === 200 || status === 409) tab.served = data;
    if (status === 200) {
      tab.montage.markSaved();
      notify(textOf("film.said.saved", { order: data.order, n: body.lines.length }));
    } else warn(status === 409 ? textOf("film.said.overtaken") : textOf("live.refused", { problem: data.problem }));
    if (tab.served) show(tab.served);
  }, reportLoss);
}

/** @param {number} by */
function goBy(by) {
  const { all } = tab.montage;
  if (!all.length) return;
  const place = all.indexOf(tab.current);
  const item = itemOf(all[place < 0 ? 0 : Math.max(0, Math.min(all.length - 1, place + by))]);
  item.focus();
  item.scrollIntoView({ block: "nearest" });
}

/** @param {(sha256: string) => void} act */
const onCurrent = (act) => {
  if (tab.montage.all.includes(tab.current)) act(tab.current);
};

/** What the keys do in this tab; each has a button too.
 * @type {Record<string, (event: KeyboardEvent) => void>} */
export const MONTAGE_KEYS = {
  j: (event) => (event.shiftKey ? onCurrent((sha256) => step(sha256, 1)) : goBy(1)),
  k: (event) => (event.shiftKey ? onCurrent((sha256) => step(sha256, -1)) : goBy(-1)),
  p: () => onCurrent(togglePin),
  x: () => onCurrent(toggleLeftOutByKey),
  s: () => buttonById("film-save").click(),
  u: undo,
};

export function startMontage() {
  for (const list of [byId("film"), byId("film-out")]) {
    list.addEventListener("click", onClick);
    list.addEventListener("pointerdown", onPress);
    list.addEventListener("focusin", onFocus);
  }
  const orders = /** @type {const} */ (["received", "sender", "filename", "longest"]);
  setChoices("film-sort", [
    ...orders.map((name) => /** @type {[string, string]} */ ([name, textOf(`sort.${name}`)])),
    ["shuffle", textOf("film.shuffle")],
  ]);
  buttonById("film-sort-do").addEventListener("click", sort);
  buttonById("film-save").addEventListener("click", save);
  buttonById("film-undo").addEventListener("click", undo);
  buttonById("film-reload").addEventListener("click", () => load().catch(reportLoss));
}
