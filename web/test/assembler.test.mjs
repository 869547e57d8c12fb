import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Assembler, decodeFrame } from "../lib/assembler.js";
import { Early } from "../lib/early.js";
import { delta, done, failed, generator, REQUEST_ID, start } from "./fakes.mjs";

const traces = new URL("../../protocol/testdata/traces/", import.meta.url);

for (const file of readdirSync(traces)) {
  test(`trace ${file.replace(".json", "")}`, () => {
    const { steps, final } = JSON.parse(readFileSync(new URL(file, traces), "utf8"));
    const assembler = new Assembler();
    for (const [i, step] of steps.entries()) {
      const got = step.state ? assembler.adopt(step.state) : applyWire(assembler, step.frame);
      assert.deepEqual(got, step.want, `step ${i}`);
    }
    const { attempt, last, text, content, end } = assembler;
    assert.deepEqual({ attempt, last, text, content, end }, { content: text ? [{ type: "text", text }] : [], ...final });
  });
}

function applyWire(assembler, frame) {
  const decoded = decodeFrame(JSON.stringify(frame));
  return decoded ? assembler.apply(decoded) : {};
}

test("what is not a frame of a request is passed over", () => {
  for (const data of ["", "null", "[]", "1", '"start"', "{", '{"type":"pong"}',
    '{"type":"delta","requestId":"a","attempt":0,"seq":1}', '{"type":"delta","requestId":"a","attempt":1,"seq":1.5}',
    '{"type":"delta","requestId":"a","attempt":1}', '{"type":"error","code":"not_found","message":"m"}']) {
    assert.equal(decodeFrame(data), null, data);
  }
});

test("any order, loss and repetition gives the exact text and one end", () => {
  const random = generator(7);
  for (let round = 0; round < 500; round++) {
    const attempts = 1 + Math.floor(random() * 3);
    const lives = Array.from({ length: attempts }, (_, i) => life(i + 1, Math.floor(random() * 12), random));
    const current = lives.at(-1);
    const text = current.map((frame) => frame.text ?? "").join("");
    current.push(random() < 0.8 ? done(current.length, attempts) : failed(current.length, "model_error", attempts));
    const client = { assembler: new Assembler(), shown: "", ends: 0 };
    for (const frame of deliver(lives.flat(), random)) see(client, client.assembler.apply(frame));
    for (let resumes = 0; !client.assembler.end; resumes++) {
      assert.ok(resumes < 60, "no end");
      const after = client.assembler.attempt === attempts ? client.assembler.last : -1;
      const missing = current.slice(after + 1);
      for (const frame of missing.slice(0, 1 + Math.floor(random() * missing.length))) see(client, client.assembler.apply(frame));
    }
    for (const frame of lives.flat()) see(client, client.assembler.apply(frame));
    assert.equal(client.ends, 1);
    assert.equal(client.shown, client.assembler.text);
    if (client.assembler.end.type === "done") assert.equal(client.shown, text);
  }
});

function life(attempt, deltas, random) {
  const texts = ["a", "日本", "👩‍🚀", " ", "[DONE]", "<b>"];
  const frames = [start(attempt)];
  for (let seq = 1; seq <= deltas; seq++) frames.push(delta(seq, texts[Math.floor(random() * texts.length)], attempt));
  return frames;
}

function deliver(frames, random) {
  const copies = frames.flatMap((frame) => Array(Math.floor(random() * 3)).fill(frame));
  return random() < 0.5 ? copies : copies.map((frame) => [random(), frame]).sort((a, b) => a[0] - b[0]).map(([, frame]) => frame);
}

function see(client, change) {
  if (change.restarted) client.shown = "";
  client.shown += change.text ?? "";
  if (change.ended) client.ends++;
}

test("early frames wait 30 s for their request", () => {
  const early = new Early();
  early.keep(start(), 0);
  early.keep({ ...start(), requestId: "other" }, 1_000);
  early.keep(delta(1, "a"), 20_000);
  assert.deepEqual(early.take(REQUEST_ID, 30_000), [start(), delta(1, "a")]);
  assert.deepEqual(early.take(REQUEST_ID, 30_000), []);
  assert.deepEqual(early.take("other", 31_001), []);
});

test("early frames are bounded", () => {
  const early = new Early();
  for (let seq = 1; seq <= 5_000; seq++) early.keep(delta(seq, "a"), 0);
  const kept = early.take(REQUEST_ID, 0);
  assert.equal(kept.length, 2_000);
  assert.equal(kept.at(-1).seq, 5_000);
});
