// The two secrets that a link of `footage review` is exchanged for. They are kept in the storage of
// the page's origin, which other pages, also those of other ports, can't read. A tab keeps its own, so
// that two reviewers can use one browser; a new tab takes those that came last.

/** @typedef {{ session: string, write: string }} Secrets */

const KEY = "footage-review";

/**
 * @param {Storage} storage
 * @returns {Secrets[]} one or none
 */
function readFrom(storage) {
  try {
    const secrets = JSON.parse(storage.getItem(KEY) ?? "null");
    return secrets ? [secrets] : [];
  } catch {
    return []; // something else was served on this port before, and kept something else
  }
}

/** The secrets of this tab, then those that any tab of this origin got last. */
export const storedSecrets = () => [...readFrom(sessionStorage), ...readFrom(localStorage)];

/**
 * Keep secrets for this tab.
 * @param {Secrets} secrets
 */
export const keepInTab = (secrets) => sessionStorage.setItem(KEY, JSON.stringify(secrets));

/**
 * Keep secrets for new tabs.
 * @param {Secrets} secrets
 */
export const keepForNewTabs = (secrets) => localStorage.setItem(KEY, JSON.stringify(secrets));

/**
 * @param {Secrets} secrets
 * @returns {Record<string, string>} the headers of a request that only reads
 */
export const readHeaders = (secrets) => ({ "Footage-Session": secrets.session });

/**
 * @param {Secrets} secrets
 * @returns {Record<string, string>} the headers of a request that changes something
 */
export const writeHeaders = (secrets) => ({
  ...readHeaders(secrets), "Footage-Write": secrets.write, "Content-Type": "application/json",
});
