import { shortened } from "../lib/submission.js";

// The user's conversations, kept in the browser. Each conversation is an item
// of its own, so that two tabs do not overwrite each other's.

/**
 * @typedef {object} Answer
 * @property {"sending"|"open"|"done"|"stopped"|"failed"} state
 * @property {string} text
 * @property {string} key the idempotency key of the submission
 * @property {string} [requestId] known from the 202 on
 * @property {{title: string, text: string, retry: boolean}} [problem]
 * @property {boolean} [sameKey] whether a retry is the same submission
 * @property {{inputTokens: number, outputTokens: number, estimated?: boolean}} [usage]
 * @property {string} [stopReason]
 *
 * @typedef {{id: string, prompt: string, at: number, answer: Answer}} Turn
 * @typedef {{id: string, title: string, instructions: string, updatedAt: number, turns: Turn[]}} Conversation
 */

export class Store {
  #storage;
  #prefix;
  /** Called when the browser has no room left. */
  onFull = () => {};

  /**
   * @param {Storage} storage
   * @param {string} user the user whose conversations these are
   */
  constructor(storage, user) {
    this.#storage = storage;
    this.#prefix = `streaming.conversation.${user}.`;
  }

  /** All conversations, the one used last first. */
  all() {
    const found = [];
    for (let i = 0; i < this.#storage.length; i++) {
      const name = this.#storage.key(i);
      if (name.startsWith(this.#prefix)) found.push(this.#read(name));
    }
    return found.filter(Boolean).sort((a, b) => b.updatedAt - a.updatedAt);
  }

  /** Whether a change of the storage, by another tab, is one of these. */
  owns(name) {
    return name === null || name.startsWith(this.#prefix);
  }

  save(conversation) {
    try {
      this.#storage.setItem(this.#prefix + conversation.id, JSON.stringify(conversation));
    } catch {
      this.onFull();
    }
  }

  remove(id) {
    this.#storage.removeItem(this.#prefix + id);
  }

  #read(name) {
    try {
      const conversation = JSON.parse(this.#storage.getItem(name));
      return Array.isArray(conversation?.turns) && conversation.id ? conversation : null;
    } catch {
      return null;
    }
  }
}

/** @returns {Conversation} */
export function newConversation(id, now) {
  return { id, title: "", instructions: "", updatedAt: now, turns: [] };
}

/** What a conversation is called: its name, or how it began. */
export function titleOf(conversation) {
  if (conversation.title) return conversation.title;
  const first = conversation.turns[0]?.prompt.trim().replace(/\s+/g, " ") ?? "";
  if (!first) return "New conversation";
  return first.length > 60 ? `${first.slice(0, 57).trimEnd()}…` : first;
}

/** Whether an answer is still to come. */
export const isOpen = (answer) => answer.state === "sending" || answer.state === "open";

/**
 * The submission of a turn: what was said before, then its prompt. Turns
 * without an answer are left out, and the oldest ones if the body would be too
 * large. The same turn always gives the same submission, as its key demands.
 * @param {Conversation} conversation
 * @param {Turn} turn
 */
export function submissionOf(conversation, turn) {
  const before = conversation.turns.slice(0, conversation.turns.indexOf(turn));
  const messages = [];
  for (const earlier of before.filter((t) => t.answer.text.trim() !== "")) {
    messages.push({ role: "user", content: earlier.prompt }, { role: "assistant", content: earlier.answer.text });
  }
  messages.push({ role: "user", content: turn.prompt });
  const request = { messages };
  if (conversation.instructions.trim()) request.system = conversation.instructions;
  return shortened(request);
}
