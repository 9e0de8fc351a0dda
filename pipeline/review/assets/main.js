// Keys, and putting the page to work.

/** What a key does; each has a button or a control that does the same. */
const KEYS = {
  j: () => goTo(Math.min(current + 1, shown.length - 1)),
  k: () => goTo(Math.max(current - 1, 0)),
  n: nextUndecided,
  a: () => decideHere("approved"),
  h: () => decideHere("held"),
  r: () => decideHere("rejected"),
  x: (event) => onCurrent((row) => pick(row, !selected.has(row), event.shiftKey)),
  u: undo,
  " ": () => onCurrent(playOrPause),
  i: () => onCurrent((row) => cutHere(row, "in_s")),
  o: () => onCurrent((row) => cutHere(row, "out_s")),
  "/": () => $("f-text").focus(),
  "?": () => $("help").showModal(),
};
const KEY_NAMES = [
  ["J", "j"], ["K", "k"], ["N", "n"], ["A", "a"], ["H", "h"], ["R", "r"], ["X", "x"], ["U", "u"],
  ["Space", "space"], ["I", "i"], ["O", "o"], ["/", "slash"], ["?", "help"],
];

const keyNames = (names) => names.flatMap(([key, name]) =>
  [make("dt", {}, make("kbd", {}, key)), make("dd", {}, t(`key.${name}`))]);

function onCurrent(act) {
  if (shown[current]) act(shown[current]);
}

/** On the selection if there is one, else on the clip that the keys are at. */
function decideHere(decision) {
  if (selected.size) decideSelected(decision);
  else onCurrent((row) => decide(row, decision));
}

function playOrPause(row) {
  const video = row.card.querySelector("video");
  if (!video) return;
  if (video.paused) video.play();
  else video.pause();
}

/** Whether a key belongs to the control that has the focus. */
function isTyping(target, key) {
  if (target.closest("input:not([type=checkbox]), textarea, select, dialog")) return true;
  return key === " " && target.closest("button, summary, video, a, input") !== null;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !$("keys-on").checked) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const act = ($("view-montage").hidden ? KEYS : FILM_KEYS)[key];
  if (!act || isTyping(event.target, key)) return;
  event.preventDefault();
  act(event);
}

/** The card that the reader works on is the one that the keys mean. */
function onFocus(event) {
  const card = event.target.closest(".card");
  if (!card || (shown[current] && shown[current].card === card)) return;
  const at = shown.findIndex((row) => row.card === card);
  if (at < 0) return;
  if (shown[current] && shown[current].card) shown[current].card.classList.remove("current");
  current = at;
  card.classList.add("current");
}

/** One clip plays at a time. */
function onPlay(event) {
  for (const video of document.querySelectorAll("video")) if (video !== event.target) video.pause();
}

function start() {
  layMorning();
  layTools();
  layPicking();
  apply();
  countUnsaved();
  if (live) goLive();
  let typing = 0;
  $("f-text").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(apply, 120);
  });
  for (const name of [...controls.slice(1), "warnings"]) $(`f-${name}`).addEventListener("change", apply);
  $("tools").addEventListener("submit", (event) => event.preventDefault());
  $("clear").addEventListener("click", () => {
    $("tools").reset();
    apply();
  });
  $("more").addEventListener("click", layMore);
  const near = new IntersectionObserver((entries) => {
    if ($("more").hidden || !entries.some((entry) => entry.isIntersecting)) return;
    layMore();
    // it tells of a change only: ask again, should the end still be near
    near.unobserve(entries[0].target);
    near.observe(entries[0].target);
  }, { rootMargin: "1200px" });
  near.observe(document.querySelector(".more"));
  $("undo").addEventListener("click", undo);
  $("save").addEventListener("click", save);
  $("help-open").addEventListener("click", () => $("help").showModal());
  $("help-keys").append(...keyNames(KEY_NAMES));
  document.addEventListener("keydown", onKey);
  $("list").addEventListener("focusin", onFocus);
  $("list").addEventListener("pointerdown", onFocus);
  document.addEventListener("play", onPlay, true);
  window.addEventListener("beforeunload", (event) => {
    if (unsaved.size || isMoved()) event.preventDefault();
  });
}

start();
