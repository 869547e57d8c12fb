/**
 * The service as the transport of `useChat` of the Vercel AI SDK, over the
 * client's WebSocket:
 *
 *   import { useChat } from "@ai-sdk/react";
 *   import { ChatTransport } from "./chat-transport.js";
 *
 *   const transport = new ChatTransport(client);
 *   const { messages, sendMessage, stop, regenerate } = useChat({ id, transport, resume: true });
 *
 * Stopping stops the model. After a reload `resume` goes on with an answer that
 * was being written. It depends on the interface of the SDK's `ChatTransport`
 * (versions 6 and 7), not on the package.
 */
import { bytesOf, withBytes } from "./lib/attachments.js";
import { shortened } from "./lib/submission.js";
import { chunksOf } from "./lib/uichunks.js";
import { submissionOf, UnsupportedPartError } from "./lib/uimessages.js";

export { UnsupportedPartError };

/** Where the running request of each chat is kept, under streaming.running.<chat id>. */
const PREFIX = "streaming.running.";
/** Likewise the message with which it goes on, after the results of tools. */
const CONTINUED = "streaming.continued.";

// An upload that expires sooner is not relied on, in ms.
const UPLOAD_MARGIN = 600_000;

export class ChatTransport {
  /** A resumed answer is played from its beginning. */
  resumeStreamIsReplay = true;
  #client;
  #request;
  #storage;
  #onError;
  #resetStep;
  #latest = new Map(); // chat id -> request id
  #resumed = new Map(); // chat id -> how often
  #uploads = new Map(); // digest of the bytes -> {uploadId, expiresAt}

  /**
   * @param {import("./lib/client.js").StreamingClient} client
   * @param {object} [options]
   * @param {Partial<import("./lib/client.js").SubmitRequest>} [options.request]
   *   what every submission has beside its messages, such as model or maxTokens;
   *   the `body` of sendMessage comes on top
   * @param {Pick<Storage, "getItem"|"setItem"|"removeItem">} [options.storage]
   *   keeps the running request of each chat; default: localStorage
   * @param {(error: Error) => void} [options.onError] told of a stop that could
   *   not be sent, so that the answer runs to its end, and of a storage that
   *   takes nothing, so that no reload can go on with it
   * @param {boolean} [options.resetStep] whether the SDK knows the chunk
   *   reset-step, as from version 7 on; if not, an answer that the service begins
   *   anew ends like a lost connection, and resumeStream plays it again
   */
  constructor(client, { request = {}, storage = defaultStorage(), onError = () => {}, resetStep = true } = {}) {
    this.#client = client;
    this.#request = request;
    this.#storage = storage;
    this.#onError = onError;
    this.#resetStep = resetStep;
  }

  /**
   * Submits the last message with those before it, or the results of the tools
   * that the last answer used. Called again with the same messages it finds the
   * first call's request, so that nothing is charged twice; a regeneration is
   * another request. A refusal is an ApiError with code, problem and retryAfter.
   */
  async sendMessages({ chatId, trigger, messages, abortSignal, body }) {
    const request = await this.#uploaded(submissionOf(messages, { ...this.#request, ...body }), abortSignal);
    const occasion = trigger === "regenerate-message" ? (this.#latest.get(chatId) ?? crypto.randomUUID()) : "";
    const key = await digest([chatId, messages.at(-1).id, occasion, request]);
    abortSignal?.throwIfAborted();
    const stream = await this.#submit(request, key, abortSignal);
    const continued = messages.at(-1).role === "assistant" ? messages.at(-1) : null;
    this.#began(chatId, stream.requestId, continued);
    return this.#player(chatId, stream.requestId, abortSignal, continued && { messageId: continued.id })(stream);
  }

  /** Goes on with the chat's running answer, from its beginning; null if there is none. */
  async reconnectToStream({ chatId, abortSignal }) {
    abortSignal?.throwIfAborted();
    this.#resumed.set(chatId, (this.#resumed.get(chatId) ?? 0) + 1);
    const requestId = this.#storage.getItem(PREFIX + chatId);
    if (!requestId) return null;
    const continued = JSON.parse(this.#storage.getItem(CONTINUED + chatId) ?? "null");
    const play = this.#player(chatId, requestId, abortSignal, continued && { messageId: continued.id, before: continued.parts });
    try {
      await this.#client.get(requestId);
    } catch (error) {
      play.over();
      if (error.status !== 404) throw error;
      this.#ended(chatId, requestId);
      return null;
    }
    abortSignal?.throwIfAborted();
    this.#latest.set(chatId, requestId);
    return play(this.#client.follow(requestId));
  }

  // Large files are uploaded once, as long as the upload lives; the oldest turns
  // are left out until the rest fits.
  async #uploaded(request, signal) {
    const messages = await Promise.all(request.messages.map(async (message) => {
      if (typeof message.content === "string") return message;
      return { ...message, content: await Promise.all(message.content.map((block) => this.#uploadedBlock(block, signal))) };
    }));
    return shortened({ ...request, messages });
  }

  async #uploadedBlock(block, signal) {
    if (block.data === undefined) return block;
    const { data, ...attachment } = block;
    const blob = new Blob([bytesOf(data)]);
    return withBytes(attachment, blob, async () => {
      const name = await digest([block.format, data]);
      const known = this.#uploads.get(name);
      if (known && Date.parse(known.expiresAt) > Date.now() + UPLOAD_MARGIN) return known;
      const upload = await this.#client.upload(blob, block.format, { signal });
      this.#uploads.set(name, upload);
      return upload;
    });
  }

  // A submission that is given up may have been admitted: it is stopped as soon
  // as its id is known.
  async #submit(request, key, signal) {
    const submitted = this.#client.submit(request, { key });
    try {
      return await Promise.race([submitted, abortOf(signal)]);
    } catch (error) {
      if (signal?.aborted) submitted.then((stream) => this.#stop(stream.requestId, stream), () => {});
      throw error;
    }
  }

  /**
   * Stops a request when the signal aborts. The function that it returns plays
   * the request's stream; over() gives the signal up.
   */
  #player(chatId, requestId, signal, message) {
    let stream = null;
    const abort = async () => {
      const resumed = this.#resumed.get(chatId);
      await null;
      // The SDK also aborts a stream when it resumes it once more: that is no stop.
      if (this.#resumed.get(chatId) !== resumed) return stream?.close();
      this.#ended(chatId, requestId);
      this.#stop(requestId, stream);
    };
    signal?.addEventListener("abort", abort, { once: true });
    const play = (followed) => {
      stream = followed;
      return readable(chunksOf(stream, { signal, resetStep: this.#resetStep, ...message }), {
        chunk: (chunk) => isEnd(chunk) && this.#ended(chatId, requestId),
        over: play.over,
        // Whoever reads no further has not stopped the answer: it can be resumed.
        cancel: () => stream.close(),
      });
    };
    play.over = () => signal?.removeEventListener("abort", abort);
    return play;
  }

  #stop(requestId, stream) {
    this.#client.cancel(requestId).catch(this.#onError);
    stream?.close();
  }

  #began(chatId, requestId, continued) {
    this.#latest.set(chatId, requestId);
    try {
      this.#storage.removeItem(CONTINUED + chatId);
      if (continued) this.#storage.setItem(CONTINUED + chatId, JSON.stringify({ id: continued.id, parts: continued.parts }));
      this.#storage.setItem(PREFIX + chatId, requestId);
    } catch (error) {
      this.#onError(error);
    }
  }

  #ended(chatId, requestId) {
    if (this.#storage.getItem(PREFIX + chatId) !== requestId) return;
    this.#storage.removeItem(PREFIX + chatId);
    this.#storage.removeItem(CONTINUED + chatId);
  }
}

/** A stream of what a generator yields, which tells of each chunk and of its end. */
function readable(chunks, on) {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) {
        on.over();
        return controller.close();
      }
      on.chunk(value);
      controller.enqueue(value);
    },
    cancel() {
      on.over();
      on.cancel();
      return chunks.return();
    },
  });
}

function isEnd({ type }) {
  return type === "finish" || type === "error" || type === "abort";
}

function abortOf(signal) {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

async function digest(value) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(value))));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function defaultStorage() {
  try {
    globalThis.localStorage.getItem(PREFIX);
    return globalThis.localStorage;
  } catch {
    return memory(); // outside of browsers, and where pages may keep nothing
  }
}

function memory() {
  const items = new Map();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
    removeItem: (name) => void items.delete(name),
  };
}
