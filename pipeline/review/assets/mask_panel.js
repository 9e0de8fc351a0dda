// The controls beside the picture of the large player that protect people: masks, sound, from whom, and
// what has to be done first.

import { momentProblem, spanOfRow } from "./cuts.js";
import { facts } from "./data.js";
import { amend } from "./decisions.js";
import { buttonById, element, makeButton } from "./dom.js";
import { anewText } from "./kept_out.js";
import {
  drawMasks, focusMask, isPhoto, maskEdited, masksOf, momentOf, placeMasks, selectedChanged, selectedIndex, selectMask,
} from "./mask_layer.js";
import { heldFrom, isDrawnElsewhere, isInPicture, newMask, roundedTime } from "./masks.js";
import { explain } from "./messages.js";
import { playerChanged, playerRow, playerTime, playerTools, playerVideo } from "./player.js";
import { playingChanged, spanOf } from "./playing.js";
import { isAsDecided, lacksApproval, reviewOf } from "./reviews.js";
import { textOf } from "./texts.js";
import { exactTimeText, parseTime } from "./times.js";
import { notePlayed } from "./watching.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./data.js").Mask} Mask
 * @typedef {import("./data.js").SoundChange} SoundChange
 * @typedef {import("./data.js").Need} Need
 * @typedef {{ from_s: number, to_s: number | null }} Stretch
 */

const MOST_MASKS = 100; // as in pipeline/protection.py
const MOST_SOUNDS = 50;
const PROTECT = /** @type {const} */ (["none", "public", "known"]);
const NEEDS = /** @type {const} */ (["needs-blur", "ask-the-sender"]);

/**
 * @param {(row: Row) => void} act
 * @returns {() => void}
 */
const onShown = (act) => () => {
  const row = playerRow();
  if (row) act(row);
};

/**
 * @param {Row} row
 * @param {Mask[]} masks
 */
const setMasks = (row, masks) => amend([row], { masks }, false);

/**
 * @param {Row} row
 * @param {SoundChange[]} sounds
 */
const setSounds = (row, sounds) => amend([row], { sounds }, false);

/**
 * Why a mask would hide nothing; "" if it hides something.
 * @param {Row} row
 * @param {Mask} mask
 */
function hidingProblem(row, mask) {
  const { duration_s: length } = row.clip.outputs[0];
  if (mask.from_s >= length) return textOf("edit.cut_long", { length: exactTimeText(length) });
  return isInPicture(mask, length) ? "" : textOf("mask.beside");
}

/** @param {Mask["shape"]} shape */
const addMask = (shape) => onShown((row) => {
  if (masksOf(row).length >= MOST_MASKS) {
    explain(textOf("mask.most", { n: MOST_MASKS }));
    return;
  }
  const masks = [...masksOf(row), newMask(shape, momentOf(row), row.clip.outputs[0].frame)];
  setMasks(row, masks);
  selectMask(masks.length - 1);
  focusMask(masks.length - 1);
});

/** @param {SoundChange["kind"]} kind */
const addSound = (kind) => onShown((row) => {
  if (kind === "disguise" && reviewOf(row).protect === "known") {
    explain(textOf("mask.only_strong"));
    return;
  }
  if ((reviewOf(row).sounds ?? []).length >= MOST_SOUNDS) {
    explain(textOf("mask.most_sounds", { n: MOST_SOUNDS }));
    return;
  }
  setSounds(row, [...(reviewOf(row).sounds ?? []), { kind, from_s: 0, to_s: null }]);
});

/** Take all faces that the program found as masks. */
const addFaces = onShown((row) => {
  setMasks(row, [...masksOf(row).filter(({ origin }) => origin !== "face"), ...(row.clip.faces ?? [])]);
});

/** What the keys do in the player.
 * @type {Record<string, (event: KeyboardEvent) => void>} */
export const MASK_KEYS = { d: addMask("rectangle"), v: addMask("ellipse"), s: addSound("mute") };

/**
 * Two fields of time and what sets them to the moment that is shown.
 * @param {Row} row
 * @param {Stretch} stretch
 * @param {(change: Partial<Stretch>) => void} change
 */
function stretchFields(row, stretch, change) {
  return (/** @type {const} */ (["from_s", "to_s"])).map((key) => {
    const seconds = stretch[key];
    const input = element("input", { autocomplete: "off", maxlength: "20", placeholder: textOf("edit.time") });
    input.value = seconds === null ? "" : exactTimeText(seconds);
    input.addEventListener("change", () => {
      const typed = input.value.trim() ? parseTime(input.value) : key === "to_s" ? null : 0;
      const problem = typed === null && input.value.trim() ? textOf("edit.no_time") : momentProblem(row, typed);
      if (problem) explain(problem);
      else take(typed);
    });
    /** @param {number | null} value */
    const take = (value) => {
      const next = { ...stretch, [key]: value };
      if (next.to_s !== null && next.to_s <= next.from_s) explain(textOf("edit.cut_wrong"));
      else change({ [key]: value });
    };
    const here = makeButton("", {}, textOf(`mask.${key}.here`));
    here.addEventListener("click", () => take(roundedTime(playerTime())));
    return element("div", { class: "stretch" }, element("label", {}, `${textOf(`mask.${key}`)} `, input), here);
  });
}

/** @param {Stretch} stretch */
function stretchText({ from_s: from, to_s: to }) {
  if (from === 0 && to === null) return textOf("mask.whole");
  return textOf("mask.stretch", { from: exactTimeText(from), to: to === null ? textOf("mask.end") : exactTimeText(to) });
}

/**
 * @param {string} text
 * @param {() => void} act
 */
function pressable(text, act) {
  const button = makeButton("", {}, text);
  button.addEventListener("click", act);
  return button;
}

/**
 * @param {string} label
 * @param {string} value
 * @param {[string, string][]} choices
 * @param {(value: string) => void} take
 */
function choice(label, value, choices, take) {
  const select = element("select", {}, ...choices.map(([each, text]) => element("option", { value: each }, text)));
  select.value = value;
  select.addEventListener("change", () => take(select.value));
  return element("label", { class: "choice" }, `${label} `, select);
}

/**
 * @param {Row} row
 * @param {Mask} mask
 * @param {number} index
 */
function maskItem(row, mask, index) {
  const isSelected = index === selectedIndex();
  const pick = makeButton("", { "aria-pressed": String(isSelected) },
    textOf("mask.item", { n: index + 1, shape: textOf(`mask.${mask.shape}`), when: isPhoto(row) ? textOf("mask.whole") : stretchText(mask) }));
  pick.addEventListener("click", () => selectMask(isSelected ? null : index));
  const item = element("li", {}, pick);
  if (!isSelected) return item;
  /** @param {Mask | null} changed */
  const change = (changed) => maskEdited.send(index, changed);
  item.append(...(isPhoto(row) ? [] : stretchFields(row, mask, (times) => change({ ...mask, ...times }))));
  item.append(choice(textOf("mask.fill"), mask.fill, [["solid", textOf("mask.solid")], ["blur", textOf("mask.blur")]], (fill) => {
    if (fill === "blur" && reviewOf(row).protect === "known") explain(textOf("mask.only_strong"));
    else change({ ...mask, fill: fill === "blur" ? "blur" : "solid" });
    refreshPanel();
  }));
  if (isDrawnElsewhere(row.clip.outputs[0], mask)) item.append(element("p", {}, textOf("mask.elsewhere", { frame: mask.frame ?? "" })));
  else if (!isPhoto(row)) item.append(pressable(textOf("mask.hold"), () => change(heldFrom(mask, { seconds: playerTime(), fps: spanOfRow(row).fps }))));
  item.append(pressable(textOf("mask.delete"), () => change(null)));
  return item;
}

/**
 * @param {Row} row
 * @param {SoundChange} sound
 * @param {number} index
 */
function soundItem(row, sound, index) {
  const sounds = reviewOf(row).sounds ?? [];
  /** @param {Partial<Stretch>} times */
  const change = (times) => setSounds(row, sounds.map((each, at) => (at === index ? { ...each, ...times } : each)));
  return element("li", {},
    element("p", {}, textOf("mask.sound_item", { kind: textOf(`mask.${sound.kind}`), when: stretchText(sound) })),
    ...stretchFields(row, sound, change),
    pressable(textOf("mask.delete"), () => setSounds(row, sounds.filter((_, at) => at !== index))));
}

/**
 * @param {Row} row
 * @param {Need} need
 */
function needBox(row, need) {
  const needs = reviewOf(row).needs ?? [];
  const box = element("input", { type: "checkbox" });
  box.checked = needs.includes(need);
  box.addEventListener("change", () => amend([row], {
    needs: NEEDS.filter((each) => (each === need ? box.checked : needs.includes(each))),
  }, false));
  return element("label", { class: "check" }, box, ` ${textOf(`mask.${need}`)}`);
}

/** @param {string} value */
const takeProtect = (value) => onShown((row) => {
  const review = reviewOf(row);
  const isWeak = masksOf(row).some(({ fill }) => fill !== "solid") || (review.sounds ?? []).some(({ kind }) => kind !== "mute");
  const protect = PROTECT.find((each) => each === value) ?? "none";
  if (protect === "known" && isWeak) explain(textOf("mask.only_strong"));
  else amend([row], { protect }, false);
  refreshPanel();
})();

/** @param {Row} row */
function stateLines(row) {
  const { agreed_by: agreed = [], seen_by: seen = [] } = reviewOf(row);
  return [
    ...(isAsDecided(row) ? [] : [anewText(row)]),
    ...(lacksApproval(row) ? [agreed.length ? textOf("mask.second", { by: agreed.join(", ") }) : textOf("mask.both")] : []),
    ...(seen.length ? [textOf("mask.seen", { by: seen.join(", ") })] : []),
  ].map((text) => element("p", { class: "mask-state" }, text));
}

/** Show the controls for the clip that the player shows. */
export function refreshPanel() {
  const row = playerRow();
  const tools = playerTools();
  if (!row) {
    tools.replaceChildren();
    return;
  }
  const held = tools.contains(document.activeElement) ? indexOfFocus(tools) : -1;
  const faces = row.clip.faces ?? [];
  const review = reviewOf(row);
  const panel = element("section", { class: "protection", "aria-label": textOf("mask.title") },
    element("h3", {}, textOf("mask.title")),
    choice(textOf("mask.protect"), review.protect ?? "none", PROTECT.map((each) => [each, textOf(`mask.protect.${each}`)]), takeProtect),
    element("div", { class: "adding" },
      pressable(textOf("mask.add.rectangle"), addMask("rectangle")), pressable(textOf("mask.add.ellipse"), addMask("ellipse")),
      ...(faces.length ? [pressable(textOf("mask.add.faces", { n: faces.length }), addFaces)] : [])),
    element("ul", {}, ...masksOf(row).map((mask, index) => maskItem(row, mask, index))),
    element("div", { class: "adding" },
      pressable(textOf("mask.add.mute"), addSound("mute")), pressable(textOf("mask.add.disguise"), addSound("disguise"))),
    ...((review.sounds ?? []).some(({ kind }) => kind === "mute") ? [element("p", {}, textOf(facts.music ? "mask.music" : "mask.no_music"))] : []),
    ...((review.sounds ?? []).some(({ kind }) => kind === "disguise") ? [element("p", {}, textOf("mask.disguise_is_weak"))] : []),
    element("ul", {}, ...(review.sounds ?? []).map((sound, index) => soundItem(row, sound, index))),
    element("fieldset", {}, element("legend", {}, textOf("mask.needs")), ...NEEDS.map((need) => needBox(row, need))),
    ...stateLines(row));
  tools.replaceChildren(panel);
  refreshButton(review);
  const controls = controlsOf(tools);
  if (held >= 0) controls[Math.min(held, controls.length - 1)]?.focus();
}

/**
 * Say on the button beside the decision whether anything is hidden of the clip.
 * @param {import("./data.js").Review} review
 */
function refreshButton({ masks = [], sounds = [], protect = "none" }) {
  const n = masks.length + sounds.length;
  const button = buttonById("player-protect");
  button.textContent = n ? textOf("mask.open_with", { n }) : textOf("mask.open");
  button.classList.toggle("is-on", n > 0 || protect !== "none");
}

/** Show the controls, which may be out of sight below the mail, and give them the keys. */
function goToPanel() {
  const tools = playerTools();
  tools.scrollIntoView({ block: "start" });
  controlsOf(tools)[0]?.focus({ preventScroll: true });
}

/** @param {HTMLElement} tools */
const controlsOf = (tools) => /** @type {HTMLElement[]} */ ([...tools.querySelectorAll("button, input, select")]);

/** @param {HTMLElement} tools */
const indexOfFocus = (tools) => controlsOf(tools).findIndex((control) => control === document.activeElement);

/**
 * Move the masks while the film plays, and note what was watched.
 * @param {HTMLVideoElement | null} video
 */
function follow(video) {
  placeMasks();
  const row = playerRow();
  if (row && video === playerVideo()) notePlayed(row, video, spanOf(video));
}

export function startMasks() {
  buttonById("player-protect").addEventListener("click", goToPanel);
  maskEdited.listen((index, mask) => onShown((row) => {
    const problem = mask && hidingProblem(row, mask);
    if (problem) {
      explain(problem);
      refreshMasks();
      return;
    }
    const masks = masksOf(row).flatMap((each, at) => (at !== index ? [each] : mask ? [mask] : []));
    setMasks(row, masks);
  })());
  selectedChanged.listen(refreshPanel);
  playerChanged.listen(() => {
    selectMask(null);
  });
  playingChanged.listen(follow);
}

/** Bring the masks up to date after reviews changed. */
export function refreshMasks() {
  drawMasks();
  refreshPanel();
}
