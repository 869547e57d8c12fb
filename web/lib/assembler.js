// Puts the frames of one request back together, whatever the order, duplication
// or loss on their way. The Go client has the same rules (protocol.Assembler);
// both are tested with the traces in protocol/testdata.

/** More frames behind than this: read the state instead of replaying. */
export const FAR_BEHIND = 500;

const NUMBERED = new Set(["start", "delta", "done", "error"]);
const TERMINAL = new Set(["succeeded", "failed", "cancelled"]);

/**
 * What one frame or state did to a request. Absent means no.
 * @typedef {object} Change
 * @property {boolean} [restarted] a later attempt began: the text so far is void
 * @property {string} [text] what was appended, after the restart if there was one
 * @property {boolean} [gap] frames are missing: ask for a resume
 * @property {boolean} [farBehind] very many are: read the state, then resume
 * @property {boolean} [ended] this was the end; said at most once
 */

/** A pure state machine: no clock, no network. */
export class Assembler {
  attempt = 0;
  last = -1;
  text = "";
  /** The frame that ended the request, or null while it is open. */
  end = null;
  #ahead = new Map();

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
    let restarted = state.attempt > this.attempt && this.#void(state.attempt);
    const replaced = this.#replace(state.text);
    restarted ||= replaced.voided;
    this.last = state.lastSeq;
    const more = this.#drain();
    return tidy({ restarted, text: replaced.added + (more.text ?? ""), ended: more.ended, gap: this.gap });
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
    const change = { text: "" };
    for (let next = frame; next; next = this.#ahead.get(this.last + 1)) {
      this.#ahead.delete(next.seq);
      const step = this.#advance(next);
      change.text += step.text ?? "";
      if (step.ended) {
        change.ended = true;
        break;
      }
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
    if (frame.type !== "delta") return {};
    this.text += frame.text ?? "";
    return { text: frame.text ?? "" };
  }

  #void(attempt) {
    const restarted = this.attempt > 0;
    this.attempt = attempt;
    this.last = -1;
    this.text = "";
    this.#ahead.clear();
    return restarted;
  }

  #finish(frame) {
    this.end = frame;
    this.#ahead.clear();
    return { ended: true };
  }

  #replace(text) {
    const voided = !text.startsWith(this.text);
    const added = voided ? text : text.slice(this.text.length);
    this.text = text;
    return { voided, added };
  }

  // The text of a request that did not succeed may lag what the socket
  // brought, which then stays.
  #adoptEnd(state) {
    let replaced = { voided: false, added: "" };
    if (state.status === "succeeded" || !this.text.startsWith(state.text)) replaced = this.#replace(state.text);
    this.attempt = state.attempt;
    this.last = state.lastSeq;
    this.#finish(endFrame(state));
    return tidy({ restarted: replaced.voided, text: replaced.added, ended: true });
  }

  #drain() {
    for (const seq of this.#ahead.keys()) if (seq <= this.last) this.#ahead.delete(seq);
    const next = this.#ahead.get(this.last + 1);
    return next ? this.#applyCurrent(next) : {};
  }
}

/**
 * Reads one message of the socket. Returns null for what is not a frame of a
 * request: pongs, notices, API Gateway's own messages, frames of a later
 * version.
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
    frame !== null && typeof frame === "object" && NUMBERED.has(frame.type) &&
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
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value));
}
