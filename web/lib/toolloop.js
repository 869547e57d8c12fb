const MAX_REQUESTS = 10;

/**
 * Runs a tool. What it returns is the result: a text, an object, blocks of a
 * result (text, json, image), or any other value of JSON. An error that it throws
 * is told to the model, as the result.
 * @callback OnToolUse
 * @param {{toolUseId: string, name: string, input: object}} use
 * @param {{signal: AbortSignal}} options the signal aborts when the loop is cancelled
 * @returns {unknown|Promise<unknown>}
 */

/**
 * A conversation in which the model uses tools: an async iterable of the events
 * of its requests. Between two of them "done" is replaced by "answered", and each
 * result of a tool is told.
 * @typedef {{type: "asked", requestId: string, quota: object}
 *   | {type: "answered", requestId: string, stopReason: string, usage: object}
 *   | {type: "toolResult", toolUseId: string, name: string, status: "success"|"error", content: object[]}
 *   | import("./stream.js").StreamEvent} ToolLoopEvent
 */
export class ToolLoop {
  /**
   * The conversation: at the end with all answers and results, so that it can be
   * gone on with.
   * @type {import("./client.js").Message[]}
   */
  messages;
  #submit;
  #request;
  #onToolUse;
  #key;
  #signal;
  #maxRequests;
  #stream = null;
  #stopped = new AbortController();

  constructor(submit, request, onToolUse, { key = crypto.randomUUID(), signal, maxRequests = MAX_REQUESTS } = {}) {
    const { prompt, messages, ...rest } = request;
    this.messages = messages ? [...messages] : [{ role: "user", content: prompt }];
    this.#submit = submit;
    this.#request = rest;
    this.#onToolUse = onToolUse;
    this.#key = key;
    this.#signal = signal;
    this.#maxRequests = maxRequests;
  }

  /** @returns {AsyncGenerator<ToolLoopEvent>} */
  async *[Symbol.asyncIterator]() {
    for (let n = 1; ; n++) {
      const stream = await this.#ask(n);
      const { requestId, quota } = stream;
      yield { type: "asked", requestId, quota };
      let done = null;
      for await (const event of stream) {
        if (event.type === "done") done = event;
        else yield event;
      }
      if (!done) return; // it failed, and said so
      this.#keep("assistant", stream.content);
      const uses = done.stopReason === "tool_use" ? stream.content.filter(({ type }) => type === "toolUse") : [];
      if (uses.length === 0 || n >= this.#maxRequests) return void (yield done);
      yield { ...done, type: "answered", requestId };
      const results = await this.#run(uses);
      if (this.#stopped.signal.aborted) return void (yield { type: "failed", code: "cancelled", message: "the request was cancelled", retryable: true });
      for (const [i, result] of results.entries()) yield { ...result, name: uses[i].name };
      this.#keep("user", results);
    }
  }

  /** Stops the answer, or the tools that run. */
  async cancel() {
    this.#stopped.abort();
    await this.#stream?.cancel();
  }

  // The same loop begun again with its key finds the same requests, as long as its
  // tools say the same. A tool that must be used is asked for once: the loop would have no end.
  async #ask(n) {
    const { toolChoice, ...later } = this.#request;
    const request = { ...(n === 1 ? this.#request : later), messages: this.messages };
    this.#stream = await this.#submit(request, { key: n === 1 ? this.#key : `${this.#key}.${n}`, signal: this.#signal });
    if (this.#stopped.signal.aborted) await this.#stream.cancel();
    return this.#stream;
  }

  #keep(role, blocks) {
    const content = blocks.filter(({ type, text }) => type !== "text" || text.trim() !== "");
    if (content.length > 0) this.messages = [...this.messages, { role, content }];
  }

  #run(uses) {
    const signal = this.#signal ? AbortSignal.any([this.#stopped.signal, this.#signal]) : this.#stopped.signal;
    return Promise.all(uses.map(async ({ toolUseId, name, input }) => {
      try {
        const value = await this.#onToolUse({ toolUseId, name, input }, { signal });
        return { type: "toolResult", toolUseId, status: "success", content: contentOf(value) };
      } catch (error) {
        this.#signal?.throwIfAborted();
        return { type: "toolResult", toolUseId, status: "error", content: contentOf(error?.message || String(error)) };
      }
    }));
  }
}

/** The blocks of a tool's result. */
export function contentOf(value) {
  if (typeof value === "string" && value.trim() !== "") return [{ type: "text", text: value }];
  if (Array.isArray(value) && value.length > 0 && value.every((block) => ["text", "json", "image"].includes(block?.type))) return value;
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return [{ type: "json", json: isObject ? value : { result: value ?? null } }];
}
