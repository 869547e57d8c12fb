import { deleteDB, openDB } from "../third_party/idb/index.js";

const VERSION = 1;
// How long tabs may take to close the database, which they are told to do.
const PATIENCE = 5_000;

const nameOf = (user) => `streaming.${user}`;

/** The items of the local storage that versions before the database kept. */
const oldItems = (storage, user) => Object.keys(storage).filter((name) => name.startsWith(`streaming.conversation.${user}.`));

/**
 * Opens the database of one user: the conversations, and one record a message.
 * @param {string} user
 */
export function openDatabase(user) {
  return openDB(nameOf(user), VERSION, {
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
 * Deletes what this browser keeps of a user's conversations; it fails if a tab
 * does not let go of them.
 * @param {string} user
 */
export async function deleteConversations(user) {
  for (const name of oldItems(localStorage, user)) localStorage.removeItem(name);
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("the conversations are in use")), PATIENCE));
  await Promise.race([deleteDB(nameOf(user)), late]);
}

/**
 * Takes over what versions before the database kept in the local storage, one
 * item a conversation.
 * @param {import("./store.js").Store} store
 * @param {Storage} storage
 * @param {string} user
 */
export async function migrate(store, storage, user) {
  for (const name of oldItems(storage, user)) {
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
