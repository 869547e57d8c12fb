import { $, say } from "./dom.js";
import { TEXTS } from "./signintexts.js";

const { account: texts } = TEXTS;

/** The other tabs of the page, which sign out the same user, too. */
export class Tabs {
  #channel = new BroadcastChannel("streaming.sign-out");

  /** @param {(user: string) => void} onSignedOut called when another tab signed a user out */
  constructor(onSignedOut) {
    this.#channel.onmessage = ({ data }) => onSignedOut(data);
  }

  signOut(user) {
    this.#channel.postMessage(user);
  }
}

/**
 * Signs a user out in all tabs and, if asked to, deletes what this browser keeps
 * of the user's conversations.
 */
export async function signOut(workspace, tabs, user, deleting) {
  tabs.signOut(user);
  const revoked = workspace.signOut(deleting ? "" : TEXTS.notes.signedOut);
  if (deleting) say($("form-note"), await wipe(user).then(() => texts.wiped, () => texts.notWiped));
  await revoked;
}

// How long tabs may take to close the database, which they are told to do.
const PATIENCE = 5_000;

/** Deletes what this browser keeps of a user's conversations. */
export async function wipe(user) {
  const kept = [`streaming.conversation.${user}.`, `streaming.draft.${user}.`];
  for (const name of Object.keys(localStorage)) if (kept.some((prefix) => name.startsWith(prefix))) localStorage.removeItem(name);
  await new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(`streaming.${user}`);
    request.onsuccess = resolve;
    request.onerror = () => reject(request.error);
    setTimeout(() => reject(new Error("the conversations are in use")), PATIENCE);
  });
}
