// The montage tab of a served review: the admitted clips in order, moved, pinned, left out, saved.
// A pinned clip keeps its place in the line whatever the others do.

const film = { order: [], out: [], pinned: new Set(), said: null, saved: "", before: [], items: new Map() };
let filmAt = null; // the SHA-256 of the clip that the keys mean

const filmNow = () => JSON.stringify([film.order, film.out, [...film.pinned].sort()]);
const isMoved = () => film.said !== null && filmNow() !== film.saved;
const filmRow = (sha256) => firsts.get(sha256);
const filmName = (sha256) => named.get(sha256) || sha256.slice(0, 12);

/** Begin with what stands in the order file, or as the clips came. */
function takeOrder(said) {
  const there = ({ sha256 }) => firsts.has(sha256) && decidable(filmRow(sha256));
  const lines = said.lines.filter(there);
  Object.assign(film, {
    said, order: lines.map(({ sha256 }) => sha256), before: [],
    out: said.left_out.filter((sha256) => firsts.has(sha256)),
    pinned: new Set(lines.filter(({ pinned }) => pinned).map(({ sha256 }) => sha256)),
  });
  film.saved = filmNow();
  takeAdmitted(said.admitted);
  if (!said.file) film.saved = filmNow();
  layFilm();
}

/** Clips that were admitted since go to the end. */
function takeAdmitted(shas) {
  const known = new Set([...film.order, ...film.out]);
  film.order.push(...shas.filter((sha256) => !known.has(sha256) && firsts.has(sha256)));
}

function followDecisions() {
  if (!film.said) return;
  takeAdmitted([...firsts].filter(([, row]) => isAdmitted(row)).map(([sha256]) => sha256));
  if (!$("view-montage").hidden) layFilm();
}

/** The pinned where they are, the others around them in the order given. */
function aroundPinned(others) {
  const places = new Map(film.order.map((sha256, at) => [at, sha256]).filter(([, sha256]) => film.pinned.has(sha256)));
  const left = [...others];
  const whole = [];
  while (left.length || places.size) {
    const held = places.get(whole.length) ?? (left.length ? undefined : places.values().next().value);
    if (held === undefined) whole.push(left.shift());
    else {
      whole.push(held);
      places.delete([...places].find(([, sha256]) => sha256 === held)[0]);
    }
  }
  return whole;
}

/** Do something to the order so that it can be undone, and say it. */
function changeFilm(change, words) {
  const before = { order: [...film.order], out: [...film.out], pinned: new Set(film.pinned) };
  change();
  film.before.push(before);
  layFilm();
  tell(words());
}

const placeOf = (sha256) => film.order.indexOf(sha256) + 1;
const sayPlace = (sha256) => t("film.said.moved", { name: filmName(sha256), at: placeOf(sha256), n: film.order.length });

/** Put a clip before another that is not itself, or at the end. */
function moveBefore(sha256, other) {
  const others = film.order.filter((it) => !film.pinned.has(it) && it !== sha256);
  // before a pinned clip is before the next one that can give way
  const behind = film.order.slice(film.order.indexOf(other)).filter((it) => others.includes(it));
  const at = other === null || !behind.length ? others.length : others.indexOf(behind[0]);
  others.splice(at, 0, sha256);
  film.order = aroundPinned(others);
}

function step(sha256, by) {
  const others = film.order.filter((it) => !film.pinned.has(it));
  const to = others.indexOf(sha256) + by;
  if (film.pinned.has(sha256)) tell(t("film.said.is_pinned", { name: filmName(sha256) }));
  else if (film.order.includes(sha256) && to >= 0 && to < others.length) {
    changeFilm(() => {
      others.splice(to - by, 1);
      others.splice(to, 0, sha256);
      film.order = aroundPinned(others);
    }, () => sayPlace(sha256));
  }
}

function pin(sha256) {
  if (!film.order.includes(sha256)) return;
  const on = !film.pinned.has(sha256);
  changeFilm(() => (on ? film.pinned.add(sha256) : film.pinned.delete(sha256)),
    () => t(on ? "film.said.pinned" : "film.said.unpinned", { name: filmName(sha256), at: placeOf(sha256) }));
}

function leaveOut(sha256) {
  if (film.order.includes(sha256)) {
    changeFilm(() => {
      film.pinned.delete(sha256);
      film.order = film.order.filter((it) => it !== sha256);
      film.out.push(sha256);
    }, () => t("film.said.out", { name: filmName(sha256) }));
  } else {
    changeFilm(() => {
      film.out = film.out.filter((it) => it !== sha256);
      film.order.push(sha256);
    }, () => sayPlace(sha256));
  }
}

/** By key: the next in line is the one that the keys mean then. */
function leaveOutHere(sha256) {
  const at = film.order.indexOf(sha256);
  leaveOut(sha256);
  const next = at < 0 ? sha256 : film.order[Math.min(at, film.order.length - 1)];
  if (next) film.items.get(next).focus({ preventScroll: true });
}

function sortFilm() {
  const how = valueOf("film-sort");
  const others = film.order.filter((sha256) => !film.pinned.has(sha256)).map(filmRow);
  if (how === "shuffle") {
    for (let at = others.length - 1; at > 0; at -= 1) {
      const other = Math.floor(Math.random() * (at + 1));
      [others[at], others[other]] = [others[other], others[at]];
    }
  } else others.sort(ORDERS[how]);
  changeFilm(() => {
    film.order = aroundPinned(others.map((row) => row.clip.sha256));
  }, () => t("film.said.sorted", { n: others.length }));
}

function undoFilm() {
  const before = film.before.pop();
  if (!before) {
    tell(t("said.nothing_to_undo"));
    return;
  }
  Object.assign(film, before);
  layFilm();
  tell(t("film.said.undone"));
}

/** When each clip that is shown begins, in seconds: crossfades lie over both neighbours. */
function startsOf(shas) {
  const { most_clip_s: most, transition_s: fade } = film.said;
  const lengths = shas.map((sha256) => Math.min(runs(filmRow(sha256)), most || Infinity));
  let at = 0;
  const starts = lengths.map((length, index) => {
    const begin = at;
    const next = lengths[index + 1];
    at += length - (next === undefined ? 0 : Math.min(fade, length / 2, next / 2));
    return begin;
  });
  return { starts, lengths, whole: at };
}

function filmButton(sha256, key, name, act) {
  const button = make("button", { type: "button", class: key }, t(`film.${key}`));
  button.setAttribute("aria-label", t(`film.${key}.of`, { name }));
  button.addEventListener("click", () => act());
  return button;
}

function filmItem(sha256) {
  const name = filmName(sha256);
  const handle = make("span", { class: "handle", "aria-hidden": "true", title: t("film.drag") }, "⠿");
  const item = make("li", { class: "reel", tabindex: "-1", "data-sha256": sha256 }, handle,
    make("span", { class: "place" }),
    make("img", { src: `thumbs/${sha256}.jpg`, alt: "", loading: "lazy" }),
    make("span", { class: "what" }, make("b", {}, quoted(name)), " ", make("span", { class: "when" })),
    make("span", { class: "moves" },
      filmButton(sha256, "earlier", name, () => step(sha256, -1)),
      filmButton(sha256, "later", name, () => step(sha256, 1)),
      filmButton(sha256, "pin", name, () => pin(sha256)),
      filmButton(sha256, "out", name, () => leaveOut(sha256))));
  item.addEventListener("focusin", () => markReel(sha256));
  handle.addEventListener("pointerdown", (event) => drag(event, sha256, item, handle));
  return item;
}

function refreshItem(item, sha256, when) {
  const at = film.order.indexOf(sha256);
  const isIn = at >= 0;
  const row = filmRow(sha256);
  item.querySelector(".place").textContent = isIn ? number.format(at + 1) : "";
  item.querySelector(".when").replaceChildren(isAdmitted(row) ? when
    : t("film.not_admitted", { decision: t(`decision.${reviewOf(row).decision}`) }));
  item.classList.toggle("absent", !isAdmitted(row));
  item.classList.toggle("pinned", film.pinned.has(sha256));
  for (const key of ["earlier", "later", "pin"]) item.querySelector(`.${key}`).hidden = !isIn;
  item.classList.toggle("outside", !isIn);
  for (const key of ["earlier", "later"]) item.querySelector(`.${key}`).disabled = film.pinned.has(sha256);
  item.querySelector(".pin").setAttribute("aria-pressed", String(film.pinned.has(sha256)));
  const out = item.querySelector(".out");
  out.textContent = t(isIn ? "film.out" : "film.in");
  out.setAttribute("aria-label", t(isIn ? "film.out.of" : "film.in.of", { name: filmName(sha256) }));
}

/** Lay items into a list around the one that is held or has the focus, which is not touched. */
function layInto(list, shas) {
  const items = shas.map((sha256) => film.items.get(sha256));
  const held = list.querySelector(".dragged") || (list.contains(document.activeElement) && document.activeElement.closest("li"));
  const at = held ? items.indexOf(held) : -1;
  if (at < 0) {
    list.replaceChildren(...items);
    return;
  }
  for (const item of [...list.children]) if (!items.includes(item)) item.remove();
  held.before(...items.slice(0, at));
  held.after(...items.slice(at + 1));
}

/** Bring the page to the order; whoever has the focus keeps it. */
function layFilm() {
  const focus = document.activeElement;
  for (const sha256 of [...film.order, ...film.out]) {
    if (!film.items.has(sha256)) film.items.set(sha256, filmItem(sha256));
  }
  const seen = film.order.filter((sha256) => isAdmitted(filmRow(sha256)));
  const { starts, lengths, whole } = startsOf(seen);
  const when = new Map(seen.map((sha256, at) => [sha256, t("film.when", { at: clock(starts[at]), n: decimal(lengths[at]) })]));
  for (const sha256 of [...film.order, ...film.out]) {
    refreshItem(film.items.get(sha256), sha256, when.get(sha256) || t("card.seconds", { n: decimal(runs(filmRow(sha256))) }));
  }
  layInto($("film"), film.order);
  layInto($("film-out"), film.out);
  $("film-out-title").hidden = !film.out.length;
  $("film-empty").hidden = film.order.length > 0;
  $("film-length").textContent = t("film.length", { n: seen.length, length: clock(whole) });
  $("film-changed").hidden = !isMoved();
  $("film-save").disabled = film.said.file && !isMoved();
  $("film-undo").disabled = !film.before.length;
  $("film-text").value = film.said.file ? "" : orderText();
  if (focus && focus !== document.activeElement && focus.isConnected) focus.focus({ preventScroll: true });
}

function orderText() {
  const line = (sha256) => `${sha256}  # ${film.pinned.has(sha256) ? "pinned; " : ""}${filmName(sha256)}`;
  const out = film.out.map((sha256) => `# left out: ${sha256}  ${filmName(sha256)}`);
  return `${[...film.order.map(line), ...out].join("\n")}\n`;
}

function sayOrder() {
  const { order, file, problem, chapters } = film.said;
  const about = problem ? t("film.problem", { problem }) : t(file ? "film.file" : "film.rule", { order });
  $("film-about").textContent = chapters ? `${about} ${t("film.chapters")}` : about;
  $("film-save").hidden = Boolean(problem);
  $("film-save").textContent = t(file ? "film.save" : "film.download");
  $("film-as-text").hidden = file;
}

async function loadFilm() {
  const { status, data } = await ask("/api/order");
  if (status !== 200) return;
  film.items.clear();
  takeOrder(data);
  sayOrder();
}

function saveFilm() {
  if (!film.said.file) {
    const url = URL.createObjectURL(new Blob([orderText()], { type: "text/plain" }));
    make("a", { href: url, download: "order.txt" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
    tell(t("film.said.downloaded"));
    return;
  }
  const lines = film.order.map((sha256) => ({ sha256, pinned: film.pinned.has(sha256) }));
  sending = sending.then(async () => {
    const { status, data } = await ask("/api/order", {
      lines, left_out: film.out, seen: film.said.digest, by: reviewer(),
    });
    if (status === 200 || status === 409) film.said = data;
    if (status === 200) {
      film.saved = filmNow();
      tell(t("film.said.saved", { order: data.order, n: lines.length }));
    } else tell(status === 409 ? t("film.said.overtaken") : t("live.refused", { problem: data.problem }));
    layFilm();
  }).catch(() => tell(t("live.lost")));
}

/** Follow the pointer: the clip goes where it is, and stays where it is let go. */
function drag(event, sha256, item, handle) {
  if (event.button !== 0) return;
  event.preventDefault();
  if (film.pinned.has(sha256)) {
    tell(t("film.said.is_pinned", { name: filmName(sha256) }));
    return;
  }
  const before = { order: [...film.order], out: [...film.out], pinned: new Set(film.pinned) };
  item.classList.add("dragged");
  handle.setPointerCapture(event.pointerId);
  const follow = ({ clientY }) => {
    if (clientY < 60) window.scrollBy(0, -24);
    if (clientY > window.innerHeight - 120) window.scrollBy(0, 24);
    const next = film.order.find((it) => {
      if (it === sha256) return false;
      const box = film.items.get(it).getBoundingClientRect();
      return clientY < box.top + box.height / 2;
    });
    const was = film.order.join();
    moveBefore(sha256, next ?? null);
    if (film.order.join() !== was) layFilm();
  };
  const end = (last) => {
    handle.removeEventListener("pointermove", follow);
    item.classList.remove("dragged");
    if (last.type === "pointercancel") film.order = before.order;
    else if (film.order.join() !== before.order.join()) {
      film.before.push(before);
      tell(sayPlace(sha256));
    }
    layFilm();
  };
  handle.addEventListener("pointermove", follow);
  handle.addEventListener("pointerup", end, { once: true });
  handle.addEventListener("pointercancel", end, { once: true });
}

function markReel(sha256) {
  if (film.items.has(filmAt)) film.items.get(filmAt).classList.remove("current");
  filmAt = sha256;
  film.items.get(sha256).classList.add("current");
}

function goReel(by) {
  const all = [...film.order, ...film.out];
  if (!all.length) return;
  const at = all.indexOf(filmAt);
  const item = film.items.get(all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))]);
  item.focus();
  item.scrollIntoView({ block: "nearest" });
}

const onReel = (act) => {
  if (film.items.has(filmAt)) act(filmAt);
};
/** The keys of this tab; each has a button. */
const FILM_KEYS = {
  j: (event) => (event.shiftKey ? onReel((sha256) => step(sha256, 1)) : goReel(1)),
  k: (event) => (event.shiftKey ? onReel((sha256) => step(sha256, -1)) : goReel(-1)),
  p: () => onReel(pin),
  x: () => onReel(leaveOutHere),
  s: () => $("film-save").click(),
  u: undoFilm,
  "?": () => $("help").showModal(),
};
const FILM_KEY_NAMES = [
  ["J", "j"], ["K", "k"], ["⇧ J", "film.later"], ["⇧ K", "film.earlier"], ["P", "film.pin"],
  ["X", "film.out"], ["U", "u"], ["S", "film.save"],
];

const VIEWS = ["clips", "montage"];

function showView(name) {
  for (const view of VIEWS) {
    const isIt = view === name;
    $(`view-${view}`).hidden = !isIt;
    $(`tab-${view}`).setAttribute("aria-selected", String(isIt));
    $(`tab-${view}`).tabIndex = isIt ? 0 : -1;
  }
  $("undo").hidden = name === "montage"; // which has one of its own
  if (name !== "montage") return;
  pickAll([...selected], false);
  if (film.said) followDecisions();
  else loadFilm().catch(() => tell(t("live.lost")));
}

function goMontage() {
  $("tabs").hidden = false;
  $("help-montage").hidden = false;
  $("help-montage-keys").append(...keyNames(FILM_KEY_NAMES));
  VIEWS.forEach((view, at) => {
    const panel = $(`view-${view}`);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `tab-${view}`);
    const tab = $(`tab-${view}`);
    tab.addEventListener("click", () => showView(view));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = VIEWS[1 - at];
      showView(other);
      $(`tab-${other}`).focus();
    });
  });
  options("film-sort", ["received", "sender", "filename", "longest"].map((key) => [key, t(`sort.${key}`)])
    .concat([["shuffle", t("film.shuffle")]]));
  $("film-sort-do").addEventListener("click", sortFilm);
  $("film-save").addEventListener("click", saveFilm);
  $("film-undo").addEventListener("click", undoFilm);
  $("film-reload").addEventListener("click", () => loadFilm().catch(() => tell(t("live.lost"))));
}
