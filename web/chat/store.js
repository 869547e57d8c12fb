// The user's conversations, kept in the browser. Every tab of the user is told
// what changed, so that all show the same; a record is only ever changed by
// naming the fields that change, so that no tab takes back what another wrote.

import { migrate, openDatabase } from "./database.js";

/**
 * @typedef {object} Conversation
 * @property {string} id
 * @property {string} title the name that it was given, "" for none
 * @property {string} opening how it began
 * @property {string} instructions
 * @property {string} model "" for the service's default
 * @property {number} createdAt
 * @property {number} updatedAt
 * @property {Object<string, string>} chosen by parent, which of its children is shown
 *
 * @typedef {object} Message
 * @property {string} id
 * @property {string} conversation
 * @property {string|null} parent the message before it, null for the first
 * @property {"user"|"assistant"} role
 * @property {number} at
 * @property {string} text
 *
 * What an answer has besides:
 * @property {"queued"|"sending"|"open"|"done"|"stopped"|"failed"|"refused"} [state]
 * @property {string} [key] the idempotency key of the submission
 * @property {string} [system] as of the submission, like model
 * @property {string} [model]
 * @property {boolean} [attempted] whether the submission may have reached the service
 * @property {boolean} [stopAsked]
 * @property {string} [requestId] known from the 202 on
 * @property {import("./problems.js").Problem} [problem]
 * @property {object} [usage]
 * @property {string} [stopReason]
 *
 * What changed; records may be partial.
 * @typedef {{conversations?: object[], messages?: object[], removedConversations?: string[], removedMessages?: string[]}} Change
 */

// Between two tellings of a text that grows.
const TELL_EVERY = 100;

export class Store {
  #db;
  #channel;
  #pending = new Map(); // message id -> fields that other tabs are to be told
  #timer = null;
  /** @type {(change: Change) => void} */
  onChange = () => {};
  /** Called when the browser has no room left. */
  onFull = () => {};

  constructor(db, channel) {
    this.#db = db;
    this.#channel = channel;
    channel.onmessage = ({ data }) => this.onChange(data);
  }

  /** Opens the store of a user, with what older versions of the page kept. */
  static async open(user) {
    const store = new Store(await openDatabase(user), new BroadcastChannel(`streaming.${user}`));
    await navigator.locks.request(`streaming.migration.${user}`, () => migrate(store, localStorage, user));
    return store;
  }

  close() {
    clearTimeout(this.#timer);
    this.#channel.close();
    this.#db.close();
    this.onChange = this.onFull = () => {};
  }

  conversations() {
    return this.#db.getAll("conversations");
  }

  conversation(id) {
    return this.#db.get("conversations", id);
  }

  messages(conversation) {
    return this.#db.getAllFromIndex("messages", "conversation", conversation);
  }

  message(id) {
    return this.#db.get("messages", id);
  }

  /** All messages in one of the states. */
  async inState(...states) {
    return (await Promise.all(states.map((state) => this.#db.getAllFromIndex("messages", "state", state)))).flat();
  }

  /** Adds messages to a conversation, and the conversation if it is new. */
  add(conversation, messages) {
    return this.#write(async (conversations, stored) => {
      const known = (await conversations.get(conversation.id)) ?? conversation;
      const chosen = { ...known.chosen };
      for (const { parent, id } of messages) chosen[parent ?? ""] = id;
      const changed = { ...known, chosen, updatedAt: Date.now() };
      conversations.put(changed);
      for (const message of messages) stored.put(message);
      return { conversations: [changed], messages };
    });
  }

  /** Adds whole conversations, leaving those that are here already as they are. */
  addAll(conversations, messages) {
    return this.#write(async (into, stored) => {
      const added = [];
      for (const conversation of conversations) {
        if (await into.get(conversation.id)) continue;
        added.push(conversation);
        into.put(conversation);
        for (const message of messages.filter((m) => m.conversation === conversation.id)) stored.put(message);
      }
      return { conversations: added };
    });
  }

  /** Changes fields of a message, unless it is gone. */
  changeMessage(id, fields) {
    return this.#write(async (_, stored) => {
      const message = await stored.get(id);
      if (!message) return {};
      stored.put({ ...message, ...fields });
      return { messages: [{ id, conversation: message.conversation, ...fields }] };
    });
  }

  /** Changes fields of a conversation, unless it is gone. */
  changeConversation(id, fields) {
    return this.#write(async (conversations) => {
      const conversation = await conversations.get(id);
      if (!conversation) return {};
      conversations.put({ ...conversation, ...fields });
      return { conversations: [{ id, ...fields }] };
    });
  }

  /** Chooses which of the messages after a parent is shown. */
  choose({ conversation: id, parent, id: message }) {
    return this.#write(async (conversations) => {
      const conversation = await conversations.get(id);
      if (!conversation) return {};
      const chosen = { ...conversation.chosen, [parent ?? ""]: message };
      conversations.put({ ...conversation, chosen });
      return { conversations: [{ id, chosen }] };
    });
  }

  removeMessages(conversation, ids) {
    return this.#write(async (_, stored) => {
      for (const id of ids) stored.delete(id);
      return { removedMessages: ids, messages: [], conversations: [{ id: conversation }] };
    });
  }

  /** Removes conversations with all that was said in them. */
  remove(...ids) {
    return this.#write(async (conversations, stored) => {
      for (const id of ids) {
        conversations.delete(id);
        for (const key of await stored.index("conversation").getAllKeys(id)) stored.delete(key);
      }
      return { removedConversations: ids };
    });
  }

  /** Tells all tabs of fields of a message that are kept later. */
  tell(message) {
    this.onChange({ messages: [message] });
    this.#pending.set(message.id, { ...this.#pending.get(message.id), ...message });
    this.#timer ??= setTimeout(() => this.#tellOthers(), TELL_EVERY);
  }

  /** The ids of the conversations in which a text was said. */
  async search(text) {
    const found = new Set();
    const wanted = text.toLocaleLowerCase();
    for (let cursor = await this.#db.transaction("messages").store.openCursor(); cursor; cursor = await cursor.continue()) {
      if (cursor.value.text.toLocaleLowerCase().includes(wanted)) found.add(cursor.value.conversation);
    }
    return found;
  }

  #tellOthers() {
    this.#timer = null;
    this.#channel.postMessage({ messages: [...this.#pending.values()] });
    this.#pending.clear();
  }

  /** Writes in one transaction, then tells of it; whether there was room. */
  async #write(body) {
    const transaction = this.#db.transaction(["conversations", "messages"], "readwrite");
    let change;
    try {
      change = await body(transaction.objectStore("conversations"), transaction.objectStore("messages"));
      await transaction.done;
    } catch (error) {
      if (error.name !== "QuotaExceededError") throw error;
      this.onFull();
      return false;
    }
    for (const { id } of change.messages ?? []) this.#pending.delete(id); // they are told now
    this.#channel.postMessage(change);
    this.onChange(change);
    return true;
  }
}
