// The part of a card that shows what the sender agreed to, and with which a reviewer records it.

import { CONSENTS, consentFor, consentOf, isConsentUsed, lacksConsent, proposalOf, unsavedConsents } from "./consents.js";
import { facts } from "./data.js";
import { element, fillOrHide, find, icon, makeButton, quoted, textAround } from "./dom.js";
import { isDecidableRow } from "./rows.js";
import { textOf, textOfCode } from "./texts.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {import("./data.js").ConsentState} ConsentState
 */

/** Which icon and colour a consent has.
 * @type {Record<ConsentState, [string, string]>} */
const LOOKS = {
  unknown: ["clock", "waiting"], asked: ["mail", "waiting"], yes: ["check", "decision-approved"],
  "yes-with-name": ["check", "decision-approved"], no: ["cross", "decision-rejected"],
};

const languages = new Intl.DisplayNames([document.documentElement.lang], { type: "language" });

/**
 * Why a clip stays out of the montage for want of consent.
 * @param {Row} row
 */
export function consentHoldParts(row) {
  if (!lacksConsent(row)) return [];
  const isRefused = consentFor(row.clip) === "no";
  return [element("p", {}, element("b", {}, textOf(isRefused ? "consent.refused" : "consent.missing")), " ",
    textOf(isRefused ? "consent.refused.why" : "consent.missing.why"))];
}

/**
 * Bring the part of a card up to date. Its fields are made when it is opened.
 * @param {Row} row
 */
export function refreshConsentBox(row) {
  const { card, mail } = row;
  if (!card) return;
  const place = find(card, ".agree", HTMLDetailsElement);
  place.hidden = !isDecidableRow(row);
  fillOrHide(card, ".proposal", place.hidden ? [] : proposalParts(row));
  if (place.hidden) return;
  const { state, name, place: town, by } = consentOf(mail.id);
  const [sign, colour] = LOOKS[state];
  find(place, "summary").replaceChildren(
    `${textOf("consent")}: `,
    element("span", { class: `pill ${isConsentUsed() ? colour : "unused"}` }, icon(sign), textOfCode("consent", state)),
    ...(name ? [" ", quoted([name, town].filter(Boolean).join(", "))] : []),
    ...(by ? [" ", element("span", { class: "by" }, ...textAround("decision.by", "by", quoted(by)))] : []),
    ...(unsavedConsents.has(mail.id) ? [" ", element("span", { class: "unsaved" }, textOf("decision.unsaved"))] : []),
  );
  if (!place.contains(document.activeElement)) fillConsentFields(row);
}

/**
 * What the words of the sender propose, with a button by which a person confirms it.
 * @param {Row} row
 */
function proposalParts({ mail }) {
  const proposed = proposalOf(mail);
  if (!proposed) return [];
  const { state, language, sentence, files } = proposed;
  const said = state
    ? textOf("consent.proposed", { state: textOfCode("consent", state), language: languages.of(language) ?? language })
    : textOf("consent.read", { language: languages.of(language) ?? language });
  return [
    element("span", {}, element("b", {}, said), " ",
      ...(sentence ? [element("q", { lang: language, dir: "auto" }, sentence)] : []),
      ...(files ? [" ", ...textAround("consent.files", "files", quoted(files.join(", ")))] : [])), " ",
    ...(state ? [makeButton("link", { "data-confirm-consent": state }, textOf("consent.confirm"))] : []),
    ...(proposed.mail === mail.id ? [] : [" ", makeButton("link", { "data-go-to-mail": proposed.mail }, textOf("mail.show"))]),
  ];
}

/**
 * Make the fields of the part, unless they are there.
 * @param {Row} row
 */
export function makeConsentFields(row) {
  const place = find(row.card ?? document, ".agree .fields");
  if (place.firstChild) return;
  const state = element("select", {}, ...CONSENTS.map((each) =>
    element("option", { value: each }, textOfCode("consent", each))));
  const words = { maxlength: "100", dir: "auto", autocomplete: "off" };
  place.append(
    labelled(row, "state", textOf("consent"), state),
    labelled(row, "name", textOf("consent.name"), element("input", words)),
    labelled(row, "place", textOf("consent.place"), element("input", words)),
    makeButton("primary", { "data-record-consent": "" }, textOf("consent.record")),
  );
  if (!facts.live) place.append(element("p", { class: "soft" }, textOf("consent.file")));
  state.addEventListener("change", () => showNameFields(row));
  fillConsentFields(row);
}

/**
 * @param {Row} row
 * @param {"state" | "name" | "place"} key
 * @param {string} label
 * @param {HTMLSelectElement | HTMLInputElement} input
 */
function labelled(row, key, label, input) {
  const id = `consent-${key}-${row.index}`;
  input.id = id;
  input.dataset.consent = key;
  return element("div", { class: "field" }, element("label", { for: id }, label), input);
}

/**
 * @param {Row} row
 * @param {"name" | "place"} key
 */
const inputOf = (row, key) => find(row.card ?? document, `[data-consent=${key}]`, HTMLInputElement);
/** @param {Row} row */
const stateOf = (row) => find(row.card ?? document, "[data-consent=state]", HTMLSelectElement);

/** @param {Row} row */
function fillConsentFields(row) {
  if (!row.card?.querySelector("[data-consent]")) return;
  const { state, name, place } = consentOf(row.mail.id);
  stateOf(row).value = state;
  inputOf(row, "name").value = name;
  inputOf(row, "place").value = place;
  showNameFields(row);
}

/**
 * Name and place are for one consent only.
 * @param {Row} row
 */
function showNameFields(row) {
  const isNamed = stateOf(row).value === "yes-with-name";
  for (const key of /** @type {const} */ (["name", "place"])) {
    const field = inputOf(row, key);
    field.disabled = !isNamed;
    field.parentElement?.toggleAttribute("hidden", !isNamed);
    field.setCustomValidity("");
  }
}

/**
 * Open the fields with a consent chosen, and go to the name where one is needed.
 * @param {Row} row
 * @param {ConsentState} state
 */
export function openConsentFields(row, state) {
  find(row.card ?? document, ".agree", HTMLDetailsElement).open = true;
  makeConsentFields(row);
  stateOf(row).value = state;
  showNameFields(row);
  inputOf(row, "name").focus();
}

/**
 * What is in the fields; null, with a message at the field, where the name is missing.
 * @param {Row} row
 */
export function enteredConsent(row) {
  const state = /** @type {ConsentState} */ (stateOf(row).value);
  if (state !== "yes-with-name") return { state, name: "", place: "" };
  const name = inputOf(row, "name");
  name.setCustomValidity(name.value.trim() ? "" : textOf("consent.needs_name"));
  if (!name.reportValidity()) return null;
  return { state, name: name.value.trim(), place: inputOf(row, "place").value.trim() };
}
