import assert from "node:assert/strict";
import { test } from "node:test";
import { noteOf } from "../chat/messages.js";

test("an answer that was cut says so", () => {
  const note = (stopReason) => noteOf({ state: "done", stopReason, usage: { inputTokens: 3, outputTokens: 2, estimated: true } }, false);
  assert.equal(note("end_turn"), "about 5 tokens");
  for (const cut of ["max_tokens", "deadline", "model_context_window_exceeded"]) assert.match(note(cut), /^Cut off.* · about 5 tokens$/);
});
