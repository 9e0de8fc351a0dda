// The morning page: what is new, what waits for whom, how long the montage is now.

const SVG = "http://www.w3.org/2000/svg";
const figureCells = {};

function figure(key, onclick) {
  const value = make("span", { class: "value" });
  const sub = make("span", { class: "sub" });
  const cell = make(onclick ? "button" : "div", { class: `figure ${key}` },
    make("span", { class: "label" }, t(`figure.${key}`)), value, sub);
  if (onclick) {
    cell.type = "button";
    cell.addEventListener("click", onclick);
  }
  figureCells[key] = { value, sub };
  $("figures").append(cell);
}

function layFigures() {
  figure("new", () => show({ status: "new" }));
  figure("waiting", () => show({ status: "waiting" }));
  figure("refused", () => show({ status: "rejected" }));
  figure("failed", () => show({ status: "failed" }));
  figure("montage", null);
}

/** Write the figures anew; those of the decisions change while the page is open. */
function countFigures() {
  let news = 0;
  let waiting = 0;
  let admitted = 0;
  let length = 0;
  for (const row of rows) {
    if (isNew(row)) news += 1;
    if (isWaiting(row)) waiting += 1;
    if (isAdmitted(row)) {
      admitted += 1;
      length += runs(row);
    }
  }
  const { rejected, failed } = report.totals;
  const put = (key, value, sub) => {
    figureCells[key].value.textContent = value;
    figureCells[key].sub.textContent = sub;
  };
  put("new", number.format(news), t("figure.new.sub"));
  put("waiting", number.format(waiting), t(waiting ? "figure.waiting.sub" : "figure.waiting.sub.none"));
  put("refused", number.format(rejected), t("figure.refused.sub", { n: rejected }));
  put("failed", number.format(failed), t(failed ? "figure.failed.sub" : "figure.failed.sub.none"));
  put("montage", clock(length), t("figure.montage.sub", { n: admitted }));
}

/** Refused and failed by reason, the failed first, each with what to do about it. */
function listAttention() {
  const counts = new Map();
  for (const { clip } of rows) {
    if (clip.reason && (clip.status === "failed" || clip.status === "rejected")) {
      const entry = counts.get(clip.reason.code) || { n: 0, status: clip.status };
      entry.n += 1;
      counts.set(clip.reason.code, entry);
    }
  }
  const order = [...counts].sort(([, a], [, b]) =>
    (a.status === "failed" ? 0 : 1) - (b.status === "failed" ? 0 : 1) || b.n - a.n);
  for (const [code, { n, status }] of order) {
    const button = make("button", { type: "button", class: "link" }, word("reason", code));
    button.addEventListener("click", () => show({ reason: code }));
    const item = make("li", { class: status },
      make("span", { class: "n" }, number.format(n)), make("span", {}, button));
    if (texts[`advice.${code}`]) {
      item.lastChild.append(" ", make("span", { class: "advice" }, t(`advice.${code}`)));
    }
    $("attention").append(item);
  }
  const { pending } = report.totals;
  if (pending) {
    $("attention").append(make("li", { class: "pending" },
      make("span", { class: "n" }, number.format(pending)),
      make("span", {}, t("attention.pending", { n: pending }), " ",
        make("span", { class: "advice" }, t("attention.pending.do")))));
  }
  if (!order.length && !pending) {
    $("attention").append(make("li", { class: "none" }, t("attention.none")));
  }
}

/** A column chart; the picture says in words what it shows. */
function columns(place, values, alt, labels) {
  const width = 320;
  const height = 96;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height + 20}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", alt);
  const draw = (tag, attributes, text) => {
    const shape = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
    if (text !== undefined) shape.textContent = text;
    svg.append(shape);
  };
  const most = Math.max(...values, 1);
  const step = width / values.length;
  const bar = Math.max(1, Math.min(28, step * 0.72));
  values.forEach((value, index) => {
    const tall = value ? Math.max(2, (value / most) * (height - 16)) : 0;
    const x = index * step + (step - bar) / 2;
    draw("rect", { x, y: height - tall, width: bar, height: tall, rx: Math.min(2, bar / 4), class: "bar" });
  });
  draw("line", { x1: 0, x2: width, y1: height + 0.5, y2: height + 0.5, class: "axis" });
  for (const { at, text, line } of labels) {
    const x = (at + 0.5) * step;
    if (line) draw("line", { x1: x, x2: x, y1: 0, y2: height, class: "target" });
    const end = at <= values.length * 0.15 ? "start" : at >= values.length * 0.85 - 1 ? "end" : "middle";
    const edge = end === "start" ? Math.max(0, x - bar / 2) : end === "end" ? Math.min(width, x + bar / 2) : x;
    draw("text", { x: edge, y: height + 15, class: `tick ${end}` }, text);
  }
  values.forEach((value, index) => {
    if (!value || (value !== most && values.length > 14)) return;
    const y = height - Math.max(2, (value / most) * (height - 16)) - 4;
    draw("text", { x: (index + 0.5) * step, y, class: "tick middle" }, number.format(value));
  });
  place.replaceChildren(svg);
}

function plotDays() {
  const DAY = 86400000;
  const days = report.submissions.map((item) => Date.parse(`${item.received_at.slice(0, 10)}T00:00:00Z`));
  if (!days.length) {
    $("plot-days").replaceChildren(make("p", { class: "none" }, t("plot.days.none")));
    return;
  }
  const last = days.reduce((a, b) => Math.max(a, b));
  const first = Math.max(days.reduce((a, b) => Math.min(a, b)), last - 59 * DAY);
  // a week at the least: one lonely column would look like a wall
  const start = Math.min(first, last - 6 * DAY);
  const values = new Array(Math.round((last - start) / DAY) + 1).fill(0);
  for (const at of days) if (at >= start) values[Math.round((at - start) / DAY)] += 1;
  const shown = values.reduce((a, b) => a + b);
  const alt = t("plot.days.alt", {
    n: shown, from: day.format(first), to: day.format(last), most: Math.max(...values),
  });
  columns($("plot-days"), values, alt, [
    { at: 0, text: day.format(start) },
    { at: values.length - 1, text: day.format(last) },
  ]);
}

function plotLoudness() {
  const target = facts.loudness_lufs;
  const measured = rows.filter(decidable).map((row) => row.clip.outputs[0].loudness_lufs)
    .filter((value) => value !== null);
  if (!measured.length) {
    $("plot-loudness").replaceChildren(make("p", { class: "none" }, t("plot.loudness.none")));
    return;
  }
  const half = 8; // columns a side; what lies beyond stands in the last
  const farthest = measured.reduce((most, value) => Math.max(most, Math.abs(value - target)), 0);
  const step = [0.1, 0.25].find((width) => farthest <= half * width) || 0.5;
  const values = new Array(2 * half + 1).fill(0);
  for (const value of measured) {
    const at = Math.round((value - target) / step) + half;
    values[Math.max(0, Math.min(2 * half, at))] += 1;
  }
  const alt = t("plot.loudness.alt", {
    n: measured.length, target: decimal(target),
    low: decimal(measured.reduce((a, b) => Math.min(a, b))),
    high: decimal(measured.reduce((a, b) => Math.max(a, b))),
  });
  columns($("plot-loudness"), values, alt, [
    { at: 0, text: `≤ ${decimal(target - half * step)}` },
    { at: half, text: t("plot.target", { target: decimal(target) }), line: true },
    { at: 2 * half, text: `≥ ${decimal(target + half * step)}` },
  ]);
}

function layMorning() {
  $("asof").replaceChildren(...(() => {
    const [before, after] = t("asof", { when: "\u0000" }).split("\u0000");
    return [before, make("time", { datetime: report.generated_at }, moment.format(new Date(report.generated_at))), after];
  })());
  layFigures();
  countFigures();
  listAttention();
  plotDays();
  plotLoudness();
}
