// The in and out points of a clip: what of it is shown, and whether a new point is possible.

import { reviewOf } from "./reviews.js";
import { shownFrames } from "./rules.js";
import { textOf } from "./texts.js";
import { exactTimeText, parseTime } from "./times.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {"in_s" | "out_s"} CutKey
 */

/**
 * What of the film of a row is shown.
 * @param {Row} row
 * @returns {import("./playing.js").Span}
 */
export function spanOfRow(row) {
  const [output] = row.clip.outputs;
  const { fps, frames } = output;
  const review = reviewOf(row);
  const from = frames - shownFrames(output, { in_s: review.in_s, out_s: null });
  return { from: from / fps, to: (from + shownFrames(output, review)) / fps, length: frames / fps, fps };
}

/** @param {Row} row */
export const isCut = (row) => reviewOf(row).in_s !== null || reviewOf(row).out_s !== null;

/**
 * Why a clip has no such moment; "" where it has.
 * @param {Row} row
 * @param {number | null | undefined} seconds
 */
export function momentProblem(row, seconds) {
  const { duration_s: length } = row.clip.outputs[0];
  return (seconds ?? 0) > length ? textOf("edit.cut_long", { length: exactTimeText(length) }) : "";
}

/**
 * Why a point can't be set; "" where it can.
 * @param {Row} row
 * @param {CutKey} key
 * @param {number | null} seconds null: no point
 */
export function cutProblem(row, key, seconds) {
  const review = reviewOf(row);
  const [from, to] = key === "in_s" ? [seconds, review.out_s] : [review.in_s, seconds];
  const problem = momentProblem(row, seconds);
  if (problem) return problem;
  return from !== null && to !== null && to <= from ? textOf("edit.cut_wrong") : "";
}

/**
 * The point that a reviewer wrote, or why it is not valid.
 * @param {Row} row
 * @param {CutKey} key
 * @param {string} text
 * @returns {{ seconds: number | null, problem: string }}
 */
export function readCut(row, key, text) {
  if (!text.trim()) return { seconds: null, problem: "" };
  const seconds = parseTime(text);
  return { seconds, problem: seconds === null ? textOf("edit.no_time") : cutProblem(row, key, seconds) };
}

/**
 * The point that begins or ends a clip with the frame that is seen: both show that frame.
 * @param {CutKey} key
 * @param {number} frame
 * @param {import("./playing.js").Span} span
 */
export function cutAtFrame(key, frame, { fps, length }) {
  const seconds = (key === "in_s" ? frame : frame + 1) / fps;
  return Math.floor(Math.min(seconds, length) * 1000 + 1e-6) / 1000;
}

/**
 * The cut of a clip in words: "0:15 of 4:00, from 1:10 to 1:25".
 * @param {Row} row
 */
export function cutText(row) {
  const { from, to, length } = spanOfRow(row);
  const [shown, all, begin, end] = [to - from, length, from, to].map(exactTimeText);
  return textOf("card.cut", { shown, all, begin, end });
}
