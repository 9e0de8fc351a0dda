// One card an attachment, made when it comes near and not before.

const template = $("card");
const STATE_ICON = {
  accepted: "check", rejected: "cross", failed: "warn", duplicate: "same", pending: "clock",
  withdrawn: "cross", approved: "check", held: "pause",
};

/** What a card says about its picture: the clip to play, the still of a duplicate, or nothing. */
function media(row) {
  const { clip } = row;
  if (!clip.outputs.length) return null;
  const still = `thumbs/${clip.duplicate_of || clip.sha256}.jpg`;
  if (clip.status !== "accepted") return make("img", { src: still, alt: "", loading: "lazy" });
  const video = make("video", {
    controls: "", preload: "none", playsinline: "", poster: still,
    "aria-label": t("card.video", { name: clip.filename }),
  });
  video.src = `../${clip.outputs[0].path}`;
  video.width = clip.outputs[0].width;
  video.height = clip.outputs[0].height;
  video.addEventListener("play", () => video.classList.add("touched"), { once: true });
  return make("div", { class: "frame" }, video, cover(video));
}

/** The sign that a still can be played, all of it to be pressed; the video's own controls do the same. */
function cover(video) {
  const sign = icon("play");
  sign.setAttribute("class", "glyph");
  const whole = make("div", { class: "cover", "aria-hidden": "true" }, sign);
  whole.addEventListener("click", () => video.play());
  return whole;
}

function state(row) {
  const { clip } = row;
  const review = reviewOf(row);
  const decided = decidable(row) && review.decision !== "undecided";
  const key = decided ? review.decision : clip.status;
  const pill = make("span", { class: `pill ${decided ? "decision" : "status"}-${key}` },
    icon(STATE_ICON[key] || "clock"), decided ? t(`decision.${key}`) : word("status", key));
  const parts = [pill];
  if (decidable(row) && !decided) {
    parts.push(make("span", { class: "pill waiting" }, icon("clock"), t("decision.undecided")));
  }
  if (decided && review.by) {
    parts.push(make("span", { class: "by" }, ...around("decision.by", "by", review.by)));
  }
  if (isUnsaved(row)) parts.push(make("span", { class: "unsaved" }, t("decision.unsaved")));
  return parts;
}

function meta(row) {
  const { clip, mail } = row;
  const parts = [make("time", { datetime: mail.received_at }, moment.format(new Date(mail.received_at)))];
  parts.push(word("kind", clip.kind));
  if (clip.source && clip.source.duration_s) parts.push(clock(clip.source.duration_s));
  if (clip.parent && named.has(clip.parent)) {
    parts.push(make("span", {}, ...around("card.inside", "name", named.get(clip.parent))));
  }
  return parts.flatMap((part, index) => (index ? [" · ", part] : [part]));
}

/** What was found, by kind: location (EXIF position, XMP position), time (container tag). */
function findings(found) {
  const kinds = new Map();
  for (const { what, carrier } of found) {
    kinds.set(what, [...(kinds.get(what) || []), carrier]);
  }
  const order = ["location", "identity", "time", "other"];
  return [...kinds].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .map(([what, carriers]) => t("what.list", { what: word("what", what), carriers: carriers.join(", ") }))
    .join(", ");
}

function seal({ metadata, status }) {
  const found = findings(metadata.found);
  if (metadata.clean === null) return found ? [make("b", {}, t("seal.found")), ` ${found}`] : [];
  if (!metadata.clean) {
    return [make("span", { class: "badge unclean" }, icon("warn"), t("seal.not_clean")), ` ${found}`];
  }
  const badge = make("span", { class: "badge" }, icon("seal"), t("seal.clean"));
  if (status === "withdrawn") return [];
  return found ? [badge, " ", make("b", {}, t("seal.removed")), ` ${found}`] : [badge, ` ${t("seal.nothing")}`];
}

/** What was done to make the clip, in the order in which it was done. */
function done({ kind, source, outputs }) {
  if (!source || !outputs.length) return [];
  const [output] = outputs;
  const parts = [];
  if (source.rotation) parts.push(t("done.rotated", { degrees: source.rotation }));
  if (source.hdr) parts.push(t("done.hdr"));
  const small = source.width < output.width && source.height < output.height;
  if (source.width !== output.width || source.height !== output.height) {
    const sizes = { from: `${source.width} × ${source.height}`, to: `${output.width} × ${output.height}` };
    parts.push(`${t(small ? "done.upscaled" : "done.scaled")}, ${t("done.size", sizes)}`);
  }
  if (kind === "image") parts.push(t("done.still", { n: number.format(output.duration_s) }));
  else if (source.fps && Math.abs(source.fps - output.fps) > 0.01) {
    parts.push(t("done.rate", { from: number.format(source.fps), to: number.format(output.fps) }));
  }
  if (output.loudness_lufs !== null && source.audio_codec) {
    const before = source.loudness_lufs ?? null; // a program may not tell it
    parts.push(before === null ? t("done.loudness", { n: decimal(output.loudness_lufs) })
      : t("done.loudness_from", { from: decimal(before), to: decimal(output.loudness_lufs) }));
  }
  return parts.length ? [make("b", {}, t("done")), ` ${parts.join(" · ")}`] : [];
}

function reason(row) {
  const { clip } = row;
  if (clip.status === "duplicate") {
    const parts = [make("span", {}, ...around("card.same", "name", named.get(clip.duplicate_of) || ""))];
    const first = firsts.get(clip.duplicate_of);
    if (first) {
      const jump = make("button", { type: "button", class: "link" }, t("card.show_first"));
      jump.addEventListener("click", () => reveal(first));
      parts.push(" ", jump);
    }
    return parts;
  }
  if (!clip.reason) return [];
  const { code, detail } = clip.reason;
  const parts = [make("b", {}, word("reason", code))];
  if (detail) parts.push(" — ", quoted(detail));
  if (texts[`advice.${code}`]) parts.push(" ", make("span", { class: "advice" }, t(`advice.${code}`)));
  return parts;
}

function caption(row) {
  const review = reviewOf(row);
  const words = review.caption ?? row.clip.caption;
  const category = review.category ?? row.clip.category;
  const parts = [];
  if (words) parts.push(make("span", { class: "hidden" }, `${t("card.caption")}: `), make("q", { dir: "auto" }, words));
  if (category) {
    parts.push(" ", make("span", { class: "tag" }, make("span", { class: "hidden" }, `${t("card.category")}: `), quoted(category)));
  }
  if (review.note) parts.push(" ", make("span", { class: "note", dir: "auto" }, review.note));
  return parts;
}

/** A review's field in words, for the history. */
function saidOf(key, value) {
  if (key === "decision") return t(`decision.${value}`);
  if (value === null || value === "") return t("history.nothing");
  return key === "in_s" || key === "out_s" ? t("card.seconds", { n: number.format(value) }) : `“${value}”`;
}

/** Who decided what and when, and what stood there before; the newest first. */
function historyOf(row) {
  return (trails.get(row.clip.sha256) || []).map(({ at, by, undoes, before, after }) => {
    const changed = Object.keys(after).map((key) => make("span", { class: "change" },
      `${t(`history.${key}`)}: `, quoted(saidOf(key, before[key])), t("history.to"), quoted(saidOf(key, after[key]))));
    return make("li", {}, make("time", { datetime: at }, moment.format(new Date(at))), " · ",
      quoted(by || t("live.somebody")), undoes ? ` · ${t("history.undo")}` : "", ...changed);
  }).reverse();
}

/** The first clip that a warning looks-like:SHA-256 names, by the beginning of it. */
function alikeOf(warning) {
  const [code, prefix] = warning.split(":");
  if (code !== "looks-like" || !prefix) return null;
  for (const [sha256, row] of firsts) if (sha256.startsWith(prefix)) return row;
  return null;
}

const wordsOf = (warning) => {
  const other = alikeOf(warning);
  return other ? around("said.looks_like", "name", other.clip.filename) : [word("warning", warning)];
};

/** A clip and the one that it looks like, side by side. */
function alike(row) {
  const other = row.clip.warnings.map(alikeOf).find((found) => found && found !== row);
  if (!other || !row.clip.outputs.length || !other.clip.outputs.length) return [];
  const still = ({ clip }, key) => make("figure", {},
    make("img", { src: `thumbs/${clip.sha256}.jpg`, alt: "", loading: "lazy" }),
    make("figcaption", {}, make("span", { class: "soft" }, t(key)), " ", quoted(clip.filename)));
  const jump = make("button", { type: "button", class: "link" }, t("card.show_other"));
  jump.addEventListener("click", () => reveal(other));
  return [still(row, "card.this"), still(other, "card.other"), jump];
}

/** Fill a paragraph, or take it away where there is nothing to say. */
function fill(card, selector, parts) {
  const place = card.querySelector(selector);
  place.replaceChildren(...parts);
  place.hidden = !parts.length;
}

function fillMail(card, mail) {
  const who = mail.sender ? around("card.from", "name", mail.sender) : [t("card.nobody")];
  fill(card, ".who", who);
  const subject = card.querySelector(".subject bdi");
  subject.textContent = mail.subject || t("card.no_subject");
  subject.classList.toggle("nothing", !mail.subject);
  const text = card.querySelector(".text");
  text.textContent = mail.text || t("card.no_text");
  text.classList.toggle("nothing", !mail.text);
  if (mail.text.length > 280 || mail.text.split("\n").length > 6) {
    text.classList.add("clamped");
    const more = make("button", { type: "button", class: "link", "aria-expanded": "false" }, t("card.read_all"));
    more.addEventListener("click", () => {
      const open = !text.classList.toggle("clamped");
      more.setAttribute("aria-expanded", String(open));
      more.textContent = t(open ? "card.read_less" : "card.read_all");
    });
    text.after(more);
  }
  fill(card, ".notes", mail.notes.map((note) => make("li", {}, icon("warn"), word("note", note))));
}

/** The parts of a card that a decision changes. */
function refresh(row) {
  const { card } = row;
  if (!card) return;
  fill(card, ".state", state(row));
  fill(card, ".caption", caption(row));
  refreshHistory(row);
  const review = reviewOf(row);
  card.dataset.decision = decidable(row) ? review.decision : "none";
  for (const button of card.querySelectorAll(".decide button")) {
    button.setAttribute("aria-pressed", String(button.dataset.decision === review.decision));
  }
}

function refreshHistory(row) {
  const place = row.card.querySelector(".history");
  if (!place) return;
  const events = trails.get(row.clip.sha256) || [];
  place.hidden = !events.length;
  place.firstElementChild.textContent = t("history", { n: events.length });
  if (place.open) place.lastElementChild.replaceChildren(...historyOf(row));
}

function build(row) {
  const { clip, mail } = row;
  const card = template.content.firstElementChild.cloneNode(true);
  row.card = card;
  card.dataset.status = clip.status;
  card.dataset.sha256 = clip.sha256 || "";
  const title = `n${row.index}`;
  card.setAttribute("aria-labelledby", title);
  const name = card.querySelector(".name");
  name.id = title;
  name.firstElementChild.textContent = clip.filename;
  if (clip.sha256) name.title = t("card.sha", { sha: clip.sha256.slice(0, 12) });
  const picture = media(row);
  if (picture) card.querySelector(".media").append(picture);
  else card.classList.add("bare");
  fill(card, ".meta", meta(row));
  fill(card, ".reason", reason(row));
  fill(card, ".seal", seal(clip));
  fill(card, ".done", done(clip));
  fill(card, ".warnings", clip.warnings.map((warning) =>
    make("li", {}, icon("warn"), ...wordsOf(warning))));
  fill(card, ".alike", alike(row));
  fillMail(card, mail);
  if (decidable(row)) addControls(row, card);
  else for (const part of card.querySelectorAll(".decide, .edit, .history, .pick")) part.remove();
  refresh(row);
  return card;
}
