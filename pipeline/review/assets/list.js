// Which rows are shown, in which order, and as many of them as the reader has come near to.

const BATCH = 40;
const NO_CATEGORY = "\u2205";
let shown = rows; // the rows that pass the filters, in order
let laid = 0; // how many of them have a card on the page
let current = -1; // the one that the keys act on

const controls = ["text", "status", "decision", "category", "reason", "sort"];
const valueOf = (name) => $(`f-${name}`).value;

function options(name, pairs) {
  $(`f-${name}`).replaceChildren(...pairs.map(([value, text]) => make("option", { value }, text)));
}

const distinct = (values) => [...new Set(values)].filter(Boolean).sort((a, b) => a.localeCompare(b, texts.locale));

function layTools() {
  const any = ["", t("filter.any")];
  const present = new Set(rows.map((row) => row.clip.status));
  options("status", [
    any, ["waiting", t("filter.waiting")], ["new", t("filter.new")],
    ...["accepted", "rejected", "duplicate", "failed", "pending", "withdrawn"]
      .filter((status) => present.has(status)).map((status) => [status, t(`status.${status}`)]),
  ]);
  options("decision", [any, ...["undecided", "approved", "held", "rejected"].map((key) => [key, t(`decision.${key}`)])]);
  const categories = distinct([...facts.categories, ...rows.map((row) => row.clip.category)]);
  options("category", [any, [NO_CATEGORY, t("filter.no_category")], ...categories.map((name) => [name, name])]);
  options("reason", [any, ...distinct(rows.map((row) => row.clip.reason && row.clip.reason.code))
    .map((code) => [code, word("reason", code)])]);
  options("sort", ["received", "newest", "sender", "filename", "longest", "decision"].map((key) => [key, t(`sort.${key}`)]));
  document.body.append(Object.assign(make("datalist", { id: "categories" },
    ...categories.map((value) => make("option", { value })))));
}

/** All words by which a row can be found, in lower case. */
function haystack(row) {
  if (row.hay === null) {
    const { clip, mail } = row;
    const words = [
      clip.filename, mail.sender, mail.subject, mail.text, clip.caption, clip.category, clip.sha256,
      ...clip.warnings.map((code) => (alikeOf(code) ? t("warning.looks-like") : word("warning", code))), ...mail.notes.map((code) => word("note", code)),
    ];
    if (clip.reason) words.push(word("reason", clip.reason.code), clip.reason.detail);
    row.hay = words.filter(Boolean).join("\n").toLowerCase();
  }
  return row.hay;
}

function statusFits(row, wanted) {
  if (wanted === "waiting") return isWaiting(row);
  if (wanted === "new") return isNew(row);
  return !wanted || row.clip.status === wanted;
}

function fits() {
  const [text, status, decision, category, reason] = controls.map(valueOf);
  const warnings = $("f-warnings").checked;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) => {
    const { clip } = row;
    const review = reviewOf(row);
    return statusFits(row, status)
      && (!decision || (decidable(row) && review.decision === decision))
      && (!category || ((review.category ?? clip.category) || NO_CATEGORY) === category)
      && (!reason || (clip.reason !== null && clip.reason.code === reason))
      && (!warnings || clip.warnings.length > 0 || row.mail.notes.length > 0)
      && words.every((part) => haystack(row).includes(part) || reviewHas(review, part));
  };
}

/** What a reviewer wrote can change, so it is not kept in the haystack. */
const reviewHas = (review, part) =>
  [review.note, review.caption, review.category, review.by].some((words) => words && words.toLowerCase().includes(part));

const collator = new Intl.Collator(texts.locale, { numeric: true, sensitivity: "base" });
const rank = { undecided: 0, held: 1, approved: 2, rejected: 3 };
const ORDERS = {
  received: (a, b) => a.index - b.index,
  newest: (a, b) => b.index - a.index,
  sender: (a, b) => collator.compare(a.mail.sender, b.mail.sender) || a.index - b.index,
  filename: (a, b) => collator.compare(a.clip.filename, b.clip.filename) || a.index - b.index,
  longest: (a, b) => runs(b) - runs(a) || a.index - b.index,
  decision: (a, b) => decidable(b) - decidable(a)
    || rank[reviewOf(a).decision] - rank[reviewOf(b).decision] || a.index - b.index,
};

/** Show what fits, from the top. */
function apply() {
  shown = rows.filter(fits());
  const sort = valueOf("sort");
  if (sort !== "received") shown.sort(ORDERS[sort]);
  laid = 0;
  current = -1;
  keepShown();
  $("list").replaceChildren();
  layMore();
  $("count").textContent = t("count", { shown: number.format(shown.length), n: rows.length });
  $("empty").hidden = shown.length > 0;
}

function layMore() {
  const next = shown.slice(laid, laid + BATCH);
  laid += next.length;
  // a card is kept once it is made: what was typed or is being played stays
  $("list").append(...next.map((row) => row.card || build(row)));
  $("more").hidden = laid >= shown.length;
}

/** Set the filters, all others cleared, and go to the clips. */
function show(filters) {
  $("tools").reset();
  for (const [name, value] of Object.entries(filters)) $(`f-${name}`).value = value;
  apply();
  $("clips").scrollIntoView();
  $("clips").focus({ preventScroll: true });
}

/** Bring a row onto the page, whatever the filters say, and go to it. */
function reveal(row) {
  let at = shown.indexOf(row);
  if (at < 0) {
    $("tools").reset();
    apply();
    at = shown.indexOf(row);
  }
  goTo(at);
}

function goTo(at) {
  if (at < 0 || at >= shown.length) return;
  while (laid <= at) layMore();
  if (shown[current] && shown[current].card) shown[current].card.classList.remove("current");
  current = at;
  const { card } = shown[at];
  card.classList.add("current");
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

function nextUndecided() {
  for (let step = 1; step <= shown.length; step += 1) {
    const at = (Math.max(current, -1) + step) % shown.length;
    if (isWaiting(shown[at])) {
      goTo(at);
      return;
    }
  }
  say(t("said.all_decided"));
}
