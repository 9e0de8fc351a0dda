// The bar of the player: small pictures of the clip, where it is, and its in and out points.

import { filmOf } from "./addresses.js";
import { cutAtFrame, spanOfRow } from "./cuts.js";
import { byId } from "./dom.js";
import { seek, stop } from "./playing.js";
import { textOf } from "./texts.js";
import { exactTimeText } from "./times.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./cuts.js").CutKey} CutKey
 * @typedef {{ rowOf: () => Row | null, setCut: (key: CutKey, seconds: number | null) => void }} BarActions
 */

const MOST_PICTURES = 16;
const HANDLES = /** @type {const} */ ({ in_s: "player-in", out_s: "player-out" });

const video = () => byId("player-video", HTMLVideoElement);
/** @type {{ film: HTMLVideoElement | null, dragged: CutKey | "time" | null, at: number }} */
const bar = { film: null, dragged: null, at: 0 };

/**
 * Bring the bar up to date.
 * @param {Row} row
 */
export function refreshBar(row) {
  const { from, to, length } = spanOfRow(row);
  const begin = bar.dragged === "in_s" ? bar.at : from;
  const end = bar.dragged === "out_s" ? bar.at : to;
  const now = Math.min(video().currentTime, length);
  const place = (/** @type {number} */ seconds) => `${(100 * seconds) / length}%`;
  byId("player-before").style.width = place(begin);
  byId("player-after").style.width = place(length - end);
  for (const [id, seconds] of /** @type {[string, number][]} */ ([
    ["player-in", begin], ["player-out", end], ["player-now", now],
  ])) {
    const handle = byId(id);
    handle.style.insetInlineStart = place(seconds);
    handle.setAttribute("aria-valuemax", String(length));
    handle.setAttribute("aria-valuenow", seconds.toFixed(3));
    handle.setAttribute("aria-valuetext", exactTimeText(seconds));
  }
  const isOutside = now < begin - 1e-3 || now >= end + 1e-3;
  byId("player-outside").hidden = !isOutside;
}

/**
 * Draw small pictures of a clip along the bar, one after the other.
 * @param {Row | null} row null: stop drawing
 */
export function drawPictures(row) {
  bar.film?.removeAttribute("src");
  bar.film?.load();
  bar.film = null;
  const canvas = byId("player-pictures", HTMLCanvasElement);
  const { width, height } = canvas.getBoundingClientRect();
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  Object.assign(canvas.dataset, { drawn: "0", count: "" });
  const context = canvas.getContext("2d");
  if (!row || !context || !canvas.width) return;
  const [output] = row.clip.outputs;
  const pictureWidth = (canvas.height * output.width) / output.height;
  const count = Math.max(1, Math.min(MOST_PICTURES, Math.ceil(canvas.width / pictureWidth)));
  canvas.dataset.count = String(count);
  const slot = canvas.width / count;
  const film = document.createElement("video");
  bar.film = film;
  film.muted = true;
  film.preload = "auto";
  let drawn = 0;
  const next = () => {
    film.currentTime = ((drawn + 0.5) / count) * spanOfRow(row).length;
  };
  film.addEventListener("loadeddata", next, { once: true });
  film.addEventListener("seeked", () => {
    if (bar.film !== film) return;
    const shownWidth = Math.min(pictureWidth, slot);
    context.drawImage(film, 0, 0, film.videoWidth, film.videoHeight,
      drawn * slot + (slot - shownWidth) / 2, 0, shownWidth, canvas.height);
    drawn += 1;
    canvas.dataset.drawn = String(drawn);
    if (drawn < count) next();
    else drawPicturesDone(film);
  });
  film.src = filmOf(row.clip, output);
}

/** @param {HTMLVideoElement} film */
function drawPicturesDone(film) {
  film.removeAttribute("src");
  film.load();
}

/**
 * The time at a place of the bar.
 * @param {PointerEvent} event
 * @param {Row} row
 */
function timeAt(event, row) {
  const { left, right, width } = byId("player-bar").getBoundingClientRect();
  const isFromRight = getComputedStyle(byId("player-bar")).direction === "rtl";
  const part = (isFromRight ? right - event.clientX : event.clientX - left) / width;
  return Math.max(0, Math.min(part, 1)) * spanOfRow(row).length;
}

/**
 * @param {PointerEvent} event
 * @param {Row} row
 */
function drag(event, row) {
  const span = spanOfRow(row);
  const time = timeAt(event, row);
  const frame = Math.floor(time * span.fps + 1e-3);
  bar.at = bar.dragged === "out_s" ? cutAtFrame("in_s", frame, span) : frame / span.fps;
  // the frame that is seen is the first of the clip, or its last
  seek(video(), ((bar.dragged === "out_s" ? Math.max(frame - 1, 0) : frame) + 0.5) / span.fps);
  refreshBar(row);
}

/**
 * A point that was moved to the very beginning or end cuts nothing away, so there is none.
 * @param {CutKey} key
 * @param {number} seconds
 * @param {Row} row
 */
function unlessAtEdge(key, seconds, row) {
  const isAtEdge = key === "in_s" ? seconds <= 0 : seconds >= spanOfRow(row).length - 1e-3;
  return isAtEdge ? null : Math.round(seconds * 1000) / 1000;
}

/** @param {BarActions} actions */
export function startBar({ rowOf, setCut }) {
  const place = byId("player-bar");
  place.addEventListener("pointerdown", (event) => {
    const row = rowOf();
    if (!row || event.button !== 0) return;
    event.preventDefault();
    const handle = /** @type {Element} */ (event.target).closest("[data-cut]");
    bar.dragged = handle ? /** @type {CutKey} */ (handle.getAttribute("data-cut")) : "time";
    place.setPointerCapture(event.pointerId);
    if (handle) stop(video());
    byId(handle?.id ?? "player-now").focus();
    drag(event, row);
  });
  place.addEventListener("pointermove", (event) => {
    const row = rowOf();
    if (row && bar.dragged) drag(event, row);
  });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
    place.addEventListener(name, () => {
      const { dragged, at } = bar;
      const row = rowOf();
      bar.dragged = null;
      if (!row) return;
      if (name === "pointerup" && dragged && dragged !== "time") setCut(dragged, unlessAtEdge(dragged, at, row));
      refreshBar(row);
    });
  }
  for (const [key, id] of /** @type {[CutKey, string][]} */ (Object.entries(HANDLES))) {
    byId(id).addEventListener("keydown", (event) => moveByKey(event, key, rowOf(), setCut));
  }
}

/**
 * The arrow keys move a point that has the focus by a frame, with Shift by a second.
 * @param {KeyboardEvent} event
 * @param {CutKey} key
 * @param {Row | null} row
 * @param {BarActions["setCut"]} setCut
 */
function moveByKey(event, key, row, setCut) {
  const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!row || (!direction && event.key !== "Delete")) return;
  event.preventDefault();
  event.stopPropagation();
  if (!direction) {
    setCut(key, null);
    return;
  }
  const span = spanOfRow(row);
  const before = Math.round((key === "in_s" ? span.from : span.to) * span.fps);
  const frame = before + direction * (event.shiftKey ? Math.round(span.fps) : 1);
  const least = key === "in_s" ? 0 : 1;
  const moved = Math.max(least, Math.min(frame, Math.round(span.length * span.fps)));
  stop(video());
  seek(video(), ((key === "in_s" ? moved : moved - 1) + 0.5) / span.fps);
  setCut(key, unlessAtEdge(key, moved / span.fps, row));
}

/**
 * What the bar shows, for those who don't see it.
 * @param {Row} row
 */
export function nameBar(row) {
  byId("player-bar").setAttribute("aria-label", textOf("player.bar", { name: row.clip.filename }));
}
