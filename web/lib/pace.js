// When an open request asks for what it misses, and when its state is read
// instead. The Go client has the same rules.

const SILENCE = 15_000;
const SILENCE_JITTER = 5_000;
const FIRST_ASK_DELAY = 250;
const MAX_ASK_DELAY = 5_000;
const ASKS_BEFORE_READ = 3;
const MAX_READ_DELAY = 30_000;

/** A pure state machine: times, in ms, are given to it. */
export class Pace {
  /** When silence has lasted too long. */
  quietUntil = 0;
  /** A resume is due: a new socket, or a late join. */
  wanted = false;
  /** The state is to be read first: far behind. */
  readWanted = false;
  askAfter = 0;
  #random;
  #asks = 0;
  #askDelay = FIRST_ASK_DELAY;
  #readAfter = 0;
  #reads = 0;

  constructor(now, random) {
    this.#random = random;
    this.hear(now);
  }

  /** Notes a frame of the request, of whatever use. */
  hear(now) {
    this.quietUntil = now + SILENCE + this.#random() * SILENCE_JITTER;
  }

  /** Notes that something was applied. */
  progress(now) {
    this.hear(now);
    this.#asks = 0;
    this.#askDelay = FIRST_ASK_DELAY;
    this.askAfter = now + this.#askDelay;
  }

  /**
   * What to do now, or until when to wait.
   * @param {number} now
   * @param {boolean} open whether there is a socket
   * @param {boolean} gap whether frames are known to be missing
   * @returns {{action: "wait"|"resume"|"read", until: number}}
   */
  next(now, open, gap) {
    const silent = now >= this.quietUntil;
    const tired = this.#asks >= ASKS_BEFORE_READ;
    if (this.readWanted || (silent && (!open || tired)) || (gap && tired)) {
      return now < this.#readAfter ? wait(this.#readAfter) : { action: "read", until: now };
    }
    if (!open || !(this.wanted || gap || silent)) return wait(this.quietUntil);
    return now < this.askAfter ? wait(this.askAfter) : { action: "resume", until: now };
  }

  asked(now) {
    this.wanted = false;
    this.#asks++;
    this.askAfter = now + this.#askDelay;
    this.#askDelay = Math.min(2 * this.#askDelay, MAX_ASK_DELAY);
    this.hear(now);
  }

  readDone(now) {
    this.wanted ||= this.readWanted;
    this.readWanted = false;
    this.#reads = 0;
    this.#asks = 0;
    this.hear(now);
  }

  readFailed(now) {
    this.#reads++;
    this.#readAfter = now + FIRST_ASK_DELAY + fullJitter(1_000, MAX_READ_DELAY, this.#reads, this.#random);
  }
}

const wait = (until) => ({ action: "wait", until });

/** A random delay below first·2ⁿ, which is at most limit. */
export function fullJitter(first, limit, n, random) {
  return random() * Math.min(limit, first * 2 ** Math.min(n, 30));
}
