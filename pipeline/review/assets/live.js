// With `footage review` behind the page: decisions are written at once, and those of others
// appear. Without it nothing here is used.

const POLL_MS = 2000;
const live = facts.live;
let counter = live ? live.counter : 0;
let sending = Promise.resolve(); // one after the other, in the order in which they were made

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const answer = await fetch(path, options);
  return { status: answer.status, data: await answer.json() };
}

const reviewer = () => $("reviewer").value.trim();

/** What the ledger holds now; it is what the page shows, too. */
function settle(sha256, review) {
  reviews.get(sha256).saved = review;
  put(sha256, review);
  rowsOf(sha256).forEach(fillFields);
}

/** Write a decision that the page shows already. */
function send(sha256) {
  sending = sending.then(async () => {
    const entry = reviews.get(sha256);
    const sent = entry.now;
    if (same(sent, entry.saved)) return;
    const { decision, note, caption, category, in_s, out_s } = sent;
    const { status, data } = await ask("/api/decide", {
      entry: { sha256, decision, note, caption, category, in_s, out_s }, seen: entry.saved, by: reviewer(),
    });
    if (status === 200) {
      entry.saved = data.review;
      if (entry.now === sent) settle(sha256, data.review); // else the next is on its way
    } else if (status === 409) {
      settle(sha256, data.review);
      tell(t("live.overtaken", { name: named.get(sha256), by: data.review.by || t("live.somebody") }));
    } else {
      settle(sha256, entry.saved);
      tell(t("live.refused", { problem: data.problem }));
    }
  }).catch(() => {
    settle(sha256, reviews.get(sha256).saved); // what is not written is not shown as if it were
    tell(t("live.lost"));
  });
}

/** Take back the last decision of this reviewer, also one made before the server began. */
function undoLive() {
  sending = sending.then(async () => {
    const { status, data } = await ask("/api/undo", { by: reviewer() });
    if (status === 409) tell(t("live.undo_overtaken"));
    else if (status !== 200 || !data.sha256) tell(t("said.nothing_to_undo"));
    else {
      settle(data.sha256, data.review);
      const row = firsts.get(data.sha256);
      reveal(row);
      tell(t("said.undone", { name: row.clip.filename, decision: t(`decision.${data.review.decision}`) }));
    }
  }).catch(() => tell(t("live.lost")));
}

/** Say it to those who see and to those who listen. */
function tell(text) {
  $("dock-count").textContent = text;
  say(text);
}

async function poll() {
  try {
    const { status, data } = await ask(`/api/changes?since=${counter}`);
    if (status === 200) {
      for (const { sha256, review } of data.changes) {
        const entry = reviews.get(sha256);
        // what is on its way to the server is settled by its answer
        if (entry && same(entry.now, entry.saved) && !same(entry.now, review)) {
          settle(sha256, review);
          tell(t("live.other", { by: review.by || t("live.somebody"), name: named.get(sha256), decision: t(`decision.${review.decision}`) }));
        } else if (entry && same(entry.now, entry.saved)) entry.saved = entry.now = review;
      }
      counter = data.counter;
    }
  } catch {
    tell(t("live.lost"));
  }
  setTimeout(poll, POLL_MS);
}

function goLive() {
  $("reviewer").value = live.by;
  $("save").hidden = true;
  $("undo").disabled = false;
  $("dock").hidden = false;
  document.body.classList.add("docked");
  $("dock-count").textContent = t("live.ready");
  $("help-file").textContent = t("live.help");
  setTimeout(poll, POLL_MS);
}
