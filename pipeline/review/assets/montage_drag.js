// Dragging a clip of the montage: it follows the pointer and stays where it is let go.

import { itemOf } from "./montage_items.js";

const EDGE_PX = { top: 60, bottom: 120 }; // near the window's edge the page scrolls
const SCROLL_PX = 24;

/**
 * Follow the pointer until it is let go.
 * @param {PointerEvent} event of the press on the clip's handle
 * @param {HTMLElement} handle
 * @param {import("./montage_order.js").MontageOrder} montage
 * @param {{ sha256: string, moved: () => void, ended: (isCancelled: boolean) => void }} drag
 */
export function followPointer(event, handle, montage, { sha256, moved, ended }) {
  const item = itemOf(sha256);
  item.classList.add("dragged");
  handle.setPointerCapture(event.pointerId);
  const follow = (/** @type {PointerEvent} */ { clientY }) => {
    if (clientY < EDGE_PX.top) window.scrollBy(0, -SCROLL_PX);
    if (clientY > window.innerHeight - EDGE_PX.bottom) window.scrollBy(0, SCROLL_PX);
    const next = montage.order.find((it) => {
      if (it === sha256) return false;
      const { top, height } = itemOf(it).getBoundingClientRect();
      return clientY < top + height / 2;
    });
    const before = montage.order.join();
    montage.moveBefore(sha256, next ?? null);
    if (montage.order.join() !== before) moved();
  };
  const end = (/** @type {PointerEvent} */ { type }) => {
    handle.removeEventListener("pointermove", follow);
    item.classList.remove("dragged");
    ended(type === "pointercancel");
  };
  handle.addEventListener("pointermove", follow);
  handle.addEventListener("pointerup", end, { once: true });
  handle.addEventListener("pointercancel", end, { once: true });
}
