// The page's own words, and numbers and times as its language writes them.

import { texts } from "./data.js";

/** @typedef {keyof typeof import("./texts.en.json")} TextKey a key of the file of texts */

const locale = String(texts.locale);
const plurals = new Intl.PluralRules(locale);

export const numberFormat = new Intl.NumberFormat(locale);
const gigabytes = new Intl.NumberFormat(locale, { style: "unit", unit: "gigabyte", maximumFractionDigits: 1 });
const megabytes = new Intl.NumberFormat(locale, { style: "unit", unit: "megabyte", maximumSignificantDigits: 2 });
export const dayFormat = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });
const longDayFormat = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long" });
export const dateTimeFormat = new Intl.DateTimeFormat(locale, {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
});
/** Compares names as a reader sorts them: 9 before 10, without regard to case. */
export const nameCollator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });

/**
 * The text of a key with its {slots} filled; the form of a plural is chosen by values.n.
 * @param {TextKey} key
 * @param {Record<string, string | number>} values
 */
export function textOf(key, values = {}) {
  const entry = texts[key];
  const text = typeof entry === "object" ? entry[plurals.select(Number(values.n))] ?? entry.other : entry;
  return (text ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/**
 * The text of a code, or the code itself where a newer program has one that this page lacks.
 * @param {"answer" | "consent" | "kind" | "matter" | "note" | "reason" | "status" | "stays" | "waits" | "warning" | "what"} family
 * @param {string} code
 */
export function textOfCode(family, code) {
  const key = /** @type {TextKey} */ (`${family}.${code}`);
  return texts[key] === undefined ? code : textOf(key);
}

/**
 * What to do about a reason; null where there is nothing to advise.
 * @param {string} reason
 */
export function adviceOn(reason) {
  const key = /** @type {TextKey} */ (`advice.${reason}`);
  return texts[key] === undefined ? null : textOf(key);
}

/**
 * A time in seconds as m:ss or h:mm:ss.
 * @param {number} seconds
 */
export function timeText(seconds) {
  const whole = Math.round(seconds);
  const twoDigits = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return `${hours ? `${hours}:${twoDigits(minutes)}` : minutes}:${twoDigits(whole % 60)}`;
}

/**
 * A number with one decimal and a true minus sign.
 * @param {number} value
 */
export const oneDecimal = (value) => value.toFixed(1).replace("-", "−");

/** @param {number} bytes */
export const sizeText = (bytes) => (bytes < 1e9 ? megabytes.format(bytes / 1e6) : gigabytes.format(bytes / 1e9));

/** @param {string} at RFC 3339 */
export const momentText = (at) => dateTimeFormat.format(new Date(at));
/** @param {string} at RFC 3339 */
export const dayText = (at) => longDayFormat.format(new Date(at));
