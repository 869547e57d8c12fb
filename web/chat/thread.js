// What was said in a conversation: a tree, since a message can be edited and an
// answer be made once more. What is shown is one path through it.

import { shortened } from "../lib/submission.js";
import { TEXTS } from "./texts.js";

const OPENING = 60;

export class Thread {
  conversation;
  #messages = new Map();

  /**
   * @param {import("./store.js").Conversation} conversation
   * @param {import("./store.js").Message[]} messages
   */
  constructor(conversation, messages = []) {
    this.conversation = conversation;
    for (const message of messages) this.#messages.set(message.id, message);
  }

  get(id) {
    return this.#messages.get(id);
  }

  /**
   * Takes a message, or those of its fields that changed.
   * @returns {{message: object, before: object|null}|null} null for fields of
   *   a message that is not here
   */
  merge(fields) {
    const before = this.#messages.get(fields.id) ?? null;
    if (!before && !fields.role) return null;
    const message = { ...before, ...fields };
    this.#messages.set(message.id, message);
    return { message, before };
  }

  remove(ids) {
    for (const id of ids) this.#messages.delete(id);
  }

  /** The messages that are shown, in their order. */
  path() {
    const path = [];
    for (let children = this.#children(null); children.length > 0; children = this.#children(path.at(-1).id)) {
      const chosen = this.conversation.chosen?.[path.at(-1)?.id ?? ""];
      path.push(children.find(({ id }) => id === chosen) ?? children.at(-1));
    }
    return path;
  }

  /** A message and those that stand in its place. */
  siblings({ parent }) {
    return this.#children(parent);
  }

  /** The answers to a message. */
  answersTo({ id }) {
    return this.#children(id);
  }

  /** The newest message that is shown. */
  get last() {
    return this.path().at(-1) ?? null;
  }

  /** The answer that is being written, or waited for. */
  get openAnswer() {
    return this.path().find((message) => message.state === "sending" || message.state === "open") ?? null;
  }

  #children(parent) {
    return [...this.#messages.values()].filter((message) => message.parent === parent).sort((a, b) => a.at - b.at);
  }
}

/** @returns {import("./store.js").Conversation} */
export function newConversation(id, now) {
  return { id, title: "", opening: "", instructions: "", model: "", createdAt: now, updatedAt: now, chosen: {} };
}

/** What a conversation is called: its name, or how it began. */
export function titleOf({ title, opening }) {
  if (title) return title;
  const text = opening.trim().replace(/\s+/g, " ");
  if (!text) return TEXTS.newConversation;
  return text.length > OPENING ? `${text.slice(0, OPENING - 3).trimEnd()}…` : text;
}

/** Whether an answer is still to come. */
export const isOpen = ({ state }) => state === "queued" || state === "sending" || state === "open";

/**
 * The submission for an answer: what was said before it. Messages without an
 * answer are left out, and the oldest ones if the body would be too large. The
 * same answer always has the same submission, as its key demands.
 * @param {import("./store.js").Message[]} messages of its conversation
 * @param {import("./store.js").Message} answer
 */
export function submissionOf(messages, answer) {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const question = byId.get(answer.parent);
  const said = [{ role: "user", content: contentOf(question) }];
  for (let earlier = byId.get(question.parent); earlier; earlier = byId.get(byId.get(earlier.parent)?.parent)) {
    const asked = byId.get(earlier.parent);
    if (asked && earlier.text.trim() !== "") {
      said.unshift({ role: "user", content: contentOf(asked) }, { role: "assistant", content: earlier.text });
    }
  }
  const request = { messages: said };
  if (answer.system?.trim()) request.system = answer.system;
  if (answer.model) request.model = answer.model;
  return shortened(request);
}

/** What a message of the user says: its files, then its text. Documents need one: it is what they are called. */
function contentOf({ text, attachments = [] }) {
  const sent = attachments.filter(({ block }) => block);
  const blocks = sent.map(({ block }) => block);
  if (blocks.length === 0) return text;
  const said = text || sent.filter(({ block }) => block.type === "document").map(({ name }) => name).join(", ");
  return said ? [...blocks, { type: "text", text: said }] : blocks;
}

/** The messages of the user up to an answer, the oldest first. */
export function questionsTo(messages, answer) {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const questions = [];
  for (let question = byId.get(answer.parent); question; question = byId.get(byId.get(question.parent)?.parent)) questions.unshift(question);
  return questions;
}
