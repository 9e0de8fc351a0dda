// With `footage review` behind the page: decisions are written at once, and those of others
// appear. Without it nothing here is used.

const POLL_MS = 1000;
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

/** What the ledger holds now of some clips; it is what the page shows, too. */
function settle(items) {
  for (const { sha256, review } of items) reviews.get(sha256).saved = review;
  put(items.map(({ sha256, review }) => [sha256, review]));
  for (const { sha256 } of items) rowsOf(sha256).forEach(fillFields);
}

/** Write decisions that the page shows already, as one act; it is kept as it stands now, so that
    what is decided while it is on its way is an act of its own, with an undo of its own. */
function send(shas) {
  const act = shas.map((sha256) => ({ sha256, entry: reviews.get(sha256), now: reviews.get(sha256).now }))
    .map((item) => ({ ...item, refused: item.entry.refused }));
  sending = sending.then(async () => {
    // what came before it was refused: the page has gone back, and with it what was built on it
    const sent = act.filter(({ entry, now, refused }) =>
      entry.refused === refused && !same(now, entry.saved));
    if (!sent.length) return;
    const entries = sent.map(({ sha256, entry, now }) => {
      const { decision, note, caption, category, in_s, out_s } = now;
      return { entry: { sha256, decision, note, caption, category, in_s, out_s }, seen: entry.saved };
    });
    const { status, data } = await ask("/api/decide", { entries, by: reviewer() });
    if (status !== 200 && status !== 409) {
      giveUp(sent.map(({ sha256 }) => sha256), t("live.refused", { problem: data.problem }));
      return;
    }
    for (const { sha256, review } of data.changes) reviews.get(sha256).saved = review;
    // where the page has gone on since, the next is on its way
    const last = new Set(sent.filter(({ entry, now }) => entry.now === now).map(({ sha256 }) => sha256));
    settle(data.changes.filter(({ sha256 }) => last.has(sha256)));
    goBack(data.overtaken);
    if (data.overtaken.length) tell(overtaken(data.overtaken));
    catchUp();
  }).catch(() => giveUp(shas, t("live.lost")));
}

/** Show what the ledger holds, and drop what was decided since and is not yet sent. */
function goBack(items) {
  for (const { sha256 } of items) reviews.get(sha256).refused += 1;
  settle(items);
}

/** What is not written is not shown as if it were. */
function giveUp(shas, text) {
  goBack(shas.map((sha256) => ({ sha256, review: reviews.get(sha256).saved })));
  tell(text);
}

function overtaken(items) {
  const [{ sha256, review }] = items;
  if (items.length > 1) return t("live.overtaken_all", { n: items.length });
  return t("live.overtaken", { name: named.get(sha256), by: review.by || t("live.somebody") });
}

/** Take back the last act of this reviewer, also one made before the server began. */
function undoLive() {
  sending = sending.then(async () => {
    const { status, data } = await ask("/api/undo", { by: reviewer() });
    if (status === 409) tell(t("live.undo_overtaken"));
    else if (status !== 200 || !data.changes.length) tell(t("said.nothing_to_undo"));
    else {
      goBack(data.changes);
      tellUndone(data.changes.map(({ sha256 }) => firsts.get(sha256)));
      catchUp();
    }
  }).catch(() => tell(t("live.lost")));
}

/** Say it to those who see and to those who listen. */
function tell(text) {
  $("dock-count").textContent = text;
  say(text);
}

/** Take in what was decided since, by whomever. */
async function catchUp() {
  const { status, data } = await ask(`/api/changes?since=${counter}`);
  if (status !== 200 || data.counter <= counter) return;
  counter = data.counter;
  for (const sha256 of remember(data.events)) rowsOf(sha256).forEach(refresh);
  for (const { sha256, review } of data.changes) {
    const entry = reviews.get(sha256);
    // what is on its way to the server is settled by its answer
    if (!entry || !same(entry.now, entry.saved)) continue;
    if (same(entry.now, review)) {
      entry.saved = review;
      entry.now = review;
    } else {
      settle([{ sha256, review }]);
      tell(t("live.other", { by: review.by || t("live.somebody"), name: named.get(sha256), decision: t(`decision.${review.decision}`) }));
    }
  }
}

async function poll() {
  try {
    await catchUp();
  } catch {
    tell(t("live.lost"));
  }
  setTimeout(poll, POLL_MS);
}

function goLive() {
  $("reviewer").value = live.by;
  $("save").hidden = true;
  $("undo").disabled = false;
  layDock();
  $("dock-count").textContent = t("live.ready");
  $("help-file").textContent = t("live.help");
  goMontage();
  setTimeout(poll, POLL_MS);
}
