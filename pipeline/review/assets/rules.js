// Rules that the program has in Python, too: in pipeline/review/rules.py, pipeline/clip_order.py and
// pipeline/render. Nothing here touches the page. tests/page_rules.json has cases for both.

/**
 * @typedef {import("./data.js").Review} Review
 * @typedef {import("./data.js").ConsentState} ConsentState
 */

/**
 * Whether there is a finished clip that a reviewer can decide on. A photo for which its film stands
 * has none.
 * @param {Pick<import("./data.js").Clip, "status" | "outputs" | "metadata" | "pair">} clip
 */
export const isDecidable = (clip) =>
  clip.status === "accepted" && clip.outputs.length > 0 && clip.metadata.clean === true && !clip.pair;

/**
 * Whether a decidable clip with this decision goes into the montage. One that its sender may take back
 * stays out, whatever was decided, until a person has dealt with that mail.
 * @param {import("./data.js").Decision} decision
 * @param {boolean} isApprovalRequired [review] required of the configuration
 * @param {string[]} heldBy the mails that take it back
 * @param {boolean} isAllowed by the consent of its sender
 */
export function isAdmittedBy(decision, isApprovalRequired, heldBy, isAllowed) {
  if (heldBy.length || !isAllowed) return false;
  return isApprovalRequired ? decision === "approved" : decision !== "rejected" && decision !== "held";
}

/**
 * The consent for a clip that came in mails with these consents: the strictest.
 * @param {ConsentState[]} consents
 * @returns {ConsentState}
 */
export function combinedConsent(consents) {
  const order = /** @type {const} */ (["no", "asked", "unknown", "yes", "yes-with-name"]);
  return order.find((state) => consents.includes(state)) ?? "unknown";
}

/**
 * Whether a consent lets a clip into the montage.
 * @param {ConsentState} consent
 * @param {boolean} isNeeded [review] consent of the configuration is "required"
 */
export function allowsClip(consent, isNeeded) {
  return isNeeded ? consent === "yes" || consent === "yes-with-name" : consent !== "no";
}

/**
 * Whether a sender has not answered on consent. If none is needed, only those wait that were asked.
 * @param {ConsentState} consent
 * @param {import("./data.js").Decision} decision
 * @param {boolean} isNeeded
 */
export function waitsForConsent(consent, decision, isNeeded) {
  return decision !== "rejected" && (consent === "asked" || (isNeeded && consent === "unknown"));
}

/**
 * Whether a clip that was withheld, because a face may be seen, was approved by somebody who watched it
 * to its end: one and the same person. Any other clip is released.
 * @param {string[]} warnings of the clip
 * @param {Pick<Review, "decision" | "seen_by" | "agreed_by">} review
 */
export function isReleased(warnings, { decision, seen_by: seenBy = [], agreed_by: agreedBy = [] }) {
  if (!warnings.includes("withheld")) return true;
  const [seen, agreed] = [people(seenBy), people(agreedBy)];
  return decision === "approved" && people([...seen, ...agreed]).length < seen.length + agreed.length;
}

/**
 * What a review hides, as text: equal for equal masks and changes of the sound, "" for none.
 * @param {Pick<Review, "masks" | "sounds">} review
 */
export function hiddenText({ masks = [], sounds = [] }) {
  if (!masks.length && !sounds.length) return "";
  return JSON.stringify([
    masks.map(({ points, shape, fill, from_s, to_s, frame = "" }) =>
      [points.map(({ at_s, x, y, width, height }) => [at_s, x, y, width, height]), shape, fill, from_s, to_s, frame]),
    sounds.map(({ kind, from_s, to_s }) => [kind, from_s, to_s]),
  ]);
}

/**
 * Whether a part of the picture may not be seen: by masks, for a person, or by a cut.
 * @param {Pick<Review, "masks" | "protect" | "in_s" | "out_s">} review
 */
export const hidesPicture = ({ masks = [], protect = "none", in_s: from, out_s: to }) =>
  masks.length > 0 || protect !== "none" || from !== null || to !== null;

/**
 * What the review of a clip that looks the same hides, and this one does not. A mark that a mask is needed
 * counts until this one has a mask or the mark.
 * @param {Review} review
 * @param {Review} other
 */
export function lacking(review, other) {
  const order = ["none", "public", "known"];
  const has = (/** @type {Review} */ { masks = [], sounds = [], needs = [], protect = "none" }) => ({
    masks: masks.length > 0, sounds: sounds.length > 0, needs: needs.includes("needs-blur"), protect: order.indexOf(protect),
  });
  const [here, there] = [has(review), has(other)];
  const told = /** @type {const} */ ([
    ["masks", there.masks && !here.masks], ["sounds", there.sounds && !here.sounds], ["protect", there.protect > here.protect],
    ["needs-blur", there.needs && !there.masks && !here.masks && !here.needs],
  ]);
  return told.filter(([, isSo]) => isSo).map(([name]) => name);
}

/**
 * Each person once, as the name was written first. No name is nobody.
 * @param {string[]} names
 */
export function people(names) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const name of names) {
    const seen = name.normalize("NFKC").replace(/\p{Cf}/gu, "").toUpperCase().toLowerCase();
    const key = seen.normalize("NFKC").split(/\s+/).filter(Boolean).join(" ");
    if (key && !found.has(key)) found.set(key, name);
  }
  return [...found.values()];
}

/**
 * Whether two people must approve a clip as it is: somebody is hidden from people who know them, or the
 * category was chosen for it, by the mail or by a reviewer.
 * @param {"mail" | "review" | undefined} reason why two people were needed when the page was made
 * @param {Review} review
 * @param {string[]} fourEyes the chosen categories
 */
export const needsTwo = (reason, { protect, category }, fourEyes) =>
  reason === "mail" || protect === "known" || (category !== null && fourEyes.includes(category));

/**
 * Whether a review lets its clip into a film: nothing has to be done first, and enough people approved it.
 * @param {Review} review
 * @param {boolean} isForTwo two people must approve it
 */
export const isReady = ({ needs = [], agreed_by: agreed = [] }, isForTwo) =>
  !needs.length && (!isForTwo || people(agreed).length >= 2);

/**
 * A changed review with those who approved it and have seen it. Somebody who approved or saw
 * something else has to do it again.
 * @param {Review} before
 * @param {Review} after
 * @param {{ by: string, watched: boolean, approved: boolean }} act who changed it, whether they watched the
 *   clip to its end, and whether they pressed approve
 * @returns {Review}
 */
export function settledReview(before, after, { by, watched, approved }) {
  const shown = (/** @type {Review} */ it) =>
    JSON.stringify([it.caption, it.category, it.in_s, it.out_s, it.protect ?? "none", hiddenText(it)]);
  const isSame = shown(before) === shown(after);
  const earlier = isSame && before.decision === "approved" ? before.agreed_by ?? [] : [];
  const agreed = after.decision === "approved" ? [...earlier, ...(approved ? [by] : [])] : [];
  const seen = [...(isSame ? before.seen_by ?? [] : []), ...(watched ? [by] : [])];
  return { ...after, agreed_by: [...new Set(agreed)], seen_by: [...new Set(seen)] };
}

/**
 * Whether two reviews say the same. Who made them, and when, does not count.
 * @param {Review} one
 * @param {Review} other
 */
export function isSameDecision(one, other) {
  const lists = ({ needs = [], agreed_by: agreed = [], seen_by: seen = [] } = /** @type {Review} */ ({})) =>
    JSON.stringify([needs, agreed, seen]);
  return one.decision === other.decision && one.note === other.note
    && one.caption === other.caption && one.category === other.category
    && one.in_s === other.in_s && one.out_s === other.out_s
    && (one.protect ?? "none") === (other.protect ?? "none") && lists(one) === lists(other)
    && hiddenText(one) === hiddenText(other)
    && (one.stars ?? 0) === (other.stars ?? 0)
    && JSON.stringify(one.tags ?? []) === JSON.stringify(other.tags ?? [])
    && isSameComments(one, other);
}

/**
 * Whether two reviews have the same comments, in whatever order, and the same of them are resolved.
 * @param {Review} one
 * @param {Review} other
 */
function isSameComments(one, other) {
  const [ids, others] = [one, other].map(({ comments }) =>
    (comments ?? []).map(({ id, resolved_by: by }) => `${id} ${by}`).sort().join());
  return ids === others;
}

/**
 * Round to a whole number; a half goes to the even neighbour, as in Python and not as in Math.round.
 * @param {number} value
 */
function roundHalfToEven(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/**
 * How many frames of a clip are shown between its in and out points.
 * @param {Pick<import("./data.js").Output, "fps" | "frames">} output
 * @param {Pick<Review, "in_s" | "out_s">} review
 * @param {number} most the greatest number of frames that the montage shows of a clip; 0: all
 */
export function shownFrames({ fps, frames }, { in_s: from, out_s: to }, most = 0) {
  const start = from === null ? 0 : Math.min(roundHalfToEven(from * fps), frames);
  const stop = to === null ? frames : Math.min(roundHalfToEven(to * fps), frames);
  const length = Math.max(0, stop - start);
  return most ? Math.min(length, most) : length;
}

/**
 * The frame with which each clip of the montage begins, and the length of the whole. Neighbours
 * overlap in a crossfade, which is at most half as long as the shorter of them.
 * @param {number[]} lengths in frames
 * @param {number} fade the length of a crossfade in frames; 0: hard cuts
 */
export function montageStarts(lengths, fade) {
  /** @type {number[]} */
  const starts = [];
  let end = 0;
  lengths.forEach((length, index) => {
    const before = index ? lengths[index - 1] : 0;
    const start = end - Math.min(fade, Math.floor(before / 2), Math.floor(length / 2));
    starts.push(start);
    end = start + length;
  });
  return { starts, frames: end };
}

/**
 * The text of an order file, as `footage render` reads it.
 * @param {{ sha256: string, pinned: boolean }[]} lines
 * @param {string[]} leftOut the SHA-256 of clips that are to stay out
 * @param {(sha256: string) => string} nameOf
 */
export function orderText(lines, leftOut, nameOf) {
  const remark = (/** @type {string} */ sha256) => nameOf(sha256).split(/\s+/).filter(Boolean).join(" ");
  return [
    ...lines.map(({ sha256, pinned }) => `${sha256}  # ${pinned ? "pinned; " : ""}${remark(sha256)}\n`),
    ...leftOut.map((sha256) => `# left out: ${sha256}  ${remark(sha256)}\n`),
  ].join("");
}
