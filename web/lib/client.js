import { decodeFrame } from "./assembler.js";
import { attachmentOf, withBytes } from "./attachments.js";
import { Early } from "./early.js";
import { Rest } from "./rest.js";
import { Socket } from "./socket.js";
import { Stream } from "./stream.js";
import { withOwnNames } from "./submission.js";
import { ToolLoop } from "./toolloop.js";

/**
 * A part of a message or of an answer. Images, documents and the results of tools
 * are the user's; reasoning and uses of tools are the assistant's, and are given
 * back as they were. data is base64.
 * @typedef {{type: "text", text: string}
 *   | {type: "image", format: "png"|"jpeg"|"gif"|"webp", data?: string, uploadId?: string}
 *   | {type: "document", format: string, name: string, data?: string, uploadId?: string}
 *   | {type: "reasoning", text?: string, signature?: string, redacted?: string}
 *   | {type: "toolUse", toolUseId: string, name: string, input: object}
 *   | {type: "toolResult", toolUseId: string, status?: "success"|"error", content: object[]}} Block
 */

/** @typedef {{role: "user"|"assistant", content: string|Block[]}} Message */

/**
 * The body of a submission: messages, or prompt for one message of the user.
 * @typedef {object} SubmitRequest
 * @property {Message[]} [messages]
 * @property {string} [prompt]
 * @property {string} [system]
 * @property {string} [model]
 * @property {number} [maxTokens]
 * @property {{name: string, description?: string, inputSchema: object}[]} [tools]
 * @property {"auto"|"any"|{name: string}} [toolChoice]
 * @property {{effort: "low"|"medium"|"high"}} [reasoning]
 * @property {boolean} [cache]
 * @property {number} [temperature]
 * @property {number} [topP]
 * @property {string[]} [stopSequences]
 */

/** Talks to one service as one user. All requests share one WebSocket. */
export class StreamingClient {
  #env;
  #rest;
  #socket;
  #early = new Early();
  #streams = new Map(); // requestId -> Set of Streams
  #submitting = 0;
  #closed = false;

  /**
   * @param {import("./auth.js").Config} config
   * @param {{idToken(): Promise<string>, renew?(stale: string): Promise<void>}} session
   * @param {{onConnection?: (c: import("./socket.js").Connection) => void, env?: object}} [options]
   */
  constructor(config, session, options = {}) {
    this.#env = environment(options.env);
    this.#rest = new Rest(config, session, this.#env);
    this.#socket = new Socket(config, session, this.#env, {
      open: (again) => {
        if (again) this.#rest.interrupt();
        this.#each((stream) => stream.want());
      },
      awaits: () => this.#submitting > 0 || this.#streams.size > 0,
      vanished: () => this.#rest.interrupt(),
      message: (data) => this.#dispatch(data),
      change: (connection) => {
        this.#each((stream) => stream.reconsider());
        options.onConnection?.(connection);
      },
    });
  }

  /** Opens the socket ahead of the first request. */
  connect() {
    this.#socket.connect();
  }

  /** Call when the network is back or the page is seen again. */
  wake() {
    this.#socket.wake();
    this.#each((stream) => stream.reconsider());
  }

  /** Closes the socket and all streams. It cancels no request. */
  close() {
    this.#closed = true;
    this.#each((stream) => stream.close());
    this.#socket.close();
  }

  /**
   * Sends a request to the model. Throttles, unknown outcomes and network
   * errors are tried again with the same key: nothing is lost or charged twice.
   * @param {SubmitRequest} request
   * @param {{key?: string, signal?: AbortSignal}} [options] key: 1-128 visible
   *   ASCII characters, by default random
   * @returns {Promise<Stream>}
   */
  async submit(request, { key = crypto.randomUUID(), signal } = {}) {
    this.connect();
    const sentAt = this.#env.now();
    this.#submitting++;
    this.#socket.attend();
    let answer;
    try {
      answer = await this.#rest.call("POST", "/requests", { body: withOwnNames(request), key, signal });
    } finally {
      this.#submitting--;
    }
    const stream = this.#register(answer.requestId, answer.quota);
    const read = ["succeeded", "failed", "cancelled"].includes(answer.status);
    if (answer.status !== "queued" || this.#socket.openedAt > sentAt) stream.want({ read });
    return stream;
  }

  /**
   * Submits, has the tools run that the answer uses, and submits their results,
   * until an answer uses none.
   * @param {SubmitRequest} request with tools
   * @param {import("./toolloop.js").OnToolUse} onToolUse runs a tool
   * @param {{key?: string, signal?: AbortSignal, maxRequests?: number}} [options]
   *   key: 1-120 visible ASCII characters, by default random; maxRequests: after
   *   how many requests it ends anyway, default 10
   * @returns {ToolLoop} nothing is submitted before it is iterated
   */
  converse(request, onToolUse, options) {
    return new ToolLoop((...args) => this.submit(...args), request, onToolUse, options);
  }

  /**
   * Makes a file the block of a message. What is large is uploaded, and stays
   * there for a day.
   * @param {File|Blob} file
   * @param {{name?: string, signal?: AbortSignal}} [options] name: of a Blob
   * @returns {Promise<Block>} fails with a FileError if no model takes such a file
   */
  async attach(file, { name = file.name ?? "", signal } = {}) {
    const block = attachmentOf({ name, mediaType: file.type, size: file.size });
    return withBytes(block, file, () => this.upload(file, block.format, { signal }));
  }

  /**
   * Uploads the bytes of an image or a document, for a block with its uploadId.
   * @param {Blob} blob
   * @param {string} format of the block
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<{uploadId: string, expiresAt: string}>}
   */
  async upload(blob, format, { signal } = {}) {
    const { uploadId, url, headers, expiresAt } = await this.#rest.call("POST", "/uploads", { body: { format, bytes: blob.size }, signal });
    await this.#rest.put(url, { headers, body: blob, signal });
    return { uploadId, expiresAt };
  }

  /**
   * Takes up a request that was submitted before, from its beginning.
   * @param {string} requestId
   */
  follow(requestId) {
    this.connect();
    const stream = this.#register(requestId, null);
    this.#socket.attend();
    stream.want();
    return stream;
  }

  /** Stops a request; its stream brings the end. */
  cancel(requestId) {
    return this.#rest.call("DELETE", `/requests/${requestId}`);
  }

  /** The state of a request. */
  get(requestId) {
    return this.#rest.call("GET", `/requests/${requestId}`);
  }

  /** What the user has used of the month's quota. */
  usage() {
    return this.#rest.call("GET", "/usage");
  }

  /** The ids of the models that a submission may name. */
  async models() {
    const { data } = await this.#rest.call("GET", "/openai/v1/models");
    return data.map(({ id }) => id);
  }

  #register(requestId, quota) {
    const host = {
      env: this.#env,
      open: () => this.#socket.open,
      send: (frame) => this.#socket.send(frame),
      get: (id) => this.get(id),
      cancel: (id) => this.cancel(id),
      forget: (stream) => this.#forget(stream),
    };
    const stream = new Stream(host, requestId, quota);
    const others = this.#streams.get(requestId);
    this.#streams.set(requestId, (others ?? new Set()).add(stream));
    if (others) stream.want(); // the first one took the early frames
    for (const frame of this.#early.take(requestId, this.#env.now())) stream.apply(frame);
    stream.reconsider();
    if (this.#closed) stream.close();
    return stream;
  }

  #forget(stream) {
    const streams = this.#streams.get(stream.requestId);
    streams?.delete(stream);
    if (streams?.size === 0) this.#streams.delete(stream.requestId);
  }

  #dispatch(data) {
    const frame = decodeFrame(data);
    if (!frame) return;
    const streams = this.#streams.get(frame.requestId);
    if (!streams) return this.#early.keep(frame, this.#env.now());
    for (const stream of [...streams]) stream.apply(frame);
  }

  #each(action) {
    for (const streams of [...this.#streams.values()]) for (const stream of [...streams]) action(stream);
  }
}

function environment(overrides) {
  return {
    fetch: globalThis.fetch?.bind(globalThis),
    WebSocket: globalThis.WebSocket,
    setTimeout: globalThis.setTimeout.bind(globalThis),
    clearTimeout: globalThis.clearTimeout.bind(globalThis),
    now: Date.now,
    random: Math.random,
    ...overrides,
  };
}
