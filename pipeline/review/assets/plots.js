// The two column charts of the morning page. Each says in words, too, what it shows.

import { facts, report } from "./data.js";
import { byId, element, svgElement } from "./dom.js";
import { isDecidableRow, rows } from "./rows.js";
import { dayFormat, numberFormat, oneDecimal, textOf } from "./texts.js";

const DAY_MS = 86400000;
const WIDTH = 320;
const HEIGHT = 96;
const COLUMNS_A_SIDE = 8; // of the chart of loudness; what lies beyond is counted in the last

/** @typedef {{ at: number, text: string, isLine?: boolean }} Label under which column, and a line through it */

/**
 * A column chart.
 * @param {number[]} values
 * @param {string} alt what it shows, in words
 * @param {Label[]} labels
 */
function chart(values, alt, labels) {
  const most = Math.max(...values, 1);
  const step = WIDTH / values.length;
  const bar = Math.max(1, Math.min(28, step * 0.72));
  const heightOf = (/** @type {number} */ value) => (value ? Math.max(2, (value / most) * (HEIGHT - 16)) : 0);
  const bars = values.map((value, index) => svgElement("rect", {
    x: index * step + (step - bar) / 2, y: HEIGHT - heightOf(value), width: bar, height: heightOf(value),
    rx: Math.min(2, bar / 4), class: "bar",
  }));
  const axis = svgElement("line", { x1: 0, x2: WIDTH, y1: HEIGHT + 0.5, y2: HEIGHT + 0.5, class: "axis" });
  const ticks = labels.flatMap(({ at, text, isLine }) => {
    const x = (at + 0.5) * step;
    const side = at <= values.length * 0.15 ? "start" : at >= values.length * 0.85 - 1 ? "end" : "middle";
    const edge = { start: Math.max(0, x - bar / 2), end: Math.min(WIDTH, x + bar / 2), middle: x }[side];
    const tick = svgElement("text", { x: edge, y: HEIGHT + 15, class: `tick ${side}` }, text);
    return isLine ? [svgElement("line", { x1: x, x2: x, y1: 0, y2: HEIGHT, class: "target" }), tick] : [tick];
  });
  const counts = values.flatMap((value, index) => {
    if (!value || (value !== most && values.length > 14)) return []; // in a narrow chart the highest only
    const place = { x: (index + 0.5) * step, y: HEIGHT - heightOf(value) - 4, class: "tick middle" };
    return [svgElement("text", place, numberFormat.format(value))];
  });
  return svgElement("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 20}`, role: "img", "aria-label": alt },
    ...bars, axis, ...ticks, ...counts);
}

/**
 * The least and the greatest of some numbers, of which there may be more than a call takes.
 * @param {number[]} values
 */
const rangeOf = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)],
  [Infinity, -Infinity]);

/** @param {"plot.days.none" | "plot.loudness.none"} key */
const nothing = (key) => element("p", { class: "none" }, textOf(key));

function daysChart() {
  const days = report.submissions.map((item) => Date.parse(`${item.received_at.slice(0, 10)}T00:00:00Z`));
  if (!days.length) return nothing("plot.days.none");
  const [earliest, last] = rangeOf(days);
  const first = Math.max(earliest, last - 59 * DAY_MS);
  // at least a week: a single column would fill the chart
  const start = Math.min(first, last - 6 * DAY_MS);
  const values = new Array(Math.round((last - start) / DAY_MS) + 1).fill(0);
  for (const day of days) if (day >= start) values[Math.round((day - start) / DAY_MS)] += 1;
  const alt = textOf("plot.days.alt", {
    n: values.reduce((sum, value) => sum + value), from: dayFormat.format(first), to: dayFormat.format(last),
    most: Math.max(...values),
  });
  return chart(values, alt, [
    { at: 0, text: dayFormat.format(start) },
    { at: values.length - 1, text: dayFormat.format(last) },
  ]);
}

function loudnessChart() {
  const target = facts.loudness_lufs;
  const measured = rows.filter(isDecidableRow)
    .flatMap((row) => (row.clip.outputs[0].loudness_lufs === null ? [] : [row.clip.outputs[0].loudness_lufs]));
  if (!measured.length) return nothing("plot.loudness.none");
  const [low, high] = rangeOf(measured);
  const farthest = Math.max(target - low, high - target);
  const half = COLUMNS_A_SIDE;
  const step = [0.1, 0.25].find((width) => farthest <= half * width) ?? 0.5;
  const values = new Array(2 * half + 1).fill(0);
  for (const value of measured) {
    const column = Math.round((value - target) / step) + half;
    values[Math.max(0, Math.min(2 * half, column))] += 1;
  }
  const alt = textOf("plot.loudness.alt", {
    n: measured.length, target: oneDecimal(target), low: oneDecimal(low), high: oneDecimal(high),
  });
  return chart(values, alt, [
    { at: 0, text: `≤ ${oneDecimal(target - half * step)}` },
    { at: half, text: textOf("plot.target", { target: oneDecimal(target) }), isLine: true },
    { at: 2 * half, text: `≥ ${oneDecimal(target + half * step)}` },
  ]);
}

export function showPlots() {
  byId("plot-days").replaceChildren(daysChart());
  byId("plot-loudness").replaceChildren(loudnessChart());
}
