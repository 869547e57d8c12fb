import { INLINE_BYTES } from "../lib/attachments.js";
import { FileError, isSignedOut } from "../lib/errors.js";
import { describeError, describeFailure, number } from "./problems.js";
import { TEXTS } from "./texts.js";
import { isOpen, questionsTo, submissionOf } from "./thread.js";

const SAVE_EVERY = 2_000;
// An upload lives a day; a submission may wait for a while.
const UPLOAD_LIFE = 20 * 3_600_000;
// An answer of which nothing comes for so long is said to be waited for.
const QUIET = 10_000;
// Between tries to reach the service, if nothing changes before.
const PAUSE = 10_000;

/**
 * Gets the answers: submits questions, follows the streams, stops them, and
 * takes open ones up again after a reload. An answer is got by one tab at a
 * time, which holds its lock; if that tab is closed, another goes on. It knows
 * no element of the page.
 */
export class Answers {
  #client;
  #store;
  #network;
  #locks;
  #on;
  #runs = new Map(); // message id -> Run
  #closing = new AbortController();

  /**
   * @param {import("../lib/client.js").StreamingClient} client
   * @param {import("./store.js").Store} store
   * @param {import("./network.js").Network} network
   * @param {object} on quota(usage), signedOut()
   * @param {LockManager} [locks]
   */
  constructor(client, store, network, on, locks = navigator.locks) {
    this.#client = client;
    this.#store = store;
    this.#network = network;
    this.#on = on;
    this.#locks = locks;
  }

  /** Gets an answer that is open, here or in whichever tab is at it. */
  get(answer) {
    if (!isOpen(answer) || this.#runs.has(answer.id)) return;
    const run = { id: answer.id, answer, stream: null, savedAt: 0, quiet: null, cancelling: false, dropped: false };
    this.#runs.set(run.id, run);
    const { signal } = this.#closing;
    this.#locks
      .request(`streaming.answer.${run.id}`, { signal }, () => this.#work(run))
      .catch((error) => signal.aborted || console.error(error))
      .finally(() => this.#runs.delete(run.id));
  }

  /** Takes what changed about a message, here or in another tab. */
  changed(message) {
    const run = this.#runs.get(message.id);
    if (!run) return;
    Object.assign(run.answer, message);
    if (!message.stopAsked) return;
    this.#network.wake();
    if (run.stream) this.#cancel(run);
  }

  /** Stops an answer now, or as soon as the service can be reached. */
  stop({ id }) {
    return this.#store.changeMessage(id, { stopAsked: true });
  }

  /** Stops answers whose messages are gone. */
  drop(ids) {
    for (const run of this.#runs.values()) {
      if (!ids.has(run.id)) continue;
      run.dropped = true;
      run.stream?.cancel().catch(() => {});
      run.stream?.close();
    }
  }

  close() {
    this.#closing.abort();
    for (const { quiet } of this.#runs.values()) clearTimeout(quiet);
    this.#network.wake();
  }

  async #work(run) {
    const answer = await this.#store.message(run.id);
    if (!answer || !isOpen(answer)) return;
    run.answer = answer;
    try {
      run.stream = await this.#opened(run);
      if (!run.stream) return;
      if (run.dropped) return void run.stream.cancel().catch(() => {});
      if (run.answer.stopAsked) this.#cancel(run);
      this.#listen(run);
      for await (const event of run.stream) {
        this.#listen(run);
        await this.#take(run, event);
      }
    } catch (error) {
      await this.#fail(run, error);
    } finally {
      clearTimeout(run.quiet);
    }
  }

  get #closed() {
    return this.#closing.signal.aborted;
  }

  /** The stream of an answer, or null if there is to be none. */
  async #opened(run) {
    if (run.answer.requestId) return this.#client.follow(run.answer.requestId);
    if (!(await this.#itsTurn(run))) return null;
    const stream = await this.#submitted(run);
    if (!stream) return null;
    this.#on.quota(stream.quota);
    await this.#change(run, { state: "open", requestId: stream.requestId, waiting: "" });
    return stream;
  }

  /** Waits until the answer before a queued one is complete. */
  async #itsTurn(run) {
    while (run.answer.state === "queued") {
      if (this.#closed || run.dropped || (await this.#stoppedEarly(run))) return false;
      const question = await this.#store.message(run.answer.parent);
      const before = question?.parent && (await this.#store.message(question.parent));
      if (!before || before.state === "done") await this.#change(run, { state: "sending" });
      else if (isOpen(before)) await this.#network.change(PAUSE);
      else return this.#end(run, { state: "refused", problem: { held: true } }), false;
    }
    return true;
  }

  /** Submits until the service has said yes or no. */
  async #submitted(run) {
    for (;;) {
      if (this.#closed || run.dropped || (await this.#stoppedEarly(run))) return null;
      if (this.#network.offline) {
        await this.#wait(run, "offline");
        continue;
      }
      try {
        const request = await this.#request(run);
        await this.#change(run, { attempted: true });
        return await this.#client.submit(request, { key: run.answer.key });
      } catch (error) {
        if (!isUnknown(error)) throw error;
        await this.#wait(run, this.#network.offline ? "offline" : "unreachable");
      }
    }
  }

  // Files are uploaded before the first try and not again after it: its key
  // stands for one body.
  async #request(run) {
    const messages = await this.#store.messages(run.answer.conversation);
    if (run.answer.attempted) return submissionOf(messages, run.answer);
    for (const question of questionsTo(messages, run.answer)) {
      const attachments = await Promise.all((question.attachments ?? []).map((file) => this.#uploaded(file)));
      if (attachments.every((file, i) => file === question.attachments[i])) continue;
      question.attachments = attachments;
      await this.#store.changeMessage(question.id, { attachments });
    }
    return submissionOf(messages, run.answer);
  }

  async #uploaded(file) {
    if (!file.blob || (file.block && Date.now() - file.uploadedAt < UPLOAD_LIFE)) return file;
    const uploadedAt = Date.now();
    try {
      return { ...file, block: await this.#client.attach(file.blob, { name: file.name }), uploadedAt };
    } catch (error) {
      if (error.code !== "not_found") throw error;
      throw new FileError("size", TEXTS.files.noUploads(file.name, number(INLINE_BYTES)), INLINE_BYTES);
    }
  }

  // What the service no longer has is uploaded once more for the next try.
  async #forgetUploads({ answer }) {
    for (const question of questionsTo(await this.#store.messages(answer.conversation), answer)) {
      const attachments = question.attachments?.map((file) => ({ ...file, uploadedAt: 0 }));
      if (attachments?.length > 0) await this.#store.changeMessage(question.id, { attachments });
    }
  }

  async #wait(run, waiting) {
    this.#tellWaiting(run, waiting);
    await this.#network.change(PAUSE);
  }

  /** Has the user told if nothing more comes, as when the attempt has died and the service begins another. */
  #listen(run) {
    clearTimeout(run.quiet);
    if (run.answer.waiting === "quiet") this.#tellWaiting(run, "");
    if (!this.#closed) run.quiet = setTimeout(() => this.#tellWaiting(run, "quiet"), QUIET);
  }

  #tellWaiting(run, waiting) {
    run.answer.waiting = waiting;
    this.#store.tell({ id: run.id, conversation: run.answer.conversation, waiting });
  }

  /** Ends an answer that is not wanted any more and was never asked for. */
  async #stoppedEarly(run) {
    if (!run.answer.stopAsked || run.answer.attempted) return false;
    await this.#end(run, { state: "stopped" });
    return true;
  }

  async #take(run, event) {
    const { text, reasoning = "", content = [] } = run.stream;
    Object.assign(run.answer, { text, reasoning, tools: content.filter(({ type }) => type === "toolUse") });
    switch (event.type) {
      case "delta":
      case "reasoning":
      case "toolUse":
      case "restarted":
        return this.#grown(run);
      case "done":
        return this.#end(run, { state: "done", usage: event.usage, stopReason: event.stopReason });
      case "failed":
        if (event.code === "cancelled") return this.#end(run, { state: "stopped" });
        if (event.code === "upload_not_found") await this.#forgetUploads(run);
        return this.#end(run, { state: "failed", problem: describeFailure(event) });
    }
  }

  #grown(run) {
    const { text, reasoning, tools, conversation } = run.answer;
    this.#store.tell({ id: run.id, conversation, text, reasoning, tools });
    if (Date.now() - run.savedAt < SAVE_EVERY) return null;
    run.savedAt = Date.now();
    return this.#change(run, { text, reasoning, tools });
  }

  #end(run, fields) {
    const { text, reasoning, tools } = run.answer;
    return this.#change(run, { text, reasoning, tools, waiting: "", ...fields });
  }

  async #change(run, fields) {
    Object.assign(run.answer, fields);
    if (!run.dropped) await this.#store.changeMessage(run.id, fields);
    if (!isOpen(run.answer)) this.#network.wake(); // a queued one may follow
  }

  // A session that has ended ends no answer: it is got after signing in again.
  async #fail(run, error) {
    if (run.dropped || this.#closed) return;
    if (isSignedOut(error)) return this.#on.signedOut();
    if (error.code === "upload_not_found") await this.#forgetUploads(run);
    const state = run.answer.requestId ? "failed" : "refused";
    await this.#end(run, { state, problem: describeError(error) });
  }

  async #cancel(run) {
    if (run.cancelling) return;
    run.cancelling = true;
    while (!this.#closed && !run.dropped && isOpen(run.answer)) {
      try {
        return await run.stream.cancel();
      } catch (error) {
        if (isSignedOut(error) || !isUnknown(error)) return;
      }
      await this.#network.change(PAUSE);
    }
  }
}

/** Whether a call may have been heard although nothing came back. */
function isUnknown(error) {
  if (error.name === "NetworkError" || error.name === "AuthError") return !isSignedOut(error);
  return error.name === "ApiError" && error.temporary && error.status >= 500;
}
