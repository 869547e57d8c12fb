import { attachmentOf, base64, bytesOf } from "./attachments.js";
import { contentOf } from "./toolloop.js";

/**
 * The messages of the AI SDK's user interface, as far as this client reads them.
 * @typedef {{type: string, text?: string}} UIPart
 * @typedef {{id: string, role: "system"|"user"|"assistant", parts: UIPart[]}} UIMessage
 */

/** A part of a message that the service does not take. */
export class UnsupportedPartError extends Error {
  constructor(type, why) {
    super(`a part of type ${type} cannot be sent: ${why}`);
    this.name = "UnsupportedPartError";
    this.partType = type;
  }
}

/**
 * Turns a conversation into a submission. Messages without content are left out,
 * such as answers that failed, and neighbours of one role become one, as the
 * service wants them to alternate and to begin with the user's. The results of
 * tools, which the SDK keeps in the assistant's message, become the user's.
 * @param {UIMessage[]} uiMessages
 * @param {object} more further members of the submission
 * @returns {import("./client.js").SubmitRequest}
 */
export function submissionOf(uiMessages, more) {
  const system = more.system ? [more.system] : [];
  const turns = [];
  for (const message of uiMessages) {
    if (message.role === "system") system.push(textOf(message.parts));
    else for (const turn of turnsOf(message)) append(turns, turn);
  }
  if (turns.at(-1)?.role !== "user") throw new Error("the last message must be the user's, with a text, or have the results of tools");
  const request = { ...more, messages: turns.map(plain) };
  const told = system.filter((text) => text.trim() !== "");
  if (told.length > 0) request.system = told.join("\n\n");
  return request;
}

function append(turns, turn) {
  if (turn.blocks.length === 0) return;
  const last = turns.at(-1);
  if (last?.role !== turn.role) {
    if (last || turn.role === "user") turns.push(turn);
    return;
  }
  const [first, ...others] = turn.blocks;
  const end = last.blocks.at(-1);
  if (end.type === "text" && first.type === "text") last.blocks.splice(-1, 1, { type: "text", text: `${end.text}\n\n${first.text}` }, ...others);
  else last.blocks.push(...turn.blocks);
}

function plain({ role, blocks }) {
  const [{ type, text }] = blocks;
  return { role, content: blocks.length === 1 && type === "text" ? text : blocks };
}

function turnsOf({ role, parts }) {
  return role === "user" ? [{ role, blocks: joined(parts.flatMap(questionOf)) }] : stepsOf(parts).flatMap(answersOf);
}

function questionOf(part) {
  if (part.type === "file") return [fileOf(part)];
  return part.type === "text" ? [{ type: "text", text: part.text }] : [];
}

// Only data can be sent: the service fetches nothing.
function fileOf({ type, mediaType, filename = "", url = "" }) {
  const [, encoding, data] = /^data:[^,]*?(;base64)?,(.*)$/is.exec(url) ?? [];
  if (data === undefined) throw new UnsupportedPartError(type, "its url is no data: URL");
  const bytes = encoding ? bytesOf(data) : new TextEncoder().encode(decodeURIComponent(data));
  return { ...attachmentOf({ name: filename, mediaType, size: bytes.length }), data: base64(bytes) };
}

function stepsOf(parts) {
  const steps = [[]];
  for (const part of parts) part.type === "step-start" ? steps.push([]) : steps.at(-1).push(part);
  return steps;
}

// A step is an answer and, if it used tools, their results. A use without a
// result was given up. Reasoning goes back with the uses that it led to.
function answersOf(parts) {
  const tools = parts.filter(isTool).filter(({ state }) => state.startsWith("output-"));
  const answer = parts.flatMap((part) => {
    if (part.type === "text") return [{ type: "text", text: part.text }];
    if (part.type === "reasoning" && tools.length > 0) return part.providerMetadata?.streamingService?.blocks ?? [];
    return tools.includes(part) ? [{ type: "toolUse", toolUseId: part.toolCallId, name: toolName(part), input: part.input ?? {} }] : [];
  });
  return [{ role: "assistant", blocks: joined(answer) }, { role: "user", blocks: tools.map(resultOf) }];
}

const isTool = ({ type }) => type === "dynamic-tool" || type.startsWith("tool-");

/** The name of the tool that a part uses. */
export function toolName({ type, toolName }) {
  return type === "dynamic-tool" ? toolName : type.slice("tool-".length);
}

function resultOf({ toolCallId: toolUseId, state, output, errorText }) {
  if (state === "output-available") return { type: "toolResult", toolUseId, status: "success", content: contentOf(output) };
  return { type: "toolResult", toolUseId, status: "error", content: contentOf(errorText ?? "the user did not allow it") };
}

/** Texts that follow each other become one; those without a word are left out. */
function joined(blocks) {
  const joint = [];
  for (const block of blocks) {
    const last = joint.at(-1);
    if (block.type === "text" && last?.type === "text") last.text += block.text;
    else joint.push({ ...block });
  }
  return joint.filter(({ type, text }) => type !== "text" || text.trim() !== "");
}

function textOf(parts) {
  return parts.filter(({ type }) => type === "text").map(({ text }) => text).join("");
}
