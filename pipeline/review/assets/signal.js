// Lets a module report a change without knowing which modules act on it.

/**
 * Make a signal. What is sent goes to all listeners, in the order in which they were added.
 * @template {unknown[]} Values
 * @returns {{ listen: (listener: (...values: Values) => void) => void, send: (...values: Values) => void }}
 */
export function makeSignal() {
  /** @type {((...values: Values) => void)[]} */
  const listeners = [];
  return {
    listen: (listener) => listeners.push(listener),
    send: (...values) => listeners.forEach((listener) => listener(...values)),
  };
}
