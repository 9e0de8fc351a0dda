// The card of a mail, and what other cards say about mails. What a press does is in card_actions.js.

import { facts } from "./data.js";
import { byId, element, fillOrHide, find, icon, makeButton, quoted, textAround } from "./dom.js";
import { handledOf, heldBy, isOpen } from "./mails.js";
import { clipRow, isDecidableRow, mailRow, rows } from "./rows.js";
import { dayText, momentText, textOf, textOfCode } from "./texts.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./data.js").Submission} Submission
 * @typedef {(string | Node)[]} Parts
 */

/** Notes that the rest of a mail's card says already. */
const SAID = ["no-attachment", "has-a-link", "takes-back", "after-consent", "after-no"];
const MOST_WORDS = 60; // characters of a subject where another mail is named

/**
 * The day and subject of a mail, and a button that goes to it; nothing if it is not in the report.
 * Names the sender if that is another one than of the mail whose card it is on.
 * @param {"mail.again" | "mail.answers" | "card.held_by"} key
 * @param {string} id
 * @param {Submission} here the mail whose card it is on
 */
function mailMention(key, id, here) {
  const row = mailRow(id);
  if (!row) return [];
  const { received_at: at, subject, sender, sender_number: number } = row.mail;
  const isElsewhere = number !== null && number !== here.sender_number;
  const words = subject.length > MOST_WORDS ? `${subject.slice(0, MOST_WORDS)}…` : subject || textOf("card.no_subject");
  return [element("li", {}, icon("mail"), element("span", {},
    ...textAround(key, "when", element("time", { datetime: at }, dayText(at))), " ",
    element("q", { dir: "auto" }, words), " ",
    ...(isElsewhere ? [...textAround("mail.elsewhere", "name", quoted(sender)), " "] : []),
    makeButton("link", { "data-go-to-mail": id }, textOf("mail.show"))))];
}

/**
 * What other mails have to do with this one.
 * @param {Submission} mail
 */
export const relationParts = (mail) => [
  ...(mail.answers ? mailMention("mail.answers", mail.answers, mail) : []),
  ...mail.wrote_again.flatMap((id) => mailMention("mail.again", id, mail)),
];

/**
 * Why a clip stays out of the montage whatever is decided on it, and the mails that say so.
 * @param {Row} row
 */
export function holdParts(row) {
  const mails = isDecidableRow(row) ? heldBy(row.clip) : [];
  if (!mails.length) return [];
  return [
    element("p", {}, element("b", {}, textOf("card.held")), ` ${textOf("card.held.why")}`),
    element("ul", {}, ...mails.flatMap((id) => mailMention("card.held_by", id, row.mail))),
  ];
}

/**
 * An address that a sender wrote, as text that can be copied. It is never opened by the page. A
 * button says which host it leads to, because an address can be made to look like another one.
 * @param {string} address
 */
function linkItem(address) {
  const text = element("bdi", { dir: "ltr", class: "address" }, address);
  const url = webAddress(address);
  if (!url) return element("li", {}, text);
  const open = element("a", {
    href: url.href, target: "_blank", rel: "noreferrer noopener nofollow", referrerpolicy: "no-referrer",
  }, textOf("mail.open", { host: url.host }));
  return element("li", {}, text, " ", open);
}

/**
 * The address as a link, if it is one of the web without a name or password in it.
 * @param {string} address
 */
function webAddress(address) {
  if (!/^https?:\/\/[^\s[\]]+$/i.test(address)) return null;
  try {
    const url = new URL(address);
    const isWeb = url.protocol === "http:" || url.protocol === "https:";
    return isWeb && !url.username && !url.password ? url : null;
  } catch {
    return null;
  }
}

/** @param {Row} row */
function stateParts({ mail }) {
  const mark = handledOf(mail);
  const [className, sign, text] = mark ? ["decision-approved", "check", textOf("mail.handled")]
    : isOpen(mail) ? ["decision-held", "mail", textOf("mail.open_answer")]
    : ["status-accepted", "mail", textOf("mail.nothing")];
  const parts = [element("span", { class: `pill ${className}` }, icon(sign), text)];
  if (mark?.by) parts.push(element("span", { class: "by" }, ...textAround("decision.by", "by", quoted(mark.by))));
  return parts;
}

/**
 * Who sent a mail: with the name that the sender wrote, if the configuration shows it.
 * @param {Submission} mail
 * @returns {Parts}
 */
export function senderParts({ sender, sender_name: name }) {
  if (!sender) return [textOf("card.nobody")];
  return textAround("card.from", "name", quoted(name ? `${name} <${sender}>` : sender));
}

/** @param {Submission} mail */
function metaParts(mail) {
  return [
    element("time", { datetime: mail.received_at }, momentText(mail.received_at)), " · ",
    ...senderParts(mail), " · ",
    mail.clips ? textOf("mail.files", { n: mail.clips }) : textOf("mail.no_files"),
  ];
}

/** @param {Submission} mail */
const matterItems = (mail) => mail.needs_answer.map((matter) => element("li", {}, element("b", {}, textOfCode("matter", matter)), " ",
  element("span", { class: "advice" }, textOfCode("answer", matter))));

/**
 * The files of a mail that became no clip, each with the reason.
 * @param {Row} row
 */
function refusedItems(row) {
  const items = [];
  // the rows of what came in a mail follow its own
  for (let at = row.index + 1; rows[at]?.mail === row.mail; at += 1) {
    const { clip } = rows[at];
    if (!clip.reason) continue;
    const show = clipRow(clip.sha256) ? [" ", makeButton("link", { "data-go-to": clip.sha256 ?? "" }, textOf("card.show_first"))] : [];
    items.push(element("li", {}, icon("cross"), element("span", {},
      quoted(clip.filename), `: ${textOfCode("reason", clip.reason.code)}`, ...show)));
  }
  return items;
}

/** @param {Row} row */
export function makeMailCard(row) {
  const { mail } = row;
  const content = byId("mail-card", HTMLTemplateElement).content.cloneNode(true);
  const card = find(/** @type {DocumentFragment} */ (content), ".card");
  row.card = card;
  Object.assign(card.dataset, { mail: mail.id, row: String(row.index), decision: "none" });
  const name = find(card, ".name");
  name.id = `n${row.index}`;
  card.setAttribute("aria-labelledby", name.id);
  find(name, "bdi").textContent = row.clip.filename;
  name.classList.toggle("nothing", !mail.subject);
  fillOrHide(card, ".meta", metaParts(mail));
  const text = find(card, ".text");
  text.textContent = mail.text || textOf("card.no_text");
  text.classList.toggle("nothing", !mail.text);
  if (mail.text.length > 700 || mail.text.split("\n").length > 12) clampText(text);
  find(card, ".links-title").hidden = !mail.links.length;
  find(card, ".links-title").textContent = textOf("mail.links", { n: mail.links.length });
  fillOrHide(card, ".refused-files", refusedItems(row));
  fillOrHide(card, ".links", mail.links.map(linkItem));
  fillOrHide(card, ".again", relationParts(mail));
  fillOrHide(card, ".notes", noteItems(mail, mail.notes.filter((note) => !SAID.includes(note))));
  fillOrHide(card, ".matters", matterItems(mail));
  card.classList.toggle("plain", !card.querySelector(".todo > ul:not([hidden])"));
  refreshMailCard(row);
  return card;
}

/**
 * Bring the parts of a mail's card up to date that change when somebody deals with it.
 * @param {Row} row
 */
export function refreshMailCard(row) {
  const { card, mail } = row;
  if (!card) return;
  const mark = handledOf(mail);
  card.dataset.mailState = mark ? "handled" : isOpen(mail) ? "open" : "nothing";
  fillOrHide(card, ".state", stateParts(row));
  find(card, ".said").textContent = "";
  const canMark = mail.needs_answer.length > 0 || mark !== undefined;
  const button = find(card, ".handle", HTMLButtonElement);
  button.hidden = !canMark || !facts.live;
  button.setAttribute("aria-pressed", String(mark !== undefined));
  button.replaceChildren(icon("check"), textOf("mail.done"));
  // a page without a server can't write it, so it names the command
  fillOrHide(card, ".command", canMark && !mark && !facts.live
    ? textAround("mail.command", "command", element("code", {}, `footage handled ${mail.id}`)) : []);
}

/**
 * @param {Submission} mail
 * @param {string[]} notes those that are shown
 */
export const noteItems = (mail, notes = mail.notes) => notes.map((note) => element("li", {}, icon("warn"), textOfCode("note", note)));

/**
 * Show the beginning of a long text, with a button for all of it.
 * @param {HTMLElement} text
 */
export function clampText(text) {
  text.classList.add("clamped");
  const more = makeButton("link", { "aria-expanded": "false", "data-clamp": "" }, textOf("card.read_all"));
  more.addEventListener("click", () => toggleClamp(more));
  text.after(more);
}

/**
 * Show all of a long text, or its beginning again.
 * @param {Element} more the button behind the text
 */
export function toggleClamp(more) {
  const isOpened = more.previousElementSibling?.classList.toggle("clamped") === false;
  more.setAttribute("aria-expanded", String(isOpened));
  more.textContent = textOf(isOpened ? "card.read_less" : "card.read_all");
}
