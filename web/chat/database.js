import { openDB } from "../third_party/idb/index.js";

const VERSION = 1;

/**
 * Opens the database of one user: the conversations, and one record a message.
 * @param {string} user
 */
export function openDatabase(user) {
  return openDB(`streaming.${user}`, VERSION, {
    upgrade(db) {
      db.createObjectStore("conversations", { keyPath: "id" });
      const messages = db.createObjectStore("messages", { keyPath: "id" });
      messages.createIndex("conversation", "conversation");
      messages.createIndex("state", "state");
    },
    blocking: (_, __, event) => event.target.close(),
  });
}

/**
 * Takes over what versions before the database kept in the local storage, one
 * item a conversation.
 * @param {import("./store.js").Store} store
 * @param {Storage} storage
 * @param {string} user
 */
export async function migrate(store, storage, user) {
  const prefix = `streaming.conversation.${user}.`;
  const names = Object.keys(storage).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    const old = parse(storage.getItem(name));
    if (old && !(await store.addAll([conversationOf(old)], messagesOf(old)))) return;
    storage.removeItem(name);
  }
}

function parse(json) {
  try {
    const old = JSON.parse(json);
    return Array.isArray(old?.turns) && typeof old.id === "string" ? old : null;
  } catch {
    return null;
  }
}

function conversationOf({ id, title, instructions, updatedAt, turns }) {
  const createdAt = turns[0]?.at ?? updatedAt;
  return { id, title, opening: turns[0]?.prompt ?? "", instructions, model: "", createdAt, updatedAt, chosen: {} };
}

function messagesOf({ id: conversation, instructions, turns }) {
  let parent = null;
  return turns.flatMap(({ id, prompt, at, answer }) => {
    const asked = { id, conversation, parent, role: "user", at, text: prompt };
    const { sameKey, ...kept } = answer;
    const answered = { ...kept, id: `${id}.answer`, conversation, parent: id, role: "assistant", at, system: instructions, model: "" };
    parent = answered.id;
    return [asked, answered];
  });
}
