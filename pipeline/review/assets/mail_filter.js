// The filter of mails, which shows how many wait for an answer and why.

import { report } from "./data.js";
import { control, element } from "./dom.js";
import { countOpen, handledOf, isOpen, MATTERS } from "./mails.js";
import { rows } from "./rows.js";
import { numberFormat, textOf, textOfCode } from "./texts.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./data.js").Submission} Submission
 */

/** @param {Submission} mail */
const isAutomatic = (mail) => mail.notes.includes("automatic") || mail.notes.includes("bounce");

/** @type {Record<string, (mail: Submission) => boolean>} */
const TESTS = {
  open: isOpen,
  ...Object.fromEntries(MATTERS.map((matter) =>
    [matter, (/** @type {Submission} */ mail) => isOpen(mail) && mail.needs_answer.includes(matter)])),
  empty: (mail) => mail.clips === 0,
  automatic: isAutomatic,
  handled: (mail) => handledOf(mail) !== undefined,
};

/**
 * Whether a row passes the filter of mails. It shows the cards of mails and not those of clips.
 * @param {Row} row
 * @param {string} wanted
 */
export const passesMailFilter = (row, wanted) => !wanted || (row.isMail && TESTS[wanted]?.(row.mail) === true);

/** Show the choices with the number of mails of each; what is chosen stays. */
export function refreshMailChoices() {
  const { all, byMatter } = countOpen();
  const counted = (/** @type {string} */ text, /** @type {number} */ n) =>
    textOf("filter.counted", { text, count: numberFormat.format(n) });
  const count = (/** @type {string} */ name) =>
    rows.filter((row) => row.isMail && TESTS[name](row.mail)).length;
  const place = control("mail");
  const { value } = place;
  /** @type {[string, string][]} */
  const choices = [
    ["", textOf("filter.any")],
    ["open", counted(textOf("filter.open"), all)],
    ...MATTERS.filter((matter) => byMatter.has(matter) || matter === value).map((matter) =>
      /** @type {[string, string]} */ ([matter, counted(`– ${textOfCode("matter", matter)}`, byMatter.get(matter) ?? 0)])),
    ["empty", counted(textOf("filter.empty"), report.submissions.filter(TESTS.empty).length)],
    ["automatic", counted(textOf("filter.automatic"), count("automatic"))],
    ["handled", counted(textOf("filter.handled"), count("handled"))],
  ];
  place.replaceChildren(...choices.map(([key, text]) => element("option", { value: key }, text)));
  place.value = value;
}
