// What the service accepts in one body.
const MAX_BODY_BYTES = 262_144;

/**
 * Leaves out the oldest turns of a submission until it fits.
 * @template {import("./client.js").SubmitRequest} T
 * @param {T} request whose messages alternate and begin and end with the user's
 * @returns {T}
 */
export function shortened(request) {
  const messages = [...request.messages];
  const short = { ...request, messages };
  while (messages.length > 1 && byteLength(short) > MAX_BODY_BYTES) messages.splice(0, 2);
  return short;
}

function byteLength(value) {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}
