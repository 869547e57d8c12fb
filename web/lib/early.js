/** How long frames of a request that is not known yet are kept, in ms. */
export const EARLY_FOR = 30_000;

// A user's other devices cause frames of unknown requests, too. What is dropped
// here comes again with a resume.
const MAX_FRAMES = 2_000;

/** Keeps frames that came before the 202 that names their request. */
export class Early {
  #frames = [];

  keep(frame, now) {
    this.#frames.push({ frame, at: now });
    this.#frames = this.#frames.filter((early) => now - early.at <= EARLY_FOR).slice(-MAX_FRAMES);
  }

  take(requestId, now) {
    const mine = this.#frames.filter((early) => early.frame.requestId === requestId);
    this.#frames = this.#frames.filter((early) => early.frame.requestId !== requestId);
    return mine.filter((early) => now - early.at <= EARLY_FOR).map((early) => early.frame);
  }
}
