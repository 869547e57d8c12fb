import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Answers } from "../chat/answers.js";
import { Network } from "../chat/network.js";
import { ApiError, NetworkError } from "../lib/errors.js";
import { settle } from "./fakes.mjs";

/** A client whose streams a test feeds. */
class FakeClient {
  keys = [];
  attached = [];
  followed = [];
  streams = [];
  refusal = null;

  async submit(request, { key }) {
    this.keys.push(key);
    this.request = request;
    if (this.refusal) throw this.refusal;
    return this.#stream("r1");
  }

  async attach(_, { name }) {
    this.attached.push(name);
    if (this.noUploads) throw new ApiError(404, { code: "not_found" });
    return { type: "document", format: "pdf", name: "a", uploadId: `u${this.attached.length}` };
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

/** A store that keeps messages in memory, and tells nobody else. */
class FakeStore {
  records = new Map();
  told = [];
  onChange = () => {};

  constructor(...messages) {
    for (const message of messages) this.records.set(message.id, message);
  }

  async message(id) {
    return structuredClone(this.records.get(id));
  }

  async messages() {
    return structuredClone([...this.records.values()]);
  }

  async changeMessage(id, fields) {
    if (!this.records.has(id)) return;
    Object.assign(this.records.get(id), structuredClone(fields));
    this.onChange({ id, ...fields });
  }

  tell(message) {
    this.told.push(message);
  }
}

/** Locks as the browser has them, for all tabs of a test. */
class FakeLocks {
  #last = new Map();

  request(name, { signal }, work) {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(() => (signal.aborted ? undefined : work()));
    this.#last.set(name, mine.catch(() => {}));
    return mine;
  }
}

const question = { id: "q", conversation: "c", parent: null, role: "user", at: 0, text: "Hi" };
const answer = (more) => ({ id: "a", conversation: "c", parent: "q", role: "assistant", at: 0, text: "", state: "sending", key: "k", ...more });

const opened = [];
afterEach(() => opened.splice(0).forEach((answers) => answers.close()));

function setUp(stored = answer(), { locks = new FakeLocks(), store = new FakeStore(question, stored), client = new FakeClient() } = {}) {
  const seen = { signedOut: 0 };
  const network = new Network();
  const answers = new Answers(client, store, network, { quota() {}, signedOut: () => seen.signedOut++ }, locks);
  opened.push(answers);
  const tell = store.onChange;
  store.onChange = (message) => (tell(message), answers.changed(message));
  return { client, store, seen, answers, network, locks, stored: () => store.records.get("a") };
}

const cancelled = { type: "failed", code: "cancelled", message: "", retryable: true };

test("an answer is kept with its request, then with its end", async () => {
  const { client, answers, stored } = setUp();
  answers.get(answer());
  await settle();
  assert.deepEqual([stored().state, stored().requestId], ["open", "r1"]);
  client.streams[0].say({ type: "delta", text: "void" }, "void");
  client.streams[0].say({ type: "restarted", attempt: 2 }, "");
  client.streams[0].say({ type: "done", stopReason: "end_turn", usage: { inputTokens: 1, outputTokens: 2 } }, "Hello");
  await settle();
  assert.deepEqual([stored().state, stored().text, stored().stopReason], ["done", "Hello", "end_turn"]);
});

test("an answer of which nothing comes says so until something does", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { client, answers, store } = setUp();
  const waiting = () => store.told.filter((fields) => "waiting" in fields).map((fields) => fields.waiting);
  answers.get(answer());
  await settle();
  client.streams[0].say({ type: "delta", text: "One" }, "One");
  await settle();
  t.mock.timers.tick(9_999);
  assert.deepEqual(waiting(), []);
  t.mock.timers.tick(1);
  assert.deepEqual(waiting(), ["quiet"]);
  client.streams[0].say({ type: "restarted", attempt: 2 }, "");
  await settle();
  assert.deepEqual(waiting(), ["quiet", ""]);
  client.streams[0].say({ type: "done", stopReason: "end_turn" }, "Two");
  await settle();
  t.mock.timers.tick(60_000);
  assert.deepEqual(waiting(), ["quiet", ""]);
});

test("after a reload an open request is followed, one that was being sent is sent with its key", async () => {
  const open = answer({ state: "open", requestId: "r9" });
  const first = setUp(open);
  first.answers.get(open);
  first.answers.get(open);
  await settle();
  assert.deepEqual([first.client.followed, first.client.keys], [["r9"], []]);
  const second = setUp(answer({ attempted: true }));
  second.answers.get(answer());
  await settle();
  assert.deepEqual(second.client.keys, ["k"]);
});

test("of two tabs one gets the answer, and the other goes on when that one is closed", async () => {
  const store = new FakeStore(question, answer());
  const locks = new FakeLocks();
  const one = setUp(undefined, { store, locks });
  const two = setUp(undefined, { store, locks });
  one.answers.get(answer());
  two.answers.get(answer());
  await settle();
  assert.deepEqual([one.client.keys, two.client.keys, two.client.followed], [["k"], [], []]);
  one.answers.close();
  one.client.streams[0].close();
  await settle();
  assert.deepEqual([two.client.keys, two.client.followed], [[], ["r1"]]);
});

test("an unknown outcome is tried again with the same key until it is known", async () => {
  const { client, answers, network, store, stored } = setUp();
  client.refusal = new NetworkError();
  answers.get(answer());
  await settle();
  assert.equal(store.told.at(-1).waiting, "unreachable");
  client.refusal = new ApiError(503, { code: "unavailable" });
  network.wake();
  await settle();
  client.refusal = null;
  network.wake();
  await settle();
  assert.deepEqual(client.keys, ["k", "k", "k"]);
  assert.equal(stored().state, "open");
  answers.close();
});

test("a refusal ends the answer with what can be done", async () => {
  const { client, answers, stored } = setUp();
  client.refusal = new ApiError(413, { code: "payload_too_large" });
  answers.get(answer());
  await settle();
  assert.equal(stored().state, "refused");
  assert.match(stored().problem.text, /shorter/);
});

const withFile = () => ({ ...question, text: "", attachments: [{ name: "a.pdf", blob: { size: 20_000 } }] });

test("a file that the service no longer has is sent again with the next try", async () => {
  const gone = { type: "failed", code: "upload_not_found", message: "A file is gone.", retryable: false };
  for (const end of ["refused", "failed"]) {
    const { client, answers, store, stored } = setUp(undefined, { store: new FakeStore(withFile(), answer()) });
    if (end === "refused") client.refusal = new ApiError(400, { code: "upload_not_found", errors: [{ field: "messages[0].content[0].uploadId", message: "is no upload" }] });
    answers.get(answer());
    await settle();
    if (end === "failed") client.streams[0].say(gone);
    await settle();
    assert.deepEqual([stored().state, stored().problem.retry], [end, true]);
    assert.match(stored().problem.text, /^The service no longer ha[sd] it\. Try again/);
    client.refusal = null;
    await store.changeMessage("a", { state: "sending", requestId: undefined, attempted: false, key: "k2" });
    answers.get(stored());
    await settle();
    assert.deepEqual([client.attached, client.request.messages[0].content[0].uploadId], [["a.pdf", "a.pdf"], "u2"]);
    answers.close();
  }
});

test("a document without words has its name for them, which Converse wants", async () => {
  const { client, answers } = setUp(undefined, { store: new FakeStore(withFile(), answer()) });
  answers.get(answer());
  await settle();
  assert.deepEqual(client.request.messages[0].content[1], { type: "text", text: "a.pdf" });
});

test("where there are no uploads, a large file is refused for that", async () => {
  const { client, answers, stored } = setUp(undefined, { store: new FakeStore(withFile(), answer()) });
  client.noUploads = true;
  answers.get(answer());
  await settle();
  assert.deepEqual([stored().state, client.keys], ["refused", []]);
  assert.match(stored().problem.text, /^a\.pdf is too large: this service takes files of at most 16,384 bytes/);
});

test("what a model does not take is a matter of the model", async () => {
  const { client, answers, stored } = setUp();
  client.refusal = new ApiError(400, { code: "model_not_capable", errors: [{ field: "messages[0].content[0]", message: "is not taken by m: it takes text only" }] });
  answers.get(answer());
  await settle();
  assert.equal(stored().problem.title, "This model does not take all of the message");
  assert.match(stored().problem.text, /takes text only\. Choose another model/);
});

test("stopping before the request is known stops it as soon as it is", async () => {
  const { client, answers, store, stored } = setUp(answer({ attempted: true }));
  await store.changeMessage("a", { stopAsked: true });
  answers.get(stored());
  await settle();
  assert.ok(client.streams[0].cancelled);
  client.streams[0].say(cancelled, "part");
  await settle();
  assert.deepEqual([stored().state, stored().text], ["stopped", "part"]);
});

test("stopping what was never sent sends nothing", async () => {
  const { client, answers, stored } = setUp(answer({ stopAsked: true }));
  answers.get(stored());
  await settle();
  assert.deepEqual([client.keys, stored().state], [[], "stopped"]);
});

test("a stop that cannot be sent is sent when the network is back", async () => {
  const { client, answers, network } = setUp();
  answers.get(answer());
  await settle();
  const [stream] = client.streams;
  let tries = 0;
  stream.cancel = async () => {
    if (++tries < 3) throw new NetworkError();
  };
  await answers.stop({ id: "a" });
  for (let i = 0; i < 4; i++) {
    await settle();
    network.wake();
  }
  assert.equal(tries, 3);
  stream.say(cancelled);
  await settle();
});

test("a queued message waits for the answer before it, and is held if that one fails", async () => {
  for (const [end, want] of [["done", "open"], ["failed", "refused"]]) {
    const before = { id: "b", conversation: "c", parent: "p", role: "assistant", at: 0, text: "x", state: "open" };
    const queued = answer({ state: "queued" });
    const store = new FakeStore({ ...question, parent: "b" }, before, queued);
    const { answers, network, client, stored } = setUp(queued, { store });
    answers.get(queued);
    await settle();
    assert.deepEqual([client.keys, stored().state], [[], "queued"]);
    before.state = end;
    network.wake();
    await settle();
    assert.equal(stored().state, want);
  }
});

test("a session that has ended leaves the answer for later", async () => {
  const { client, seen, answers, stored } = setUp();
  client.refusal = new ApiError(401, { code: "unauthenticated" });
  answers.get(answer());
  await settle();
  assert.deepEqual([seen.signedOut, stored().state], [1, "sending"]);
});

test("deleting a message cancels its answer and keeps nothing of it", async () => {
  const { client, answers, store } = setUp();
  answers.get(answer());
  await settle();
  store.records.clear();
  answers.drop(new Set(["a"]));
  await settle();
  assert.ok(client.streams[0].cancelled);
  assert.equal(store.records.size, 0);
});
