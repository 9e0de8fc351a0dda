// Requests to `footage review`, where it serves the page. A page from a file never calls these.

import { inputById } from "./dom.js";
import { readHeaders, storedSecrets, writeHeaders } from "./session.js";

let last = Promise.resolve();

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
  last = last.then(task).catch(onFailure);
}

/** The name that the reviewer gave on this page. */
export const reviewerName = () => inputById("reviewer").value.trim();
