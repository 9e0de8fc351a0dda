// An entry of the lists of the morning page that say what needs attention.

import { element } from "./dom.js";
import { numberFormat } from "./texts.js";

/**
 * An entry of the list of what needs attention.
 * @param {string} className
 * @param {number} count
 * @param {string | Node} what
 * @param {string | null} advice
 */
export function attentionItem(className, count, what, advice) {
  const parts = advice ? [what, " ", element("span", { class: "advice" }, advice)] : [what];
  return element("li", { class: className },
    element("span", { class: "n" }, numberFormat.format(count)), element("span", {}, ...parts));
}
