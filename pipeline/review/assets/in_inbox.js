// What the last run left in the inboxes: it has no card yet, so the morning page says it.

import { attentionItem } from "./attention.js";
import { report } from "./data.js";
import { byId, element } from "./dom.js";
import { sizeText, textOf, textOfCode } from "./texts.js";

/** The mails that wait, by reason and sender, the most first. */
function groups() {
  /** @type {Map<string, { why: string, sender: string, n: number, size: number }>} */
  const found = new Map();
  for (const { why, sender, size } of report.inbox.mails) {
    const key = JSON.stringify([why, sender]);
    const group = found.get(key) ?? { why, sender, n: 0, size: 0 };
    group.n += 1;
    group.size += size;
    found.set(key, group);
  }
  return [...found.values()].sort((a, b) => b.n - a.n);
}

/** List what was left, each with the reason and when it comes in; the part is hidden if nothing was. */
export function listInInbox() {
  const { not_read: notRead, remarks } = report.inbox;
  const items = groups().map(({ why, sender, n, size }) => {
    const whose = sender ? textOf("inbox.mails.of", { n, sender }) : textOf("inbox.mails", { n });
    return attentionItem(why, n, size ? `${whose} (${sizeText(size)})` : whose, textOfCode("stays", why));
  });
  if (notRead.length) {
    const names = notRead.filter(Boolean).join(", ");
    const what = textOf("inbox.not_read", { n: notRead.length });
    items.push(attentionItem("failed", notRead.length, names ? `${what}: ${names}` : what, textOf("inbox.not_read.do")));
  }
  if (remarks.length) {
    const told = remarks.map(({ inbox, text }) => element("span", { class: "advice", dir: "auto" }, inbox ? `${inbox}: ${text}` : text));
    const what = textOf("inbox.remarks", { n: remarks.length });
    items.push(attentionItem("remarks", remarks.length, element("span", {}, what, ...told), null));
  }
  byId("in-inbox").replaceChildren(...items);
  byId("in-inbox-part").hidden = !items.length;
}
