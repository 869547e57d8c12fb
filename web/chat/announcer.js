// Reads an answer to a screen reader in whole sentences and not too often:
// piece by piece as it streams in, it could not be followed.

const EVERY = 2_500;

export class Announcer {
  #say;
  #now;
  #pending = "";
  #saidAt = 0;

  /**
   * @param {(text: string) => void} say
   * @param {() => number} [now] in ms
   */
  constructor(say, now = Date.now) {
    this.#say = say;
    this.#now = now;
  }

  /** Takes the next piece of an answer. */
  add(text) {
    this.#pending += text;
    if (this.#now() - this.#saidAt < EVERY) return;
    const end = lastSentenceEnd(this.#pending);
    if (end > 0) this.#speak(end);
  }

  /** Says what is left, and then how the answer ended. */
  end(ending) {
    this.#pending = `${this.#pending.trim()} ${ending}`.trim();
    this.#speak(this.#pending.length);
  }

  /** Forgets what was not said: the answer begins anew. */
  clear() {
    this.#pending = "";
  }

  #speak(length) {
    const text = this.#pending.slice(0, length).trim();
    this.#pending = this.#pending.slice(length);
    this.#saidAt = this.#now();
    if (text) this.#say(text);
  }
}

function lastSentenceEnd(text) {
  let end = 0;
  for (const match of text.matchAll(/[.!?…:](?=\s)|\n/g)) end = match.index + 1;
  return end;
}
