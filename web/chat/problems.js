// What to tell a person about what went wrong: what happened, which limit it
// was, and what can be done.

/**
 * @typedef {{title: string, text: string, retry: boolean}} Problem
 */

const FAILURES = {
  model_throttled: ["The model is busy", "Too many people are asking it at the moment. Nothing was charged."],
  model_error: ["The model failed", "It could not finish this answer. Nothing was charged."],
  model_timeout: ["The model took too long", "It stopped answering. Nothing was charged."],
  content_filtered: ["The answer was withheld", "The model's content filter stopped it."],
  expired: ["Too late", "The request waited too long and was dropped. Nothing was charged."],
  dead_lettered: ["The request could not be processed", "It was tried several times. Nothing was charged."],
  internal: ["Something went wrong", "The service failed. Nothing was charged."],
};

/**
 * Describes the end of a request that did not succeed.
 * @param {{code: string, message: string, retryable: boolean}} failure
 * @returns {Problem}
 */
export function describeFailure({ code, message, retryable }) {
  const [title, text] = FAILURES[code] ?? ["The request failed", message];
  return { title, text, retry: retryable };
}

/**
 * Describes an error of a call.
 * @param {Error} error
 * @returns {Problem}
 */
export function describeError(error) {
  if (error.name === "NetworkError" || (error.name === "AuthError" && error.temporary)) {
    return { title: "No connection", text: "The service cannot be reached. Your message is kept here.", retry: true };
  }
  if (error.name === "AuthError") {
    return { title: "Your session has ended", text: "Sign in again to go on.", retry: true };
  }
  if (error.name === "ApiError") return describeRefusal(error);
  return { title: "Something went wrong", text: error.message, retry: true };
}

function describeRefusal({ code, problem, status, retryAfter, message }) {
  switch (code) {
    case "quota_exceeded":
      return quotaExceeded(problem);
    case "service_budget_exceeded":
      return { title: "The service has spent its budget", text: "No one can ask more this month. Ask the operator of this service.", retry: false };
    case "rate_limited":
      return { title: "Too fast", text: `You have reached the limit of requests per second. ${again(retryAfter)}`, retry: true };
    case "too_many_in_flight":
      return { title: "Too many answers at once", text: "Wait until another answer is complete, or stop it, then try again.", retry: true };
    case "blocked":
      return { title: "Your account is blocked", text: problem.detail ?? "Ask the operator of this service.", retry: false };
    case "payload_too_large":
      return { title: "The message is too long", text: "Make it shorter, or begin a new conversation.", retry: false };
    case "model_not_allowed":
      return { title: "This model is not allowed", text: problem.detail ?? message, retry: false };
    case "invalid_request":
      return { title: "The service did not accept the message", text: fields(problem) || message, retry: false };
    case "idempotency_conflict":
      return { title: "The message has changed", text: "It was sent before with another text. Send it as a new one.", retry: true };
    case "not_found":
      return { title: "The answer is gone", text: "The service no longer keeps this request.", retry: true };
    case "forbidden":
      return { title: "Not allowed", text: problem.detail ?? "You may not use this service from here.", retry: false };
    case "unauthenticated":
      return { title: "Your session has ended", text: "Sign in again to go on.", retry: true };
    default:
      return { title: "The service is not available", text: `It answered with status ${status}. ${again(retryAfter)}`, retry: true };
  }
}

function quotaExceeded({ quota, limit, used, resetsAt }) {
  if (quota === "budget") return budgetExceeded(limit, used, resetsAt);
  const what = quota === "tokens" ? "tokens" : "requests";
  const numbers = limit === undefined ? "" : ` (${number(used ?? limit)} of ${number(limit)} used)`;
  const until = resetsAt ? ` They are renewed on ${date(resetsAt)}.` : "";
  return { title: `This month's ${what} are used up`, text: `Your monthly limit of ${what} is reached${numbers}.${until}`, retry: false };
}

function budgetExceeded(limit, used, resetsAt) {
  const text = `${dollars(used)} of ${dollars(limit)} are spent, and what is left does not cover this message. The budget is renewed on ${date(resetsAt)}.`;
  return { title: "This month's budget is used up", text, retry: false };
}

function fields(problem) {
  return (problem.errors ?? []).map(({ field, message }) => `${field}: ${message}`).join("; ");
}

function again(seconds) {
  if (!seconds) return "Try again in a moment.";
  return seconds < 120 ? `Try again in ${seconds} s.` : `Try again in ${Math.ceil(seconds / 60)} minutes.`;
}

/** A number as people write it. */
export const number = (n) => new Intl.NumberFormat("en").format(n);

/** An amount of dollars, down to a hundredth of a cent. */
export const dollars = (n) =>
  new Intl.NumberFormat("en", { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: 4 }).format(n);

/** A number in few characters: 50M for fifty millions. */
export const short = (n) =>
  n < 1_000_000 ? number(n) : new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(n);

/** A date with its time, in the reader's time zone. */
export function date(iso) {
  const options = { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat("en-GB", options).format(new Date(iso));
}
