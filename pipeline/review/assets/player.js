// The large player: the clip that the keys act on, over the whole window, with its cut and its mail.
// Other modules draw on it: they listen to playerChanged and playingChanged, and put what they draw
// into playerOverlay(), which always covers exactly the picture.

import { filmOf, stillOf } from "./addresses.js";
import { takeHidden } from "./alike_actions.js";
import { DECISIONS } from "./cards.js";
import { openCompare } from "./compare.js";
import { cutAtFrame, cutProblem, cutText, isCut, momentProblem, readCut, spanOfRow } from "./cuts.js";
import { facts } from "./data.js";
import { amend, decide } from "./decisions.js";
import { buttonById, byId, element, find, icon, inputById, makeButton } from "./dom.js";
import { currentRow, goBy, goToClip, goToCurrent, goToMail, goToNextUndecided, shownRows } from "./list.js";
import { toggleClamp } from "./mail_cards.js";
import { explain } from "./messages.js";
import { options } from "./options.js";
import { drawPictures, nameBar, refreshBar, startBar } from "./player_bar.js";
import {
  changeSpeed, frameOf, isPlaying, mode, play, playingChanged, playOrStop, seek, setMode, shuttleOf, startPlaying, step, stop,
  stopOthers,
} from "./playing.js";
import { decisionHere, noteText, reviewOf, unsentNotes } from "./reviews.js";
import { isPlayable } from "./rows.js";
import { makeSignal } from "./signal.js";
import { numberFormat, textOf } from "./texts.js";
import { exactTimeText, parseTime, runningTimeText } from "./times.js";

/** @typedef {import("./rows.js").Row} Row */

/** @type {{ row: Row | null }} what the player shows; null: it is closed */
const shown = { row: null };

/** Sent after the player began to show another clip, or was closed (null).
 * @type {{ listen: (listener: (row: Row | null) => void) => void, send: (row: Row | null) => void }} */
export const playerChanged = makeSignal();

/** The clip that the player shows; null where it is closed. */
export const playerRow = () => shown.row;
export const playerVideo = () => byId("player-video", HTMLVideoElement);
/** The layer over the picture. It takes no presses; what is drawn into it may. */
export const playerOverlay = () => byId("player-overlay");
/** A place beside the picture for controls of other modules. */
export const playerTools = () => byId("player-tools");
/** The moment that the player shows, in seconds of the clip. */
export const playerTime = () => playerVideo().currentTime;
/** @param {number} seconds */
export const seekPlayer = (seconds) => seek(playerVideo(), seconds);

const dialog = () => byId("player", HTMLDialogElement);

/** Open the player with the clip that the keys act on, or say why there is nothing to play. */
export function openPlayer() {
  const row = currentRow();
  if (!row || !isPlayable(row)) {
    explain(textOf(row ? "why.no_film" : "why.no_current"));
    return;
  }
  const video = row.card?.querySelector("video");
  const since = video && video.currentTime > 0 && !video.ended ? video.currentTime : null;
  const wasPlaying = video ? !video.paused : false;
  stopOthers([]);
  dialog().showModal();
  dialog().focus();
  document.body.classList.add("playing");
  showRow(row);
  if (since !== null) seek(playerVideo(), since);
  if (wasPlaying) play(playerVideo());
}

/** Close the player. The list stays at the clip that was shown last. */
export function closePlayer() {
  if (!shown.row) return;
  const row = shown.row;
  // a field that is left takes what was typed in it
  if (document.activeElement instanceof HTMLElement && dialog().contains(document.activeElement)) document.activeElement.blur();
  stop(playerVideo());
  drawPictures(null);
  playerVideo().removeAttribute("src");
  playerVideo().load();
  shown.row = null;
  dialog().close(); // the browser gives the focus to the card that had it before
  document.body.classList.remove("playing");
  goToCurrent(row);
  playerChanged.send(null);
}

/** @param {Row | undefined} row the clip that the keys act on now */
export function followCurrent(row) {
  if (shown.row && row && row !== shown.row && isPlayable(row)) showRow(row);
}

/** @param {Row} row */
function showRow(row) {
  const { clip } = row;
  const [output] = clip.outputs;
  shown.row = row;
  const video = playerVideo();
  stop(video);
  video.poster = stillOf(clip.sha256);
  video.src = filmOf(clip, output);
  video.setAttribute("aria-label", textOf("card.video", { name: clip.filename }));
  find(byId("player-name"), "bdi").textContent = clip.filename;
  drawPictures(null);
  byId("player-said").textContent = "";
  for (const id of ["player", "player-beside"]) byId(id).scrollTop = 0; // what the sender wrote is at its top
  nameBar(row);
  showPlace(row);
  refreshPlayer();
  layOverlay();
  playerChanged.send(row);
  seek(video, spanOfRow(row).from);
  if (options.autoplay) play(video);
}

/** @param {Row} row */
function showPlace(row) {
  const playable = shownRows().filter(isPlayable);
  byId("player-place").textContent = textOf("player.place", {
    at: numberFormat.format(playable.indexOf(row) + 1), n: playable.length,
  });
}

/** Bring up to date what a decision changes. */
export function refreshPlayer() {
  const { row } = shown;
  if (!row) return;
  const review = reviewOf(row);
  byId("player-state").replaceChildren(...copied(row, ".state"));
  byId("player-beside-facts").replaceChildren(
    ...[".hold", ".caption", ".reason", ".warnings", ".alike", ".mail"].flatMap((part) => copied(row, part)));
  for (const button of byId("player-decide").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.decision === decisionHere(row)));
  }
  for (const key of /** @type {const} */ (["in_s", "out_s"])) {
    const input = inputById(`player-${key}`);
    const seconds = review[key];
    if (input !== document.activeElement) input.value = seconds === null ? "" : exactTimeText(seconds);
  }
  const note = byId("player-note", HTMLTextAreaElement);
  if (note !== document.activeElement) note.value = noteText(row);
  byId("player-cut").textContent = isCut(row) ? cutText(row) : textOf("player.uncut");
  buttonById("player-uncut").disabled = !isCut(row);
  refreshTransport();
}

/**
 * A part of the card of a clip, as it is now.
 * @param {Row} row
 * @param {string} selector
 */
function copied(row, selector) {
  const part = row.card?.querySelector(selector);
  if (!(part instanceof HTMLElement) || part.hidden) return [];
  const copy = /** @type {HTMLElement} */ (part.cloneNode(true));
  // what is opened on a card is filled in there; here its first line is enough
  for (const details of copy.querySelectorAll("details")) {
    details.replaceWith(element("p", {}, ...details.querySelector("summary")?.childNodes ?? []));
  }
  return [copy];
}

function refreshTransport() {
  const { row } = shown;
  if (!row) return;
  const video = playerVideo();
  const { length } = spanOfRow(row);
  byId("player-time").textContent = textOf("player.time", {
    at: runningTimeText(Math.min(video.currentTime, length)), length: exactTimeText(length), frame: frameOf(video),
  });
  buttonById("player-play").textContent = textOf(isPlaying(video) ? "player.stop" : "player.play");
  const rate = shuttleOf(video) || mode.speed;
  byId("player-speed").textContent = textOf("player.speed", { n: `${rate < 0 ? "−" : ""}${numberFormat.format(Math.abs(rate))}` });
  buttonById("player-loop").setAttribute("aria-pressed", String(mode.isLooped));
  buttonById("player-whole").setAttribute("aria-pressed", String(mode.isWhole));
  buttonById("player-mute").setAttribute("aria-pressed", String(video.muted));
  refreshBar(row);
}

/** Let the layer cover the picture, which may be smaller than the room for it. */
function layOverlay() {
  const [output] = shown.row?.clip.outputs ?? [];
  if (!output) return;
  const video = playerVideo();
  const { offsetLeft, offsetTop, clientWidth, clientHeight } = video;
  const scale = Math.min(clientWidth / output.width, clientHeight / output.height);
  const [width, height] = [output.width * scale, output.height * scale];
  Object.assign(playerOverlay().style, {
    left: `${offsetLeft + (clientWidth - width) / 2}px`, top: `${offsetTop + (clientHeight - height) / 2}px`,
    width: `${width}px`, height: `${height}px`,
  });
}

/**
 * Set the in or out point of a clip, or remove it, or say why not.
 * @param {Row} row
 * @param {import("./cuts.js").CutKey} key
 * @param {number | null} seconds
 */
export function setCut(row, key, seconds) {
  const problem = cutProblem(row, key, seconds);
  if (problem) {
    explain(problem);
    return;
  }
  if (amend([row], { [key]: seconds }, false)) sayCut(row);
}

/**
 * Say what of a clip is shown now. The player has a place for it; a card may be out of sight.
 * @param {Row} row
 */
function sayCut(row) {
  if (shown.row) byId("player-said").textContent = "";
  else explain(isCut(row) ? cutText(row) : textOf("player.uncut"));
}

/**
 * Begin or end a clip with the frame that a film shows.
 * @param {Row} row
 * @param {import("./cuts.js").CutKey} key
 * @param {HTMLVideoElement} video
 */
export function cutHere(row, key, video) {
  setCut(row, key, cutAtFrame(key, frameOf(video), spanOfRow(row)));
}

/** @param {Row} row */
function uncut(row) {
  if (amend([row], { in_s: null, out_s: null }, false)) sayCut(row);
}

/** @param {import("./data.js").Decision} decision */
function decideHere(decision) {
  const { row } = shown;
  if (!row) return;
  if (decide(row, decision) && options.advance && decision !== "undecided") goToNextUndecided();
}

/**
 * @param {(row: Row, video: HTMLVideoElement) => void} act
 * @returns {(event?: Event) => void}
 */
const onShown = (act) => () => {
  if (shown.row) act(shown.row, playerVideo());
};

/** @param {1 | -1} by */
const goOn = (by) => goBy(by, isPlayable);

/** @param {string} id */
function focusField(id) {
  const field = byId(id);
  field.focus();
  if (field instanceof HTMLInputElement) field.select();
}

/** What the keys do in the player; each has a button or a control, too.
 * @type {Record<string, (event: KeyboardEvent) => void>} */
export const PLAYER_KEYS = {
  f: closePlayer,
  Enter: closePlayer,
  " ": onShown((_, video) => playOrStop(video)),
  ArrowLeft: (event) => moveBy(-1, event),
  ArrowRight: (event) => moveBy(1, event),
  ArrowUp: () => goOn(-1),
  ArrowDown: () => goOn(1),
  Home: onShown((row) => seekPlayer(spanOfRow(row).from)),
  End: onShown((row) => seekPlayer(spanOfRow(row).to - 0.5 / spanOfRow(row).fps)),
  i: onShown((row, video) => cutHere(row, "in_s", video)),
  o: onShown((row, video) => cutHere(row, "out_s", video)),
  Delete: onShown(uncut),
  p: () => setMode({ isLooped: !mode.isLooped }),
  w: () => setMode({ isWhole: !mode.isWhole }),
  ",": () => changeSpeed(-1),
  ".": () => changeSpeed(1),
  m: onShown((_, video) => mute(video)),
  g: () => focusField("player-go"),
  e: () => focusField("player-note"),
  a: () => decideHere("approved"),
  h: () => decideHere("held"),
  r: () => decideHere("rejected"),
  n: goToNextUndecided,
};

/**
 * One frame, or with Shift a second.
 * @param {1 | -1} direction
 * @param {KeyboardEvent} event
 */
const moveBy = (direction, event) =>
  onShown((row, video) => step(video, direction * (event.shiftKey ? Math.round(spanOfRow(row).fps) : 1)))();

/** @param {HTMLVideoElement} video */
function mute(video) {
  video.muted = !video.muted;
  refreshTransport();
}

/**
 * Take the time that was typed into a field.
 * @param {Row} row
 */
function takeGoTo(row) {
  const field = inputById("player-go");
  const seconds = parseTime(field.value);
  const problem = seconds === null ? textOf("edit.no_time") : momentProblem(row, seconds);
  if (seconds === null || problem) {
    explain(problem);
    return;
  }
  stop(playerVideo());
  seekPlayer(seconds);
  field.value = "";
  dialog().focus();
}

/** @param {import("./cuts.js").CutKey} key */
function takeCut(key) {
  const { row } = shown;
  if (!row) return;
  const input = inputById(`player-${key}`);
  const { seconds, problem } = readCut(row, key, input.value);
  input.setCustomValidity(problem);
  if (problem) explain(problem);
  else setCut(row, key, seconds);
}

/** Esc and Enter in a field give the keys back to the player.
 * @param {KeyboardEvent} event */
function onFieldKey(event) {
  if (event.key !== "Enter" && event.key !== "Escape") return;
  if (event.key === "Enter" && event.target instanceof HTMLTextAreaElement) return;
  event.preventDefault();
  event.stopPropagation();
  dialog().focus(); // the field's change is taken then
}

function makeControls() {
  for (const [decision, sign] of DECISIONS) {
    const button = makeButton(decision, { "data-decision": decision }, icon(sign), textOf(`do.${decision}`));
    button.addEventListener("click", () =>
      decideHere(shown.row && decisionHere(shown.row) === decision ? "undecided" : decision));
    byId("player-decide").append(button);
  }
  /** @type {[string, () => void][]} */
  const presses = [
    ["player-close", closePlayer], ["player-previous", () => goOn(-1)], ["player-next", () => goOn(1)],
    ["player-play", onShown((_, video) => playOrStop(video))],
    ["player-back", onShown((_, video) => step(video, -1))],
    ["player-on", onShown((_, video) => step(video, 1))],
    ["player-slower", () => changeSpeed(-1)], ["player-faster", () => changeSpeed(1)],
    ["player-loop", () => setMode({ isLooped: !mode.isLooped })],
    ["player-whole", () => setMode({ isWhole: !mode.isWhole })],
    ["player-mute", onShown((_, video) => mute(video))],
    ["player-in-here", onShown((row, video) => cutHere(row, "in_s", video))],
    ["player-out-here", onShown((row, video) => cutHere(row, "out_s", video))],
    ["player-uncut", onShown(uncut)],
  ];
  for (const [id, act] of presses) buttonById(id).addEventListener("click", act);
}

/**
 * Confirm what the words of a sender propose, as the button on the card does.
 * @param {Element} copy of that button
 */
function confirmOnCard(copy) {
  const state = copy.getAttribute("data-confirm-consent");
  const button = shown.row?.card?.querySelector(`[data-confirm-consent="${state}"]`);
  if (state === "yes-with-name") closePlayer(); // the name is written on the card
  if (button instanceof HTMLElement) button.click();
}

/** @param {MouseEvent} event */
function onClick(event) {
  const target = /** @type {Element} */ (event.target);
  const mail = target.closest("[data-go-to-mail]")?.getAttribute("data-go-to-mail");
  const other = target.closest("[data-go-to]")?.getAttribute("data-go-to");
  const consent = target.closest("[data-confirm-consent]");
  const clamp = target.closest("[data-clamp]");
  if (clamp) toggleClamp(clamp);
  else if (target.closest("[data-compare]")) openCompare();
  else if (target.closest("[data-take-hidden]")) onShown(takeHidden)();
  else if (consent) confirmOnCard(consent);
  else if (other) goToClip(other);
  else if (mail) {
    closePlayer();
    goToMail(mail);
  } else if (event.detail > 0 && shown.row && target.closest("button")) {
    dialog().focus(); // after a press of the mouse the keys are for the film again
  }
}

/**
 * Why a film can't be played.
 * @param {Row} row
 */
function noFilmText({ clip }) {
  if (!facts.live) return textOf(clip.to_be_made_anew ? "player.no_film.pack" : "player.no_film");
  return textOf(clip.original_deleted ? "player.no_film.lost" : "player.no_film.served");
}

export function startPlayer() {
  const video = playerVideo();
  startPlaying(video, () => (shown.row ? spanOfRow(shown.row) : { from: 0, to: 0, length: 0, fps: 30 }));
  makeControls();
  startBar({
    rowOf: playerRow,
    setCut: (key, seconds) => onShown((row) => setCut(row, key, seconds))(),
  });
  playingChanged.listen((moved) => {
    if (moved === null || moved === video) refreshTransport();
  });
  video.addEventListener("click", onShown(() => playOrStop(video)));
  video.addEventListener("loadeddata", () => drawPictures(shown.row));
  video.addEventListener("error", () => {
    if (shown.row) explain(noFilmText(shown.row));
  });
  new ResizeObserver(layOverlay).observe(video);
  dialog().addEventListener("click", onClick);
  dialog().addEventListener("cancel", (event) => {
    event.preventDefault();
    closePlayer();
  });
  for (const field of dialog().querySelectorAll("input, textarea")) {
    field.addEventListener("keydown", (event) => onFieldKey(/** @type {KeyboardEvent} */ (event)));
  }
  inputById("player-go").addEventListener("change", onShown(takeGoTo));
  for (const key of /** @type {const} */ (["in_s", "out_s"])) {
    inputById(`player-${key}`).addEventListener("change", () => takeCut(key));
  }
  const takeNote = onShown((row) => amend([row], { note: byId("player-note", HTMLTextAreaElement).value.trim() }, false));
  byId("player-note").addEventListener("change", takeNote);
  byId("player-note").addEventListener("focusout", onShown((row) => {
    if (unsentNotes.has(row.clip.sha256 ?? "")) takeNote();
  }));
}
