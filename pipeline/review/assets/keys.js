// The keys, and the help that lists them. Each key has a button or a control that does the same.

import { cutAtPlayhead, onFilm, playOrPause } from "./card_actions.js";
import { decide, markMail, undo } from "./decisions.js";
import { COMPARE_KEYS, openCompare } from "./compare.js";
import { buttonById, byId, control, element, inputById } from "./dom.js";
import { currentRow, goBy, goToNextUndecided } from "./list.js";
import { explain, forgetExplanation } from "./messages.js";
import { MASK_KEYS } from "./mask_panel.js";
import { MONTAGE_KEYS } from "./montage.js";
import { options, optionsChanged, setOptions } from "./options.js";
import { openPlayer, PLAYER_KEYS, playerVideo } from "./player.js";
import { COMMENT_KEYS } from "./player_comments.js";
import { play, shuttle, stop } from "./playing.js";
import { decideSelected, hasSelection, isSelected, select } from "./selection.js";
import { isServed } from "./sync.js";
import { textOf } from "./texts.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {Record<string, (event: KeyboardEvent) => void>} KeyTable
 */

/** @type {KeyTable} */
const CLIP_KEYS = {
  n: () => goThen(goToNextUndecided),
  a: () => decideHere("approved"),
  h: () => decideHere("held"),
  r: () => decideHere("rejected"),
  x: (event) => onCurrent((row) => select(row, !isSelected(row), event.shiftKey)),
  m: () => onCurrent(markMail),
  " ": () => onCurrent(playOrPause),
  f: openPlayer,
  Enter: openPlayer,
  i: () => onCurrent((row) => cutAtPlayhead(row, "in_s")),
  o: () => onCurrent((row) => cutAtPlayhead(row, "out_s")),
  c: openCompare,
  "/": () => control("text").focus(),
};

/** Keys that do the same in the list and in the player.
 * @type {KeyTable} */
const SHARED_KEYS = { u: undo, "?": openHelp };

/** What J, K and L do, by the option.
 * @type {Record<"reviewer" | "editor", { list: KeyTable, player: KeyTable }>} */
const LETTER_KEYS = {
  reviewer: {
    list: { j: () => goThen(() => goBy(1)), k: () => goThen(() => goBy(-1)) },
    player: { j: PLAYER_KEYS.ArrowDown, k: PLAYER_KEYS.ArrowUp },
  },
  editor: {
    list: {
      ArrowDown: () => goThen(() => goBy(1)), ArrowUp: () => goThen(() => goBy(-1)),
      ...shuttleKeys((act) => onCurrent((row) => onFilm(row, act))),
    },
    player: shuttleKeys((act) => act(playerVideo())),
  },
};

/** The keys as the help shows them, each with the end of its text's key. */
const CLIP_HELP = /** @type {const} */ ([
  ["N", "n"], ["A", "a"], ["H", "h"], ["R", "r"], ["F · Enter", "enlarge"], ["Space", "space"], ["I", "i"], ["O", "o"],
  ["X", "x"], ["C", "compare"], ["M", "m"], ["U", "u"], ["/", "slash"], ["?", "help"],
]);
const PLAYER_HELP = /** @type {const} */ ([
  ["Space", "space"], ["← · →", "frame"], ["↑ · ↓", "up_down"], ["I", "i"], ["O", "o"], ["Home · End", "ends"], ["Del", "uncut"],
  ["P", "loop"], ["W", "whole"], [", · .", "speed"], ["M", "mute"], ["G", "go"], ["E", "note"], ["C", "comment"], ["T", "tags"], ["0 · 5", "stars"],
  ["A · H · R", "decide"], ["N", "n"], ["D", "mask"], ["V", "oval"], ["S", "silence"],
  ["U", "u"], ["F · Enter · Esc", "close"],
]);
const COMPARE_HELP = /** @type {const} */ ([
  ["1", "keep_first"], ["2", "keep_second"], ["Space", "space"], ["← · →", "frame"], ["Home", "begin"], [", · .", "speed"], ["M", "sound"],
  ["U", "u"], ["C · Esc", "close_compare"],
]);
const LETTER_HELP = /** @type {const} */ ({
  reviewer: { list: [["J", "j"], ["K", "k"]], player: [["J", "j"], ["K", "k"]] },
  editor: { list: [["J · K · L", "shuttle"], ["↑ · ↓", "up_down"]], player: [["J · K · L", "shuttle"]] },
});
const MONTAGE_HELP = /** @type {const} */ ([
  ["J", "j"], ["K", "k"], ["⇧ J", "film.later"], ["⇧ K", "film.earlier"], ["P", "film.pin"],
  ["X", "film.out"], ["U", "u"], ["S", "film.save"],
]);
/** @typedef {readonly (readonly [string, string])[]} KeyHelp */

/**
 * @param {(act: (video: HTMLVideoElement) => void) => void} onVideo
 * @returns {KeyTable}
 */
function shuttleKeys(onVideo) {
  return {
    j: () => onVideo((video) => shuttle(video, -1)),
    k: () => onVideo(stop),
    l: () => onVideo((video) => shuttle(video, 1)),
  };
}

/** @param {(row: Row) => void} act */
function onCurrent(act) {
  const row = currentRow();
  if (row) act(row);
  else explain(textOf("why.no_current"));
}

/**
 * Go to another card, and play it where that is wanted.
 * @param {() => void} go
 */
function goThen(go) {
  const before = currentRow();
  go();
  const row = currentRow();
  const video = row?.card?.querySelector("video");
  if (options.autoplay && row !== before && video) play(video);
}

/**
 * Decide on the selection if there is one, else on the clip that the keys act on.
 * @param {import("./data.js").Decision} decision
 */
function decideHere(decision) {
  if (hasSelection()) {
    decideSelected(decision);
    return;
  }
  onCurrent((row) => {
    if (decide(row, decision) && options.advance) goThen(goToNextUndecided);
  });
}

function openHelp() {
  byId("help", HTMLDialogElement).showModal();
}

/**
 * Whether a key belongs to the control that has the focus.
 * @param {Element} target
 * @param {string} key
 */
function isForControl(target, key) {
  // In the player a choice keeps the focus. A letter is not for it, because it would choose something else.
  if (target.closest("#player select, #player input[type=radio]")) return key.length > 1 || key === " ";
  if (target.closest("input:not([type=checkbox]), textarea, select, #help")) return true;
  return (key === " " || key === "Enter") && target.closest("button, summary, video, a, input") !== null;
}

/** The keys of what is in front. */
function keysNow() {
  if (!byId("view-montage").hidden) return { ...MONTAGE_KEYS, "?": openHelp };
  if (byId("compare", HTMLDialogElement).open) return { ...SHARED_KEYS, ...COMPARE_KEYS };
  const { list, player } = LETTER_KEYS[options.keys];
  if (byId("player", HTMLDialogElement).open) return { ...PLAYER_KEYS, ...COMMENT_KEYS, ...MASK_KEYS, ...player, ...SHARED_KEYS };
  return { ...CLIP_KEYS, ...list, ...SHARED_KEYS };
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !inputById("keys-on").checked) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const target = /** @type {Element} */ (event.target);
  if (key.length === 1 && key !== " " && target.closest("#player select")) event.preventDefault();
  const act = /** @type {KeyTable} */ (keysNow())[key];
  if (!act || isForControl(target, key)) return;
  event.preventDefault();
  act(event);
}

/** @param {KeyHelp} keys */
const helpParts = (keys) => keys.flatMap(([key, name]) => [
  element("dt", {}, ...key.split(" · ").flatMap((one) => [element("kbd", {}, one), " "])),
  element("dd", {}, textOf(/** @type {import("./texts.js").TextKey} */ (`key.${name}`))),
]);

/** Show the keys and options as they are chosen. */
function refreshHelp() {
  const { list, player } = LETTER_HELP[options.keys];
  byId("help-keys").replaceChildren(...helpParts([...list, ...CLIP_HELP]));
  byId("help-player-keys").replaceChildren(...helpParts([...player, ...PLAYER_HELP]));
  byId("help-compare-keys").replaceChildren(...helpParts(COMPARE_HELP));
  for (const radio of document.querySelectorAll("input[name=keys]")) {
    if (radio instanceof HTMLInputElement) radio.checked = radio.value === options.keys;
  }
  inputById("option-autoplay").checked = options.autoplay;
  inputById("option-advance").checked = options.advance;
}

function startOptions() {
  for (const radio of document.querySelectorAll("input[name=keys]")) {
    radio.addEventListener("change", () =>
      setOptions({ keys: /** @type {HTMLInputElement} */ (radio).value === "editor" ? "editor" : "reviewer" }));
  }
  for (const name of /** @type {const} */ (["autoplay", "advance"])) {
    inputById(`option-${name}`).addEventListener("change", (event) =>
      setOptions({ [name]: /** @type {HTMLInputElement} */ (event.target).checked }));
  }
  optionsChanged.listen(refreshHelp);
  refreshHelp();
}

export function startKeys() {
  startOptions();
  if (isServed) byId("help-montage-keys").append(...helpParts(MONTAGE_HELP));
  for (const id of ["help-open", "player-help"]) buttonById(id).addEventListener("click", openHelp);
  for (const name of ["keydown", "pointerdown"]) document.addEventListener(name, forgetExplanation, true);
  document.addEventListener("keydown", onKey);
}
