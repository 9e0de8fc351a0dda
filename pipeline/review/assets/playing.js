// How films play on this page: between the in and out points of their clip, one at a time, frame by
// frame, at several speeds, and backwards.

import { makeSignal } from "./signal.js";

/**
 * @typedef {{ from: number, to: number, length: number, fps: number }} Span what of a film is shown, in seconds
 * @typedef {{ spanOf: () => Span, shuttle: number, tick: number }} Played
 *   shuttle: how fast it is shuttled, negative: backwards, 0: it is not; tick: the callback of its next frame
 */

/** How all films play: also what is cut away; again from the start; how fast. */
export const mode = { isWhole: false, isLooped: false, speed: 1 };

const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 4];
const SHUTTLE_SPEEDS = [1, 2, 4, 8];

/** @type {WeakMap<HTMLVideoElement, Played>} */
const films = new WeakMap();

/** Sent after a film moved, began, stopped, or another mode was chosen.
 * @type {{ listen: (listener: (video: HTMLVideoElement | null) => void) => void, send: (video: HTMLVideoElement | null) => void }} */
export const playingChanged = makeSignal();

/** @param {HTMLVideoElement} video */
function playedOf(video) {
  const played = films.get(video);
  if (!played) throw new Error("a film plays that is not known");
  return played;
}

/**
 * Let a film play within its span.
 * @param {HTMLVideoElement} video
 * @param {() => Span} spanOf read each time it is needed: a cut can change while the film plays
 */
export function startPlaying(video, spanOf) {
  films.set(video, { spanOf, shuttle: 0, tick: 0 });
  video.addEventListener("play", () => begin(video));
  video.addEventListener("pause", () => {
    const played = playedOf(video);
    played.shuttle = Math.min(played.shuttle, 0); // one that goes backwards is paused all the time
    playingChanged.send(video);
  });
  video.addEventListener("ended", () => stopAtEnd(video));
  for (const name of ["seeking", "seeked", "timeupdate", "loadedmetadata"]) {
    video.addEventListener(name, () => {
      if (!video.paused) keepInside(video);
      playingChanged.send(video);
    });
  }
}

/**
 * The span that plays now: of a clip that is shown whole, all of it.
 * @param {HTMLVideoElement} video
 * @returns {Span}
 */
export function spanOf(video) {
  const span = playedOf(video).spanOf();
  return mode.isWhole ? { ...span, from: 0, to: span.length } : span;
}

/** @param {HTMLVideoElement} video */
function begin(video) {
  const { from, to, fps } = spanOf(video);
  const isOutside = video.currentTime < from - 0.5 / fps || video.currentTime >= to - 0.5 / fps;
  if (isOutside) video.currentTime = from;
  video.playbackRate = playedOf(video).shuttle || mode.speed;
  playingChanged.send(video);
  follow(video);
}

/**
 * Look at each frame of a film while it plays.
 * @param {HTMLVideoElement} video
 */
function follow(video) {
  const played = playedOf(video);
  cancelAnimationFrame(played.tick);
  played.tick = requestAnimationFrame(() => {
    if (video.paused) return;
    keepInside(video);
    playingChanged.send(video);
    if (!video.paused) follow(video);
  });
}

/** @param {HTMLVideoElement} video */
function keepInside(video) {
  const { to, length } = spanOf(video);
  if (to < length && video.currentTime >= to) stopAtEnd(video);
}

/**
 * Stop on the last frame that is shown, or begin again.
 * @param {HTMLVideoElement} video
 */
function stopAtEnd(video) {
  playingChanged.send(video); // with its last moment, before it jumps
  const { from, to, fps } = spanOf(video);
  if (mode.isLooped) {
    video.currentTime = from;
    video.play().catch(() => {});
    return;
  }
  video.pause();
  video.currentTime = Math.max(from, to - 0.5 / fps);
}

/**
 * The number of the frame that a film shows.
 * @param {HTMLVideoElement} video
 */
export const frameOf = (video) => Math.floor(video.currentTime * playedOf(video).spanOf().fps + 1e-3);

/**
 * Show another moment.
 * @param {HTMLVideoElement} video
 * @param {number} seconds
 */
export function seek(video, seconds) {
  const { length, fps } = playedOf(video).spanOf();
  video.currentTime = Math.max(0, Math.min(seconds, length - 0.5 / fps));
  playingChanged.send(video);
}

/**
 * Stop, and show a frame that is some frames later or earlier.
 * @param {HTMLVideoElement} video
 * @param {number} by
 */
export function step(video, by) {
  stop(video);
  // the middle of a frame: a time between two of them may show either
  seek(video, Math.max(0, frameOf(video) + by + 0.5) / playedOf(video).spanOf().fps);
}

/** @param {HTMLVideoElement} video */
export function stop(video) {
  const played = playedOf(video);
  played.shuttle = 0;
  cancelAnimationFrame(played.tick);
  video.pause();
}

/** @param {HTMLVideoElement} video */
export function play(video) {
  playedOf(video).shuttle = 0;
  // a browser may refuse to play before the first press of a key
  return video.play().catch(() => {});
}

/** @param {HTMLVideoElement} video */
export const isPlaying = (video) => !video.paused || playedOf(video).shuttle < 0;

/** @param {HTMLVideoElement} video */
export function playOrStop(video) {
  if (isPlaying(video)) stop(video);
  else play(video);
}

/**
 * Play faster and faster with each call, forwards or backwards.
 * @param {HTMLVideoElement} video
 * @param {1 | -1} direction
 */
export function shuttle(video, direction) {
  const played = playedOf(video);
  const isFaster = isPlaying(video) && (played.shuttle || 1) * direction > 0;
  const before = isFaster ? Math.abs(played.shuttle || 1) : 0;
  played.shuttle = direction * (SHUTTLE_SPEEDS.find((speed) => speed > before) ?? before);
  if (direction > 0) {
    video.playbackRate = played.shuttle;
    video.play().catch(() => {});
  } else {
    video.pause();
    goBack(video, performance.now());
  }
  playingChanged.send(video);
}

/**
 * Play backwards. Browsers can't, so it is a seek for each frame that can be shown in time.
 * @param {HTMLVideoElement} video
 * @param {number} since
 */
function goBack(video, since) {
  const played = playedOf(video);
  cancelAnimationFrame(played.tick);
  played.tick = requestAnimationFrame((now) => {
    if (played.shuttle >= 0) return;
    if (video.seeking) {
      goBack(video, since);
      return;
    }
    const { from } = spanOf(video);
    const to = Math.max(from, video.currentTime + (played.shuttle * (now - since)) / 1000);
    video.currentTime = to;
    if (to > from) goBack(video, now);
    else stop(video);
    playingChanged.send(video);
  });
}

/**
 * How fast a film is shuttled; 0: it plays at the chosen speed.
 * @param {HTMLVideoElement} video
 */
export const shuttleOf = (video) => playedOf(video).shuttle;

/**
 * Choose the next speed, faster or slower.
 * @param {1 | -1} direction
 */
export function changeSpeed(direction) {
  const at = SPEEDS.indexOf(mode.speed) + direction;
  setMode({ speed: SPEEDS[Math.max(0, Math.min(at, SPEEDS.length - 1))] });
}

/** @param {Partial<typeof mode>} change */
export function setMode(change) {
  Object.assign(mode, change);
  for (const video of document.querySelectorAll("video")) if (!video.paused) video.playbackRate = mode.speed;
  playingChanged.send(null);
}

/**
 * Stop all films but some.
 * @param {HTMLVideoElement[]} kept
 */
export function stopOthers(kept) {
  for (const video of document.querySelectorAll("video")) {
    if (!kept.includes(video) && films.has(video)) stop(video);
  }
}
