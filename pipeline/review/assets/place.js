// The address of the page names the filters and the clip, so that a reload, a bookmark or a link leads
// to the same place. All of it is behind the "#", which a browser sends to no server.

import { byId, control } from "./dom.js";
import { currentRow, forgetRow, goToCurrent, lastRow, rememberRow, showFiltered } from "./list.js";
import { explain } from "./messages.js";
import { closePlayer, openPlayer, playerRow } from "./player.js";
import { clipRowByPrefix, isPlayable, mailRow } from "./rows.js";
import { textOf } from "./texts.js";

const DIGITS = 16; // of a SHA-256, as many as tell all clips of a campaign apart
const WAIT_MS = 150; // browsers refuse more than a hundred changes of an address in some seconds

/** isOnTop: the newest entry of the history is the player, which was opened on this page; isLeaving: the
 * player was closed, and its entry is being left; missing: the name and value of a clip or a mail that the
 * address names and this page does not have; seen: the address that the page wrote or followed last. */
const state = { timer: 0, isStarted: false, isOnTop: false, isLeaving: false, missing: /** @type {string[]} */ ([]), seen: location.hash };

/** The controls of all filters, by the names that they have in the address. */
const filters = () => [...byId("tools").querySelectorAll("input, select")].map((found) => {
  const name = found.id.replace(/^f-/, "");
  return { name, field: control(name) };
});

/** @param {HTMLInputElement | HTMLSelectElement} field */
const isBox = (field) => field instanceof HTMLInputElement && field.type === "checkbox";

/** The place as the page is now. */
function placeNow() {
  const place = new URLSearchParams();
  for (const { name, field } of filters()) {
    if (field instanceof HTMLInputElement && isBox(field)) {
      if (field.checked) place.set(name, "1");
    } else if (field.value && field.value !== firstValue(field)) place.set(name, field.value);
  }
  const row = lastRow();
  if (row?.clip.sha256) place.set("clip", row.clip.sha256.slice(0, DIGITS));
  else if (row) place.set("mail-of", row.mail.id);
  else if (state.missing.length) place.set(state.missing[0], state.missing[1]); // no other clip takes its place
  if (playerRow()) place.set("player", "1");
  return String(place);
}

/** @param {HTMLInputElement | HTMLSelectElement} field */
const firstValue = (field) => (field instanceof HTMLSelectElement ? field.options[0]?.value : "");

/**
 * What a press of Back undoes, as text: the filters that were chosen. What is typed and the clip that the keys
 * act on change too often for that.
 * @param {URLSearchParams} place
 */
const stepOf = (place) => [...place].filter(([name]) => !["text", "clip", "mail-of", "player"].includes(name)).join();

function write() {
  clearTimeout(state.timer);
  const place = placeNow();
  const before = new URLSearchParams(location.hash.slice(1));
  const isOpened = playerRow() !== null && !before.has("player");
  const isClosed = playerRow() === null && before.has("player");
  // another address may have come, which the page follows next
  if (place === location.hash.slice(1) || state.isLeaving || location.hash !== state.seen) return;
  try {
    if (isClosed && state.isOnTop) {
      state.isLeaving = true;
      history.back(); // so that Back does not open the player again
    } else if (state.isStarted && (isOpened || stepOf(new URLSearchParams(place)) !== stepOf(before))) {
      history.pushState(null, "", `#${place}`);
      state.isOnTop = isOpened;
    } else history.replaceState(null, "", `#${place}`);
  } catch {
    // the address is then that of a moment ago
  }
  state.seen = location.hash;
}

/** Bring the address of this entry up to date, before the page goes away. */
function writeHere() {
  clearTimeout(state.timer);
  try {
    history.replaceState(null, "", `#${placeNow()}`);
    state.seen = location.hash;
  } catch {
    // the address is then that of a moment ago
  }
}

/** Bring the address up to date, soon. */
export function notePlace() {
  if (!state.isStarted) return;
  clearTimeout(state.timer);
  state.timer = setTimeout(write, WAIT_MS);
}

/** Set the filters that an address names, and no others. */
function readFilters() {
  const place = new URLSearchParams(location.hash.slice(1));
  for (const { name, field } of filters()) {
    const value = place.get(name);
    if (field instanceof HTMLInputElement && isBox(field)) field.checked = value === "1";
    else if (field instanceof HTMLSelectElement) {
      const isKnown = [...field.options].some((option) => option.value === value);
      field.value = isKnown && value !== null ? value : firstValue(field);
    } else field.value = value ?? "";
  }
}

/** Go to the clip or the mail that an address names. */
function goToNamed() {
  const place = new URLSearchParams(location.hash.slice(1));
  const [name, value] = [...place].find(([each]) => each === "clip" || each === "mail-of") ?? [];
  if (!place.has("player")) closePlayer();
  state.missing = [];
  if (name === undefined || value === undefined) return;
  const row = name === "mail-of" ? mailRow(value) : /^[0-9a-f]{8,64}$/.test(value) ? clipRowByPrefix(value) : null;
  if (!row) {
    closePlayer();
    forgetRow();
    Object.assign(state, { missing: [name, value], isOnTop: false });
    explain(textOf(`place.no_${name === "clip" ? "clip" : "mail"}`));
    return;
  }
  rememberRow(row); // a filter may hide it; the keys then go on from where it would be
  goToCurrent(row);
  if (!place.has("player") || playerRow() === row) return;
  if (!currentRow()) explain(textOf("place.hidden"));
  else if (isPlayable(row)) openPlayer();
  else {
    closePlayer();
    rememberRow(row);
    explain(textOf("why.no_film"));
  }
}

/** Go to where the address leads. Back from the player leaves the list at the clip that was shown last. */
function followAddress() {
  state.seen = location.hash;
  const isBackFromPlayer = state.isOnTop && !new URLSearchParams(location.hash.slice(1)).has("player");
  if (state.isLeaving || isBackFromPlayer) {
    // the player that we left may be open again, with the next clip
    if (!state.isLeaving) closePlayer();
    Object.assign(state, { isLeaving: false, isOnTop: false });
    write();
    return;
  }
  if (location.hash && !location.hash.includes("=")) return; // a part of the page, not a place in the list
  readFilters();
  showFiltered();
  goToNamed();
}

export function startPlace() {
  followAddress();
  state.isStarted = true;
  window.addEventListener("hashchange", followAddress);
  window.addEventListener("pagehide", writeHere);
  // a reload asks first where decisions are not saved, and then leaves from here
  window.addEventListener("beforeunload", writeHere);
}
