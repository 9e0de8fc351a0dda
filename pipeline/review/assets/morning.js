// The morning page: what is new, what waits for whom, how long the montage is now.

import { isBare } from "./alike.js";
import { attentionItem } from "./attention.js";
import { isConsentUsed } from "./consents.js";
import { facts, report } from "./data.js";
import { byId, element, makeButton, textAround } from "./dom.js";
import { listInInbox } from "./in_inbox.js";
import { showOnly } from "./list.js";
import { countOpen, heldBy, MATTERS } from "./mails.js";
import { showPlots } from "./plots.js";
import { isAdmitted, isWaiting, shownSeconds, silentMails } from "./reviews.js";
import { isDecidableRow, isMine, isNew, isShared, rows } from "./rows.js";
import { adviceOn, momentText, numberFormat, textOf, textOfCode, timeText } from "./texts.js";

/** The figures, first those that ask somebody to do something today, with the filters that a press on each sets; null: it is not a button. */
const FIGURES = /** @type {const} */ ([
  ["waiting", { status: "waiting" }], ["mine", { status: "mine" }], ["answer", { mail: "open" }], ["consent", { status: "consent" }],
  ["failed", { status: "failed" }], ["new", { status: "new" }], ["refused", { status: "rejected" }], ["montage", null],
]);
const NAMED = 20; // in a notice
/** @typedef {typeof FIGURES[number][0]} FigureName */

/** @type {Map<FigureName, { figure: HTMLElement, value: HTMLElement, below: HTMLElement }>} */
const places = new Map();

function makeFigures() {
  for (const [name, filters] of FIGURES) {
    if ((name === "consent" && !isConsentUsed()) || (name === "mine" && !isShared)) continue;
    const value = element("span", { class: "value" });
    const below = element("span", { class: "sub" });
    const parts = [element("span", { class: "label" }, textOf(`figure.${name}`)), value, below];
    const figure = filters ? makeButton(`figure ${name}`, {}, ...parts) : element("div", { class: `figure ${name}` }, ...parts);
    if (filters) figure.addEventListener("click", () => showOnly(filters));
    places.set(name, { figure, value, below });
    byId("figures").append(figure);
  }
}

/** Count again. The figures of decisions change while the page is open. */
export function countFigures() {
  const waiting = rows.filter(isWaiting).length;
  const mine = rows.filter((row) => isWaiting(row) && isMine(row)).length;
  const admitted = rows.filter(isAdmitted);
  const seconds = admitted.reduce((sum, row) => sum + shownSeconds(row), 0);
  const { rejected, failed } = report.totals;
  const open = countOpen().all;
  const silent = new Set(rows.flatMap(silentMails)).size;
  /** @type {Record<FigureName, [string, string]>} */
  const figures = {
    new: [numberFormat.format(rows.filter(isNew).length), textOf("figure.new.sub")],
    waiting: [numberFormat.format(waiting), textOf(waiting ? "figure.waiting.sub" : rows.some(isDecidableRow) ? "figure.waiting.sub.none" : "figure.waiting.sub.empty")],
    mine: [textOf("figure.mine.of", { mine, n: waiting }), textOf(mine ? "figure.mine.sub" : "figure.mine.sub.none")],
    refused: [numberFormat.format(rejected), textOf("figure.refused.sub", { n: rejected })],
    failed: [numberFormat.format(failed), textOf(failed ? "figure.failed.sub" : "figure.failed.sub.none")],
    consent: [numberFormat.format(silent), textOf(silent ? "figure.consent.sub" : "figure.consent.sub.none", { n: silent })],
    answer: [numberFormat.format(open), textOf(open ? "figure.answer.sub" : "figure.answer.sub.none", { n: open })],
    montage: [timeText(seconds), textOf("figure.montage.sub", { n: admitted.length })],
  };
  /** @type {string[]} */
  const none = [];
  for (const [name, { figure, value, below }] of places) {
    [value.textContent, below.textContent] = figures[name];
    const isZero = value.textContent === numberFormat.format(0);
    value.classList.toggle("zero", isZero);
    figure.classList.toggle("is-empty", isZero);
    if (isZero) none.push(textOf(`figure.${name}`));
  }
  byId("no-figures").textContent = none.length ? textOf("figure.none", { names: none.join(" · ") }) : "";
}

/**
 * Fill a list of what needs attention, or say that nothing does.
 * @param {HTMLElement} list
 * @param {HTMLElement[]} items
 * @param {string} none
 */
function fillAttention(list, items, none) {
  list.replaceChildren(...(items.length ? items : [element("li", { class: "none" }, none)]));
  list.parentElement?.classList.toggle("is-empty", !items.length); // a phone leaves it out
}

/** List the refused and failed by reason, the failed first, each with what to do about it. */
function listAttention() {
  /** @type {Map<string, { code: string, n: number, isFailure: boolean }>} */
  const reasons = new Map();
  for (const { clip: { reason, status } } of rows) {
    if (!reason || (status !== "failed" && status !== "rejected")) continue;
    const entry = reasons.get(reason.code) ?? { code: reason.code, n: 0, isFailure: status === "failed" };
    entry.n += 1;
    reasons.set(reason.code, entry);
  }
  const ordered = [...reasons.values()]
    .sort((a, b) => Number(b.isFailure) - Number(a.isFailure) || b.n - a.n);
  const items = ordered.map(({ code, n, isFailure }) => {
    const button = makeButton("link", {}, textOfCode("reason", code));
    button.addEventListener("click", () => showOnly({ reason: code }));
    return attentionItem(isFailure ? "failed" : "rejected", n, button, adviceOn(code));
  });
  const { pending } = report.totals;
  if (pending) {
    items.push(attentionItem("pending", pending, textOf("attention.pending", { n: pending }), textOf("attention.pending.do")));
  }
  fillAttention(byId("attention"), items, textOf("attention.none"));
}

/** List the mails that wait for an answer by reason, and the clips that are held until one is read. */
export function listMailsToAnswer() {
  const { byMatter } = countOpen();
  const items = MATTERS.filter((matter) => byMatter.has(matter)).map((matter) => {
    const button = makeButton("link", {}, textOfCode("matter", matter));
    button.addEventListener("click", () => showOnly({ mail: matter }));
    return attentionItem(matter, byMatter.get(matter) ?? 0, button, textOfCode("answer", matter));
  });
  const held = rows.filter((row) => isDecidableRow(row) && heldBy(row.clip).length).length;
  if (held) items.push(attentionItem("held", held, textOf("attention.held", { n: held }), textOf("attention.held.do")));
  fillAttention(byId("mails-to-answer"), items, textOf("attention.mails.none"));
}

/**
 * Say what was not done, or what shows too much elsewhere.
 * @param {string} id
 * @param {string[]} names
 * @param {"packs.old" | "receipts.missed" | "not_stored" | "alike.in_films"} key
 */
function giveNotice(id, names, key) {
  const n = names.length;
  byId(id).hidden = !n;
  if (n) byId(id).textContent = textOf(key, { n, names: names.slice(0, NAMED).join(", ") + (n > NAMED ? ", …" : "") });
}

/** Name the clips of films that show what is hidden in a clip that looks like them. */
export function nameBareClips() {
  const bare = rows.filter((row) => isBare(row) && isAdmitted(row));
  giveNotice("bare-clips", bare.map((row) => row.clip.filename), "alike.in_films");
  if (!bare.length) return;
  const button = makeButton("link", {}, textOf("alike.show"));
  button.addEventListener("click", () => showOnly({ status: "bare" }));
  byId("bare-clips").append(" ", button);
}

/** Say that an older ledger was put back: clips that were taken back since may be here again. */
function nameOlderLedger() {
  byId("ledger-older").hidden = !facts.is_ledger_older;
  if (facts.is_ledger_older) byId("ledger-older").textContent = textOf(facts.live ? "ledger.older" : "ledger.older.file");
}

export function startMorning() {
  nameOlderLedger();
  const at = report.generated_at;
  byId("asof").replaceChildren(...(facts.live ? [textOf("asof.live")]
    : textAround("asof", "when", element("time", { datetime: at }, momentText(at)))));
  makeFigures();
  countFigures();
  listAttention();
  listMailsToAnswer();
  listInInbox();
  nameBareClips();
  giveNotice("old-packs", facts.old_packs.map(momentText), "packs.old");
  giveNotice("missed-receipts", facts.missed_receipts, "receipts.missed");
  giveNotice("not-stored", report.not_stored, "not_stored");
  showPlots();
}
