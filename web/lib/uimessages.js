import { shortened } from "./submission.js";

/**
 * The messages of the AI SDK's user interface, as far as this client reads them.
 * @typedef {{type: string, text?: string}} UIPart
 * @typedef {{id: string, role: "system"|"user"|"assistant", parts: UIPart[]}} UIMessage
 */

/** A part of a message that the service does not take. */
export class UnsupportedPartError extends Error {
  constructor(type) {
    super(`parts of type ${type} cannot be sent: the transport sends text`);
    this.name = "UnsupportedPartError";
    this.partType = type;
  }
}

/**
 * Turns a conversation into a submission. Messages without text are left out,
 * such as answers that failed, and neighbours of one role become one, as the
 * service wants them to alternate and to begin with the user's.
 * @param {UIMessage[]} uiMessages
 * @param {object} more further members of the submission
 * @returns {import("./client.js").SubmitRequest}
 */
export function submissionOf(uiMessages, more) {
  const messages = [];
  const system = more.system ? [more.system] : [];
  for (const { role, parts } of uiMessages) {
    const content = textOf(parts);
    if (content.trim() === "") continue;
    if (role === "system") system.push(content);
    else if (messages.at(-1)?.role === role) messages.at(-1).content += `\n\n${content}`;
    else if (role === "user" || messages.length > 0) messages.push({ role, content });
  }
  if (messages.at(-1)?.role !== "user") throw new Error("the last message must be the user's, with a text");
  const request = { ...more, messages };
  if (system.length > 0) request.system = system.join("\n\n");
  return shortened(request);
}

function textOf(parts) {
  const refused = parts.find(({ type }) => type === "file" || type === "dynamic-tool" || type.startsWith("tool-"));
  if (refused) throw new UnsupportedPartError(refused.type);
  return parts.filter(({ type }) => type === "text").map(({ text }) => text).join("");
}

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
 * @param {boolean} options.resetStep whether text that is void may be taken back;
 *   if not, the chunks end as by a lost connection
 * @returns {AsyncGenerator<object>}
 */
export async function* chunksOf(stream, { signal, resetStep }) {
  const { requestId } = stream;
  const quota = stream.quota ? { quota: stream.quota } : {};
  yield { type: "start", messageId: requestId, messageMetadata: { requestId, ...quota } };
  yield { type: "start-step" };
  let attempt = 1;
  let id = null; // of the text part that is open
  for await (const event of stream) {
    if (event.type === "delta") {
      if (id === null) yield { type: "text-start", id: (id = `${requestId}-${attempt}`) };
      yield { type: "text-delta", id, delta: event.text };
      continue;
    }
    if (id !== null) yield { type: "text-end", id };
    id = null;
    if (event.type === "restarted") {
      if (!resetStep) throw new TypeError("network: the answer is begun anew");
      attempt = event.attempt;
      yield { type: "reset-step" };
    } else {
      yield* endOf(event, requestId);
    }
  }
  if (id !== null) yield { type: "text-end", id };
  if (signal?.aborted) yield { type: "abort" };
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
