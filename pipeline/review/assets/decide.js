// Decisions: made on a card, kept in this page, saved as a file for `footage decide`.

const trail = []; // acts, newest last: what stood on each clip before
const unsaved = new Set();
let savedOnce = false;
const isUnsaved = (row) => unsaved.has(row.clip.sha256) && row.clip.status !== "duplicate";
const stamp = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");
const rowsOf = (sha256) => showing.get(sha256) || [];

/** Show other reviews: [SHA-256, review] of each. */
function put(pairs) {
  for (const [sha256, review] of pairs) {
    const entry = reviews.get(sha256);
    entry.now = review;
    if (live || same(review, entry.saved)) unsaved.delete(sha256);
    else unsaved.add(sha256);
    rowsOf(sha256).forEach(refresh);
  }
  countFigures();
  countUnsaved();
  followDecisions();
}

function same(a, b) {
  return ["decision", "note", "caption", "category", "in_s", "out_s"].every((key) => a[key] === b[key]);
}

/** Change what is decided on the clips of rows, so that it can be undone at once. */
function amend(changed, change) {
  const mark = { by: $("reviewer").value.trim(), at: stamp() };
  const act = changed
    .map((row) => ({ row, before: reviewOf(row), after: { ...reviewOf(row), ...change, ...mark } }))
    .filter(({ before, after }) => !same(before, after));
  if (!act.length) return;
  trail.push(act);
  put(act.map(({ row, after }) => [row.clip.sha256, after]));
  if (live) send(act.map(({ row }) => row.clip.sha256));
}

function decide(row, decision) {
  if (!decidable(row)) return;
  amend([row], { decision });
  say(t("said.decided", { decision: t(`decision.${decision}`), name: row.clip.filename }));
}

function undo() {
  if (live) {
    undoLive();
    return;
  }
  const last = trail.pop();
  if (!last) {
    say(t("said.nothing_to_undo"));
    return;
  }
  put(last.map(({ row, before }) => [row.clip.sha256, before]));
  last.forEach(({ row }) => fillFields(row));
  tellUndone(last.map(({ row }) => row));
}

/** Go to what was undone and say it. */
function tellUndone(undone) {
  const [row] = undone;
  reveal(row);
  const decision = t(`decision.${reviewOf(row).decision}`);
  const text = undone.length > 1 ? t("said.undone_all", { n: undone.length })
    : t("said.undone", { name: row.clip.filename, decision });
  if (live) tell(text);
  else say(text);
}

function countUnsaved() {
  if (live) return;
  if (unsaved.size) $("dock-count").textContent = t("dock.count", { n: unsaved.size });
  $("save").disabled = !unsaved.size;
  $("undo").disabled = !trail.length;
  layDock();
}

/** The dock is there when there is something to do in it. */
function layDock() {
  const busy = Boolean(live || unsaved.size || trail.length || savedOnce);
  $("dock-save").hidden = !busy;
  $("dock").hidden = !busy && !selected.size;
  document.body.classList.toggle("docked", !$("dock").hidden);
}

/** Offer the decisions as a file; a page from file:// can't write to the ledger. */
function save() {
  const by = $("reviewer").value.trim();
  const decisions = [...unsaved].map((sha256) => {
    const { now } = reviews.get(sha256);
    return { sha256, ...now, by: now.by || by };
  });
  const file = `decisions-${stamp().replace(/[:-]/g, "").replace("T", "-").slice(0, 15)}.json`;
  const body = JSON.stringify({ schema: 1, campaign: report.campaign, decisions }, null, 1);
  const url = URL.createObjectURL(new Blob([body], { type: "application/json" }));
  const link = make("a", { href: url, download: file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
  for (const { sha256 } of decisions) {
    const entry = reviews.get(sha256);
    entry.saved = entry.now;
  }
  unsaved.clear();
  savedOnce = true;
  decisions.forEach(({ sha256 }) => rowsOf(sha256).forEach(refresh));
  countUnsaved();
  $("dock-count").textContent = t("dock.saved", { n: decisions.length, file });
  say(t("said.saved", { n: decisions.length, file }));
}

function field(row, card, key, type, attributes = {}) {
  const id = `${key}-${row.index}`;
  const input = make(type, { id, "data-key": key, autocomplete: "off", ...attributes });
  const words = { in_s: "in", out_s: "out" }[key] || key;
  return make("div", { class: `field ${key}` }, make("label", { for: id }, t(`edit.${words}`)), input);
}

/** Bring the fields of a card to what is decided. */
function fillFields(row) {
  if (!row.card) return;
  const review = reviewOf(row);
  for (const input of row.card.querySelectorAll("[data-key]")) {
    if (input === document.activeElement && live) continue; // somebody is typing in it
    input.value = review[input.dataset.key] ?? "";
    input.setCustomValidity("");
  }
}

function takeField(row, input) {
  const { key } = input.dataset;
  const text = input.value.trim();
  const cut = key === "in_s" || key === "out_s";
  const value = cut ? (text === "" ? null : Math.round(Number(text) * 1000) / 1000) : key === "note" ? text : text || null;
  const review = { ...reviewOf(row), [key]: value };
  const wrong = review.in_s !== null && review.out_s !== null && review.out_s <= review.in_s;
  for (const other of row.card.querySelectorAll("[data-key$=_s]")) other.setCustomValidity("");
  if (cut && (wrong || !input.checkValidity())) {
    if (wrong) input.setCustomValidity(t("edit.cut_wrong"));
    input.reportValidity();
    return;
  }
  amend([row], { [key]: value });
}

/** Set the in or out point to where the clip stands. */
function cutHere(row, key) {
  const video = row.card && row.card.querySelector("video");
  if (!video) return;
  layFields(row, row.card);
  row.card.querySelector(".edit").open = true;
  const input = row.card.querySelector(`[data-key=${key}]`);
  input.value = video.currentTime.toFixed(2);
  takeField(row, input);
}

function addControls(row, card) {
  const group = card.querySelector(".decide");
  group.setAttribute("aria-label", t("do.group", { name: row.clip.filename }));
  for (const decision of ["approved", "held", "rejected"]) {
    const button = make("button", { type: "button", "data-decision": decision, class: decision },
      icon({ approved: "check", held: "pause", rejected: "cross" }[decision]), t(`do.${decision}`));
    button.addEventListener("click", () =>
      decide(row, reviewOf(row).decision === decision ? "undecided" : decision));
    group.append(button);
  }
  const edit = card.querySelector(".edit");
  edit.firstElementChild.textContent = t("edit");
  // most cards are never edited: their fields are made when they are opened
  edit.addEventListener("toggle", () => layFields(row, card));
  card.querySelector(".history").addEventListener("toggle", () => refreshHistory(row));
  addPick(row, card);
}

function layFields(row, card) {
  const fields = card.querySelector(".fields");
  if (fields.firstChild) return;
  const whole = row.clip.outputs[0].duration_s;
  const seconds = { type: "number", min: "0", max: String(whole), step: "any", inputmode: "decimal" };
  fields.append(
    field(row, card, "note", "textarea", { rows: "2", maxlength: "2000", dir: "auto" }),
    field(row, card, "caption", "input", { maxlength: "500", dir: "auto", placeholder: row.clip.caption }),
    field(row, card, "category", "input", { maxlength: "200", dir: "auto", list: "categories", placeholder: row.clip.category || "" }),
    field(row, card, "in_s", "input", seconds),
    field(row, card, "out_s", "input", seconds),
  );
  for (const [key, words] of [["in_s", "edit.in.here"], ["out_s", "edit.out.here"]]) {
    const here = make("button", { type: "button" }, t(words));
    here.addEventListener("click", () => cutHere(row, key));
    fields.querySelector(`.${key}`).append(here);
  }
  for (const input of fields.querySelectorAll("[data-key]")) {
    input.addEventListener("change", () => takeField(row, input));
  }
  fillFields(row);
}
