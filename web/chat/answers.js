import { isSignedOut } from "../lib/errors.js";
import { describeError, describeFailure } from "./problems.js";
import { isOpen, submissionOf } from "./store.js";

const SAVE_EVERY = 2_000;

/**
 * Gets the answers: submits turns, follows their streams, stops them, and takes
 * open ones up again after a reload. It knows no element of the page.
 */
export class Answers {
  #client;
  #store;
  #on;
  #running = new Map(); // turn id -> {stream, stopping}

  /**
   * @param {import("../lib/client.js").StreamingClient} client
   * @param {import("./store.js").Store} store
   * @param {object} on changed(conversation, turn), delta(conversation, turn,
   *   text), restarted(conversation, turn), ended(conversation, turn),
   *   quota(usage), signedOut()
   */
  constructor(client, store, on) {
    this.#client = client;
    this.#store = store;
    this.#on = on;
  }

  /** Adds a turn to a conversation and gets its answer. */
  ask(conversation, prompt) {
    const turn = { id: crypto.randomUUID(), prompt, at: Date.now(), answer: newAnswer() };
    conversation.turns.push(turn);
    this.#submit(conversation, turn);
    return turn;
  }

  /** Gets the answer of a turn once more. */
  retry(conversation, turn) {
    turn.answer = newAnswer(turn.answer.sameKey ? turn.answer.key : undefined);
    this.#submit(conversation, turn);
  }

  /** Takes up what was open when the page was left. */
  resume(conversation) {
    this.follow(conversation);
    for (const turn of this.#idle(conversation)) this.#submit(conversation, turn);
  }

  /** Follows what another tab has submitted. */
  follow(conversation) {
    for (const turn of this.#idle(conversation).filter(({ answer }) => answer.requestId)) {
      this.#run(conversation, turn, () => this.#client.follow(turn.answer.requestId));
    }
  }

  #idle(conversation) {
    return conversation.turns.filter((turn) => isOpen(turn.answer) && !this.#running.has(turn.id));
  }

  /** Stops the answer of a turn, now or as soon as its request is known. */
  async stop(conversation, turn) {
    const running = this.#running.get(turn.id);
    if (!running || running.stopping) return;
    running.stopping = true;
    this.#on.changed(conversation, turn);
    if (running.stream) await this.#cancel(conversation, turn, running);
  }

  isStopping(turn) {
    return this.#running.get(turn.id)?.stopping === true;
  }

  /** Forgets a conversation's streams; its requests go on unless stopped. */
  drop(conversation) {
    for (const turn of conversation.turns) {
      const running = this.#running.get(turn.id);
      if (!running) continue;
      running.dropped = true;
      running.stream?.cancel().catch(() => {});
      running.stream?.close();
    }
  }

  #submit(conversation, turn) {
    const request = submissionOf(conversation, turn);
    this.#run(conversation, turn, async () => {
      const stream = await this.#client.submit(request, { key: turn.answer.key });
      turn.answer.requestId = stream.requestId;
      turn.answer.state = "open";
      this.#on.quota(stream.quota);
      return stream;
    });
  }

  async #run(conversation, turn, open) {
    const running = { stream: null, stopping: false, dropped: false, savedAt: 0 };
    this.#running.set(turn.id, running);
    this.#save(conversation, turn, running);
    try {
      const stream = await open();
      running.stream = stream;
      if (running.dropped) return void stream.cancel().catch(() => {});
      this.#save(conversation, turn, running);
      if (running.stopping) await this.#cancel(conversation, turn, running);
      for await (const event of stream) this.#take(conversation, turn, running, event);
    } catch (error) {
      this.#fail(turn, running, error);
    } finally {
      this.#running.delete(turn.id);
      if (!running.dropped && !isOpen(turn.answer)) {
        this.#save(conversation, turn, running);
        this.#on.ended(conversation, turn);
      }
    }
  }

  #take(conversation, turn, running, event) {
    const { answer } = turn;
    answer.text = running.stream.text;
    switch (event.type) {
      case "delta":
        this.#on.delta(conversation, turn, event.text);
        if (Date.now() - running.savedAt >= SAVE_EVERY) this.#save(conversation, turn, running);
        break;
      case "restarted":
        this.#on.restarted(conversation, turn);
        break;
      case "done":
        Object.assign(answer, { state: "done", usage: event.usage, stopReason: event.stopReason });
        break;
      case "failed":
        if (event.code === "cancelled") answer.state = "stopped";
        else Object.assign(answer, { state: "failed", problem: describeFailure(event) });
    }
    this.#on.changed(conversation, turn);
  }

  // A network error leaves the outcome unknown: a retry is the same submission.
  #fail(turn, running, error) {
    const { answer } = turn;
    if (running.stopping && !answer.requestId) {
      answer.state = "stopped";
      return;
    }
    Object.assign(answer, { state: "failed", problem: describeError(error), sameKey: !answer.requestId && error.name !== "ApiError" });
    if (isSignedOut(error)) this.#on.signedOut();
  }

  async #cancel(conversation, turn, running) {
    try {
      await running.stream.cancel();
    } catch {
      running.stopping = false;
      this.#on.changed(conversation, turn);
    }
  }

  #save(conversation, turn, running) {
    running.savedAt = Date.now();
    conversation.updatedAt = running.savedAt;
    this.#store.save(conversation);
    this.#on.changed(conversation, turn);
  }
}

function newAnswer(key = crypto.randomUUID()) {
  return { state: "sending", text: "", key };
}
