// One card for each row: made when the reader comes near to it, refreshed when its review changes.
// Cards only show. What a press on them does is in card_actions.js.

import { filmOf, stillOf } from "./addresses.js";
import { bareParts } from "./alike.js";
import { consentHoldParts, refreshConsentBox } from "./consent_box.js";
import { byId, element, fillOrHide, find, icon, makeButton, quoted, textAround } from "./dom.js";
import { cutText, isCut, spanOfRow } from "./cuts.js";
import { fillFields, makeFields } from "./fields.js";
import { refreshHistory } from "./history.js";
import { keptOutParts } from "./kept_out.js";
import { clampText, holdParts, makeMailCard, noteItems, refreshMailCard, relationParts, senderParts } from "./mail_cards.js";
import { startPlaying } from "./playing.js";
import { decidersOf, decisionHere, isForTwo, isPhotoHidden, isUnsaved, openComments, reviewOf } from "./reviews.js";
import { clipRow, filmsWith, isDecidableRow, isPlayable, lookalikesOf, nameOf, photoOf, similarClip } from "./rows.js";
import { people } from "./rules.js";
import {
  adviceOn, momentText, numberFormat, oneDecimal, textOf, textOfCode, timeText,
} from "./texts.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./data.js").Clip} Clip
 * @typedef {(string | Node)[]} Parts
 */

/** The decisions that a reviewer can make, each with its icon. */
export const DECISIONS = /** @type {const} */ ([["approved", "check"], ["held", "pause"], ["rejected", "cross"]]);

/** @type {Record<string, string>} */
const STATE_ICONS = {
  accepted: "check", rejected: "cross", failed: "warn", duplicate: "same", pending: "clock",
  withdrawn: "cross", approved: "check", held: "pause",
};

/**
 * The picture of a card: the clip to play, the still of a duplicate, or none.
 * @param {Row} row
 */
function mediaOf(row) {
  const { clip } = row;
  if (!clip.outputs.length) return null;
  const [output] = clip.outputs;
  const still = stillOf(clip.duplicate_of ?? clip.sha256);
  if (!isPlayable(row)) return element("img", { src: still, alt: "", loading: "lazy" });
  const video = element("video", {
    controls: "", preload: "none", playsinline: "", poster: still, src: filmOf(clip, output),
    width: String(output.width), height: String(output.height),
    "aria-label": textOf("card.video", { name: clip.filename }),
  });
  startPlaying(video, () => spanOfRow(row));
  video.addEventListener("play", () => video.classList.add("touched"), { once: true });
  const large = makeButton("enlarge", {
    "data-enlarge": "", "aria-label": textOf("player.open_of", { name: clip.filename }),
  }, icon("large"), textOf("player.open"));
  return element("div", { class: "frame" }, video, playCover(video), large);
}

/**
 * The large play sign over a still. Screen readers use the video's own controls.
 * @param {HTMLVideoElement} video
 */
function playCover(video) {
  const sign = icon("play");
  sign.setAttribute("class", "glyph");
  const cover = element("div", { class: "cover", "aria-hidden": "true" }, sign);
  cover.addEventListener("click", () => video.play());
  return cover;
}

/** @param {Row} row */
function stateParts(row) {
  const { status } = row.clip;
  const { decision } = reviewOf(row);
  const by = decidersOf(row);
  const parts = [];
  if (!isDecidableRow(row)) parts.push(pill(`status-${status}`, STATE_ICONS[status] ?? "clock", textOfCode("status", status)));
  else if (decision === "undecided") parts.push(pill("waiting", "clock", textOf("decision.undecided")));
  else {
    parts.push(pill(`decision-${decision}`, STATE_ICONS[decision], textOf(`decision.${decision}`)));
    if (isForTwo(row) && decision === "approved") parts.push(element("span", { class: "by" }, approvalsText(row)));
    else if (by) parts.push(element("span", { class: "by" }, ...textAround("decision.by", "by", quoted(by))));
  }
  if (isUnsaved(row)) parts.push(element("span", { class: "unsaved" }, textOf("decision.unsaved")));
  return parts;
}

/**
 * How many of two people approved a clip, and who.
 * @param {Row} row
 */
function approvalsText(row) {
  const names = people(reviewOf(row).agreed_by ?? []);
  return names.length ? textOf("decision.of_two", { n: Math.min(names.length, 2), by: names.join(", ") }) : textOf("decision.none_of_two");
}

/**
 * @param {string} className
 * @param {string} iconName
 * @param {string} text
 */
const pill = (className, iconName, text) => element("span", { class: `pill ${className}` }, icon(iconName), text);

/** @param {Row} row */
function metaParts(row) {
  const { clip, mail } = row;
  /** @type {Parts} */
  const parts = [
    element("time", { datetime: mail.received_at }, momentText(mail.received_at)),
    textOfCode("kind", clip.kind),
  ];
  if (clip.source?.duration_s) parts.push(timeText(clip.source.duration_s));
  if (clip.parent && nameOf(clip.parent)) {
    parts.push(element("span", {}, ...textAround("card.inside", "name", quoted(nameOf(clip.parent)))));
  }
  const photo = photoOf(row);
  if (photo) parts.push(element("span", {}, ...textAround("card.with_photo", "name", quoted(photo.filename))));
  return parts.flatMap((part, index) => (index ? [" · ", part] : [part]));
}

/**
 * What was found, by kind: "location (EXIF position, XMP position), time (container tag)".
 * @param {Clip["metadata"]["found"]} found
 */
function foundText(found) {
  /** @type {Map<string, string[]>} */
  const carriers = new Map();
  for (const { what, carrier } of found) carriers.set(what, [...(carriers.get(what) ?? []), carrier]);
  const order = ["location", "identity", "time", "other"];
  return [...carriers].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .map(([what, names]) => textOf("what.list", { what: textOfCode("what", what), carriers: names.join(", ") }))
    .join(", ");
}

const NOT_SEARCHED = "part that was not searched";

/** @param {Clip} clip */
function sealParts(clip) {
  const unfinished = clip.metadata.found.some(({ carrier }) => carrier === NOT_SEARCHED);
  const parts = foundParts(clip, unfinished);
  return unfinished ? [...parts, ` ${textOf("seal.unfinished")}`] : parts;
}

/**
 * @param {Clip} clip
 * @param {boolean} unfinished whether a part of the original was not searched
 */
function foundParts({ metadata, status }, unfinished) {
  const found = foundText(metadata.found.filter(({ carrier }) => carrier !== NOT_SEARCHED));
  if (metadata.clean === null) return found ? [element("b", {}, textOf("seal.found")), ` ${found}`] : [];
  if (!metadata.clean) {
    return [element("span", { class: "badge unclean" }, icon("warn"), textOf("seal.not_clean")), ` ${found}`];
  }
  if (status === "withdrawn") return [];
  const badge = element("span", { class: "badge" }, icon("seal"), textOf("seal.clean"));
  if (found) return [badge, " ", element("b", {}, textOf("seal.removed")), ` ${found}`];
  return unfinished ? [badge] : [badge, ` ${textOf("seal.nothing")}`];
}

/**
 * What was done to make the clip, in the order in which it was done.
 * @param {Clip} clip
 */
function doneParts({ kind, source, outputs }) {
  const [output] = outputs;
  if (!source || !output) return [];
  const done = [];
  if (source.rotation) done.push(textOf("done.rotated", { degrees: source.rotation }));
  if (source.hdr) done.push(textOf("done.hdr"));
  if (source.width !== output.width || source.height !== output.height) {
    const isSmaller = source.width < output.width && source.height < output.height;
    const sizes = { from: `${source.width} × ${source.height}`, to: `${output.width} × ${output.height}` };
    done.push(`${textOf(isSmaller ? "done.upscaled" : "done.scaled")}, ${textOf("done.size", sizes)}`);
  }
  if (kind === "image") done.push(textOf("done.still", { n: numberFormat.format(output.duration_s) }));
  else if (source.fps && Math.abs(source.fps - output.fps) > 0.01) {
    done.push(textOf("done.rate", { from: numberFormat.format(source.fps), to: numberFormat.format(output.fps) }));
  }
  if (output.loudness_lufs !== null && source.audio_codec) {
    const to = oneDecimal(output.loudness_lufs);
    const before = source.loudness_lufs ?? null; // reports of other programs may lack it
    done.push(before === null ? textOf("done.loudness", { n: to })
      : textOf("done.loudness_from", { from: oneDecimal(before), to }));
  }
  return done.length ? [element("b", {}, textOf("done")), ` ${done.join(" · ")}`] : [];
}

/**
 * A button that goes to the card of another clip.
 * @param {string | null} sha256
 * @param {"card.show_first" | "card.show_other"} key
 */
const goToButton = (sha256, key) => makeButton("link", { "data-go-to": sha256 ?? "" }, textOf(key));

/** @param {Row} row */
function reasonParts({ clip }) {
  if (clip.status === "duplicate") {
    const same = element("span", {}, ...textAround("card.same", "name", quoted(nameOf(clip.duplicate_of))));
    return clipRow(clip.duplicate_of) ? [same, " ", goToButton(clip.duplicate_of, "card.show_first")] : [same];
  }
  if (clip.waits) return [element("span", {}, textOfCode("waits", clip.waits))];
  if (!clip.reason) return [];
  const { code, detail } = clip.reason;
  /** @type {Parts} */
  const parts = [element("b", {}, textOfCode("reason", code))];
  if (detail) parts.push(" — ", quoted(detail));
  const advice = adviceOn(code);
  if (advice) parts.push(" ", element("span", { class: "advice" }, advice));
  return parts;
}

/** @param {Row} row */
function captionParts(row) {
  const review = reviewOf(row);
  const caption = review.caption ?? row.clip.caption;
  const category = review.category ?? row.clip.category;
  const label = (/** @type {"card.caption" | "card.category"} */ key) =>
    element("span", { class: "hidden" }, `${textOf(key)}: `);
  /** @type {Parts} */
  const parts = [];
  if (caption) parts.push(label("card.caption"), element("q", { dir: "auto" }, caption));
  if (category) parts.push(" ", element("span", { class: "tag" }, label("card.category"), quoted(category)));
  for (const tag of review.tags ?? []) parts.push(" ", element("span", { class: "tag" }, quoted(tag)));
  if (review.stars) parts.push(" ", element("span", { class: "soft" }, textOf("card.stars", { n: review.stars })));
  if (review.note) parts.push(" ", element("span", { class: "note", dir: "auto" }, review.note));
  parts.push(...protectionParts(review));
  const open = openComments(review).length;
  if (open) parts.push(" ", element("span", { class: "note" }, textOf("card.comments", { n: open })));
  return parts;
}

/**
 * How many masks a clip has, by whom, and who watched it to its end with them.
 * @param {import("./data.js").Review} review
 */
function protectionParts({ masks = [], seen_by: seen = [] }) {
  const by = [...new Set(masks.map((mask) => mask.by))].filter(Boolean).join(", ");
  const said = [
    ...(masks.length ? [textOf(by ? "card.masks" : "card.masks.unsaved", { n: masks.length, by })] : []),
    ...(seen.length ? [textOf("mask.seen", { by: seen.join(", ") })] : []),
  ];
  return said.flatMap((text) => [" ", element("span", { class: "soft" }, text)]);
}

/**
 * A warning as text for the search.
 * @param {string} warning
 */
export const warningText = (warning) => textOfCode("warning", similarClip(warning) ? "looks-like" : warning);

/**
 * @param {string} warning
 * @param {Clip} clip
 */
function warningItem(warning, clip) {
  const similar = similarClip(warning);
  const missing = clip.source?.missing_percent;
  const parts = warning === "incomplete" && missing
    ? [textOf("said.incomplete", { percent: numberFormat.format(Math.max(1, Math.round(missing))) })]
    : similar ? textAround("said.looks_like", "name", quoted(similar.clip.filename))
    : [textOfCode("warning", warning)];
  return element("li", {}, icon("warn"), ...parts);
}

/**
 * A clip and the one that it looks like, side by side.
 * @param {Row} row
 */
function similarParts(row) {
  const other = row.clip.warnings.map(similarClip).find((found) => found && found !== row);
  if (!other || !row.clip.outputs.length || !other.clip.outputs.length) return [];
  const still = (/** @type {Row} */ { clip }, /** @type {"card.this" | "card.other"} */ key) =>
    element("figure", {},
      element("img", { src: stillOf(clip.sha256), alt: "", loading: "lazy" }),
      element("figcaption", {}, element("span", { class: "soft" }, textOf(key)), " ", quoted(clip.filename)));
  return [still(row, "card.this"), still(other, "card.other"),
    makeButton("compare-open", { "data-compare": "" }, textOf("compare.open")), goToButton(other.clip.sha256, "card.show_other")];
}

/**
 * The still of the photo that a film stands for, or why it is not shown. The photo shows the same, so it
 * stays away while a part of the film may not be seen.
 * @param {Row} row
 * @returns {Parts}
 */
function photoParts(row) {
  if (isPhotoHidden(row.clip.sha256)) {
    return [element("p", {}, element("b", {}, textOf(isDecidableRow(row) ? "card.film_hides" : "card.photo_hidden")))];
  }
  const photo = photoOf(row);
  if (!photo) return [];
  if (isPhotoHidden(photo.sha256)) {
    const own = clipRow(photo.sha256);
    if (own) return [element("p", {}, textOf("card.photo_own")), goToButton(photo.sha256, "card.show_other")];
    return [element("p", {}, textOf("card.photo_hidden"))];
  }
  if (!photo.outputs.length) return photo.hidden_with_film ? [element("p", {}, textOf("card.photo_later"))] : [];
  return [element("figure", {},
    element("img", { src: stillOf(photo.duplicate_of ?? photo.sha256), alt: "", loading: "lazy" }),
    element("figcaption", {}, element("span", { class: "soft" }, textOf("card.photo")), " ", quoted(photo.filename)))];
}

/**
 * @param {HTMLElement} card
 * @param {import("./data.js").Submission} mail
 */
function fillMail(card, mail) {
  fillOrHide(card, ".who", senderParts(mail));
  const subject = find(card, ".subject bdi");
  subject.textContent = mail.subject || textOf("card.no_subject");
  subject.classList.toggle("nothing", !mail.subject);
  const text = find(card, ".text");
  text.textContent = mail.text || textOf("card.no_text");
  text.classList.toggle("nothing", !mail.text);
  if (mail.text.length > 280 || mail.text.split("\n").length > 6) clampText(text);
  fillOrHide(card, ".again", relationParts(mail));
  fillOrHide(card, ".notes", noteItems(mail));
}

/**
 * Add what a reviewer decides with.
 * @param {Row} row
 * @param {HTMLElement} card
 */
function addControls(row, card) {
  const name = row.clip.filename;
  find(card, ".pick input").setAttribute("aria-label", textOf("pick", { name }));
  const group = find(card, ".decide");
  group.setAttribute("aria-label", textOf("do.group", { name }));
  group.append(...DECISIONS.map(([decision, sign]) =>
    makeButton(decision, { "data-decision": decision }, icon(sign), textOf(`do.${decision}`))));
  const edit = find(card, ".edit");
  find(edit, "summary").textContent = textOf("edit");
  // most cards are never edited, so their fields are made when they are opened
  edit.addEventListener("toggle", () => makeFields(row, card));
  find(card, ".history").addEventListener("toggle", () => refreshHistory(row, card));
}

/**
 * Show what belongs to a clip or looks like it.
 * @param {Row} row
 * @param {HTMLElement} card
 */
const fillAlike = (row, card) => fillOrHide(card, ".alike", [...photoParts(row), ...similarParts(row)]);

/** @param {Row} row */
export const makeCard = (row) => (row.isMail ? makeMailCard(row) : makeClipCard(row));

/** @param {Row} row */
function makeClipCard(row) {
  const { clip, mail } = row;
  const content = byId("card", HTMLTemplateElement).content.cloneNode(true);
  const card = find(/** @type {DocumentFragment} */ (content), ".card");
  row.card = card;
  Object.assign(card.dataset, { status: clip.status, sha256: clip.sha256 ?? "", row: String(row.index) });
  const name = find(card, ".name");
  name.id = `n${row.index}`;
  card.setAttribute("aria-labelledby", name.id);
  find(name, "bdi").textContent = clip.filename;
  if (clip.sha256) name.title = textOf("card.sha", { sha: clip.sha256.slice(0, 12) });
  const media = mediaOf(row);
  if (media) find(card, ".media").append(media);
  else card.classList.add("bare");
  fillOrHide(card, ".meta", metaParts(row));
  fillOrHide(card, ".reason", reasonParts(row));
  fillOrHide(card, ".seal", sealParts(clip));
  fillOrHide(card, ".done", doneParts(clip));
  fillOrHide(card, ".warnings", clip.warnings.map((warning) => warningItem(warning, clip)));
  fillAlike(row, card);
  fillMail(card, mail);
  if (isDecidableRow(row)) addControls(row, card);
  else for (const part of card.querySelectorAll(".decide, .edit, .history, .pick")) part.remove();
  refreshCard(row);
  return card;
}

/**
 * Bring the parts of a card that a decision changes up to date.
 * @param {Row} row
 */
function refreshCard(row) {
  const { card } = row;
  if (row.isMail) refreshMailCard(row);
  if (!card || row.isMail) return;
  fillOrHide(card, ".state", stateParts(row));
  fillOrHide(card, ".hold", [...holdParts(row), ...consentHoldParts(row), ...keptOutParts(row), ...bareParts(row)]);
  refreshConsentBox(row);
  fillOrHide(card, ".caption", captionParts(row));
  fillOrHide(card, ".cut", isPlayable(row) && isCut(row) ? [icon("cut"), cutText(row)] : []);
  if (photoOf(row) || filmsWith(row.clip.sha256).length) fillAlike(row, card);
  refreshHistory(row, card);
  card.dataset.decision = isDecidableRow(row) ? reviewOf(row).decision : "none";
  for (const button of card.querySelectorAll(".decide button")) {
    button.setAttribute("aria-pressed", String(button.getAttribute("data-decision") === decisionHere(row)));
  }
}

/**
 * Bring cards up to date.
 * @param {Row[]} changed
 * @param {boolean} keepFields do not fill the fields again
 */
export function refreshCards(changed, keepFields) {
  // what is hidden of a film decides what the card of its photo says
  const photos = changed.flatMap((row) => clipRow(photoOf(row)?.sha256 ?? null) ?? []);
  // and what cards of clips say that look like it
  for (const row of new Set([...changed, ...photos, ...changed.flatMap(lookalikesOf)])) refreshCard(row);
  if (!keepFields) changed.forEach(fillFields);
}
