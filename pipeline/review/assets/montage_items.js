// The clips in the montage tab: an item for each, in the order or among those left out.
// Items only show. What a press on them does is in montage.js.

import { stillOf } from "./addresses.js";
import { byId, element, find, makeButton, quoted } from "./dom.js";
import { isAdmitted } from "./reviews.js";
import { clipRow, nameOf } from "./rows.js";
import { numberFormat, textOf } from "./texts.js";

/** @typedef {import("./montage_order.js").MontageOrder} MontageOrder */

/** @type {Map<string, HTMLElement>} by SHA-256 */
const items = new Map();

/** @param {string} sha256 */
export function itemOf(sha256) {
  const item = items.get(sha256) ?? makeItem(sha256);
  items.set(sha256, item);
  return item;
}

/** @param {string} sha256 */
function makeItem(sha256) {
  const name = nameOf(sha256);
  const button = (/** @type {"earlier" | "later" | "pin" | "out"} */ key) =>
    makeButton(key, { "data-move": key, "aria-label": textOf(`film.${key}.of`, { name }) }, textOf(`film.${key}`));
  return element("li", { class: "reel", tabindex: "-1", "data-sha256": sha256 },
    element("span", { class: "handle", "aria-hidden": "true", title: textOf("film.drag") }, "⠿"),
    element("span", { class: "place" }),
    element("img", { src: stillOf(sha256), alt: "", loading: "lazy" }),
    element("span", { class: "what" }, element("b", {}, quoted(name)), " ", element("span", { class: "when" })),
    element("span", { class: "moves" }, button("earlier"), button("later"), button("pin"), button("out")));
}

/**
 * @param {MontageOrder} montage
 * @param {string} sha256
 * @param {string} when
 */
function refreshItem(montage, sha256, when) {
  const item = itemOf(sha256);
  const place = montage.placeOf(sha256);
  const isPinned = montage.pinned.has(sha256);
  const row = clipRow(sha256);
  find(item, ".place").textContent = place ? numberFormat.format(place) : "";
  find(item, ".when").textContent = when;
  item.classList.toggle("absent", !row || !isAdmitted(row));
  item.classList.toggle("pinned", isPinned);
  item.classList.toggle("outside", !place);
  for (const key of ["earlier", "later", "pin"]) find(item, `.${key}`).hidden = !place;
  for (const key of ["earlier", "later"]) find(item, `.${key}`, HTMLButtonElement).disabled = isPinned;
  find(item, ".pin").setAttribute("aria-pressed", String(isPinned));
  const out = find(item, ".out");
  out.textContent = textOf(place ? "film.out" : "film.in");
  out.setAttribute("aria-label", textOf(place ? "film.out.of" : "film.in.of", { name: nameOf(sha256) }));
}

/**
 * Lay items into a list around the one that is dragged or has the focus, which is not moved itself:
 * a browser drops both when an element is taken out of the page.
 * @param {HTMLElement} list
 * @param {string[]} shas
 */
function layInto(list, shas) {
  const wanted = shas.map(itemOf);
  const focused = document.activeElement?.closest(".reel");
  const held = list.querySelector(".dragged") ?? (focused && list.contains(focused) ? focused : null);
  const place = wanted.findIndex((item) => item === held);
  if (!held || place < 0) {
    list.replaceChildren(...wanted);
    return;
  }
  for (const item of [...list.children]) if (!wanted.some((it) => it === item)) item.remove();
  held.before(...wanted.slice(0, place));
  held.after(...wanted.slice(place + 1));
}

/**
 * Bring the items to the order. Whatever has the focus keeps it.
 * @param {MontageOrder} montage
 * @param {(sha256: string) => string} when the text beside a clip's name
 */
export function layItems(montage, when) {
  const focus = document.activeElement;
  for (const sha256 of montage.all) refreshItem(montage, sha256, when(sha256));
  layInto(byId("film"), montage.order);
  layInto(byId("film-out"), montage.leftOut);
  if (focus instanceof HTMLElement && focus !== document.activeElement && focus.isConnected) {
    focus.focus({ preventScroll: true });
  }
}
