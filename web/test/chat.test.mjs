import assert from "node:assert/strict";
import { test } from "node:test";
import { Announcer } from "../chat/announcer.js";
import { describeError, describeFailure } from "../chat/problems.js";
import { dayOf } from "../chat/days.js";
import { Drafts } from "../chat/drafts.js";
import { isCut, noteOf } from "../chat/status.js";
import { newConversation, submissionOf, Thread, titleOf } from "../chat/thread.js";
import { parseFile } from "../chat/transfer.js";
import { ApiError, AuthError, NetworkError } from "../lib/errors.js";

/** A conversation of questions, each with its answer. */
function said(...turns) {
  let parent = null;
  return turns.flatMap(([prompt, text, state = "done"], at) => {
    const question = { id: `q${at}`, conversation: "c", parent, role: "user", at, text: prompt };
    parent = `a${at}`;
    return [question, { id: parent, conversation: "c", parent: question.id, role: "assistant", at, text, state }];
  });
}

test("a submission is what was said before, without messages that have no answer", () => {
  const messages = said(["one", "1"], ["two", "", "failed"], ["three", "3 and", "stopped"], ["four", "", "sending"]);
  const last = { ...messages.at(-1), system: "Be brief.", model: "m" };
  assert.deepEqual(submissionOf(messages, last), {
    messages: [
      { role: "user", content: "one" }, { role: "assistant", content: "1" },
      { role: "user", content: "three" }, { role: "assistant", content: "3 and" },
      { role: "user", content: "four" },
    ],
    system: "Be brief.",
    model: "m",
  });
  assert.deepEqual(submissionOf(messages, messages[1]), { messages: [{ role: "user", content: "one" }] });
});

test("the oldest messages are left out of a body that would be too large", () => {
  const history = said(["one", "é".repeat(100_000)], ["two", "x".repeat(100_000)], ["three", "", "sending"]);
  const { messages } = submissionOf(history, history.at(-1));
  assert.deepEqual(messages.map((m) => m.content.slice(0, 5)), ["two", "xxxxx", "three"]);
});

test("what is shown is one path: the newest, unless another one was chosen", () => {
  const messages = said(["one", "1"], ["two", "2"]);
  const edited = { id: "q9", conversation: "c", parent: "a0", role: "user", at: 9, text: "two, edited" };
  const thread = new Thread(newConversation("c", 0), [...messages, edited]);
  const ids = () => thread.path().map(({ id }) => id).join();
  assert.equal(ids(), "q0,a0,q9");
  assert.deepEqual(thread.siblings(edited).map(({ id }) => id), ["q1", "q9"]);
  thread.conversation = { ...thread.conversation, chosen: { a0: "q1" } };
  assert.equal(ids(), "q0,a0,q1,a1");
  thread.remove(["q1", "a1"]);
  assert.equal(ids(), "q0,a0,q9");
});

test("fields of a message change nothing else of it, and make no message", () => {
  const thread = new Thread(newConversation("c", 0), said(["one", ""]));
  assert.equal(thread.merge({ id: "a0", stopAsked: true }).message.state, "done");
  assert.equal(thread.merge({ id: "gone", text: "late" }), null);
  assert.equal(thread.path().length, 2);
});

test("a conversation is called by its name or by how it began", () => {
  const conversation = newConversation("a", 0);
  assert.equal(titleOf(conversation), "New conversation");
  conversation.opening = `  A\nlong ${"word ".repeat(30)}`;
  assert.match(titleOf(conversation), /^A long word.{1,50}…$/);
  conversation.title = "Mine";
  assert.equal(titleOf(conversation), "Mine");
});

test("the page says what an answer waits for", () => {
  const well = { offline: false, connected: true };
  const lost = { offline: false, connected: false };
  const sending = { state: "sending", text: "" };
  const open = { state: "open", text: "" };
  assert.equal(noteOf(sending, well), "");
  assert.match(noteOf(sending, lost), /cannot be reached/);
  assert.match(noteOf(sending, { offline: true, connected: true }), /are offline/);
  assert.match(noteOf({ ...sending, waiting: "unreachable" }, well), /cannot be reached/);
  assert.equal(noteOf(open, well), "");
  assert.match(noteOf(open, lost), /connection is lost/);
  assert.match(noteOf({ ...open, waiting: "quiet" }, well), /takes the answer up again within a minute/);
  assert.match(noteOf({ ...open, waiting: "quiet" }, lost), /connection is lost/);
  assert.equal(noteOf({ ...open, waiting: "quiet", stopAsked: true }, well), "Stopping…");
  assert.equal(noteOf({ ...open, stopAsked: true }, well), "Stopping…");
  assert.match(noteOf({ ...open, stopAsked: true }, lost), /stopped when the connection is back/);
  const usage = { inputTokens: 1000, outputTokens: 234, estimated: true };
  assert.equal(noteOf({ state: "done", text: "", usage }, well), "The answer is empty. · about 1,234 tokens");
  assert.ok(isCut({ state: "done", stopReason: "max_tokens", text: "x" }));
  assert.ok(!isCut({ state: "done", stopReason: "max_tokens", text: " " }));
});

test("conversations stand below the day of their last use", () => {
  const now = new Date(2026, 10, 28, 15).getTime();
  const at = (...day) => dayOf(new Date(...day).getTime(), now);
  assert.deepEqual([at(2026, 10, 28, 0), at(2026, 10, 27, 23, 59), at(2026, 10, 22), at(2026, 10, 21)],
    ["Today", "Yesterday", "Last 7 days", "November 2026"]);
});

test("a file of conversations brings nothing that is still open, and no key or request of somebody else", () => {
  const file = { format: "streaming-service-conversations", version: 1, conversations: [newConversation("c", 0), { id: 1 }], messages: said(["one", "1"], ["two", "tw", "open"]) };
  Object.assign(file.messages[3], { key: "k", requestId: "r", stopAsked: true });
  const read = parseFile(JSON.stringify(file));
  assert.equal(read.conversations.length, 1);
  const { key, requestId, stopAsked, state } = read.messages[3];
  assert.deepEqual([key, requestId, stopAsked, state], [undefined, undefined, undefined, "stopped"]);
  assert.deepEqual([parseFile("{}"), parseFile("no JSON"), parseFile(JSON.stringify({ ...file, version: 2 }))], [null, null, null]);
});

test("each user has drafts of their own, and a full storage loses none of the page", () => {
  const items = new Map();
  const storage = { getItem: (k) => items.get(k) ?? null, setItem: (k, v) => items.set(k, v), removeItem: (k) => items.delete(k) };
  const mine = new Drafts(storage, "me");
  mine.keep("c", "half a");
  assert.deepEqual([mine.get("c"), new Drafts(storage, "you").get("c")], ["half a", ""]);
  mine.keep("c", " ");
  assert.equal(items.size, 0);
  new Drafts({ ...storage, setItem: () => { throw new Error("full"); } }, "me").keep("c", "x");
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
  assert.deepEqual(describeFailure({ code: "model_error", message: "m", retryable: false }), {
    title: "The model did not answer this message", text: "The same message would fail again. Edit it, then send it once more.", retry: false,
  });
  assert.equal(describeFailure({ code: "model_error", message: "m", retryable: true }).title, "The model failed");
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
