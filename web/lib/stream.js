import { Assembler } from "./assembler.js";
import { ApiError, isSignedOut } from "./errors.js";
import { Pace } from "./pace.js";

// The service sees a cancel within a second.
const CANCEL_PATIENCE = 2_000;

/**
 * What happens to a request. "done" and "failed" are the last. "restarted" voids
 * all that came before it. A use of a tool comes whole; it is to be run when the
 * stopReason of "done" is tool_use.
 * @typedef {{type: "delta", text: string}
 *   | {type: "reasoning", text: string}
 *   | {type: "toolUse", toolUseId: string, name: string, input: object}
 *   | {type: "restarted", attempt: number}
 *   | {type: "done", stopReason: string, usage: TokenUsage}
 *   | {type: "failed", code: string, message: string, retryable: boolean}} StreamEvent
 */

/**
 * What one request spent. inputTokens are all of the input, those of the cache
 * among them; cost is in dollars, where the service has a price.
 * @typedef {object} TokenUsage
 * @property {number} inputTokens
 * @property {number} outputTokens
 * @property {number} [cacheReadTokens]
 * @property {number} [cacheWriteTokens]
 * @property {boolean} [estimated]
 * @property {number} [cost]
 */

/** One request as it is being answered: an async iterable of StreamEvents. */
export class Stream {
  /** @type {string} */
  requestId;
  /** What the user had used at the admission; null for a followed request. */
  quota;
  #host;
  #assembler = new Assembler();
  #pace;
  #timer = null;
  #reading = false;
  #queue = [];
  #waiting = null;
  #over = false;
  #error = null;

  /**
   * @param {object} host env, open(), send(frame), get(requestId),
   *   cancel(requestId), forget(stream): what the client gives its streams
   */
  constructor(host, requestId, quota) {
    this.#host = host;
    this.requestId = requestId;
    this.quota = quota;
    this.#pace = new Pace(host.env.now(), host.env.random);
  }

  /** The text of the answer so far, whether its events were taken or not. */
  get text() {
    return this.#assembler.text;
  }

  /** The reasoning so far, likewise. */
  get reasoning() {
    return this.#assembler.reasoning;
  }

  /**
   * The answer so far, as blocks: what the next request of the conversation has
   * for the assistant's message.
   * @returns {import("./client.js").Block[]}
   */
  get content() {
    return this.#assembler.content;
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      if (this.#queue.length > 0) yield this.#queue.shift();
      else if (this.#error) throw this.#error;
      else if (this.#over) return;
      else await new Promise((resolve) => (this.#waiting = resolve));
    }
  }

  /**
   * Asks the service to stop. The stream ends with code "cancelled", unless
   * the answer was complete before.
   */
  async cancel() {
    await this.#host.cancel(this.requestId);
    this.#pace.quietUntil = this.#host.env.now() + CANCEL_PATIENCE;
    this.#plan();
  }

  /** Stops following the request without cancelling it. */
  close() {
    this.#finish(null);
  }

  /** Takes a frame from the socket. */
  apply(frame) {
    if (this.#over) return;
    const now = this.#host.env.now();
    this.#pace.hear(now);
    const change = this.#assembler.apply(frame);
    this.#pace.readWanted ||= change.farBehind === true;
    if (advances(change) || this.#assembler.last === frame.seq) this.#pace.progress(now);
    this.#see(change);
  }

  /** Asks for what was missed: a new socket, a late join. */
  want({ read = false } = {}) {
    this.#pace.wanted = true;
    this.#pace.readWanted ||= read;
    this.#pace.askAfter = 0;
    this.#plan();
  }

  /** Looks again at what is to be done: the socket was lost. */
  reconsider() {
    this.#plan();
  }

  #plan() {
    this.#host.env.clearTimeout(this.#timer);
    if (this.#over || this.#reading) return;
    const now = this.#host.env.now();
    const { action, until } = this.#pace.next(now, this.#host.open(), this.#assembler.gap);
    if (action === "read") return void this.#read();
    if (action === "resume") {
      this.#ask(now);
      return this.#plan();
    }
    this.#timer = this.#host.env.setTimeout(() => this.#plan(), Math.max(0, until - now));
  }

  #ask(now) {
    const frame = { action: "resume", requestId: this.requestId };
    if (this.#assembler.attempt > 0) frame.attempt = this.#assembler.attempt;
    if (this.#assembler.last >= 0) frame.afterSeq = this.#assembler.last;
    this.#pace.asked(now);
    this.#host.send(frame);
  }

  async #read() {
    this.#reading = true;
    try {
      const state = await this.#host.get(this.requestId);
      this.#pace.readDone(this.#host.env.now());
      if (!this.#over) this.#see(this.#assembler.adopt(state));
    } catch (error) {
      if (isFinal(error)) this.#finish(error);
      else this.#pace.readFailed(this.#host.env.now());
    }
    this.#reading = false;
    this.#plan();
  }

  #see(change) {
    if (change.restarted) this.#push({ type: "restarted", attempt: this.#assembler.attempt });
    if (change.reasoning) this.#push({ type: "reasoning", text: change.reasoning });
    if (change.text) this.#push({ type: "delta", text: change.text });
    for (const use of change.toolUses ?? []) this.#push({ ...use });
    if (change.ended) {
      this.#push(endEvent(this.#assembler.end));
      this.#finish(null);
    }
    this.#plan();
  }

  #push(event) {
    this.#queue.push(event);
    this.#wakeReader();
  }

  #finish(error) {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#host.env.clearTimeout(this.#timer);
    this.#host.forget(this);
    this.#wakeReader();
  }

  #wakeReader() {
    this.#waiting?.();
    this.#waiting = null;
  }
}

function advances({ restarted, text, reasoning, toolUses }) {
  return Boolean(restarted || text || reasoning || toolUses);
}

function endEvent(end) {
  if (end.type === "done") return { type: "done", stopReason: end.stopReason, usage: end.usage };
  return { type: "failed", code: end.code, message: end.message, retryable: end.retryable === true };
}

// Whether reading the state again is of no use.
function isFinal(error) {
  return isSignedOut(error) || (error instanceof ApiError && [403, 404].includes(error.status));
}
