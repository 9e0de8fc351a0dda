// What the server or the report command put into the page: the report, further facts, the texts.

/**
 * @typedef {"approved" | "held" | "rejected" | "undecided"} Decision
 * @typedef {"accepted" | "rejected" | "duplicate" | "failed" | "pending" | "withdrawn"} Status
 * @typedef {{ by: string, at: string }} Handled who has dealt with a mail
 *
 * The fields of these types are those of report.json; docs/report-schema.md explains each.
 * @typedef {{
 *   decision: Decision, note: string, by: string, at: string | null,
 *   caption: string | null, category: string | null, in_s: number | null, out_s: number | null,
 *   comments?: Comment[], tags?: string[], stars?: number,
 *   masks?: Mask[], sounds?: SoundChange[], protect?: Protect, needs?: Need[], agreed_by?: string[], seen_by?: string[],
 * }} Review
 * @typedef {"none" | "public" | "known"} Protect from whom somebody is hidden
 * @typedef {"needs-blur" | "ask-the-sender"} Need
 *
 * An area in fractions of the source picture, or of the `frame` of its mask; `x` and `y` are its left and
 * upper side.
 * @typedef {{ x: number, y: number, width: number, height: number }} Area
 * @typedef {Area & { at_s: number }} MaskPoint
 * @typedef {{
 *   points: MaskPoint[], shape: "rectangle" | "ellipse", fill: "solid" | "blur",
 *   from_s: number, to_s: number | null, origin: "hand" | "face", by?: string, frame?: string,
 * }} Mask
 * @typedef {{ kind: "mute" | "disguise", from_s: number, to_s: number | null }} SoundChange
 * @typedef {{
 *   id: string, text: string, from_s: number | null, to_s: number | null, by: string, at: string, resolved_by: string,
 * }} Comment
 * @typedef {{
 *   path: string, width: number, height: number, fps: number, frames: number,
 *   duration_s: number, loudness_lufs: number | null, source_at?: Area & { moves: number }, frame?: string,
 * }} Output
 * @typedef {{
 *   width: number, height: number, fps: number | null, duration_s: number | null,
 *   rotation: number, hdr: boolean, audio_codec: string | null, loudness_lufs?: number | null,
 *   missing_percent?: number | null,
 * }} Source
 * @typedef {{
 *   sha256: string | null, submission: string, parent: string | null, filename: string,
 *   kind: "video" | "image" | "archive" | "other", status: Status,
 *   waits: "sender-hours" | "night-over" | "disk" | null,
 *   reason: { code: string, detail: string } | null, duplicate_of: string | null, pair?: string | null,
 *   metadata: { found: { carrier: string, what: string }[], clean: boolean | null },
 *   source: Source | null, caption: string, category: string | null, warnings: string[],
 *   outputs: Output[], review: Review, held_by: string[], faces?: Mask[], to_be_made_anew?: true, hidden_with_film?: true, original_deleted?: true,
 *   two_people?: "mail" | "review", decided?: { by: string[], at: string | null },
 * }} Clip
 * @typedef {{
 *   id: string, sender: string, subject: string, text: string, received_at: string, notes: string[],
 *   clips: number, links: string[], needs_answer: string[], answers: string | null, wrote_again: string[],
 *   handled: Handled | null, sender_number: number | null, sender_name: string,
 *   consent: Consent & { proposed: ConsentProposal | null },
 * }} Submission
 * @typedef {"unknown" | "asked" | "yes" | "yes-with-name" | "no"} ConsentState
 * @typedef {{ state: ConsentState, name: string, place: string, by: string, at: string | null }} Consent
 * @typedef {{ state: ConsentState | null, language: string, sentence: string, mail: string, files?: string[] }} ConsentProposal
 * @typedef {{ inbox: string, name: string, received_at: string | null, size: number, why: string, sender: string, sender_number: number | null }} MailInInbox
 * @typedef {{ mails: MailInInbox[], not_read: string[], remarks: { inbox: string, text: string }[] }} InInbox
 * @typedef {{
 *   campaign: string, generated_at: string, totals: Record<Status, number>, inbox: InInbox, not_stored: string[],
 *   submissions: Submission[], clips: Clip[],
 * }} Report
 *
 * One entry of the audit trail, with the fields that it changed.
 * @typedef {{
 *   sha256: string, at: string, by: string, undoes: boolean,
 *   before: Partial<Review>, after: Partial<Review>,
 * }} TrailEvent
 *
 * @typedef {{
 *   required: boolean, needs_consent: boolean, four_eyes: string[], music: boolean, old_packs: string[], is_ledger_older: boolean, missed_receipts: string[], knows: number, loudness_lufs: number, new: string[], categories: string[],
 *   trail: TrailEvent[], live: LiveReview | null,
 * }} Facts
 *
 * What a served page begins with; `keys` has the key of each clip's files; `mine` are the clips that are
 * proposed to the person at this page, null if nobody shares them.
 * @typedef {{
 *   counter: number, counts: { attachments: number, clips: number }, by: string, is_named: boolean,
 *   role: "reviewer" | "editor" | "media", mails: string, keys: Record<string, string>,
 *   mine: string[] | null,
 * }} LiveReview
 */

/** @param {string} id */
const parsed = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "");

/** @type {Report} */
export const report = parsed("report");
// the page finds out itself which look-alike hides less, since reviews change while it is open
for (const clip of report.clips) clip.warnings = clip.warnings.filter((warning) => !warning.startsWith("bare-lookalike:"));
/** @type {Facts} */
export const facts = parsed("facts");
/** @type {Record<string, string | Record<string, string>>} */
export const texts = parsed("texts");
