import { toolName } from "./uimessages.js";

const FINISH_REASONS = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  deadline: "length",
  guardrail_intervened: "content-filter",
  content_filtered: "content-filter",
  tool_use: "tool-calls",
};

/**
 * Turns an answer into the chunks of the AI SDK's UI message stream.
 * @param {import("./stream.js").Stream} stream
 * @param {object} options
 * @param {AbortSignal} [options.signal] whose abort ends the stream
 * @param {boolean} options.resetStep whether what is void may be taken back;
 *   if not, the chunks end as by a lost connection
 * @param {string} [options.messageId] of the message that the answer goes on
 *   with, by default one of its own
 * @param {object[]} [options.before] the parts that this message has already, if
 *   they are to be played, too
 * @returns {AsyncGenerator<object>}
 */
export async function* chunksOf(stream, { signal, resetStep, messageId = stream.requestId, before = [] }) {
  const { requestId } = stream;
  const quota = stream.quota ? { quota: stream.quota } : {};
  yield { type: "start", messageId, messageMetadata: { requestId, ...quota } };
  yield* before.flatMap(replayOf);
  yield { type: "start-step" };
  let answer = new AnswerChunks(stream, 1);
  for await (const event of stream) {
    if (event.type === "delta") yield* answer.goOn("text", event.text);
    else if (event.type === "reasoning") yield* answer.goOn("reasoning", event.text);
    else yield* answer.close();
    if (event.type === "toolUse") yield { type: "tool-input-available", toolCallId: event.toolUseId, toolName: event.name, input: event.input };
    if (event.type === "restarted") {
      if (!resetStep) throw new TypeError("network: the answer is begun anew");
      answer = new AnswerChunks(stream, event.attempt);
      yield { type: "reset-step" };
    }
    if (event.type === "done") yield* answer.sealed();
    if (event.type === "done" || event.type === "failed") yield* endOf(event, requestId);
  }
  yield* answer.close();
  if (signal?.aborted) yield { type: "abort" };
}

/** The text and reasoning parts of one attempt, of which one at most is open. */
class AnswerChunks {
  #stream;
  #id;
  #open = null; // {kind, id}
  #reasonings = 0;

  constructor(stream, attempt) {
    this.#stream = stream;
    this.#id = `${stream.requestId}-${attempt}`;
  }

  *goOn(kind, delta) {
    if (this.#open?.kind !== kind) {
      yield* this.close();
      const id = kind === "text" ? this.#id : `${this.#id}-reasoning-${++this.#reasonings}`;
      this.#open = { kind, id };
      yield { type: `${kind}-start`, id };
    }
    yield { type: `${kind}-delta`, id: this.#open.id, delta };
  }

  *close() {
    if (!this.#open) return;
    const { kind, id } = this.#open;
    this.#open = null;
    yield { type: `${kind}-end`, id, ...(kind === "reasoning" ? this.#blocks(this.#reasonings) : {}) };
  }

  // Reasoning that the model keeps to itself has no text to be shown, but has to
  // be given back.
  *sealed() {
    const id = `${this.#id}-reasoning-1`;
    const sealed = this.#reasonings === 0 ? this.#blocks(1) : {};
    if (sealed.providerMetadata) yield* [{ type: "reasoning-start", id }, { type: "reasoning-end", id, ...sealed }];
  }

  // The blocks of the nth part of reasoning: those that follow each other.
  #blocks(n) {
    const runs = [];
    for (const [i, block] of this.#stream.content.entries()) {
      if (block.type !== "reasoning") continue;
      if (i === 0 || runs.length === 0 || runs.at(-1).next !== i) runs.push({ blocks: [] });
      runs.at(-1).blocks.push(block);
      runs.at(-1).next = i + 1;
    }
    const blocks = runs[n - 1]?.blocks;
    return blocks ? { providerMetadata: { streamingService: { blocks } } } : {};
  }
}

// What a message has already, once more. Its tools have run: no chunk has them
// run again.
function replayOf(part, i) {
  const id = `before-${i}`;
  if (part.type === "step-start") return [{ type: "start-step" }];
  if (part.type === "text" || part.type === "reasoning") {
    const { type, text, providerMetadata } = part;
    return [{ type: `${type}-start`, id }, { type: `${type}-delta`, id, delta: text }, { type: `${type}-end`, id, ...(providerMetadata ? { providerMetadata } : {}) }];
  }
  if (!part.toolCallId) return [];
  const { toolCallId, input, state, output, errorText } = part;
  const dynamic = part.type === "dynamic-tool" ? { dynamic: true } : {};
  return [
    { type: "tool-input-start", toolCallId, toolName: toolName(part), ...dynamic },
    { type: "tool-input-delta", toolCallId, inputTextDelta: JSON.stringify(input ?? {}) },
    state === "output-available" ? { type: "tool-output-available", toolCallId, output } : { type: "tool-output-error", toolCallId, errorText: errorText ?? "" },
  ];
}

function* endOf(event, requestId) {
  if (event.type === "done") {
    const { stopReason, usage } = event;
    yield { type: "finish-step" };
    yield { type: "finish", finishReason: FINISH_REASONS[stopReason] ?? "other", messageMetadata: { requestId, stopReason, usage } };
  } else if (event.code === "cancelled") {
    yield { type: "abort" };
  } else {
    const advice = event.retryable ? " Try again." : "";
    yield { type: "error", errorText: `${event.code}: ${event.message}.${advice}`.replace(/\.+( |$)/, ".$1") };
  }
}
