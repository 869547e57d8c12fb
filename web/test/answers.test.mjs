import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers } from "../chat/answers.js";
import { newConversation } from "../chat/store.js";
import { ApiError, NetworkError } from "../lib/errors.js";
import { settle } from "./fakes.mjs";

/** A client whose streams a test feeds. */
class FakeClient {
  keys = [];
  followed = [];
  streams = [];
  refusal = null;

  async submit(_, { key }) {
    this.keys.push(key);
    if (this.refusal) throw this.refusal;
    return this.#stream("r1");
  }

  follow(requestId) {
    this.followed.push(requestId);
    return this.#stream(requestId);
  }

  #stream(requestId) {
    const stream = new FakeStream(requestId);
    this.streams.push(stream);
    return stream;
  }
}

class FakeStream {
  text = "";
  cancelled = false;
  #events = [];
  #wake = () => {};

  constructor(requestId) {
    this.requestId = requestId;
  }

  say(event, text = this.text) {
    this.text = text;
    this.#events.push(event);
    this.#wake();
  }

  async cancel() {
    this.cancelled = true;
  }

  close() {
    this.say(null);
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      while (this.#events.length === 0) await new Promise((resolve) => (this.#wake = resolve));
      const event = this.#events.shift();
      if (event) yield event;
      if (!event || event.type === "done" || event.type === "failed") return;
    }
  }
}

function setUp() {
  const client = new FakeClient();
  const saved = [];
  const seen = { ended: 0, signedOut: 0, restarted: 0 };
  const answers = new Answers(client, { save: (c) => saved.push(structuredClone(c)) }, {
    changed() {}, delta() {}, quota() {},
    restarted: () => seen.restarted++, ended: () => seen.ended++, signedOut: () => seen.signedOut++,
  });
  return { client, saved, seen, answers, conversation: newConversation("c", 0) };
}

const cancelled = { type: "failed", code: "cancelled", message: "", retryable: true };

test("an answer is kept with its request, then with its end", async () => {
  const { client, saved, seen, answers, conversation } = setUp();
  const turn = answers.ask(conversation, "Hi");
  assert.equal(saved[0].turns[0].answer.state, "sending");
  await settle();
  assert.deepEqual([saved[1].turns[0].answer.state, saved[1].turns[0].answer.requestId], ["open", "r1"]);
  client.streams[0].say({ type: "delta", text: "void" }, "void");
  client.streams[0].say({ type: "restarted", attempt: 2 }, "");
  client.streams[0].say({ type: "done", stopReason: "end_turn", usage: { inputTokens: 1, outputTokens: 2 } }, "Hello");
  await settle();
  assert.equal(saved.at(-1).turns[0].answer.text, "Hello");
  assert.equal(turn.answer.state, "done");
  assert.deepEqual(seen, { ended: 1, signedOut: 0, restarted: 1 });
});

test("after a reload an open request is followed, one that was being sent is sent with its key", async () => {
  const { client, answers, conversation } = setUp();
  const turn = (id, answer) => ({ id, prompt: id, at: 0, answer: { text: "", key: `key-${id}`, ...answer } });
  conversation.turns = [turn("a", { state: "done" }), turn("b", { state: "open", requestId: "r9" }), turn("c", { state: "sending" })];
  answers.resume(conversation);
  answers.resume(conversation);
  await settle();
  assert.deepEqual(client.followed, ["r9"]);
  assert.deepEqual(client.keys, ["key-c"]);
});

test("another tab's request is followed only once it is known", async () => {
  const { client, answers, conversation } = setUp();
  conversation.turns = [{ id: "a", prompt: "a", answer: { state: "sending", text: "", key: "k" } }];
  answers.follow(conversation);
  await settle();
  assert.deepEqual([client.keys, client.followed], [[], []]);
});

for (const [what, refusal, same] of [
  ["an unknown outcome", new NetworkError(), true],
  ["a refusal", new ApiError(429, { code: "rate_limited" }), false],
]) {
  test(`a retry after ${what} ${same ? "is the same" : "is another"} submission`, async () => {
    const { client, answers, conversation } = setUp();
    client.refusal = refusal;
    const turn = answers.ask(conversation, "Hi");
    await settle();
    assert.equal(turn.answer.state, "failed");
    assert.ok(turn.answer.problem.title);
    client.refusal = null;
    answers.retry(conversation, turn);
    await settle();
    assert.equal(client.keys.length, 2);
    assert.equal(client.keys[0] === client.keys[1], same);
  });
}

test("stopping before the request is known stops it as soon as it is", async () => {
  const { client, answers, conversation } = setUp();
  const turn = answers.ask(conversation, "Hi");
  answers.stop(conversation, turn);
  assert.ok(answers.isStopping(turn));
  await settle();
  assert.ok(client.streams[0].cancelled);
  client.streams[0].say(cancelled, "part");
  await settle();
  assert.deepEqual([turn.answer.state, turn.answer.text], ["stopped", "part"]);
});

test("a refused token signs the user out", async () => {
  const { client, seen, answers, conversation } = setUp();
  client.refusal = new ApiError(401, { code: "unauthenticated" });
  answers.ask(conversation, "Hi");
  await settle();
  assert.equal(seen.signedOut, 1);
});

test("deleting a conversation cancels its answers and keeps nothing of them", async () => {
  const { client, saved, seen, answers, conversation } = setUp();
  answers.ask(conversation, "Hi");
  await settle();
  const before = saved.length;
  answers.drop(conversation);
  await settle();
  assert.ok(client.streams[0].cancelled);
  assert.deepEqual([saved.length, seen.ended], [before, 0]);
});
