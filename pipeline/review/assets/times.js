// Times of a clip, as people write them and as the page shows them. Nothing here touches the page.

/**
 * The seconds of a time such as "1:10", "1:10.5", "1:02:03" or "70.5". A comma is a point, too.
 * @param {string} text
 * @returns {number | null} rounded to a thousandth; null where the text is not a time
 */
export function parseTime(text) {
  const match = /^(?:(?:(\d{1,3}):)?(\d{1,4}):)?(\d{1,6})(?:[.,](\d{1,9}))?$/.exec(text.trim());
  if (!match) return null;
  const [hours, minutes, seconds] = match.slice(1, 4).map((part) => Number(part ?? 0));
  if ((match[2] !== undefined && seconds >= 60) || (match[1] !== undefined && minutes >= 60)) return null;
  return Math.round((hours * 3600 + minutes * 60 + seconds + Number(`0.${match[4] ?? 0}`)) * 1000) / 1000;
}

/**
 * A time as m:ss or h:mm:ss, with thousandths where there are any: 70.5 is "1:10.5".
 * @param {number} seconds
 */
export function exactTimeText(seconds) {
  const all = Math.round(seconds * 1000);
  const [minutes, rest] = [Math.floor(all / 60000), all % 60000];
  const [whole, fraction] = [Math.floor(rest / 1000), String(rest % 1000).padStart(3, "0").replace(/0+$/, "")];
  const twoDigits = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const before = minutes < 60 ? String(minutes) : `${Math.floor(minutes / 60)}:${twoDigits(minutes % 60)}`;
  return `${before}:${twoDigits(whole)}${fraction ? `.${fraction}` : ""}`;
}

/**
 * A time with one decimal, which does not change its width while a clip plays.
 * @param {number} seconds
 */
export function runningTimeText(seconds) {
  const text = exactTimeText(Math.floor(seconds * 10) / 10);
  return text.includes(".") ? text : `${text}.0`;
}
