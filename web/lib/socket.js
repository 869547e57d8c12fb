import { fullJitter } from "./pace.js";

const SUBPROTOCOL = "streaming.v1";
// API Gateway closes a socket that says nothing for ten minutes.
const PING_INTERVAL = 240_000;
// While something is awaited, a network that has vanished is noticed within ten
// seconds: a silence of SUSPICIOUS is asked about, and an answer to that comes
// within PONG_PATIENCE.
const SUSPICIOUS = 4_000;
const PONG_PATIENCE = 5_000;
// A handshake waits for two functions, which may start cold.
const DIAL_PATIENCE = 10_000;
const FIRST_DELAY = 500;
const MAX_DELAY = 30_000;
const FIRST_THROTTLED_DELAY = 5_000;
const MAX_THROTTLED_DELAY = 120_000;
// A socket that lives this long is no failure.
const SETTLED = 10_000;
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;

/**
 * The state of the socket: "idle" (not wanted), "connecting", "open", or
 * "waiting" (lost, opened again at retryAt).
 * @typedef {{state: "idle"|"connecting"|"open"|"waiting", retryAt?: number}} Connection
 */

/** One WebSocket that is opened again whenever it is lost. */
export class Socket {
  /** @type {Connection} */
  connection = { state: "idle" };
  openedAt = 0;
  #url;
  #session;
  #env;
  #on;
  #ws = null;
  #wanted = false;
  #failures = 0;
  #renewed = false; // since the socket was open
  #heardAt = 0;
  #retryTimer = null;
  #pingTimer = null;
  #pongTimer = null;
  #dialTimer = null;

  /**
   * @param {object} on open(again), message(data), change(connection), awaits():
   *   whether anything is expected, vanished(): the network has gone silently
   */
  constructor(config, session, env, on) {
    this.#url = config.webSocketUrl;
    this.#session = session;
    this.#env = env;
    this.#on = on;
  }

  get open() {
    return this.connection.state === "open";
  }

  /** Opens the socket and keeps it open until close. */
  connect() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#dial();
  }

  /** Opens a lost socket now: the network is back, the page is seen again. */
  wake() {
    if (this.connection.state === "waiting") {
      this.#env.clearTimeout(this.#retryTimer);
      this.#dial();
    } else if (this.open) {
      this.#suspect();
    }
  }

  /** Looks closely at the socket from now on: something is expected of it. */
  attend() {
    if (this.open) this.#ping();
  }

  close() {
    this.#wanted = false;
    this.#env.clearTimeout(this.#retryTimer);
    this.#drop();
    this.#change({ state: "idle" });
  }

  /** Sends a frame if the socket is open. */
  send(frame) {
    if (!this.open) return;
    this.#ws.send(JSON.stringify(frame));
    if (this.#silence() >= SUSPICIOUS && frame.action !== "ping") this.#suspect();
  }

  async #dial() {
    this.#change({ state: "connecting" });
    let token;
    try {
      token = await this.#session.idToken();
    } catch {
      return this.#retry(false);
    }
    if (!this.#wanted) return;
    let ws;
    try {
      ws = new this.#env.WebSocket(this.#url, [SUBPROTOCOL, token]);
    } catch {
      return this.#retry(false);
    }
    this.#ws = ws;
    this.#dialTimer = this.#env.setTimeout(() => {
      this.#drop();
      this.#retry(false);
    }, DIAL_PATIENCE);
    ws.onopen = () => this.#opened(ws);
    ws.onmessage = (event) => this.#heard(event.data);
    ws.onclose = (event) => this.#closed(ws, event.code, token);
    ws.onerror = () => {}; // a close follows; outside of browsers an error without a handler is thrown
  }

  #opened(ws) {
    if (ws !== this.#ws) return;
    const again = this.openedAt > 0;
    this.openedAt = this.#heardAt = this.#env.now();
    this.#renewed = false;
    this.#env.clearTimeout(this.#dialTimer);
    this.#ping();
    this.#change({ state: "open" });
    this.#on.open(again);
  }

  #heard(data) {
    this.#heardAt = this.#env.now();
    this.#env.clearTimeout(this.#pongTimer);
    this.#pongTimer = null;
    this.#on.message(data);
  }

  #closed(ws, code, token) {
    if (ws !== this.#ws) return;
    const wasOpen = this.open;
    this.#drop();
    if (!this.#wanted) return;
    if (wasOpen && this.#env.now() - this.openedAt >= SETTLED) {
      this.#failures = 0;
      if (code === GOING_AWAY) return void this.#dial();
    }
    if (!wasOpen && !this.#renewed && this.#session.renew) return void this.#redial(token);
    this.#retry(code === POLICY_VIOLATION);
  }

  // Browsers do not tell why a handshake was refused: the first time the token
  // is replaced, in case it was that, and used at once.
  async #redial(token) {
    this.#renewed = true;
    this.#change({ state: "connecting" });
    try {
      await this.#session.renew(token);
    } catch {
      if (this.#wanted) this.#retry(false);
      return;
    }
    if (this.#wanted) this.#dial();
  }

  #retry(throttled) {
    const n = this.#failures++;
    const delay = throttled
      ? FIRST_THROTTLED_DELAY + fullJitter(FIRST_THROTTLED_DELAY, MAX_THROTTLED_DELAY, n, this.#env.random)
      : fullJitter(FIRST_DELAY, MAX_DELAY, n, this.#env.random);
    this.#retryTimer = this.#env.setTimeout(() => this.#dial(), delay);
    this.#change({ state: "waiting", retryAt: this.#env.now() + delay });
  }

  #silence() {
    return this.#env.now() - this.#heardAt;
  }

  /** Asks about a silence that has lasted too long, and plans to look again. */
  #ping() {
    this.#env.clearTimeout(this.#pingTimer);
    const patience = this.#on.awaits() ? SUSPICIOUS : PING_INTERVAL;
    const left = patience - this.#silence();
    if (left <= 0) this.#suspect();
    this.#pingTimer = this.#env.setTimeout(() => this.#ping(), left > 0 ? left : patience);
  }

  /** Pings, and closes a socket that is dead without saying so. */
  #suspect() {
    if (this.#pongTimer !== null) return;
    const ws = this.#ws;
    this.send({ action: "ping" });
    this.#pongTimer = this.#env.setTimeout(() => {
      this.#pongTimer = null;
      if (ws !== this.#ws) return;
      this.#on.vanished();
      this.#closed(ws, 1006, "");
    }, PONG_PATIENCE);
  }

  #drop() {
    const ws = this.#ws;
    this.#ws = null;
    for (const timer of [this.#pingTimer, this.#pongTimer, this.#dialTimer]) this.#env.clearTimeout(timer);
    this.#pongTimer = null;
    if (!ws) return;
    ws.onopen = ws.onmessage = ws.onclose = null;
    ws.close();
  }

  #change(connection) {
    this.connection = connection;
    this.#on.change(connection);
  }
}
