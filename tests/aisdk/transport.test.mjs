// The AI SDK's own chat over the service on the local cloud: what useChat runs,
// without React.
import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";

const { AbstractChat, lastAssistantMessageIsCompleteWithToolCalls, readUIMessageStream } = await import(process.env.AI);
const { ChatTransport } = await import(`${process.env.WEB}/chat-transport.js`);
const { Auth, StreamingClient, fetchConfig } = await import(`${process.env.WEB}/streaming-service.js`);

const { delta, done, reasoning, reply, REQUEST_ID, Service, start, state, toolUse } = await import(`${process.env.WEB}/test/fakes.mjs`);

// Version 6 has no chunk that takes text back.
const resetStep = process.env.AI !== "ai6";
const cloud = process.env.CLOUD;
const config = await fetchConfig(`${cloud}/config.json`);
const patience = 30_000;

/** The state that useChat keeps in React. */
class State {
  status = "ready";
  error = undefined;
  messages;

  constructor(messages) {
    this.messages = messages;
  }

  pushMessage = (message) => (this.messages = [...this.messages, message]);
  popMessage = () => (this.messages = this.messages.slice(0, -1));
  replaceMessage = (index, message) => (this.messages = this.messages.with(index, structuredClone(message)));
  snapshot = (value) => structuredClone(value);
}

class Chat extends AbstractChat {
  constructor({ messages = [], ...init }) {
    super({ ...init, state: new State(messages) });
  }

  get text() {
    return textOf(this.lastMessage);
  }
}

const textOf = (message) => message.parts.filter(({ type }) => type === "text").map(({ text }) => text).join("");

let users = 0;

/** A user with a chat; the script steers the model. */
async function newUser(t) {
  const email = `aisdk-${process.pid}-${users++}@example.com`;
  const password = "Correct-horse-1";
  const auth = new Auth(config);
  await auth.signUp(email, password);
  const mails = await (await fetch(`${cloud}/_local/outbox?to=${encodeURIComponent(email)}`)).json();
  await auth.confirmSignUp(email, mails.at(-1).code);
  const session = await auth.signIn(email, password);
  const items = new Map();
  const storage = {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
    removeItem: (name) => void items.delete(name),
  };
  const user = { clients: [] };
  /** What a page has after it was loaded: nothing but the storage survives. */
  user.load = (script, messages = []) => {
    const client = new StreamingClient(config, session, { env: { WebSocket } });
    user.clients.push(client);
    const transport = new ChatTransport(client, { storage, request: { system: `script: ${script}` } });
    return { client, transport, chat: new Chat({ id: "chat", transport, messages }) };
  };
  t.after(() => user.clients.forEach((client) => client.close()));
  return user;
}

async function eventually(what, done) {
  for (const until = Date.now() + patience; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const value = await done();
    if (value) return value;
    assert.ok(Date.now() < until, `${what}: not within ${patience} ms`);
  }
}

const streaming = (chat) => eventually("a part of the answer", () => chat.status === "streaming" && chat.text.length > 20);

test("a message is answered, and the conversation goes on", async (t) => {
  const { chat, client } = (await newUser(t)).load("tokens=30 rate=300");
  await chat.sendMessage({ text: "Hello" });
  assert.equal(chat.status, "ready");
  assert.equal(chat.error, undefined);
  const [question, answer] = chat.messages;
  assert.equal(question.role, "user");
  assert.equal(answer.role, "assistant");
  const state = await client.get(answer.id);
  assert.equal(chat.text, state.text);
  assert.deepEqual(answer.metadata.usage, state.usage);
  assert.equal(answer.metadata.stopReason, "end_turn");
  assert.equal(answer.metadata.requestId, answer.id);
  assert.equal(answer.metadata.quota.requests.used, 1);
  await chat.sendMessage({ text: "And again" });
  assert.equal(chat.messages.length, 4);
  assert.equal(chat.text, (await client.get(chat.lastMessage.id)).text);
  assert.equal((await client.usage()).requests.used, 2);
});

test("a regeneration is another answer", async (t) => {
  const { chat, client } = (await newUser(t)).load("tokens=5");
  await chat.sendMessage({ text: "Hello" });
  const first = chat.lastMessage.id;
  await chat.regenerate();
  assert.notEqual(chat.lastMessage.id, first);
  assert.equal(chat.messages.length, 2);
  await chat.regenerate();
  assert.equal((await client.usage()).requests.used, 3);
});

test("the parts come in the order of a UI message stream", async (t) => {
  const { transport } = (await newUser(t)).load("tokens=8");
  const messages = [{ id: "m1", role: "user", parts: [{ type: "text", text: "Hello" }] }];
  const send = () => transport.sendMessages({ chatId: "parts", trigger: "submit-message", messages });
  const types = [];
  const [kept, read] = (await send()).tee();
  let last;
  for await (const message of readUIMessageStream({ stream: read })) last = message;
  for await (const chunk of kept) types.push(chunk.type);
  assert.match(types.join(" "), /^start start-step text-start (text-delta )+text-end finish-step finish$/);
  // The same message once more is the same request.
  for await (const message of readUIMessageStream({ stream: await send() })) assert.equal(message.id, last.id);
});

test("a stop stops the model", async (t) => {
  const { chat, client } = (await newUser(t)).load("tokens=2000 rate=60");
  const sent = chat.sendMessage({ text: "Hello" });
  await streaming(chat);
  await chat.stop();
  await sent;
  assert.equal(chat.status, "ready");
  const state = await eventually("the end", async () => {
    const state = await client.get(chat.lastMessage.id);
    return state.status !== "streaming" && state;
  });
  assert.equal(state.status, "cancelled");
  assert.ok(state.text.startsWith(chat.text.slice(0, 20)));
});

test("a reload goes on with the answer", async (t) => {
  const user = await newUser(t);
  const script = "tokens=120 rate=60";
  const before = user.load(script);
  void before.chat.sendMessage({ text: "Hello" });
  await streaming(before.chat);
  const [question, { id }] = before.chat.messages;
  before.client.close();

  const { chat, client } = user.load(script, [question]);
  await chat.resumeStream();
  assert.equal(chat.status, "ready");
  assert.equal(chat.lastMessage.id, id);
  assert.equal(chat.messages.length, 2);
  const state = await client.get(id);
  assert.equal(state.status, "succeeded");
  assert.equal(chat.text, state.text);
  assert.deepEqual(chat.lastMessage.metadata.usage, state.usage);
  await chat.resumeStream(); // there is nothing more
  assert.equal(chat.messages.length, 2);
});

test("a resumed answer can be stopped, and resuming twice does not stop it", async (t) => {
  const user = await newUser(t);
  const script = "tokens=2000 rate=60";
  const before = user.load(script);
  void before.chat.sendMessage({ text: "Hello" });
  await streaming(before.chat);
  const [question, { id }] = before.chat.messages;
  before.client.close();

  const { chat, client } = user.load(script, [question]);
  const first = chat.resumeStream();
  await streaming(chat);
  const second = chat.resumeStream();
  await first;
  await streaming(chat);
  assert.equal((await client.get(id)).status, "streaming");
  await chat.stop();
  await second;
  await eventually("the cancel", async () => (await client.get(id)).status === "cancelled");
});

test("an answer that fails says why, and can be asked for again", async (t) => {
  const { chat, client } = (await newUser(t)).load("tokens=20 error=validationException@3");
  await chat.sendMessage({ text: "Hello" });
  assert.equal(chat.status, "error");
  const { error } = await client.get(chat.lastMessage.id);
  assert.ok(chat.error.message.startsWith(`${error.code}: ${error.message}`), chat.error.message);
  const failed = chat.lastMessage.id;
  await chat.regenerate();
  assert.notEqual(chat.lastMessage.id, failed);
});

test("a quota that is used up is an error with its numbers", async (t) => {
  const { chat, client } = (await newUser(t)).load("tokens=2");
  const { limit } = (await client.usage()).requests;
  for (let n = 0; n < limit; n++) await chat.sendMessage({ text: `Question ${n}` });
  assert.equal(chat.status, "ready");
  await chat.sendMessage({ text: "One more" });
  assert.equal(chat.status, "error");
  assert.equal(chat.error.code, "quota_exceeded");
  assert.deepEqual([chat.error.problem.quota, chat.error.problem.limit, chat.error.problem.used], ["requests", limit, limit]);
  assert.ok(chat.error.retryAfter > 0);
});

test("an answer that is begun anew takes back what was shown", async () => {
  const service = new Service();
  const client = new StreamingClient(service.config, service.session, { env: service.env });
  const chat = new Chat({ id: "anew", transport: new ChatTransport(client, { resetStep }) });
  const sent = chat.sendMessage({ text: "Hello" });
  await eventually("the submission", async () => (await service.clock.advance(1), service.calls.length > 0));
  await service.clock.advance(1);
  service.socket.say(start(), delta(1, "Half an ans"));
  await eventually("the first attempt", () => chat.lastMessage.role === "assistant" && chat.text === "Half an ans");
  service.socket.say(start(2), delta(1, "A whole answer", 2), done(2, 2));
  await sent;
  if (!resetStep) {
    assert.equal(chat.status, "error");
    service.get = () => reply(200, state("succeeded", "A whole answer", 2, { attempt: 2, stopReason: "end_turn", usage: { inputTokens: 3, outputTokens: 2 } }));
    service.onFrame = (frame, socket) => frame.action === "resume" && socket.say(start(2), delta(1, "A whole answer", 2), done(2, 2));
    await chat.resumeStream();
  }
  assert.equal(chat.status, "ready");
  assert.equal(chat.text, "A whole answer");
  assert.equal(chat.messages.length, 2);
  assert.equal(chat.lastMessage.id, REQUEST_ID);
});

test("a tool is run in the browser, and the answer goes on in the same message", async () => {
  const service = new Service();
  const client = new StreamingClient(service.config, service.session, { env: service.env });
  const items = new Map();
  const storage = { getItem: (name) => items.get(name) ?? null, setItem: (name, value) => void items.set(name, value), removeItem: (name) => void items.delete(name) };
  let ran = 0;
  const load = (messages = []) => {
    const chat = new Chat({
      id: "tools", messages, transport: new ChatTransport(client, { storage, resetStep }),
      sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
      onToolCall: ({ toolCall }) => {
        ran++;
        void chat.addToolOutput({ tool: toolCall.toolName, toolCallId: toolCall.toolCallId, output: { celsius: 7 } });
      },
    });
    return chat;
  };
  const submitted = () => service.calls.filter(({ method }) => method === "POST");
  const chat = load();
  void chat.sendMessage({ text: "Is it warm?" });
  const ticking = (done) => async () => (await service.clock.advance(1), done());
  await eventually("the submission", ticking(() => submitted().length === 1 && items.size > 0));
  const second = "b".repeat(26);
  service.submit = () => reply(202, { requestId: second, status: "queued" });
  service.socket.say(start(), reasoning(1, "I must look.", "sig"), toolUse(2, "get_weather", { city: "Köln" }), done(3, 1, "tool_use"));
  await eventually("the result's submission", ticking(() => submitted().length === 2 && items.get("streaming.running.tools") === second));
  assert.deepEqual(JSON.parse(submitted()[1].body).messages.at(-1).content, [
    { type: "toolResult", toolUseId: "use-2", status: "success", content: [{ type: "json", json: { celsius: 7 } }] },
  ]);
  const saved = structuredClone(chat.messages);

  const frames = [start(), delta(1, "It is cold."), done(2)].map((frame) => ({ ...frame, requestId: second }));
  service.socket.say(...frames);
  await eventually("the answer", ticking(() => chat.status === "ready" && items.size === 0));
  const whole = "step-start reasoning tool-get_weather step-start text";
  const parts = ({ messages }) => messages.at(-1).parts.map(({ type }) => type).join(" ");
  assert.deepEqual([chat.messages.length, parts(chat)], [2, whole]);

  // The page is loaded again while the second request is being answered.
  items.set("streaming.running.tools", second).set("streaming.continued.tools", JSON.stringify(saved.at(-1)));
  service.get = () => reply(200, { ...state("streaming", "", 0), requestId: second });
  service.onFrame = (frame, socket) => frame.action === "resume" && socket.say(...frames);
  const again = load(saved);
  void again.resumeStream();
  await eventually("the answer, resumed", ticking(() => again.status === "ready" && items.size === 0));
  assert.deepEqual([again.messages.length, parts(again), ran], [2, whole, 1]);
  assert.deepEqual(again.messages.at(-1).parts[2].output, { celsius: 7 });
});
