// Opens the review: exchanges the token of the link for secrets, and fetches the page with them.

import { keepForNewTabs, keepInTab, readHeaders, storedSecrets } from "./session.js";

const PAGE = "/report/index.html";

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {string} problem what the server said; "" keeps the sentence of the page */
function showClosed(problem) {
  if (problem) byId("problem").textContent = problem;
  byId("opening").hidden = true;
  byId("closed").hidden = false;
}

/** Exchange the token in the address, if there is one, and take it out of the address. */
async function redeemToken() {
  const token = new URLSearchParams(location.search).get("token");
  if (!token) return;
  const answer = await fetch("/api/enter", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }),
  });
  history.replaceState(null, "", PAGE + location.hash);
  if (!answer.ok) return;
  const secrets = await answer.json();
  keepInTab(secrets);
  keepForNewTabs(secrets);
}

async function open() {
  await redeemToken();
  let problem = "";
  for (const secrets of storedSecrets()) {
    const answer = await fetch(PAGE, { headers: readHeaders(secrets), cache: "no-store" });
    if (answer.ok) {
      keepInTab(secrets);
      const page = await answer.text();
      document.open(); // the content policy of this document stays in force
      document.write(page);
      document.close();
      return;
    }
    if (answer.status !== 403) ({ problem } = await answer.json()); // not only an old secret
  }
  showClosed(problem);
}

open().catch((error) => showClosed(String(error)));
