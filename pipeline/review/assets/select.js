// A selection of clips, and one decision on all of them.  What is not shown is not selected.

const selected = new Set(); // rows
let anchor = null; // where a range begins

function addPick(row, card) {
  const box = card.querySelector(".pick input");
  box.setAttribute("aria-label", t("pick", { name: row.clip.filename }));
  box.addEventListener("click", (event) => pick(row, box.checked, event.shiftKey));
}

/** Select a row or let it go, and with *ranging* all rows from the last one that was touched. */
function pick(row, on, ranging) {
  const [from, to] = [shown.indexOf(ranging && anchor ? anchor : row), shown.indexOf(row)];
  pickAll(from < 0 ? [row] : shown.slice(Math.min(from, to), Math.max(from, to) + 1), on);
  anchor = row;
}

function pickAll(picked, on) {
  for (const row of picked.filter(decidable)) {
    if (on) selected.add(row);
    else selected.delete(row);
  }
  showSelection();
}

function showSelection() {
  for (const row of rows) {
    if (!row.card) continue;
    const box = row.card.querySelector(".pick input");
    if (box) box.checked = selected.has(row);
    row.card.classList.toggle("selected", selected.has(row));
  }
  $("selection").hidden = !selected.size;
  $("selection-count").textContent = t("pick.count", { n: selected.size });
  layDock();
}

/** Let go of what the filters no longer show. */
function keepShown() {
  const there = new Set(shown);
  const gone = [...selected].filter((row) => !there.has(row));
  if (gone.length) pickAll(gone, false);
}

function decideSelected(decision) {
  const chosen = shown.filter((row) => selected.has(row));
  amend(chosen, { decision });
  say(t("said.decided_all", { decision: t(`decision.${decision}`), n: chosen.length }));
  pickAll(chosen, false);
}

function layPicking() {
  $("pick-all").addEventListener("click", () => {
    pickAll(shown, true);
    say(t("pick.count", { n: selected.size }));
  });
  $("pick-none").addEventListener("click", () => pickAll([...selected], false));
  for (const decision of ["approved", "held", "rejected"]) {
    const button = make("button", { type: "button", class: decision },
      icon({ approved: "check", held: "pause", rejected: "cross" }[decision]), t(`do.${decision}`));
    button.addEventListener("click", () => decideSelected(decision));
    $("selection-do").append(button);
  }
}
