import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { StreamingClient } from "../lib/client.js";
import { contentOf } from "../lib/toolloop.js";
import { collect, delta, done, failed, reasoning, reply, REQUEST_ID, Service, start, toolUse } from "./fakes.mjs";

let service, client;

const tools = [{ name: "get_weather", inputSchema: { type: "object" } }];
const ask = { prompt: "Is it warm?", tools, toolChoice: "any" };
const using = [start(), reasoning(1, "I must look.", "sig"), toolUse(2, "get_weather", { city: "Köln" }), toolUse(3, "get_weather", { city: "Bonn" }), done(4, 1, "tool_use")];
const saying = [start(), delta(1, "It is cold."), done(2)];

beforeEach(async () => {
  service = new Service();
  client = new StreamingClient(service.config, service.session, { env: service.env });
  client.connect();
  await service.clock.advance(1);
});

/** Has the service answer each request with the next list of frames. */
function answering(...answers) {
  let n = 0;
  service.submit = () => {
    const requestId = `${n}`.padStart(26, "a");
    const frames = answers[Math.min(n++, answers.length - 1)].map((frame) => ({ ...frame, requestId }));
    service.socket.say(...frames);
    return reply(202, { requestId, status: "queued", quota: {} });
  };
}

async function looped(onToolUse, options) {
  const loop = client.converse(ask, onToolUse, options);
  const got = collect(loop);
  await service.clock.advance(1);
  return { loop, got };
}

const bodies = () => service.calls.map(({ body }) => JSON.parse(body));
const keys = () => service.calls.map(({ headers }) => headers["Idempotency-Key"]);

test("tools are run and their results submitted until an answer uses none", async () => {
  answering(using, saying);
  const { loop, got } = await looped(({ input }) => {
    if (input.city === "Bonn") throw new Error("no such city");
    return { celsius: 7 };
  });
  const results = [
    { type: "toolResult", toolUseId: "use-2", status: "success", content: [{ type: "json", json: { celsius: 7 } }] },
    { type: "toolResult", toolUseId: "use-3", status: "error", content: [{ type: "text", text: "no such city" }] },
  ];
  assert.deepEqual(got.events.map(({ type }) => type), ["asked", "reasoning", "toolUse", "toolUse", "answered", "toolResult", "toolResult", "asked", "delta", "done"]);
  const [first, second] = bodies();
  assert.deepEqual(first, { tools, toolChoice: "any", messages: [{ role: "user", content: "Is it warm?" }] });
  const conversation = [
    { role: "user", content: "Is it warm?" },
    { role: "assistant", content: [
      { type: "reasoning", text: "I must look.", signature: "sig" },
      { type: "toolUse", toolUseId: "use-2", name: "get_weather", input: { city: "Köln" } },
      { type: "toolUse", toolUseId: "use-3", name: "get_weather", input: { city: "Bonn" } },
    ] },
    { role: "user", content: results },
  ];
  assert.deepEqual(second, { tools, messages: conversation }); // a tool that must be used is asked for once
  assert.deepEqual(loop.messages, [...conversation, { role: "assistant", content: [{ type: "text", text: "It is cold." }] }]);
});

test("the same loop begun again finds the same requests", async () => {
  answering(using, saying);
  await looped(() => "cold", { key: "k" });
  answering(using, saying);
  await looped(() => "cold", { key: "k" });
  assert.deepEqual(keys(), ["k", "k.2", "k", "k.2"]);
});

test("a loop has an end", async () => {
  answering(using);
  const { got } = await looped(() => "cold", { maxRequests: 3 });
  assert.equal(service.calls.length, 3);
  assert.deepEqual([got.events.at(-1).type, got.events.at(-1).stopReason, got.over], ["done", "tool_use", true]);
});

test("an answer that fails ends the loop", async () => {
  answering([start(), failed(1, "model_error")]);
  const { got } = await looped(() => assert.fail("no tool was used"));
  assert.deepEqual([got.events.at(-1).code, got.over, service.calls.length], ["model_error", true, 1]);
});

test("a cancel stops the answer", async () => {
  answering([start(), delta(1, "It")]);
  const { loop, got } = await looped(() => {});
  await loop.cancel();
  assert.equal(service.calls.at(-1).method, "DELETE");
  service.socket.say({ ...failed(2, "cancelled"), requestId: got.events[0].requestId });
  await service.clock.advance(1);
  assert.deepEqual([got.events.at(-1).code, got.over], ["cancelled", true]);
});

test("a cancel stops the tools", async () => {
  answering(using, saying);
  const { loop, got } = await looped((_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))));
  assert.equal(got.over, false);
  await loop.cancel();
  await service.clock.advance(1);
  assert.deepEqual([got.events.at(-1).type, got.events.at(-1).code, got.over], ["failed", "cancelled", true]);
  assert.equal(service.count("POST", "/requests"), 1);
});

test("what a tool returns becomes blocks", () => {
  const image = { type: "image", format: "png", data: "iVBORw==" };
  for (const [value, want] of [
    ["cold", [{ type: "text", text: "cold" }]],
    ["", [{ type: "json", json: { result: "" } }]],
    [undefined, [{ type: "json", json: { result: null } }]],
    [7, [{ type: "json", json: { result: 7 } }]],
    [[1, 2], [{ type: "json", json: { result: [1, 2] } }]],
    [{ celsius: 7 }, [{ type: "json", json: { celsius: 7 } }]],
    [[image], [image]],
  ]) assert.deepEqual(contentOf(value), want);
});
