import { ApiError, NetworkError } from "./errors.js";
import { fullJitter } from "./pace.js";

// API Gateway answers within 29 s.
const CALL_TIMEOUT = 35_000;
const UPLOAD_TIMEOUT = 300_000;
const MAX_TRIES = 6;
const FIRST_RETRY_DELAY = 250;
const MAX_RETRY_DELAY = 8_000;
const MAX_RETRY_AFTER = 30;

/**
 * Calls the REST API. Throttles, unknown outcomes and network errors are tried
 * again, which is safe: every call is idempotent, a submission by its key.
 */
export class Rest {
  #url;
  #session;
  #env;
  #waiting = new Set(); // the AbortControllers of calls without an answer yet

  constructor(config, session, env) {
    this.#url = config.restUrl.replace(/\/$/, "");
    this.#session = session;
    this.#env = env;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{body?: object, key?: string, signal?: AbortSignal}} [options]
   */
  async call(method, path, { body, key, signal } = {}) {
    let renewed = false;
    return this.#persist(signal, async () => {
      const token = await this.#session.idToken();
      const headers = { Authorization: token };
      if (body) headers["Content-Type"] = "application/json";
      if (key) headers["Idempotency-Key"] = key;
      for (;;) {
        try {
          return await this.#once(this.#url + path, { method, headers, body: body && JSON.stringify(body) }, CALL_TIMEOUT, signal);
        } catch (error) {
          if (error.status !== 401 || renewed || !this.#session.renew) throw error;
          await this.#session.renew(headers.Authorization);
          renewed = true;
          headers.Authorization = await this.#session.idToken();
        }
      }
    });
  }

  /** Stores bytes where a presigned URL says. It has no token but the URL's own. */
  async put(url, { headers, body, signal }) {
    await this.#persist(signal, () => this.#once(url, { method: "PUT", headers, body }, UPLOAD_TIMEOUT, signal));
  }

  async #persist(signal, tried) {
    for (let attempt = 0; ; attempt++) {
      try {
        return await tried();
      } catch (error) {
        signal?.throwIfAborted();
        const delay = this.#retryDelay(error, attempt);
        if (delay < 0) throw error;
        await this.#sleep(delay, signal);
      }
    }
  }

  /** Has calls that wait be made again: the network has gone, or is another one. */
  interrupt() {
    for (const abort of this.#waiting) abort.abort();
  }

  /** The delay before another try in ms, -1 if there is none. */
  #retryDelay(error, attempt) {
    if (attempt + 1 >= MAX_TRIES) return -1;
    const delay = fullJitter(FIRST_RETRY_DELAY, MAX_RETRY_DELAY, attempt, this.#env.random);
    if (error instanceof NetworkError) return delay;
    if (!error.temporary || error.retryAfter > MAX_RETRY_AFTER) return -1;
    return Math.max(delay, (error.retryAfter ?? 0) * 1_000);
  }

  async #once(url, init, timeout, signal) {
    const abort = new AbortController();
    const timer = this.#env.setTimeout(() => abort.abort(), timeout);
    const stop = () => abort.abort();
    signal?.addEventListener("abort", stop);
    this.#waiting.add(abort);
    try {
      const response = await this.#env.fetch(url, { ...init, signal: abort.signal, cache: "no-store" });
      const text = await response.text();
      if (response.ok) return text && JSON.parse(text);
      throw new ApiError(response.status, parseProblem(text), Number(response.headers.get("Retry-After")) || 0);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new NetworkError(error);
    } finally {
      this.#waiting.delete(abort);
      this.#env.clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  #sleep(delay, signal) {
    return new Promise((resolve, reject) => {
      const timer = this.#env.setTimeout(resolve, delay);
      signal?.addEventListener("abort", () => {
        this.#env.clearTimeout(timer);
        reject(signal.reason);
      }, { once: true });
    });
  }
}

function parseProblem(text) {
  try {
    const problem = JSON.parse(text);
    return problem !== null && typeof problem === "object" ? problem : {};
  } catch {
    return {};
  }
}
