// Requests to `footage review`, where it serves the page. A page from a file never calls these.

import { byId, inputById } from "./dom.js";
import { notify } from "./messages.js";
import { readHeaders, storedSecrets, writeHeaders } from "./session.js";
import { textOf } from "./texts.js";

const SLOW_MS = 2000; // after which the page says that it waits

let last = Promise.resolve();
let pending = 0; // acts that are not answered yet

/** Whether what was done here may not be written yet. */
export const isWriting = () => pending > 0;

/**
 * @param {string} path
 * @param {unknown} [body] sent as JSON; without it the request only reads
 * @returns {Promise<{ status: number, data: any }>} the status of HTTP and the JSON of the answer
 */
export async function ask(path, body) {
  const [secrets] = storedSecrets();
  const answer = await fetch(path, body === undefined ? { headers: readHeaders(secrets) } : {
    method: "POST", headers: writeHeaders(secrets), body: JSON.stringify(body),
  });
  return { status: answer.status, data: await answer.json() };
}

/**
 * Run tasks that write one after the other, in the order in which they were made.
 * @param {() => Promise<void>} task
 * @param {() => void} onFailure called where the task fails, which means the server is gone
 */
export function writeInOrder(task, onFailure) {
  pending += 1;
  const timer = setTimeout(() => notify(textOf("live.slow")), SLOW_MS);
  last = last.then(async () => {
    await task();
    // whatever the task said is newer, and further acts may wait
    if (pending === 1 && byId("dock-count").textContent === textOf("live.slow")) notify(textOf("live.written"));
  }).catch(onFailure).finally(() => {
    pending -= 1;
    clearTimeout(timer);
  });
}

/** The name that the reviewer gave on this page. */
export const reviewerName = () => inputById("reviewer").value.trim();
