// Footage that was taken back while a served page was open. It is shown no longer.

import { closeCompare, comparedRows } from "./compare.js";
import { showFiltered } from "./list.js";
import { warn } from "./messages.js";
import { closePlayer, playerRow } from "./player.js";
import { reviewsChanged } from "./reviews.js";
import { rows, rowsOf } from "./rows.js";
import { select } from "./selection.js";
import { textOf } from "./texts.js";

/**
 * Take the words of mails off the page, as the ledger has deleted them.
 * @param {Set<string>} ids of the mails that have no words any more
 */
function takeWordsAway(ids) {
  for (const row of rows) {
    const { mail } = row;
    const { proposed } = mail.consent;
    if (proposed && ids.has(proposed.mail)) mail.consent.proposed = null;
    if (!ids.has(mail.id)) continue;
    Object.assign(mail, { subject: "", text: "", sender_name: "", links: [] });
    if (row.isMail) row.clip.filename = textOf("card.no_subject");
    row.searchText = null;
    row.card?.remove();
    row.card = null;
  }
}

/**
 * Take clips off the page, with all that plays them, and say so.
 * @param {string[]} shas of all originals that were withdrawn, also earlier
 * @param {string[]} emptied of all mails whose words are deleted, also earlier
 */
export function takeAway(shas, emptied) {
  const gone = shas.flatMap(rowsOf).filter(({ clip }) => clip.status !== "withdrawn");
  if (!gone.length) return;
  if (comparedRows().some((row) => gone.includes(row))) closeCompare();
  const shown = playerRow();
  if (shown && gone.includes(shown)) closePlayer();
  for (const row of gone) {
    select(row, false, false);
    Object.assign(row.clip, { status: "withdrawn", outputs: [], reason: null, waits: null });
    row.card?.remove(); // which stops its film, too
    row.card = null;
  }
  takeWordsAway(new Set(emptied));
  showFiltered();
  reviewsChanged.send(gone, true);
  const [{ clip }] = gone;
  warn(gone.length > 1 ? textOf("live.withdrawn_all", { n: gone.length }) : textOf("live.withdrawn", { name: clip.filename }));
}
