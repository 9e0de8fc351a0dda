// Two clips that look alike, side by side: one transport plays both, and one key keeps one of them.

import { bareLines } from "./alike.js";
import { filmOf, stillOf } from "./addresses.js";
import { spanOfRow } from "./cuts.js";
import { amendEach } from "./decisions.js";
import { buttonById, byId, element, find, inputById, quoted } from "./dom.js";
import { currentRow, goToCurrent } from "./list.js";
import { explain } from "./messages.js";
import { changeSpeed, isPlaying, mode, play, playingChanged, seek, startPlaying, step, stop, stopOthers } from "./playing.js";
import { reviewOf } from "./reviews.js";
import { isDecidableRow, isPlayable, lookalikeOf } from "./rows.js";
import { momentText, numberFormat, textOf } from "./texts.js";
import { exactTimeText, runningTimeText } from "./times.js";

/** @typedef {import("./rows.js").Row} Row */

const SIDES = /** @type {const} */ ([0, 1]);
const MOST_APART_S = 0.12;

/** @type {{ pair: [Row, Row] | null }} what is compared; the first came first */
const shown = { pair: null };

const dialog = () => byId("compare", HTMLDialogElement);
const side = (/** @type {number} */ at) => byId(`compare-${at}`);
const videoAt = (/** @type {number} */ at) => find(side(at), "video", HTMLVideoElement);
const videos = () => SIDES.map(videoAt);

/** The films of the comparison, which play at the same time. */
export const comparedFilms = () => (shown.pair ? videos() : []);

/** Compare the clip that the keys act on with the one that it looks like, or say why not. */
export function openCompare() {
  const row = currentRow();
  const other = row && lookalikeOf(row);
  if (!row || !other || !isPlayable(row) || !isPlayable(other)) {
    explain(textOf(row ? "why.no_lookalike" : "why.no_current"));
    return;
  }
  stopOthers([]);
  shown.pair = row.index < other.index ? [row, other] : [other, row];
  dialog().showModal();
  dialog().focus();
  byId("compare-said").textContent = "";
  for (const at of SIDES) showSide(at, shown.pair[at]);
  videoAt(1).muted = true;
  refreshCompare();
}

/**
 * @param {0 | 1} at
 * @param {Row} row
 */
function showSide(at, row) {
  const { clip, mail } = row;
  const [output] = clip.outputs;
  const video = videoAt(at);
  Object.assign(video, { poster: stillOf(clip.sha256), src: filmOf(clip, output) });
  video.setAttribute("aria-label", textOf("card.video", { name: clip.filename }));
  find(side(at), "h3").replaceChildren(quoted(clip.filename));
  const { source } = clip;
  const facts = [momentText(mail.received_at), exactTimeText(spanOfRow(row).length)];
  if (source) facts.push(`${numberFormat.format(source.width)} × ${numberFormat.format(source.height)}`);
  find(side(at), ".facts").replaceChildren(...facts.flatMap((fact) => [fact, " · "]), quoted(mail.sender));
  find(side(at), ".subject-line").replaceChildren(quoted(mail.subject || textOf("card.no_subject")));
}

/** Bring up to date what a decision and the films change. */
export function refreshCompare() {
  const { pair } = shown;
  if (!pair) return;
  for (const at of SIDES) {
    const { decision } = reviewOf(pair[at]);
    find(side(at), ".pill").textContent = textOf(`decision.${decision}`);
    find(side(at), ".pill").className = `pill decision-${decision}`;
    find(side(at), ".bare-copy").replaceChildren(...bareLines(pair[at]));
  }
  const [first, second] = videos();
  if (isPlaying(first) && !second.ended && Math.abs(second.currentTime - first.currentTime) > MOST_APART_S) {
    second.currentTime = first.currentTime;
  }
  const length = longest();
  const now = Math.min(Math.max(first.currentTime, second.currentTime), length);
  const slider = inputById("compare-now");
  slider.max = String(length);
  if (slider !== document.activeElement || isPlaying(first)) slider.value = String(now);
  slider.setAttribute("aria-valuetext", exactTimeText(now));
  byId("compare-time").textContent = textOf("compare.time", { at: runningTimeText(now), length: exactTimeText(length) });
  buttonById("compare-play").textContent = textOf(videos().some(isPlaying) ? "player.stop" : "player.play");
  byId("compare-speed").textContent = textOf("player.speed", { n: numberFormat.format(mode.speed) });
}

const longest = () => Math.max(...(shown.pair ?? []).map((row) => spanOfRow(row).length));

function playOrStopBoth() {
  const isOn = videos().some(isPlaying);
  for (const video of videos()) {
    if (isOn) stop(video);
    else play(video);
  }
}

/** @param {number} frames */
function stepBoth(frames) {
  for (const video of videos()) step(video, frames);
}

/** @param {number} seconds */
function seekBoth(seconds) {
  for (const video of videos()) seek(video, seconds);
}

/**
 * Approve one of the two and reject the other, as one act.
 * @param {0 | 1} at
 */
function keep(at) {
  const { pair } = shown;
  if (!pair) return;
  const [kept, dropped] = [pair[at], pair[1 - at]];
  if (!isDecidableRow(kept) || !isDecidableRow(dropped)) {
    explain(textOf("why.no_film"));
    return;
  }
  const note = reviewOf(dropped).note || textOf("compare.note", { name: kept.clip.filename });
  const isDone = amendEach([[kept, { decision: "approved" }], [dropped, { decision: "rejected", note }]], false);
  if (isDone) explain(textOf("compare.said", { kept: kept.clip.filename, dropped: dropped.clip.filename }));
}

/** The two clips that are compared. */
export const comparedRows = () => shown.pair ?? [];

export function closeCompare() {
  const row = currentRow();
  shown.pair = null;
  for (const video of videos()) {
    stop(video);
    video.removeAttribute("src");
    video.load();
  }
  dialog().close();
  if (row) goToCurrent(row);
}

/** Let the other clip be heard. */
function changeSound() {
  for (const video of videos()) video.muted = !video.muted;
  buttonById("compare-sound").setAttribute("aria-pressed", String(!videoAt(1).muted));
}

/** @type {Record<string, (event: KeyboardEvent) => void>} */
export const COMPARE_KEYS = {
  " ": playOrStopBoth,
  ArrowLeft: (event) => stepBoth(event.shiftKey ? -30 : -1),
  ArrowRight: (event) => stepBoth(event.shiftKey ? 30 : 1),
  Home: () => seekBoth(0),
  ",": () => changeSpeed(-1),
  ".": () => changeSpeed(1),
  m: changeSound,
  1: () => keep(0),
  2: () => keep(1),
  c: closeCompare,
};

/** @param {number} at */
const sideParts = (at) => [
  element("video", { preload: "auto", playsinline: "" }),
  element("h3", {}), element("p", { class: "facts" }), element("p", { class: "subject-line" }),
  element("p", { class: "state" }, element("span", { class: "pill" })),
  element("div", { class: "bare-copy" }),
  element("button", { type: "button", class: "keep", id: `compare-keep-${at}` }, textOf("compare.keep"), " ", element("kbd", {}, String(at + 1))),
];

export function startCompare() {
  for (const at of SIDES) {
    side(at).append(...sideParts(at));
    startPlaying(videoAt(at), () => {
      const row = shown.pair?.[at];
      return row ? { ...spanOfRow(row), from: 0, to: spanOfRow(row).length } : { from: 0, to: 0, length: 0, fps: 30 };
    });
    buttonById(`compare-keep-${at}`).addEventListener("click", () => keep(at));
  }
  playingChanged.listen((video) => {
    if (video === null || videos().includes(video)) refreshCompare();
  });
  /** @type {[string, () => void][]} */
  const presses = [
    ["compare-close", closeCompare], ["compare-play", playOrStopBoth], ["compare-back", () => stepBoth(-1)],
    ["compare-on", () => stepBoth(1)], ["compare-sound", changeSound],
    ["compare-slower", () => changeSpeed(-1)], ["compare-faster", () => changeSpeed(1)],
  ];
  for (const [id, act] of presses) buttonById(id).addEventListener("click", act);
  dialog().addEventListener("click", (event) => {
    if (event.detail > 0 && shown.pair && /** @type {Element} */ (event.target).closest("button")) dialog().focus();
  });
  dialog().addEventListener("cancel", (event) => {
    event.preventDefault();
    closeCompare();
  });
  inputById("compare-now").addEventListener("input", () => {
    videos().forEach(stop);
    seekBoth(Number(inputById("compare-now").value));
  });
}
