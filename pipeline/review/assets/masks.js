// Masks as data: where an area is at a moment, and what a change of it gives. Nothing here touches the
// page. An area is in fractions of the source picture, which may be larger than the frame of the clip. Where
// pictures change their size it is in fractions of the frame on which it was drawn.

/**
 * @typedef {import("./data.js").Mask} Mask
 * @typedef {import("./data.js").Area} Area
 * @typedef {import("./data.js").MaskPoint} MaskPoint
 * @typedef {import("./data.js").Output} Output
 */

const SMALLEST = 0.005;
const ROUNDED_S = 0.0006; // a moment is kept to a millisecond
const SIDES = /** @type {const} */ (["x", "y", "width", "height"]);

/** @param {number} value */
const rounded = (value) => Math.round(value * 10000) / 10000;

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
const limited = (value, least, most) => Math.min(most, Math.max(least, value));

/**
 * A mask in the middle of the picture, for the whole clip.
 * @param {Mask["shape"]} shape
 * @param {number} at_s
 * @param {string} frame of the output, where pictures change their size
 * @returns {Mask}
 */
export const newMask = (shape, at_s, frame = "") => ({
  points: [{ at_s: roundedTime(at_s), x: 0.4, y: 0.35, width: 0.2, height: 0.3 }],
  shape, fill: "solid", from_s: 0, to_s: null, origin: "hand", frame,
});

/** @param {number} seconds */
export const roundedTime = (seconds) => Math.max(0, Math.round(seconds * 1000) / 1000);

/**
 * Where the area of a mask is at a moment, whether it is hidden then or not.
 * @param {Mask} mask
 * @param {number} seconds
 * @returns {Area}
 */
export function areaAt({ points }, seconds) {
  const next = points.findIndex(({ at_s }) => at_s > seconds);
  if (next <= 0) return points[next < 0 ? points.length - 1 : 0];
  const [one, other] = [points[next - 1], points[next]];
  const part = (seconds - one.at_s) / (other.at_s - one.at_s);
  const [x, y, width, height] = SIDES.map((side) => one[side] + (other[side] - one[side]) * part);
  return { x, y, width, height };
}

/**
 * @param {Mask} mask
 * @param {number} seconds
 */
export const isShownAt = ({ from_s, to_s }, seconds) => from_s <= seconds && (to_s === null || seconds <= to_s);

/**
 * Whether areas, and all between them, are beyond the same side of the picture.
 * @param {Area[]} areas
 */
const areBeside = (areas) =>
  areas.every(({ x, width }) => x + width < SMALLEST) || areas.every(({ x }) => x > 1 - SMALLEST)
  || areas.every(({ y, height }) => y + height < SMALLEST) || areas.every(({ y }) => y > 1 - SMALLEST);

/**
 * Whether a mask is in the picture at some moment. If not, it hides nothing, and can't be seen any more.
 * @param {Mask} mask
 * @param {number} length of the clip, in seconds
 */
export function isInPicture(mask, length) {
  const end = Math.min(mask.to_s ?? Infinity, length);
  const between = mask.points.filter(({ at_s }) => at_s > mask.from_s && at_s < end);
  const areas = [areaAt(mask, mask.from_s), ...between, areaAt(mask, end)];
  return areas.some((area, at) => at > 0 && !areBeside([areas[at - 1], area]));
}

/**
 * An area that the ledger takes.
 * @param {Area} area
 * @returns {Area}
 */
export const allowedArea = ({ x, y, width, height }) => ({
  x: rounded(limited(x, -1, 1)), y: rounded(limited(y, -1, 1)),
  width: rounded(limited(width, SMALLEST, 2)), height: rounded(limited(height, SMALLEST, 2)),
});

/**
 * A moment of a film.
 * @typedef {{ seconds: number, fps: number }} Moment
 */

/** @param {Moment} moment */
const frameAt = ({ seconds, fps }) => Math.floor((seconds + ROUNDED_S) * fps);

/**
 * The mask with its area at a moment. Between two moments it moves. A frame has one area that was set.
 * @param {Mask} mask
 * @param {Moment} moment
 * @param {Area} area
 * @returns {Mask}
 */
export function withArea(mask, { seconds, fps }, area) {
  const frame = frameAt({ seconds, fps });
  const others = mask.points.filter(({ at_s }) => frameAt({ seconds: at_s, fps }) !== frame);
  const points = [...others, { at_s: roundedTime(seconds), ...allowedArea(area) }];
  return { ...mask, points: points.sort((one, other) => one.at_s - other.at_s) };
}

/**
 * The mask without its later positions: it stays where it is until the end of the clip.
 * @param {Mask} mask
 * @param {Moment} moment
 * @returns {Mask}
 */
export function heldFrom(mask, moment) {
  const earlier = mask.points.filter(({ at_s }) => at_s < moment.seconds);
  return { ...withArea({ ...mask, points: earlier }, moment, areaAt(mask, moment.seconds)), to_s: null };
}

/**
 * Where the picture lies of which the areas of a mask are fractions.
 * @param {Output} output
 * @param {Mask} mask
 */
const placeOf = ({ width, height, source_at: place }, { frame }) =>
  (frame || !place ? { x: 0, y: 0, width, height, moves: 0 } : place);

/**
 * Whether a mask was drawn on a frame of another shape than that of an output. It covers more there.
 * @param {Output} output
 * @param {Mask} mask
 */
export function isDrawnElsewhere({ frame: here = "" }, { frame }) {
  const shape = (/** @type {string} */ text) => {
    const [width, height, fit] = text.split(/[x ]/);
    return `${Number(width) / Number(height)} ${fit}`;
  };
  return Boolean(frame) && shape(frame ?? "") !== shape(here);
}

/**
 * An area of a mask in fractions of the frame of a clip.
 * @param {Output} output
 * @param {Mask} mask
 * @param {Area} area
 * @param {number} seconds a photo moves through the frame
 * @returns {Area}
 */
export function inFrame(output, mask, area, seconds) {
  const place = placeOf(output, mask);
  return {
    x: (place.x + place.moves * seconds + area.x * place.width) / output.width,
    y: (place.y + area.y * place.height) / output.height,
    width: area.width * place.width / output.width, height: area.height * place.height / output.height,
  };
}

/**
 * A distance in the frame, in fractions of it, as the areas of a mask have it.
 * @param {Output} output
 * @param {Mask} mask
 * @param {number} across
 * @param {number} down
 * @returns {[number, number]}
 */
export function inSource(output, mask, across, down) {
  const place = placeOf(output, mask);
  return [across * output.width / place.width, down * output.height / place.height];
}
