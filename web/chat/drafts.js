// What is being written, by conversation. It is kept in the local storage,
// which has it at once: a page that is closed has no time to wait.

export class Drafts {
  #storage;
  #prefix;

  /**
   * @param {Storage} storage
   * @param {string} user
   */
  constructor(storage, user) {
    this.#storage = storage;
    this.#prefix = `streaming.draft.${user}.`;
  }

  get(conversation) {
    return this.#storage.getItem(this.#prefix + conversation) ?? "";
  }

  keep(conversation, text) {
    if (!text.trim()) return this.drop(conversation);
    try {
      this.#storage.setItem(this.#prefix + conversation, text);
    } catch {
      // Without room the draft lasts as long as the page.
    }
  }

  /** Drops those of all conversations. */
  clear() {
    for (const name of Object.keys(this.#storage)) if (name.startsWith(this.#prefix)) this.#storage.removeItem(name);
  }

  drop(conversation) {
    this.#storage.removeItem(this.#prefix + conversation);
  }
}
