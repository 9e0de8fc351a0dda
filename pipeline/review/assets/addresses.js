// The addresses of films and stills. A browser fetches them without the headers of a session, so on a
// served page each has a key, which opens the files of one clip and nothing else.

import { facts } from "./data.js";

/**
 * @param {string | null} sha256
 * @param {string} path from the folder of the report
 */
const withKey = (sha256, path) => facts.live ? `${path}?key=${facts.live.keys[sha256 ?? ""]}` : path;

/** @param {string | null} sha256 */
export const stillOf = (sha256) => withKey(sha256, `thumbs/${sha256}.jpg`);

/**
 * @param {import("./data.js").Clip} clip
 * @param {import("./data.js").Output} output
 */
export const filmOf = (clip, output) => withKey(clip.sha256, `../${output.path}`);
