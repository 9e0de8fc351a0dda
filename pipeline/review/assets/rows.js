// The rows of the report: one for each attachment, and one for each mail that has to be read.

import { facts, report } from "./data.js";
import { isDecidable } from "./rules.js";
import { textOf } from "./texts.js";

/**
 * @typedef {{
 *   clip: import("./data.js").Clip, isMail: boolean, index: number, mail: import("./data.js").Submission,
 *   card: HTMLElement | null, searchText: string | null,
 * }} Row the card and the text for searching are made when they are needed. The row of a mail has a
 *   clip that holds nothing but the mail's subject as its name.
 */

const newOriginals = new Set(facts.new);
/** @type {Map<string, Row>} by SHA-256: the row that the clip belongs to, never a duplicate */
const clipRows = new Map();
/** @type {Map<string, Row>} the same, by as many digits as a warning has */
const rowsByDigits = new Map();
const DIGITS = 12;
/** @type {Map<string, Row[]>} by SHA-256: all rows of these bytes, duplicates too */
const allRows = new Map();

/** @type {Map<string, import("./data.js").Clip>} by submission and SHA-256 of a film: its photo */
const photos = new Map();
for (const clip of report.clips) if (clip.pair) photos.set(`${clip.submission} ${clip.pair}`, clip);

/**
 * The photo that a film stands for: it has no row of its own.
 * @param {Row} row
 */
export const photoOf = ({ clip }) => photos.get(`${clip.submission} ${clip.sha256}`);

/** @type {Map<string, string[]>} by SHA-256 of a photo: the films that stand for it, in any mail */
const filmsOf = new Map();
for (const { sha256, pair } of report.clips) if (sha256 && pair) filmsOf.set(sha256, [...(filmsOf.get(sha256) ?? []), pair]);

/**
 * The films that stand for a photo, in any mail.
 * @param {string | null} photo
 */
export const filmsWith = (photo) => (filmsOf.get(photo ?? "") ?? []).flatMap((film) => clipRow(film) ?? []);

/** @type {Map<string, Row>} by submission: its own row, or that of the first clip that came in it */
const mailRows = new Map();

/** @type {Row[]} */
export const rows = [];

/**
 * The empty clip in the row of a mail.
 * @param {import("./data.js").Submission} mail
 * @returns {import("./data.js").Clip}
 */
const noClip = (mail) => ({
  sha256: null, submission: mail.id, parent: null, filename: mail.subject || textOf("card.no_subject"),
  kind: "other", status: "pending", waits: null, reason: null, duplicate_of: null,
  metadata: { found: [], clean: null }, source: null, caption: "", category: null, warnings: [],
  outputs: [], held_by: [],
  review: {
    decision: "undecided", note: "", by: "", at: null, caption: null, category: null, in_s: null, out_s: null,
  },
});

/**
 * @param {import("./data.js").Submission} mail
 * @param {import("./data.js").Clip | null} clip null: the row of the mail itself
 */
function addRow(mail, clip) {
  /** @type {Row} */
  const row = {
    clip: clip ?? noClip(mail), isMail: !clip, index: rows.length, mail, card: null, searchText: null,
  };
  rows.push(row);
  if (!mailRows.has(mail.id)) mailRows.set(mail.id, row);
  if (!clip?.sha256) return;
  allRows.set(clip.sha256, [...(allRows.get(clip.sha256) ?? []), row]);
  if (clip.status === "duplicate" || clipRows.has(clip.sha256)) return;
  clipRows.set(clip.sha256, row);
  rowsByDigits.set(clip.sha256.slice(0, DIGITS), row);
}

/** @type {Map<string, import("./data.js").Clip[]>} by submission */
const clipsOf = new Map();
for (const clip of report.clips) {
  if (clip.pair) continue;
  const others = clipsOf.get(clip.submission);
  if (others) others.push(clip);
  else clipsOf.set(clip.submission, [clip]);
}
for (const mail of report.submissions) {
  const clips = clipsOf.get(mail.id) ?? [];
  // what became of a file is on its own card; the mail has one if it brought nothing or waits for an answer
  if (!clips.length || mail.needs_answer.length) addRow(mail, null);
  for (const clip of clips) addRow(mail, clip);
}

/** Whether any mail has a row of its own. */
export const hasMailRows = rows.some((row) => row.isMail);

/**
 * Where a mail is shown: its own row, or that of its first clip.
 * @param {string} id
 */
export const mailRow = (id) => mailRows.get(id);

/** The rows of all clips, in the order of the report. */
export const allClipRows = () => [...clipRows.values()];

/**
 * The first clip whose SHA-256 begins with these digits.
 * @param {string} prefix
 */
export function clipRowByPrefix(prefix) {
  for (const [sha256, row] of clipRows) if (sha256.startsWith(prefix)) return row;
  return null;
}

/**
 * The clip that a warning "looks-like:SHA-256" names by the first digits.
 * @param {string} warning
 */
export function similarClip(warning) {
  const [code, prefix] = warning.split(":");
  if (code !== "looks-like" || !prefix) return null;
  return rowsByDigits.get(prefix) ?? null;
}

/** @param {Row} row the earlier clip that this one looks like */
const earlierLookalike = (row) => row.clip.warnings.map(similarClip).find((found) => found && found !== row);

/**
 * The clip that a clip looks like, or the first one that looks like it.
 * @param {Row} row
 */
export const lookalikeOf = (row) =>
  earlierLookalike(row) ?? allClipRows().find((other) => earlierLookalike(other) === row);

/** @type {Map<Row, Row[]>} the clips that look alike, for each of them; made when it is asked for first */
const groups = new Map();

/**
 * All other clips that look like a clip, also like one that looks like it, in the order of the report.
 * @param {Row} row
 */
export function lookalikesOf(row) {
  if (!groups.size) {
    for (const each of allClipRows()) groups.set(each, [each]);
    for (const each of allClipRows()) {
      const earlier = isPlayable(each) && earlierLookalike(each);
      const both = earlier && isPlayable(earlier) ? new Set([...groups.get(earlier) ?? [], ...groups.get(each) ?? []]) : [];
      const group = [...both].sort((one, other) => one.index - other.index);
      for (const one of group) groups.set(one, group);
    }
  }
  return (groups.get(row) ?? []).filter((other) => other !== row);
}

/** Whether any clip looks like another one. */
export const hasLookalikes = () => allClipRows().some((row) => lookalikesOf(row).length > 0);

/** @param {string | null} sha256 */
export const clipRow = (sha256) => clipRows.get(sha256 ?? "");

/** @param {string} sha256 */
export const rowsOf = (sha256) => allRows.get(sha256) ?? [];

/**
 * The file name of a clip.
 * @param {string | null} sha256
 */
export const nameOf = (sha256) => clipRow(sha256)?.clip.filename ?? "";

const myShare = new Set(facts.live?.mine);
/** Whether several reviewers share the clips. */
export const isShared = Boolean(facts.live?.mine);

/**
 * Whether a clip is proposed to the person at this page.
 * @param {Row} row
 */
export const isMine = (row) => myShare.has(row.clip.sha256 ?? "");

/** @param {Row} row */
export const isNew = (row) => newOriginals.has(row.clip.sha256 ?? "") && row.clip.status !== "duplicate";

/**
 * Whether there is a film of this row.
 * @param {Row} row
 */
export const isPlayable = ({ clip }) => clip.status === "accepted" && clip.outputs.length > 0;

/**
 * Whether nothing is to be done with this row: it was refused, or its sender took it back.
 * @param {Row} row
 */
export const isSettled = ({ clip }) => clip.status === "rejected" || clip.status === "withdrawn";

/**
 * Whether a reviewer can decide on this row.
 * @param {Row} row
 */
export const isDecidableRow = (row) => isDecidable(row.clip);
