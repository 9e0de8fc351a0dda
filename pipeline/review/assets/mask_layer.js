// Masks on the picture of the large player: drawn while it plays, moved and resized by mouse and keys.

import { spanOfRow } from "./cuts.js";
import { byId, element } from "./dom.js";
import { allowedArea, areaAt, inFrame, inSource, isDrawnElsewhere, isShownAt, withArea } from "./masks.js";
import { playerOverlay, playerRow, playerTime, playerVideo } from "./player.js";
import { stop } from "./playing.js";
import { isAsDecided, reviewOf } from "./reviews.js";
import { makeSignal } from "./signal.js";
import { textOf } from "./texts.js";

/**
 * @typedef {import("./data.js").Mask} Mask
 * @typedef {import("./data.js").Area} Area
 * @typedef {import("./rows.js").Row} Row
 * @typedef {{ index: number, corner: boolean, x: number, y: number, before: Area, now: Area, isByKeys?: true }} Drag
 */

const STEP = 0.01; // of the picture, for a press of an arrow
const FINE_STEP = 0.002;

/** @type {{ index: number | null, drag: Drag | null, nodes: HTMLElement[] }} */
const state = { index: null, drag: null, nodes: [] };

/** Sent after another mask was selected.
 * @type {{ listen: (listener: () => void) => void, send: () => void }} */
export const selectedChanged = makeSignal();
/** Sent when a mask of the shown clip shall be another one.
 * @type {{ listen: (listener: (index: number, mask: Mask | null) => void) => void, send: (index: number, mask: Mask | null) => void }} */
export const maskEdited = makeSignal();

export const selectedIndex = () => state.index;

/** @param {number | null} index */
export function selectMask(index) {
  state.index = index;
  drawMasks();
  selectedChanged.send();
}

/** @param {Row} row */
export const masksOf = (row) => reviewOf(row).masks ?? [];

/**
 * Whether a clip is made of one picture: its masks have no moments.
 * @param {Row} row
 */
export const isPhoto = (row) => row.clip.source?.duration_s === null;

/**
 * The moment for which a change of an area counts.
 * @param {Row} row
 */
export const momentOf = (row) => (isPhoto(row) ? 0 : playerTime());

/** @param {number} index */
export const focusMask = (index) => state.nodes[index]?.focus();

/** Draw the masks of the clip that the player shows. */
export function drawMasks() {
  const row = playerRow();
  const masks = row ? masksOf(row) : [];
  if (state.index !== null && state.index >= masks.length) state.index = null;
  while (state.nodes.length > masks.length) state.nodes.pop()?.remove();
  while (state.nodes.length < masks.length) {
    const node = makeNode(state.nodes.length);
    state.nodes.push(node);
    playerOverlay().append(node);
  }
  masks.forEach((mask, index) => {
    const node = state.nodes[index];
    node.className = `mask ${mask.shape} ${mask.fill}${row && isAsDecided(row) ? " done" : ""}`;
    node.setAttribute("aria-label", textOf("mask.on_picture", { n: index + 1, shape: textOf(`mask.${mask.shape}`) }));
    node.setAttribute("aria-pressed", String(index === state.index));
  });
  placeMasks();
}

/** Put each mask where it is at the moment that the player shows. */
export function placeMasks() {
  const row = playerRow();
  if (!row) return;
  const [output] = row.clip.outputs;
  const seconds = playerTime();
  masksOf(row).forEach((mask, index) => {
    const node = state.nodes[index];
    if (!node) return;
    const isDragged = state.drag?.index === index;
    const isAway = !isPhoto(row) && !isShownAt(mask, seconds) && index !== state.index;
    node.hidden = isAway || isDrawnElsewhere(output, mask);
    node.classList.toggle("away-now", !isPhoto(row) && !isShownAt(mask, seconds));
    const area = isDragged && state.drag ? state.drag.now : areaAt(mask, momentOf(row));
    const { x, y, width, height } = inFrame(output, mask, area, seconds);
    Object.assign(node.style, {
      left: `${100 * x}%`, top: `${100 * y}%`, width: `${100 * width}%`, height: `${100 * height}%`,
    });
  });
}

/** @param {number} index */
function makeNode(index) {
  const node = element("div", { role: "button", tabindex: "0" }, element("span", { class: "corner", "aria-hidden": "true" }));
  node.addEventListener("focus", () => {
    if (state.index !== index) selectMask(index);
  });
  node.addEventListener("keydown", (event) => onKey(event, index));
  for (const name of ["keyup", "focusout"]) node.addEventListener(name, endKeys);
  node.addEventListener("pointerdown", (event) => beginDrag(event, index, node));
  node.addEventListener("pointermove", onDrag);
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) node.addEventListener(name, endDrag);
  return node;
}

/**
 * @param {number} index
 * @param {Area} area
 */
function changeArea(index, area) {
  const row = playerRow();
  if (row) maskEdited.send(index, withArea(masksOf(row)[index], { seconds: momentOf(row), fps: spanOfRow(row).fps }, allowedArea(area)));
}

/**
 * Arrows move a mask, with Shift they change its size, with Ctrl the steps are small.
 * @param {KeyboardEvent} event
 * @param {number} index
 */
function onKey(event, index) {
  const row = playerRow();
  if (!row) return;
  const ways = /** @type {Record<string, [number, number]>} */ ({
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  });
  const way = ways[event.key];
  if (!way) endKeys();
  if (!way && !["Delete", "Escape", "Enter"].includes(event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key === "Enter") return;
  if (event.key === "Escape" || event.key === "Delete") {
    if (event.key === "Delete") maskEdited.send(index, null);
    selectMask(null);
    byId("player").focus();
    return;
  }
  stop(playerVideo());
  const size = event.ctrlKey ? FINE_STEP : STEP;
  const [across, down] = [way[0] * size, way[1] * size];
  const before = areaAt(masksOf(row)[index], momentOf(row));
  state.drag ??= { index, corner: false, x: 0, y: 0, before, now: before, isByKeys: true };
  if (!state.drag.isByKeys) return;
  const { x, y, width, height } = state.drag.now;
  state.drag.now = allowedArea(event.shiftKey
    ? { x, y, width: width + across, height: height + down }
    : { x: x + across, y: y + down, width, height });
  placeMasks();
}

/** Take a move by keys when the key is let go: a key that is held is one act, and is undone as one. */
function endKeys() {
  if (state.drag?.isByKeys) endDrag();
}

/**
 * @param {PointerEvent} event
 * @param {number} index
 * @param {HTMLElement} node
 */
function beginDrag(event, index, node) {
  endKeys();
  const row = playerRow();
  if (!row || event.button !== 0) return;
  stop(playerVideo());
  node.setPointerCapture(event.pointerId);
  const corner = event.target instanceof Element && event.target.classList.contains("corner");
  const before = areaAt(masksOf(row)[index], momentOf(row));
  state.drag = { index, corner, x: event.clientX, y: event.clientY, before, now: before };
}

/** @param {PointerEvent} event */
function onDrag(event) {
  const row = playerRow();
  const { drag } = state;
  if (!row || !drag || drag.isByKeys) return;
  const { width: wide, height: high } = playerOverlay().getBoundingClientRect();
  const moved = /** @type {const} */ ([(event.clientX - drag.x) / wide, (event.clientY - drag.y) / high]);
  const [across, down] = inSource(row.clip.outputs[0], masksOf(row)[drag.index], ...moved);
  const { x, y, width, height } = drag.before;
  drag.now = allowedArea(drag.corner
    ? { x, y, width: width + across, height: height + down }
    : { x: x + across, y: y + down, width, height });
  placeMasks();
}

function endDrag() {
  const { drag } = state;
  state.drag = null;
  if (drag && drag.now !== drag.before) changeArea(drag.index, drag.now);
}
