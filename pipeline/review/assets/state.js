// What the page knows: the report, the words, and the decisions made on this page.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const report = read("report");
const facts = read("facts");
const texts = read("texts");
const plurals = new Intl.PluralRules(texts.locale);
const $ = (id) => document.getElementById(id);

/** The words of a key, with its {slots} filled; a plural is chosen by values.n. */
function t(key, values = {}) {
  let text = texts[key];
  if (text && typeof text === "object") text = text[plurals.select(values.n)] || text.other;
  return (text === undefined ? key : text).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** The words of a code that a newer program may have invented. */
const word = (family, code) => (texts[`${family}.${code}`] === undefined ? code : t(`${family}.${code}`));

const number = new Intl.NumberFormat(texts.locale);
const day = new Intl.DateTimeFormat(texts.locale, { day: "numeric", month: "short", timeZone: "UTC" });
const moment = new Intl.DateTimeFormat(texts.locale, {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
});

/** Seconds as m:ss or h:mm:ss. */
function clock(seconds) {
  const whole = Math.round(seconds);
  const two = (part) => String(part).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}

/** A number with one decimal and a true minus sign. */
const decimal = (value) => value.toFixed(1).replace("-", "−");

const submissions = new Map(report.submissions.map((item) => [item.id, item]));
const fresh = new Set(facts.new);
// by SHA-256: as it stands in the ledger, as it is on this page, how often the ledger refused
const reviews = new Map();
const firsts = new Map(); // by SHA-256: the row whose clip it is
const showing = new Map(); // by SHA-256: all rows that show the clip, duplicates among them
const trails = new Map(); // by SHA-256: who decided what and when, oldest first

const rows = report.clips.map((clip, index) => {
  const row = { clip, index, mail: submissions.get(clip.submission), card: null, hay: null };
  if (clip.sha256 && !reviews.has(clip.sha256)) {
    reviews.set(clip.sha256, { saved: clip.review, now: clip.review, refused: 0 });
  }
  if (clip.sha256) showing.set(clip.sha256, [...(showing.get(clip.sha256) || []), row]);
  if (clip.sha256 && clip.status !== "duplicate" && !firsts.has(clip.sha256)) {
    firsts.set(clip.sha256, row);
  }
  return row;
});
const named = new Map([...firsts].map(([sha256, row]) => [sha256, row.clip.filename]));

/** Add events to the trails; the clips that they are of. */
function remember(events) {
  for (const event of events) trails.set(event.sha256, [...(trails.get(event.sha256) || []), event]);
  return new Set(events.map((event) => event.sha256));
}
remember(facts.trail);

const blank = {
  decision: "undecided", note: "", by: "", at: null,
  caption: null, category: null, in_s: null, out_s: null,
};
const reviewOf = (row) => (row.clip.sha256 ? reviews.get(row.clip.sha256).now : blank);
const isNew = (row) => fresh.has(row.clip.sha256) && row.clip.status !== "duplicate";

/** Whether there is a finished clip on this row that a reviewer can decide on. */
const decidable = (row) =>
  row.clip.status === "accepted" && row.clip.outputs.length > 0 && row.clip.metadata.clean === true;
const isWaiting = (row) => decidable(row) && reviewOf(row).decision === "undecided";

/** Whether the clip goes into the montage, by the rule of the configuration. */
function isAdmitted(row) {
  if (!decidable(row)) return false;
  const { decision } = reviewOf(row);
  return facts.required ? decision === "approved" : decision !== "rejected" && decision !== "held";
}

/** How long the clip runs between its in and out points, in seconds. */
function runs(row) {
  if (!row.clip.outputs.length) return 0;
  const whole = row.clip.outputs[0].duration_s;
  const review = reviewOf(row);
  return Math.max(0, Math.min(review.out_s ?? whole, whole) - (review.in_s ?? 0));
}

/** An element with attributes and children; strings become text, never markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** One of the page's own icons; it says nothing that the words beside it do not. */
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Something that a sender or a reviewer wrote, kept apart from the direction of our words. */
const quoted = (text) => make("bdi", {}, text);

/** Our words with something quoted in one of the slots. */
function around(key, slot, text) {
  const [before, after] = t(key, { [slot]: "\u0000" }).split("\u0000");
  return [before, quoted(text), after];
}

function say(text) {
  $("said").textContent = text;
}
