import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ChatTransport, UnsupportedPartError } from "../chat-transport.js";
import { StreamingClient } from "../lib/client.js";
import { delta, done, failed, reasoning, reply, REQUEST_ID, Service, settle, start, state, toolUse } from "./fakes.mjs";

let service, client, storage, transport;

beforeEach(async () => {
  service = new Service();
  client = new StreamingClient(service.config, service.session, { env: service.env });
  storage = new Map();
  transport = new ChatTransport(client, { storage: pluggable(storage) });
  client.connect();
  await service.clock.advance(1);
});

const pluggable = (items) => ({
  getItem: (name) => items.get(name) ?? null,
  setItem: (name, value) => void items.set(name, value),
  removeItem: (name) => void items.delete(name),
});

const message = (role, text, id = `${role}-${text}`) => ({ id, role, parts: [{ type: "text", text }] });
const hello = [message("user", "Hello")];

async function send(messages = hello, more = {}) {
  const sent = transport.sendMessages({ chatId: "c1", trigger: "submit-message", messages, ...more });
  sent.catch(() => {});
  await service.clock.advance(1);
  return collect(await sent);
}

/** Collects the chunks of a stream as they come. */
function collect(stream) {
  const got = { chunks: [], error: null, over: false, stream };
  (async () => {
    try {
      for await (const chunk of stream) got.chunks.push(chunk);
    } catch (error) {
      got.error = error;
    }
    got.over = true;
  })();
  return got;
}

const types = ({ chunks }) => chunks.map(({ type }) => type).join(" ");
const bodyOf = (call) => JSON.parse(call.body);
const submissions = () => service.calls.filter(({ method }) => method === "POST");
const keys = () => submissions().map(({ headers }) => headers["Idempotency-Key"]);

test("an answer becomes the chunks of a UI message", async () => {
  const got = await send();
  service.socket.say(start(), delta(1, "Hel"), delta(2, "lo"), done(3));
  await service.clock.advance(1);
  const id = `${REQUEST_ID}-1`;
  assert.deepEqual(got.chunks, [
    { type: "start", messageId: REQUEST_ID, messageMetadata: { requestId: REQUEST_ID, quota: { tier: "gold" } } },
    { type: "start-step" },
    { type: "text-start", id },
    { type: "text-delta", id, delta: "Hel" },
    { type: "text-delta", id, delta: "lo" },
    { type: "text-end", id },
    { type: "finish-step" },
    {
      type: "finish", finishReason: "stop",
      messageMetadata: { requestId: REQUEST_ID, stopReason: "end_turn", usage: { inputTokens: 3, outputTokens: 2 } },
    },
  ]);
  assert.ok(got.over);
  assert.equal(storage.size, 0);
});

test("a conversation becomes a submission", async () => {
  transport = new ChatTransport(client, { storage: pluggable(storage), request: { model: "m", system: "Be brief." } });
  await send([
    message("assistant", "Welcome"),
    message("system", "Be kind."),
    message("user", "One"),
    { id: "a", role: "assistant", parts: [{ type: "step-start" }, { type: "reasoning", text: "hm" }, { type: "text", text: "1" }, { type: "text", text: "!" }] },
    message("user", "Two"),
    message("assistant", " "),
    message("user", "Three"),
  ], { body: { maxTokens: 7 } });
  assert.deepEqual(bodyOf(submissions()[0]), {
    model: "m", maxTokens: 7, system: "Be brief.\n\nBe kind.",
    messages: [{ role: "user", content: "One" }, { role: "assistant", content: "1!" }, { role: "user", content: "Two\n\nThree" }],
  });
});

test("a conversation that is too long loses its oldest turns", async () => {
  const long = "x".repeat(100_000);
  await send([1, 2, 3].flatMap((n) => [message("user", `${n}${long}`), message("assistant", `${n}`)]).concat(message("user", "last")));
  const { messages } = bodyOf(submissions()[0]);
  assert.deepEqual(messages.map(({ content }) => content.slice(0, 4)), ["2xxx", "2", "3xxx", "3", "last"]);
});

test("what cannot be sent is refused", async () => {
  const file = (more) => ({ id: "u", role: "user", parts: [{ type: "text", text: "See" }, { type: "file", ...more }] });
  const sending = (...messages) => transport.sendMessages({ chatId: "c1", trigger: "submit-message", messages });
  await assert.rejects(sending(file({ mediaType: "image/png", url: "https://example.com/a.png" })), UnsupportedPartError);
  await assert.rejects(sending(file({ mediaType: "video/mp4", url: "data:video/mp4;base64,AAAA" })), { name: "FileError", code: "format" });
  await assert.rejects(sending(file({ mediaType: "image/png", url: "data:image/png;base64," })), { name: "FileError", code: "empty" });
  await assert.rejects(sending(message("user", "a"), message("assistant", "b")), /last message/);
  assert.equal(submissions().length, 0);
});

test("files become images and documents, large ones uploads, once", async () => {
  const large = Buffer.alloc(30_000).toString("base64");
  const messages = [{ id: "u", role: "user", parts: [
    { type: "file", mediaType: "image/png", url: "data:image/png;base64,iVBORw==" },
    { type: "file", mediaType: "text/csv", filename: "Hütte.csv", url: "data:text/csv,a%2Cb" },
    { type: "file", mediaType: "image/jpeg", url: `data:image/jpeg;base64,${large}` },
    { type: "text", text: "Compare" },
  ] }];
  await send(messages);
  await send(messages);
  const [upload, first, again, ...others] = submissions();
  assert.deepEqual(JSON.parse(upload.body), { format: "jpeg", bytes: 30_000 });
  assert.deepEqual(bodyOf(first).messages[0].content, [
    { type: "image", format: "png", data: "iVBORw==" },
    { type: "document", format: "csv", name: "Hutte", data: "YSxi" },
    { type: "image", format: "jpeg", uploadId: "u".repeat(26) },
    { type: "text", text: "Compare" },
  ]);
  assert.equal(again.headers["Idempotency-Key"], first.headers["Idempotency-Key"]);
  assert.equal(others.length, 0);
});

const weather = (more) => ({ type: "tool-get_weather", toolCallId: "use-3", input: { city: "Köln" }, ...more });
const sealed = { type: "reasoning", text: "I must look.", state: "done", providerMetadata: { streamingService: { blocks: [{ type: "reasoning", text: "I must look.", signature: "sig" }] } } };

test("reasoning and tools become parts", async () => {
  const got = await send();
  service.socket.say(start(), reasoning(1, "I must look."), reasoning(2, "", "sig"), toolUse(3, "get_weather", { city: "Köln" }), done(4, 1, "tool_use"));
  await service.clock.advance(1);
  const id = `${REQUEST_ID}-1-reasoning-1`;
  assert.deepEqual(got.chunks.slice(2, -2), [
    { type: "reasoning-start", id }, { type: "reasoning-delta", id, delta: "I must look." },
    { type: "reasoning-end", id, providerMetadata: sealed.providerMetadata },
    { type: "tool-input-available", toolCallId: "use-3", toolName: "get_weather", input: { city: "Köln" } },
  ]);
  assert.equal(got.chunks.at(-1).finishReason, "tool-calls");
});

test("reasoning that the model keeps to itself is a part, too", async () => {
  const got = await send();
  service.socket.say(start(), { ...reasoning(1, ""), redacted: "c2VhbGVk" }, delta(2, "Yes."), done(3));
  await service.clock.advance(1);
  assert.deepEqual(got.chunks.find(({ type }) => type === "reasoning-end").providerMetadata.streamingService.blocks, [{ type: "reasoning", redacted: "c2VhbGVk" }]);
});

test("the results of tools are sent, and the answer goes on in the same message", async () => {
  const answered = { id: "a1", role: "assistant", parts: [{ type: "step-start" }, sealed, weather({ state: "output-available", output: { celsius: 7 } })] };
  const got = await send([...hello, answered]);
  assert.deepEqual(bodyOf(submissions()[0]).messages.slice(1), [
    { role: "assistant", content: [...sealed.providerMetadata.streamingService.blocks, { type: "toolUse", toolUseId: "use-3", name: "get_weather", input: { city: "Köln" } }] },
    { role: "user", content: [{ type: "toolResult", toolUseId: "use-3", status: "success", content: [{ type: "json", json: { celsius: 7 } }] }] },
  ]);
  await settle();
  assert.equal(got.chunks[0].messageId, "a1");
  // A reload plays the whole message, without having its tools run again.
  service.get = () => reply(200, state("streaming", "", 0));
  service.onFrame = (frame, socket) => frame.action === "resume" && socket.say(start(), delta(1, "It is cold."), done(2));
  const reconnected = transport.reconnectToStream({ chatId: "c1" });
  await service.clock.advance(1);
  const resumed = collect(await reconnected);
  await service.clock.advance(1);
  assert.equal(types(resumed), "start start-step reasoning-start reasoning-delta reasoning-end tool-input-start tool-input-delta tool-output-available start-step text-start text-delta text-end finish-step finish");
  assert.equal(resumed.chunks[0].messageId, "a1");
  assert.equal(storage.size, 0);
});

test("tools of earlier turns stay in the conversation, and those without a result do not", async () => {
  const parts = [
    { type: "step-start" }, weather({ state: "output-error", errorText: "no network" }), weather({ toolCallId: "use-4", state: "input-available" }),
    { type: "step-start" }, { type: "reasoning", text: "So." }, { type: "text", text: "I do not know." },
  ];
  await send([...hello, { id: "a1", role: "assistant", parts }, message("user", "Again")]);
  assert.deepEqual(bodyOf(submissions()[0]).messages.slice(1), [
    { role: "assistant", content: [{ type: "toolUse", toolUseId: "use-3", name: "get_weather", input: { city: "Köln" } }] },
    { role: "user", content: [{ type: "toolResult", toolUseId: "use-3", status: "error", content: [{ type: "text", text: "no network" }] }] },
    { role: "assistant", content: "I do not know." },
    { role: "user", content: "Again" },
  ]);
});

test("one message is one request, a regeneration another", async () => {
  await send();
  await send();
  await send(hello, { chatId: "c2" });
  await send([message("user", "Hello", "another id")]);
  await send([message("user", "Hello!", hello[0].id)]);
  const [first, again, ...others] = keys();
  assert.equal(first, again);
  assert.match(first, /^[0-9a-f]{64}$/);
  const regenerate = { trigger: "regenerate-message" };
  await send(hello, regenerate);
  assert.equal(new Set([first, ...others, keys().at(-1)]).size, 5);
  // Until a regeneration is known to have been accepted it stays the same request.
  await send(hello, regenerate);
  assert.equal(keys().at(-1), keys().at(-2));
  const accept = service.submit;
  service.submit = () => reply(202, { requestId: "b".repeat(26), status: "queued" });
  await send(hello, regenerate);
  assert.equal(keys().at(-1), keys().at(-2));
  service.submit = accept;
  await send(hello, regenerate);
  assert.notEqual(keys().at(-1), keys().at(-2));
});

test("stopping stops the model", async () => {
  const abort = new AbortController();
  const got = await send(hello, { abortSignal: abort.signal });
  service.socket.say(start(), delta(1, "Hel"));
  await service.clock.advance(1);
  assert.equal(storage.get("streaming.running.c1"), REQUEST_ID);
  abort.abort();
  await service.clock.advance(1);
  assert.equal(service.count("DELETE", `/requests/${REQUEST_ID}`), 1);
  assert.equal(types(got), "start start-step text-start text-delta text-end abort");
  assert.equal(storage.size, 0);
});

test("a submission that is given up is stopped when it is known", async () => {
  let accept;
  const accepted = new Promise((resolve) => (accept = resolve));
  const submit = service.submit;
  service.submit = async (call) => {
    await accepted;
    return submit(call);
  };
  const abort = new AbortController();
  const sent = transport.sendMessages({ chatId: "c1", trigger: "submit-message", messages: hello, abortSignal: abort.signal });
  const refused = assert.rejects(sent, { name: "AbortError" });
  while (submissions().length === 0) await service.clock.advance(1);
  abort.abort();
  await refused;
  assert.equal(service.count("DELETE", `/requests/${REQUEST_ID}`), 0);
  accept();
  await service.clock.advance(1);
  assert.equal(service.count("DELETE", `/requests/${REQUEST_ID}`), 1);
});

test("what is given up before it is submitted is not submitted", async () => {
  const abort = new AbortController();
  const sent = transport.sendMessages({ chatId: "c1", trigger: "submit-message", messages: hello, abortSignal: abort.signal });
  abort.abort();
  await assert.rejects(sent, { name: "AbortError" });
  await service.clock.advance(1);
  assert.equal(submissions().length, 0);
});

test("reading no further is no stop: a reload goes on", async () => {
  const sent = await transport.sendMessages({ chatId: "c1", trigger: "submit-message", messages: hello });
  await sent.cancel();
  service.get = () => reply(200, state("streaming", "Hel", 1));
  service.onFrame = (frame, socket) => frame.action === "resume" && socket.say(start(), delta(1, "Hel"), delta(2, "lo"));
  transport = new ChatTransport(client, { storage: pluggable(storage) });
  const reconnected = transport.reconnectToStream({ chatId: "c1" });
  await service.clock.advance(1);
  const resumed = collect(await reconnected);
  await service.clock.advance(1);
  service.socket.say(done(3));
  await service.clock.advance(1);
  assert.equal(types(resumed), "start start-step text-start text-delta text-delta text-end finish-step finish");
  assert.equal(service.count("DELETE", `/requests/${REQUEST_ID}`), 0);
  assert.equal(await transport.reconnectToStream({ chatId: "c1" }), null);
});

test("there is nothing to go on with", async () => {
  assert.equal(await transport.reconnectToStream({ chatId: "c1" }), null);
  storage.set("streaming.running.c1", REQUEST_ID);
  assert.equal(await transport.reconnectToStream({ chatId: "c1" }), null); // it is gone, or another user's
  assert.equal(storage.size, 0);
});

test("what is resumed a second time is not stopped", async () => {
  storage.set("streaming.running.c1", REQUEST_ID);
  service.get = () => reply(200, state("streaming", "", -1));
  const first = new AbortController();
  collect(await transport.reconnectToStream({ chatId: "c1", abortSignal: first.signal }));
  first.abort();
  const second = new AbortController();
  collect(await transport.reconnectToStream({ chatId: "c1", abortSignal: second.signal }));
  await settle();
  assert.equal(service.count("DELETE", `/requests/${REQUEST_ID}`), 0);
  second.abort();
  await settle();
  assert.equal(service.count("DELETE", `/requests/${REQUEST_ID}`), 1);
});

test("a stop while it is being resumed stops the model", async () => {
  storage.set("streaming.running.c1", REQUEST_ID);
  service.get = () => reply(200, state("streaming", "", -1));
  const abort = new AbortController();
  const reconnected = assert.rejects(transport.reconnectToStream({ chatId: "c1", abortSignal: abort.signal }), { name: "AbortError" });
  abort.abort();
  await reconnected;
  await settle();
  assert.equal(service.count("DELETE", `/requests/${REQUEST_ID}`), 1);
  assert.equal(storage.size, 0);
});

test("an answer that is begun anew takes its text back", async () => {
  const got = await send();
  service.socket.say(start(), delta(1, "Hal"), start(2), delta(1, "Hello", 2), done(2, 2));
  await service.clock.advance(1);
  assert.equal(types(got), "start start-step text-start text-delta text-end reset-step text-start text-delta text-end finish-step finish");
});

test("without reset-step an answer that is begun anew is a lost connection", async () => {
  transport = new ChatTransport(client, { storage: pluggable(storage), resetStep: false });
  const got = await send();
  service.socket.say(start(), delta(1, "Hal"), start(2), delta(1, "Hello", 2), done(2, 2));
  await service.clock.advance(1);
  assert.ok(got.error instanceof TypeError && got.error.message.includes("network"));
  assert.equal(storage.get("streaming.running.c1"), REQUEST_ID);
});

test("errors say what they are and what to do", async () => {
  const got = await send();
  service.socket.say(start(), delta(1, "Hel"), failed(2, "model_error"));
  await service.clock.advance(1);
  assert.deepEqual(got.chunks.slice(-2), [{ type: "text-end", id: `${REQUEST_ID}-1` }, { type: "error", errorText: "model_error: it failed. Try again." }]);
  assert.equal(storage.size, 0);
  service.submit = () => reply(429, { code: "quota_exceeded", detail: "All requests are used." }, { "Retry-After": "99" });
  await assert.rejects(send(), { name: "ApiError", code: "quota_exceeded", message: "All requests are used.", retryAfter: 99 });
});

test("a request that was cancelled elsewhere ends as aborted", async () => {
  const got = await send();
  service.socket.say(start(), failed(1, "cancelled"));
  await service.clock.advance(1);
  assert.equal(types(got), "start start-step abort");
  assert.equal(storage.size, 0);
});

test("a stop that cannot be sent and a full storage are told", async () => {
  const told = [];
  const full = { ...pluggable(storage), setItem: () => { throw new Error("full"); } };
  transport = new ChatTransport(client, { storage: full, onError: (error) => told.push(error.message) });
  const abort = new AbortController();
  await send(hello, { abortSignal: abort.signal });
  service.cancel = () => reply(403, { detail: "not from here" });
  abort.abort();
  await service.clock.advance(1);
  assert.deepEqual(told, ["full", "not from here"]);
});
