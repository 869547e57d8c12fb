// Conversations as files: all of them to keep or to take elsewhere, one to read.

import { titleOf } from "./thread.js";
import { TEXTS } from "./texts.js";

const FORMAT = "streaming-service-conversations";
const VERSION = 1;

/** A file of conversations that parseFile reads again. */
export async function fileOf(store) {
  const conversations = await store.conversations();
  const messages = (await Promise.all(conversations.map(({ id }) => store.messages(id)))).flat();
  return JSON.stringify({ format: FORMAT, version: VERSION, conversations, messages }, null, 1);
}

/**
 * Reads such a file. What was open in it is over: its request may belong to
 * somebody else.
 * @param {string} text
 * @returns {{conversations: object[], messages: object[]}|null} null if it is another file
 */
export function parseFile(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    return null;
  }
  if (file?.format !== FORMAT || file.version !== VERSION || !Array.isArray(file.conversations) || !Array.isArray(file.messages)) return null;
  const conversations = file.conversations.filter(isConversation).map(conversationOf);
  const messages = file.messages.filter(isMessage).map(messageOf);
  return { conversations, messages };
}

const isText = (value) => typeof value === "string";
const isConversation = (c) => isText(c?.id) && isText(c.opening);
const isMessage = (m) => isText(m?.id) && isText(m.conversation) && isText(m.text) && (m.role === "user" || m.role === "assistant");

function conversationOf({ id, title = "", opening, instructions = "", model = "", createdAt = 0, updatedAt = 0, chosen = {} }) {
  return { id, title, opening, instructions, model, createdAt, updatedAt, chosen };
}

function messageOf(message) {
  if (message.role === "user") return { ...message, attachments: namesOf(message.attachments) };
  const { requestId, key, stopAsked, ...kept } = message;
  return ["done", "failed", "refused"].includes(kept.state) ? kept : { ...kept, state: "stopped" };
}

// A file of conversations holds what was said, not the files that went with it.
function namesOf(attachments) {
  return Array.isArray(attachments) ? attachments.filter((file) => isText(file?.name)).map(({ name }) => ({ name })) : [];
}

/** A conversation as Markdown. */
export function markdownOf(thread) {
  const { you, answer } = TEXTS.message;
  const said = thread.path().map(({ role, text }) => `## ${role === "user" ? you : answer}\n\n${text}\n`);
  return [`# ${titleOf(thread.conversation)}\n`, ...said].join("\n");
}

/** Has the browser save a text as a file. */
export function download(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
