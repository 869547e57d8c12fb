// Puts the frames of one request back together, whatever the order, duplication
// or loss on their way. The Go client has the same rules (protocol.Assembler);
// both are tested with the traces in protocol/testdata.

import { Answer, answerOf } from "./answer.js";

/** More frames behind than this: read the state instead of replaying. */
export const FAR_BEHIND = 500;

const TERMINAL = new Set(["succeeded", "failed", "cancelled"]);

/**
 * What one frame or state did to a request. Absent means no.
 * @typedef {object} Change
 * @property {boolean} [restarted] a later attempt began: the text so far is void
 * @property {string} [text] what was appended, after the restart if there was one
 * @property {string} [reasoning] what was appended to the reasoning, likewise
 * @property {object[]} [toolUses] uses of tools that were added, likewise; to be run
 *   when the request has ended with the stop reason tool_use
 * @property {boolean} [gap] frames are missing: ask for a resume
 * @property {boolean} [farBehind] very many are: read the state, then resume
 * @property {boolean} [ended] this was the end; said at most once
 */

/** A pure state machine: no clock, no network. */
export class Assembler {
  attempt = 0;
  last = -1;
  /** The frame that ended the request, or null while it is open. */
  end = null;
  #ahead = new Map();
  #answer = new Answer();

  /** The text so far. */
  get text() {
    return this.#answer.text;
  }

  /** The reasoning so far. */
  get reasoning() {
    return this.#answer.reasoning;
  }

  /** The answer so far, as blocks: the assistant's content of the next request. */
  get content() {
    return this.#answer.content;
  }

  /** Whether frames are known to be missing. */
  get gap() {
    return this.end === null && this.#ahead.size > 0;
  }

  /**
   * Takes one frame of the request from the socket.
   * @param {object} frame
   * @returns {Change}
   */
  apply(frame) {
    if (this.end || !isNumbered(frame) || frame.attempt < this.attempt) return {};
    return frame.attempt > this.attempt ? this.#applyLater(frame) : this.#applyCurrent(frame);
  }

  /**
   * Takes the state as GET /requests/{requestId} gave it.
   * @param {object} state
   * @returns {Change}
   */
  adopt(state) {
    if (this.end || state.attempt < this.attempt) return {};
    if (TERMINAL.has(state.status)) return this.#adoptEnd(state);
    if (state.attempt === this.attempt && state.lastSeq <= this.last) return tidy({ gap: this.gap });
    const restarted = state.attempt > this.attempt && this.#void(state.attempt);
    const change = this.#replace(answerOf(state));
    change.restarted ||= restarted;
    this.last = state.lastSeq;
    add(change, this.#drain());
    return tidy({ ...change, gap: this.gap });
  }

  // An error of a higher attempt ends the request at any seq and leaves the
  // text: whoever ended it need not have known how far it had come.
  #applyLater(frame) {
    if (frame.type === "error") {
      this.attempt = frame.attempt;
      return this.#finish(frame);
    }
    const restarted = this.#void(frame.attempt);
    return tidy({ ...this.#applyCurrent(frame), restarted });
  }

  #applyCurrent(frame) {
    if (frame.seq <= this.last) return {};
    if (frame.seq > this.last + 1) return this.#keep(frame);
    const change = {};
    for (let next = frame; next; next = this.#ahead.get(this.last + 1)) {
      this.#ahead.delete(next.seq);
      add(change, this.#advance(next));
      if (change.ended) break;
    }
    return tidy({ ...change, gap: this.gap });
  }

  #keep(frame) {
    const farBehind = frame.seq - this.last > FAR_BEHIND;
    if (!farBehind || this.#ahead.size === 0) this.#ahead.set(frame.seq, frame);
    return tidy({ gap: true, farBehind });
  }

  #advance(frame) {
    this.last = frame.seq;
    if (frame.type === "done" || frame.type === "error") return this.#finish(frame);
    return this.#answer.add(frame);
  }

  #void(attempt) {
    const restarted = this.attempt > 0;
    this.attempt = attempt;
    this.last = -1;
    this.#answer = new Answer();
    this.#ahead.clear();
    return restarted;
  }

  #finish(frame) {
    this.end = frame;
    this.#ahead.clear();
    return { ended: true };
  }

  // The change is what has to be appended, unless what was there is void.
  #replace(told) {
    const old = this.#answer;
    this.#answer = told;
    return told.beginsWith(old) ? told.since(old) : { restarted: true, ...told.since(new Answer()) };
  }

  // The answer of a request that did not succeed may lag what the socket
  // brought, which then stays.
  #adoptEnd(state) {
    const told = answerOf(state);
    const change = state.status === "succeeded" || !this.#answer.beginsWith(told) ? this.#replace(told) : {};
    this.attempt = state.attempt;
    this.last = state.lastSeq;
    this.#finish(endFrame(state));
    return tidy({ ...change, ended: true });
  }

  #drain() {
    for (const seq of this.#ahead.keys()) if (seq <= this.last) this.#ahead.delete(seq);
    const next = this.#ahead.get(this.last + 1);
    return next ? this.#applyCurrent(next) : {};
  }
}

// Appends what a later step did.
function add(change, more) {
  change.text = (change.text ?? "") + (more.text ?? "");
  change.reasoning = (change.reasoning ?? "") + (more.reasoning ?? "");
  change.toolUses = [...(change.toolUses ?? []), ...(more.toolUses ?? [])];
  change.ended = more.ended;
}

/**
 * Reads one message of the socket. Returns null for what is not a frame of a
 * request: pongs, notices, API Gateway's own messages. A frame of a type of a
 * later version is nothing but its place in the sequence.
 * @param {string} data
 */
export function decodeFrame(data) {
  let frame;
  try {
    frame = JSON.parse(data);
  } catch {
    return null;
  }
  return isNumbered(frame) ? frame : null;
}

function isNumbered(frame) {
  return (
    frame !== null && typeof frame === "object" && typeof frame.type === "string" && frame.type !== "" && frame.type !== "pong" &&
    typeof frame.requestId === "string" && frame.requestId !== "" &&
    Number.isInteger(frame.attempt) && frame.attempt >= 1 &&
    Number.isInteger(frame.seq) && frame.seq >= 0
  );
}

/** The end of a request as its state tells it. */
export function endFrame(state) {
  const { requestId, attempt } = state;
  const seq = Math.max(state.lastSeq, 0);
  if (state.status === "succeeded") {
    const usage = state.usage ?? { inputTokens: 0, outputTokens: 0 };
    return { type: "done", requestId, attempt, seq, stopReason: state.stopReason ?? "", usage };
  }
  const fallback =
    state.status === "cancelled"
      ? { code: "cancelled", message: "the request was cancelled", retryable: true }
      : { code: "internal", message: "the request failed", retryable: false };
  const { code, message, retryable } = state.error ?? fallback;
  return { type: "error", requestId, attempt, seq, code, message, retryable };
}

function tidy(change) {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value && value.length !== 0));
}
