import assert from "node:assert/strict";
import { test } from "node:test";
import { Announcer } from "../chat/announcer.js";
import { describeError, describeFailure } from "../chat/problems.js";
import { newConversation, Store, submissionOf, titleOf } from "../chat/store.js";
import { ApiError, AuthError, NetworkError } from "../lib/errors.js";

/** A storage like the browser's, of a number of characters. */
class Storage {
  #items = new Map();
  constructor(room = Infinity) {
    this.room = room;
  }
  get length() {
    return this.#items.size;
  }
  key(i) {
    return [...this.#items.keys()][i];
  }
  getItem(name) {
    return this.#items.get(name) ?? null;
  }
  setItem(name, value) {
    if (value.length > this.room) throw new Error("QuotaExceededError");
    this.#items.set(name, value);
  }
  removeItem(name) {
    this.#items.delete(name);
  }
}

function turn(prompt, text, state = "done") {
  return { id: prompt, prompt, at: 0, answer: { state, text, key: "k" } };
}

test("each user has conversations of their own, the newest first", () => {
  const storage = new Storage();
  const mine = new Store(storage, "me");
  mine.save(newConversation("a", 1));
  mine.save(newConversation("b", 2));
  new Store(storage, "you").save(newConversation("c", 3));
  storage.setItem("streaming.conversation.me.broken", "{");
  storage.setItem("other", "{}");
  assert.deepEqual(mine.all().map((c) => c.id), ["b", "a"]);
  mine.remove("b");
  assert.deepEqual(mine.all().map((c) => c.id), ["a"]);
  assert.ok(mine.owns("streaming.conversation.me.a") && !mine.owns("streaming.conversation.you.c"));
});

test("a full storage is told, not thrown", () => {
  const store = new Store(new Storage(10), "me");
  let full = 0;
  store.onFull = () => full++;
  store.save(newConversation("a", 1));
  assert.equal(full, 1);
});

test("a submission is what was said before, without turns that have no answer", () => {
  const conversation = newConversation("a", 0);
  conversation.instructions = "Be brief.";
  conversation.turns = [turn("one", "1"), turn("two", "", "failed"), turn("three", "3 and", "stopped"), turn("four", "", "sending")];
  assert.deepEqual(submissionOf(conversation, conversation.turns[3]), {
    messages: [
      { role: "user", content: "one" }, { role: "assistant", content: "1" },
      { role: "user", content: "three" }, { role: "assistant", content: "3 and" },
      { role: "user", content: "four" },
    ],
    system: "Be brief.",
  });
  assert.deepEqual(submissionOf(conversation, conversation.turns[0]), { messages: [{ role: "user", content: "one" }], system: "Be brief." });
});

test("the oldest turns are left out of a body that would be too large", () => {
  const conversation = newConversation("a", 0);
  conversation.turns = [turn("one", "é".repeat(100_000)), turn("two", "x".repeat(100_000)), turn("three", "", "sending")];
  const { messages } = submissionOf(conversation, conversation.turns[2]);
  assert.deepEqual(messages.map((m) => m.content.slice(0, 5)), ["two", "xxxxx", "three"]);
});

test("a conversation is called by its name or by how it began", () => {
  const conversation = newConversation("a", 0);
  assert.equal(titleOf(conversation), "New conversation");
  conversation.turns.push(turn(`  A\nlong ${"word ".repeat(30)}`, ""));
  assert.match(titleOf(conversation), /^A long word.{1,50}…$/);
  conversation.title = "Mine";
  assert.equal(titleOf(conversation), "Mine");
});

test("problems name the limit and say what can be done", () => {
  const quota = new ApiError(429, { code: "quota_exceeded", quota: "tokens", limit: 250000, used: 250010, resetsAt: "2026-12-01T00:00:00Z" }, 9999);
  assert.match(describeError(quota).title, /tokens are used up/);
  assert.match(describeError(quota).text, /250,010 of 250,000 used.*December/);
  assert.equal(describeError(quota).retry, false);
  assert.match(describeError(new ApiError(429, { code: "rate_limited" }, 3)).text, /3 s/);
  assert.equal(describeError(new ApiError(429, { code: "too_many_in_flight" }, 1)).retry, true);
  assert.match(describeError(new ApiError(400, { code: "invalid_request", errors: [{ field: "maxTokens", message: "must be >= 1" }] })).text, /maxTokens: must be >= 1/);
  assert.match(describeError(new ApiError(503, {})).text, /503/);
  assert.equal(describeError(new NetworkError()).retry, true);
  assert.match(describeError(new AuthError("NotAuthorizedException")).title, /session has ended/);
  assert.equal(describeFailure({ code: "content_filtered", message: "m", retryable: false }).retry, false);
  assert.deepEqual(describeFailure({ code: "new_code", message: "what it says", retryable: true }), { title: "The request failed", text: "what it says", retry: true });
});

test("answers are announced in sentences, not too often, and to the end", () => {
  const said = [];
  let now = 10_000;
  const announcer = new Announcer((text) => said.push(text), () => now);
  announcer.add("One two. Thr");
  announcer.add("ee four. Fi");
  now += 3_000;
  announcer.add("ve");
  now += 1_000;
  announcer.end("Answer complete.");
  assert.deepEqual(said, ["One two.", "Three four.", "Five Answer complete."]);
  announcer.add("void. ");
  announcer.clear();
  announcer.end("Answer stopped.");
  assert.equal(said.at(-1), "Answer stopped.");
});
