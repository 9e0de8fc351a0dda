// Finding and making elements. Strings become text and never markup.

import { textOf } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * The element with an id.
 * @template {Element} [E=HTMLElement]
 * @param {string} id
 * @param {new () => E} [type] the class of the element, where more than HTMLElement is needed
 * @returns {E}
 */
export function byId(id, type) {
  return checked(document.getElementById(id), `#${id}`, type);
}

/**
 * The first element in *root* that fits a selector; there must be one.
 * @template {Element} [E=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => E} [type]
 * @returns {E}
 */
export function find(root, selector, type) {
  return checked(root.querySelector(selector), selector, type);
}

/**
 * @template {Element} [E=HTMLElement]
 * @param {Element | null} found
 * @param {string} selector
 * @param {new () => E} [type]
 * @returns {E}
 */
function checked(found, selector, type) {
  if (!(found instanceof (type ?? HTMLElement))) throw new Error(`the page has no ${selector}`);
  return /** @type {E} */ (found);
}

/** @param {string} id */
export const inputById = (id) => byId(id, HTMLInputElement);
/** @param {string} id */
export const buttonById = (id) => byId(id, HTMLButtonElement);

/**
 * Make an element with attributes and children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} attributes
 * @param {...(string | Node)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Make an element of a picture.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(string | Node)} children
 */
export function svgElement(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/**
 * Make a button; what a press does is added by the caller or by a listener on the list.
 * @param {string} className
 * @param {Record<string, string>} attributes
 * @param {...(string | Node)} children
 */
export const makeButton = (className, attributes, ...children) =>
  element("button", { type: "button", class: className, ...attributes }, ...children);

/**
 * One of the page's own icons. It is hidden from screen readers: the words beside it say the same.
 * @param {string} name
 */
export function icon(name) {
  return svgElement("svg", { class: "icon", "aria-hidden": "true" }, svgElement("use", { href: `#i-${name}` }));
}

/**
 * Words that a sender or a reviewer wrote, with a writing direction of their own.
 * @param {string} text
 */
export const quoted = (text) => element("bdi", {}, text);

/**
 * Our text with *content* in one of its slots.
 * @param {import("./texts.js").TextKey} key
 * @param {string} slot
 * @param {Node} content
 * @param {Record<string, string>} values of the other slots
 */
export function textAround(key, slot, content, values = {}) {
  const [before, after] = textOf(key, { ...values, [slot]: "\u0000" }).split("\u0000");
  return [before, content, after];
}

/**
 * Fill an element, or hide it where there is nothing to show.
 * @param {ParentNode} root
 * @param {string} selector
 * @param {(string | Node)[]} parts
 */
export function fillOrHide(root, selector, parts) {
  const place = find(root, selector);
  place.replaceChildren(...parts);
  place.hidden = !parts.length;
}

/**
 * Set the choices of a control of the page.
 * @param {string} name the id after "f-"
 * @param {[string, string][]} choices value and text of each
 */
export function setChoices(name, choices) {
  byId(`f-${name}`).replaceChildren(...choices.map(([value, text]) => element("option", { value }, text)));
}

/**
 * The control of a filter or an order.
 * @param {string} name the id after "f-"
 */
export const control = (name) =>
  /** @type {HTMLInputElement | HTMLSelectElement} */ (byId(`f-${name}`));

/**
 * Give the browser a file to save.
 * @param {string} name
 * @param {string} content
 * @param {string} type
 */
export function offerFile(name, content, type) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}
