// The order of the montage while an editor changes it. A pinned clip keeps its place in the line
// whatever the others do. Nothing here touches the page.

/** @typedef {{ order: string[], leftOut: string[], pinned: Set<string> }} Snapshot */

export class MontageOrder {
  /** @type {Snapshot[]} what to go back to, newest last */
  #past = [];
  #saved;

  /**
   * @param {string[]} order the clips by SHA-256, first to last
   * @param {string[]} leftOut the clips that are to stay out
   * @param {Iterable<string>} pinned
   */
  constructor(order, leftOut, pinned) {
    this.order = order;
    this.leftOut = leftOut;
    this.pinned = new Set(pinned);
    this.#saved = this.#asText();
  }

  /** Everything in the order and beside it. */
  get all() {
    return [...this.order, ...this.leftOut];
  }

  get isChanged() {
    return this.#asText() !== this.#saved;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  /** The clips that are not pinned, in order. */
  get movable() {
    return this.order.filter((sha256) => !this.pinned.has(sha256));
  }

  #asText() {
    return JSON.stringify([this.order, this.leftOut, [...this.pinned].sort()]);
  }

  markSaved() {
    this.#saved = this.#asText();
  }

  /** @returns {Snapshot} */
  snapshot() {
    return { order: [...this.order], leftOut: [...this.leftOut], pinned: new Set(this.pinned) };
  }

  /**
   * Let the next undo go back to an earlier state.
   * @param {Snapshot} before
   */
  remember(before) {
    this.#past.push(before);
  }

  /** @returns {boolean} whether there was anything to undo */
  undo() {
    const before = this.#past.pop();
    if (before) Object.assign(this, before);
    return before !== undefined;
  }

  /**
   * Put clips that are not known yet at the end.
   * @param {string[]} shas
   */
  add(shas) {
    const known = new Set(this.all);
    this.order.push(...shas.filter((sha256) => !known.has(sha256)));
  }

  /**
   * The place of a clip, from 1; 0 where it is left out.
   * @param {string} sha256
   */
  placeOf(sha256) {
    return this.order.indexOf(sha256) + 1;
  }

  /**
   * Put the clips that are not pinned into this order. The pinned keep their places.
   * @param {string[]} movable
   */
  arrange(movable) {
    const pinnedAt = new Map([...this.order.entries()].filter(([, sha256]) => this.pinned.has(sha256)));
    const left = [...movable];
    /** @type {string[]} */
    const order = [];
    while (left.length || pinnedAt.size) {
      // where no other clip is left, the pinned ones close up
      const place = pinnedAt.has(order.length) || left.length ? order.length : [...pinnedAt.keys()][0];
      order.push(pinnedAt.get(place) ?? /** @type {string} */ (left.shift()));
      pinnedAt.delete(place);
    }
    this.order = order;
  }

  /**
   * Put a clip before another, or at the end. Before a pinned clip means before the next clip that
   * is not pinned.
   * @param {string} sha256
   * @param {string | null} other
   */
  moveBefore(sha256, other) {
    const movable = this.movable.filter((it) => it !== sha256);
    const next = other === null ? undefined
      : this.order.slice(this.order.indexOf(other)).find((it) => movable.includes(it));
    movable.splice(next === undefined ? movable.length : movable.indexOf(next), 0, sha256);
    this.arrange(movable);
  }

  /**
   * Whether a clip can be moved by so many places among those that are not pinned.
   * @param {string} sha256
   * @param {number} by
   */
  canStep(sha256, by) {
    const from = this.movable.indexOf(sha256);
    return from >= 0 && from + by >= 0 && from + by < this.movable.length;
  }

  /**
   * @param {string} sha256
   * @param {number} by
   */
  step(sha256, by) {
    const { movable } = this;
    const from = movable.indexOf(sha256);
    movable.splice(from, 1);
    movable.splice(from + by, 0, sha256);
    this.arrange(movable);
  }

  /** @param {string} sha256 */
  togglePin(sha256) {
    if (!this.pinned.delete(sha256)) this.pinned.add(sha256);
  }

  /**
   * Leave a clip out, or take it in at the end.
   * @param {string} sha256
   */
  toggleLeftOut(sha256) {
    const without = (/** @type {string[]} */ shas) => shas.filter((it) => it !== sha256);
    if (this.order.includes(sha256)) {
      this.pinned.delete(sha256);
      this.order = without(this.order);
      this.leftOut.push(sha256);
    } else {
      this.leftOut = without(this.leftOut);
      this.order.push(sha256);
    }
  }
}
