// Whether the service can be reached, as far as the page knows, and a way to
// wait for a change of that.

export class Network {
  /** @type {import("../lib/socket.js").Connection} */
  connection = { state: "idle" };
  #waiting = new Set();

  /** Whether the browser has a network at all. */
  get offline() {
    return globalThis.navigator?.onLine === false;
  }

  get connected() {
    return this.connection.state === "open";
  }

  /** Takes the state of the client's socket. */
  take(connection) {
    this.connection = connection;
    if (connection.state === "open") this.wake();
  }

  /** Has everything that waits try again: something is different now. */
  wake() {
    for (const go of [...this.#waiting]) go();
  }

  /**
   * Waits for a change, at most some time.
   * @param {number} ms
   */
  change(ms) {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.#waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, ms);
      this.#waiting.add(go);
    });
  }
}
