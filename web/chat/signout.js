import { deleteConversations } from "./database.js";
import { $, say } from "./dom.js";
import { Drafts } from "./drafts.js";
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

async function wipe(user) {
  new Drafts(localStorage, user).clear();
  await deleteConversations(user);
}
