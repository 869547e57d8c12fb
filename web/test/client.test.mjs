import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { StreamingClient } from "../lib/client.js";
import { AuthError, NetworkError } from "../lib/errors.js";
import { collect, delta, done, failed, reasoning, reply, REQUEST_ID, Service, shown, start, state, toolUse } from "./fakes.mjs";

let service, clock;

beforeEach(() => {
  service = new Service();
  clock = service.clock;
});

/** A client whose socket is open. */
async function connected(options = {}) {
  const client = new StreamingClient(service.config, service.session, { env: service.env, ...options });
  client.connect();
  await clock.advance(1);
  return client;
}

async function submitted(client) {
  const promise = client.submit({ prompt: "Hello" });
  promise.catch(() => {});
  await clock.advance(1);
  const stream = await promise;
  return { stream, got: collect(stream) };
}

test("an answer streams in", async () => {
  const { stream, got } = await submitted(await connected());
  service.socket.say(start(), delta(1, "Hel"), delta(2, "lo"), done(3));
  await clock.advance(1);
  assert.deepEqual(got.events, [
    { type: "delta", text: "Hel" },
    { type: "delta", text: "lo" },
    { type: "done", stopReason: "end_turn", usage: { inputTokens: 3, outputTokens: 2 } },
  ]);
  assert.ok(got.over);
  assert.equal(stream.quota.tier, "gold");
  assert.equal(service.resumes().length, 0);
});

test("reasoning and uses of tools come as they are, and as blocks", async () => {
  const { stream, got } = await submitted(await connected());
  service.socket.say(start(), reasoning(1, "I must "), reasoning(2, "look."), reasoning(3, "", "sig"), delta(4, "Let me look."), toolUse(5, "get_weather", { city: "Köln" }), done(6, 1, "tool_use"));
  await clock.advance(1);
  const use = { type: "toolUse", toolUseId: "use-5", name: "get_weather", input: { city: "Köln" } };
  assert.deepEqual(got.events.slice(0, -1), [
    { type: "reasoning", text: "I must " }, { type: "reasoning", text: "look." }, { type: "delta", text: "Let me look." }, use,
  ]);
  assert.equal(got.events.at(-1).stopReason, "tool_use");
  assert.equal(stream.text, "Let me look.");
  assert.equal(stream.reasoning, "I must look.");
  assert.deepEqual(stream.content, [{ type: "reasoning", text: "I must look.", signature: "sig" }, { type: "text", text: "Let me look." }, use]);
});

test("a small file is part of the message, a large one is uploaded", async () => {
  const client = await connected();
  const small = await client.attach(new Blob(["hello"], { type: "text/plain" }), { name: "My notes, v2.txt" });
  assert.deepEqual(small, { type: "document", format: "txt", name: "My notes v2", data: "aGVsbG8=" });
  assert.equal(service.calls.length, 0);
  const bytes = new Blob([new Uint8Array(20_000)], { type: "image/png" });
  assert.deepEqual(await client.attach(bytes), { type: "image", format: "png", uploadId: "u".repeat(26) });
  const [grant, put] = service.calls;
  assert.equal(grant.url, "https://api/v1/uploads");
  assert.equal(grant.body, '{"format":"png","bytes":20000}');
  assert.equal(put.method, "PUT");
  assert.equal(put.url, "https://bucket/key?X-Amz-Signature=s");
  assert.deepEqual(put.headers, { "Content-Type": "image/png" }); // and no token
  assert.equal(put.body, bytes);
});

test("an upload is tried again, a refused one fails", async () => {
  const client = await connected();
  const answers = [reply(503, "<Error/>"), reply(200, "")];
  service.put = () => answers.shift();
  const upload = client.upload(new Blob(["x"]), "png");
  await clock.advance(10_000);
  assert.equal((await upload).uploadId, "u".repeat(26));
  service.put = () => reply(403, "<Error/>");
  await assert.rejects(client.upload(new Blob(["x"]), "png"), { name: "ApiError", status: 403 });
});

test("the token is in headers and in the subprotocol, never in a URL", async () => {
  await submitted(await connected());
  assert.deepEqual(service.socket.protocols, ["streaming.v1", "the.token"]);
  assert.equal(service.socket.url, "wss://ws/v1");
  const [call] = service.calls;
  assert.equal(call.url, "https://api/v1/requests");
  assert.equal(call.headers.Authorization, "the.token");
  assert.ok(call.headers["Idempotency-Key"].length >= 20);
});

for (const [name, answer, atLeast] of [
  ["503", () => reply(503, { code: "unavailable" }, { "Retry-After": "1" }), 1_000],
  ["504", () => reply(504, {}), 0],
  ["429 rate_limited", () => reply(429, { code: "rate_limited" }, { "Retry-After": "7" }), 7_000],
  ["a gateway's own 429", () => reply(429, '{"message":"Too Many Requests"}'), 0],
  ["a lost answer", () => { throw new TypeError("Failed to fetch"); }, 0],
]) {
  test(`a submission is tried again with the same key after ${name}`, async () => {
    const client = await connected();
    let tries = 0;
    const accept = service.submit;
    service.submit = (call) => (++tries < 3 ? answer(call) : accept(call));
    const promise = client.submit({ prompt: "Hello" });
    await clock.advance(2 * atLeast - 1);
    assert.ok(atLeast === 0 || tries < 3, "too early");
    await clock.advance(5_000);
    await promise;
    const keys = service.calls.map((call) => call.headers["Idempotency-Key"]);
    assert.equal(keys.length, 3);
    assert.equal(new Set(keys).size, 1);
  });
}

for (const [status, code, retryAfter, tries] of [
  [429, "quota_exceeded", "5", 1], [429, "too_many_in_flight", "1", 1], [429, "rate_limited", "3600", 1],
  [400, "invalid_request", "", 1], [409, "idempotency_conflict", "", 1], [500, "internal", "", 1], [503, "unavailable", "1", 6], [503, "service_budget_exceeded", "5", 1],
]) {
  test(`a submission fails after ${tries} tries with ${status} ${code}`, async () => {
    const client = await connected();
    service.submit = () => reply(status, { code, title: "no" }, { "Retry-After": retryAfter });
    const failure = assert.rejects(client.submit({ prompt: "Hello" }), { status, code });
    await clock.advance(60_000);
    await failure;
    assert.equal(service.count("POST", "/requests"), tries);
  });
}

test("a submission can be given up", async () => {
  const client = await connected();
  service.submit = () => reply(503, {}, { "Retry-After": "20" });
  const abort = new AbortController();
  const failure = assert.rejects(client.submit({ prompt: "Hello" }, { signal: abort.signal }), { name: "AbortError" });
  await clock.advance(3_000);
  abort.abort();
  await failure;
});

test("a refused token is renewed once", async () => {
  let token = 0;
  service.session = { idToken: async () => `t${token}`, renew: async () => void token++ };
  const accept = service.submit;
  service.submit = (call) => (call.headers.Authorization === "t1" ? accept(call) : reply(401, { code: "unauthenticated" }));
  const client = await connected();
  await submitted(client);
  service.submit = () => reply(401, { code: "unauthenticated" });
  await assert.rejects(client.submit({ prompt: "Hello" }), { status: 401 });
  assert.equal(token, 2);
});

test("a renewal that fails for a moment is tried again", async () => {
  let token = 0;
  let failures = 2;
  const renew = async () => {
    if (failures-- > 0) throw new AuthError("InternalErrorException", "", 500);
    token++;
  };
  service.session = { idToken: async () => `t${token}`, renew };
  const accept = service.submit;
  service.submit = (call) => (call.headers.Authorization === "t1" ? accept(call) : reply(401, { code: "unauthenticated" }));
  const client = await connected();
  const stream = client.submit({ prompt: "Hello" });
  await clock.advance(10_000);
  await stream;
  assert.equal(token, 1);
});

test("a token that cannot be had for a moment is asked for again", async () => {
  let failures = 2;
  const client = await connected();
  service.session.idToken = async () => {
    if (failures-- > 0) throw new NetworkError();
    return "the.token";
  };
  const stream = client.submit({ prompt: "Hello" });
  await clock.advance(10_000);
  await stream;
});

test("a refused handshake renews the token at once, once", async () => {
  let token = 0;
  service.session = { idToken: async () => `t${token}`, renew: async () => void token++ };
  service.up = false;
  const client = await connected();
  assert.deepEqual(service.sockets.map((socket) => socket.protocols[1]), ["t0", "t1"]);
  await clock.advance(120_000);
  assert.ok(service.sockets.length > 4);
  assert.equal(token, 1);
  service.up = true;
  await clock.advance(40_000);
  service.up = false;
  service.socket.drop(1006);
  await clock.advance(2_000);
  assert.equal(token, 2); // a socket was open meanwhile
  client.close();
});

test("frames may come before the 202", async () => {
  const client = await connected();
  const accept = service.submit;
  service.submit = (call) => {
    service.socket.say(start(), delta(1, "Hello"), done(2));
    return accept(call);
  };
  const { got } = await submitted(client);
  await clock.advance(1);
  assert.equal(shown(got.events), "Hello");
  assert.ok(got.over);
  assert.equal(service.resumes().length, 0);
});

test("a socket that opens after the submission resumes", async () => {
  service.up = false;
  const client = await connected();
  const { got } = await submitted(client);
  service.up = true;
  service.onFrame = (frame, socket) => frame.action === "resume" && socket.say(start(), delta(1, "Hello"), done(2));
  await clock.advance(3_000);
  assert.equal(shown(got.events), "Hello");
});

for (const [code, lived, least, most] of [
  [1001, 12_000, 0, 1], [1006, 12_000, 0, 501], [1011, 12_000, 0, 501], [1012, 12_000, 0, 501],
  [1008, 12_000, 5_000, 10_001], [1001, 0, 1, 501],
]) {
  test(`a socket closed with ${code} after ${lived} ms is opened again and resumes`, async () => {
    const client = await connected();
    const { got } = await submitted(client);
    service.socket.say(start(), delta(1, "Hel"));
    await clock.advance(lived);
    service.get = () => reply(200, state("streaming", "Hel", 1));
    service.onFrame = (frame, socket) => frame.action === "resume" && socket.say(delta(2, "lo"), done(3));
    const closedAt = clock.time;
    service.socket.drop(code);
    await clock.advance(11_000);
    const took = service.socket.openedAt - closedAt;
    assert.ok(took >= least && took <= most, `after ${took} ms`);
    assert.deepEqual(service.resumes().at(-1), { action: "resume", requestId: REQUEST_ID, attempt: 1, afterSeq: 1 });
    assert.equal(shown(got.events), "Hello");
    assert.equal(got.events.filter((event) => event.type === "done").length, 1);
  });
}

test("back-off grows, and waking up ends it", async () => {
  service.up = false;
  const states = [];
  const client = await connected({ onConnection: (connection) => states.push(connection) });
  await clock.advance(60_000);
  assert.ok(service.sockets.length > 4 && service.sockets.length < 12, `${service.sockets.length} handshakes in a minute`);
  const before = service.sockets.length;
  service.up = true;
  client.wake();
  await clock.advance(1);
  assert.equal(service.sockets.length, before + 1);
  assert.equal(states.at(-1).state, "open");
  assert.ok(states.some((connection) => connection.state === "waiting" && connection.retryAt > 0));
});

test("a gap is asked for at once", async () => {
  const { got } = await submitted(await connected());
  service.onFrame = (frame, socket) => frame.action === "resume" && socket.say(delta(1, "Hel"), delta(2, "l"));
  service.socket.say(start(), delta(3, "o"), done(4));
  await clock.advance(300);
  assert.equal(shown(got.events), "Hello");
  assert.deepEqual(service.resumes(), [{ action: "resume", requestId: REQUEST_ID, attempt: 1, afterSeq: 0 }]);
});

test("silence is asked about, then the state is read", async () => {
  const { got } = await submitted(await connected());
  service.socket.say(start(), delta(1, "Hel"));
  service.get = () => reply(200, state("succeeded", "Hello", 3, { stopReason: "end_turn", usage: { inputTokens: 3, outputTokens: 2 } }));
  await clock.advance(59_000);
  assert.equal(got.over, false);
  await clock.advance(21_000);
  assert.equal(shown(got.events), "Hello");
  assert.equal(service.resumes().length, 3);
  assert.equal(service.count("GET", REQUEST_ID), 1);
});

test("without a socket the state is read", async () => {
  service.up = false;
  const { got } = await submitted(await connected());
  const states = [reply(200, state("streaming", "Hel", 1)), reply(500, {}), reply(200, state("failed", "Hello", 2, { error: { code: "model_error", message: "m", retryable: true } }))];
  service.get = () => states.shift();
  await clock.advance(120_000);
  assert.equal(shown(got.events), "Hello");
  assert.deepEqual(got.events.at(-1), { type: "failed", code: "model_error", message: "m", retryable: true });
});

test("far behind, the state is read, then the rest is asked for", async () => {
  const { got } = await submitted(await connected());
  const long = "x".repeat(900);
  service.get = () => reply(200, state("streaming", long, 900));
  service.onFrame = (frame, socket) => frame.action === "resume" && socket.say(delta(901, "y"), done(902));
  service.socket.say(start(), delta(700, "x"));
  await clock.advance(1_000);
  assert.equal(shown(got.events), `${long}y`);
  assert.equal(service.resumes().at(-1).afterSeq, 900);
});

test("a network that vanishes is noticed within ten seconds, and a submission is made again with its key", async () => {
  const changes = [];
  const client = await connected({ onConnection: ({ state }) => changes.push(state) });
  await clock.advance(60_000);
  service.pongs = () => false;
  service.up = false;
  const taken = service.submit;
  service.submit = ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(new TypeError("aborted"))));
  const submitting = client.submit({ prompt: "Hi" });
  await clock.advance(10_000);
  assert.equal(changes.at(-1) === "open", false);
  service.submit = taken;
  service.up = true;
  await clock.advance(10_000);
  await submitting;
  const keys = service.calls.filter(({ method }) => method === "POST").map(({ headers }) => headers["Idempotency-Key"]);
  assert.ok(keys.length > 1 && new Set(keys).size === 1, String(keys));
});

test("a network that vanishes amid an answer is noticed within ten seconds", async () => {
  await submitted(await connected());
  const first = service.socket;
  first.say(start(), delta(1, "Hel"));
  service.pongs = () => false;
  await clock.advance(10_000);
  assert.ok(first.closed);
});

test("a handshake without an answer is given up", async () => {
  await connected();
  service.hanging = true;
  service.socket.drop(1011);
  await clock.advance(12_000);
  service.hanging = false;
  await clock.advance(3_000);
  assert.equal(service.sockets.length, 3);
});

test("a dead socket is replaced", async () => {
  const { got } = await submitted(await connected());
  const first = service.socket;
  first.say(start(), delta(1, "Hel"));
  service.pongs = (socket) => socket !== first;
  service.onFrame = (frame, socket) => socket !== first && frame.action === "resume" && socket.say(delta(2, "lo"), done(3));
  await clock.advance(60_000);
  assert.equal(shown(got.events), "Hello");
  assert.ok(first.closed);
});

test("the socket is pinged every four minutes", async () => {
  await connected();
  await clock.advance(13 * 60_000);
  assert.equal(service.frames.filter((frame) => frame.action === "ping").length, 3);
  assert.equal(service.sockets.length, 1);
});

test("a higher attempt voids the text, its error ends it", async () => {
  const { got } = await submitted(await connected());
  service.socket.say(start(), delta(1, "old"), start(2), delta(2, "late"), delta(1, "new", 2), failed(0, "dead_lettered", 3), delta(2, "late", 2));
  await clock.advance(1);
  assert.deepEqual(got.events, [
    { type: "delta", text: "old" },
    { type: "restarted", attempt: 2 },
    { type: "delta", text: "new" },
    { type: "failed", code: "dead_lettered", message: "it failed", retryable: true },
  ]);
});

test("a cancel whose end was lost is asked about soon", async () => {
  const { stream, got } = await submitted(await connected());
  service.socket.say(start(), delta(1, "Hel"));
  service.onFrame = (frame, socket) => frame.action === "resume" && socket.say(failed(2, "cancelled"));
  await stream.cancel();
  await clock.advance(2_100);
  assert.equal(got.events.at(-1).code, "cancelled");
  assert.equal(service.count("DELETE", REQUEST_ID), 1);
});

test("a request that had ended is read at once", async () => {
  const client = await connected();
  service.submit = () => reply(202, { requestId: REQUEST_ID, status: "succeeded", quota: {} });
  service.get = () => reply(200, state("succeeded", "Hello", 2, { stopReason: "end_turn" }));
  const { got } = await submitted(client);
  await clock.advance(1);
  assert.equal(shown(got.events), "Hello");
});

test("following an unknown request fails", async () => {
  const client = await connected();
  const got = collect(client.follow(REQUEST_ID));
  await clock.advance(90_000);
  assert.equal(got.error?.code, "not_found");
});

test("closing ends all streams and opens nothing again", async () => {
  const client = await connected();
  const { got } = await submitted(client);
  client.close();
  await clock.advance(60_000);
  assert.ok(got.over);
  assert.equal(service.sockets.length, 1);
});
