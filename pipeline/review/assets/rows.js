// The rows of the report, one for each attachment, and how one is found by its SHA-256.

import { facts, report } from "./data.js";
import { isDecidable } from "./rules.js";

/**
 * @typedef {{
 *   clip: import("./data.js").Clip, index: number, mail: import("./data.js").Submission,
 *   card: HTMLElement | null, searchText: string | null,
 * }} Row the card and the text for searching are made when they are needed
 */

const submissions = new Map(report.submissions.map((item) => [item.id, item]));
const newOriginals = new Set(facts.new);
/** @type {Map<string, Row>} by SHA-256: the row that the clip belongs to, never a duplicate */
const clipRows = new Map();
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

/** @type {Row[]} */
export const rows = report.clips.filter((clip) => !clip.pair).map((clip, index) => {
  const mail = /** @type {import("./data.js").Submission} */ (submissions.get(clip.submission));
  const row = { clip, index, mail, card: null, searchText: null };
  if (clip.sha256) allRows.set(clip.sha256, [...(allRows.get(clip.sha256) ?? []), row]);
  if (clip.sha256 && clip.status !== "duplicate" && !clipRows.has(clip.sha256)) clipRows.set(clip.sha256, row);
  return row;
});

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

/** @param {string | null} sha256 */
export const clipRow = (sha256) => clipRows.get(sha256 ?? "");

/** @param {string} sha256 */
export const rowsOf = (sha256) => allRows.get(sha256) ?? [];

/**
 * The file name of a clip.
 * @param {string | null} sha256
 */
export const nameOf = (sha256) => clipRow(sha256)?.clip.filename ?? "";

/** @param {Row} row */
export const isNew = (row) => newOriginals.has(row.clip.sha256 ?? "") && row.clip.status !== "duplicate";

/**
 * Whether a reviewer can decide on this row.
 * @param {Row} row
 */
export const isDecidableRow = (row) => isDecidable(row.clip);
