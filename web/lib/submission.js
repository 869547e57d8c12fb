// What the service accepts in one body.
const MAX_BODY_BYTES = 262_144;

/**
 * Leaves out the oldest turns of a submission until it fits. It then begins with
 * another message of the user, but never with the results of tools whose uses
 * are left out.
 * @template {import("./client.js").SubmitRequest} T
 * @param {T} request whose messages alternate and begin and end with the user's
 * @returns {T}
 */
export function shortened(request) {
  const beginnings = request.messages.flatMap((message, i) => (isBeginning(message) ? [request.messages.slice(i)] : []));
  const fitting = beginnings.find((messages) => byteLength({ ...request, messages }) <= MAX_BODY_BYTES);
  return { ...request, messages: fitting ?? beginnings.at(-1) ?? request.messages };
}

/**
 * Numbers documents of one name, which must differ in a request.
 * @param {import("./client.js").SubmitRequest} request
 */
export function withOwnNames(request) {
  if (!request.messages) return request;
  const taken = new Set();
  const named = (block) => {
    if (block.type !== "document") return block;
    let { name } = block;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${block.name.slice(0, 190).trim()} ${n}`;
    taken.add(name.toLowerCase());
    return { ...block, name };
  };
  const messages = request.messages.map((message) => (Array.isArray(message.content) ? { ...message, content: message.content.map(named) } : message));
  return { ...request, messages };
}

function isBeginning({ role, content }) {
  return role === "user" && (typeof content === "string" || content.every(({ type }) => type !== "toolResult"));
}

function byteLength(value) {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}
