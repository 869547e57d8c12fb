/**
 * The browser client of the service, without a framework and without a build
 * step:
 *
 *   import { Auth, StreamingClient, fetchConfig } from "./streaming-service.js";
 *
 *   const config = await fetchConfig("config.json");
 *   const session = await new Auth(config).signIn(email, password);
 *   const client = new StreamingClient(config, session);
 *   const stream = await client.submit({ prompt: "Why is the sky blue?" });
 *   for await (const event of stream) {
 *     if (event.type === "delta") output.append(event.text);
 *     if (event.type === "restarted") output.textContent = "";
 *   }
 *
 * It submits with an idempotency key, opens the socket again with back-off,
 * resumes every open request, notices gaps, renews tokens, and gives each
 * request exactly one end, "done" or "failed". The token is never part of a
 * URL. Text is data: put it on the page with textContent or append.
 */
export { Auth, fetchConfig } from "./lib/auth.js";
export { Session } from "./lib/session.js";
export { StreamingClient } from "./lib/client.js";
export { Stream } from "./lib/stream.js";
export { ToolLoop } from "./lib/toolloop.js";
export { Assembler } from "./lib/assembler.js";
export { ACCEPTED_FILES, attachmentOf } from "./lib/attachments.js";
export { ApiError, AuthError, ChallengeError, FileError, NetworkError, isSignedOut } from "./lib/errors.js";
