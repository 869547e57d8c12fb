// A service, a network and a clock for the tests of the client.

export const REQUEST_ID = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

/** A clock that moves when told to. */
export class Clock {
  time = 1_000_000;
  #timers = new Map();
  #next = 1;

  env = {
    now: () => this.time,
    setTimeout: (f, delay) => {
      this.#timers.set(this.#next, { f, at: this.time + Math.max(0, delay) });
      return this.#next++;
    },
    clearTimeout: (id) => this.#timers.delete(id),
  };

  /** Runs what is due within ms, promises included. */
  async advance(ms) {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].f();
    }
    this.time = end;
    await settle();
  }
}

/** Lets all promises that can be kept be kept. */
export async function settle() {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The service as a client sees it: fetch and WebSocket. */
export class Service {
  clock = new Clock();
  calls = [];
  frames = [];
  sockets = [];
  random = () => 0.5;
  /** Whether sockets can be opened. */
  up = true;
  /** Whether they are neither opened nor refused. */
  hanging = false;
  /** What each REST call answers. */
  submit = () => reply(202, { requestId: REQUEST_ID, status: "queued", quota: { tier: "gold" } });
  get = () => reply(404, { code: "not_found" });
  upload = () => reply(201, { uploadId: "u".repeat(26), url: "https://bucket/key?X-Amz-Signature=s", headers: { "Content-Type": "image/png" }, expiresAt: "2100-01-01T00:00:00Z" });
  put = () => reply(200, "");
  cancel = () => reply(202, { requestId: REQUEST_ID, status: "streaming" });
  /** Whether a socket answers pings. */
  pongs = () => true;
  /** What the service does with another frame of a client. */
  onFrame = () => {};

  session = { idToken: async () => "the.token" };
  config = { restUrl: "https://api/v1/", webSocketUrl: "wss://ws/v1", userPoolClientId: "app", region: "eu-west-1" };

  get env() {
    const service = this;
    return {
      ...this.clock.env,
      random: () => this.random(),
      fetch: async (url, init) => {
        const call = { url, ...init };
        this.calls.push(call);
        if (init.method === "PUT") return this.put(call);
        if (url.endsWith("/uploads")) return this.upload(call);
        if (init.method === "POST") return this.submit(call);
        if (init.method === "DELETE") return this.cancel(call);
        if (url.endsWith("/usage")) return reply(200, { period: "2026-11" });
        return this.get(call);
      },
      WebSocket: class {
        constructor(url, protocols) {
          Object.assign(this, { url, protocols, openedAt: service.clock.time });
          service.sockets.push(this);
          queueMicrotask(() => service.hanging || (service.up ? this.onopen?.() : this.onclose?.({ code: 1006 })));
        }
        send(data) {
          const frame = JSON.parse(data);
          service.frames.push(frame);
          const answer = () => (frame.action === "ping" ? service.pongs(this) && this.say({ type: "pong" }) : service.onFrame(frame, this));
          queueMicrotask(answer);
        }
        close() {
          this.closed = true;
        }
        /** Sends frames to the client. */
        say(...frames) {
          for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
        }
        /** Closes the socket from the service's side. */
        drop(code) {
          this.onclose?.({ code });
        }
      },
    };
  }

  get socket() {
    return this.sockets.at(-1);
  }

  resumes() {
    return this.frames.filter((frame) => frame.action === "resume");
  }

  count(method, path) {
    return this.calls.filter((call) => call.method === method && call.url.endsWith(path)).length;
  }
}

export function reply(status, body, headers = {}) {
  return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
}

export const start = (attempt = 1) => ({ type: "start", requestId: REQUEST_ID, attempt, seq: 0, model: "m" });
export const delta = (seq, text, attempt = 1) => ({ type: "delta", requestId: REQUEST_ID, attempt, seq, text });
export const reasoning = (seq, text, signature) => ({
  type: "reasoning", requestId: REQUEST_ID, attempt: 1, seq, text, ...(signature ? { signature } : {}),
});
export const toolUse = (seq, name, input, toolUseId = `use-${seq}`) => ({
  type: "toolUse", requestId: REQUEST_ID, attempt: 1, seq, toolUseId, name, input,
});
export const done = (seq, attempt = 1, stopReason = "end_turn") => ({
  type: "done", requestId: REQUEST_ID, attempt, seq, stopReason, usage: { inputTokens: 3, outputTokens: 2 },
});
export const failed = (seq, code, attempt = 1) => ({
  type: "error", requestId: REQUEST_ID, attempt, seq, code, message: "it failed", retryable: true,
});
export const state = (status, text, lastSeq, more = {}) => ({
  requestId: REQUEST_ID, status, attempt: 1, text, lastSeq, model: "m", ...more,
});

/** Collects the events of a stream as they come. */
export function collect(stream) {
  const collected = { events: [], error: null, over: false };
  (async () => {
    try {
      for await (const event of stream) collected.events.push(event);
    } catch (error) {
      collected.error = error;
    }
    collected.over = true;
  })();
  return collected;
}

/** The text that events leave on the screen. */
export function shown(events) {
  let text = "";
  for (const event of events) {
    if (event.type === "restarted") text = "";
    if (event.type === "delta") text += event.text;
  }
  return text;
}

/** A random generator with a seed, so that a failure can be had again. */
export function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
