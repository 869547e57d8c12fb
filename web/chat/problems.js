// What to tell a person about what went wrong: what happened, which limit it
// was, and what can be done.

import { LANGUAGE, TEXTS } from "./texts.js";

/**
 * @typedef {{title: string, text: string, retry: boolean}} Problem retry:
 *   whether the same message may be answered if it is sent once more
 */

const { failures: FAILURES, refusals: REFUSALS } = TEXTS;

/**
 * Describes the end of a request that did not succeed.
 * @param {{code: string, message: string, retryable: boolean}} failure
 * @returns {Problem}
 */
export function describeFailure({ code, message, retryable }) {
  const final = code === "model_error" && !retryable;
  const [title, text] = FAILURES[final ? "model_refused" : code] ?? [FAILURES.unknown, message];
  return { title, text, retry: retryable || code === "upload_not_found" }; // which the next try sends again
}

/**
 * Describes an error of a call.
 * @param {Error} error
 * @returns {Problem}
 */
export function describeError(error) {
  if (error.name === "NetworkError" || (error.name === "AuthError" && error.temporary)) return told(REFUSALS.noConnection, true);
  if (error.name === "AuthError") return told(REFUSALS.ended, true);
  if (error.name === "ApiError") return describeRefusal(error);
  if (error.name === "FileError") return { title: TEXTS.files.refused, text: error.message, retry: false };
  return { title: REFUSALS.wrong, text: error.message, retry: true };
}

const told = ([title, text], retry) => ({ title, text, retry });

// Whether sending the same once more may help, by the code of the refusal.
const RETRY = {
  service_budget_exceeded: false,
  too_many_in_flight: true,
  blocked: false,
  payload_too_large: false,
  model_not_allowed: true,
  model_not_capable: true,
  upload_not_found: true,
  invalid_request: false,
  idempotency_conflict: true,
  not_found: true,
  forbidden: false,
};

function describeRefusal({ code, problem, status, retryAfter }) {
  if (code === "quota_exceeded") return quotaExceeded(problem);
  if (code === "unauthenticated") return told(REFUSALS.ended, true);
  if (code === "rate_limited") return { title: REFUSALS.rate_limited[0], text: `${REFUSALS.rate_limited[1]} ${again(retryAfter)}`, retry: true };
  if (!(code in RETRY)) {
    const [title, text] = REFUSALS.unavailable;
    return { title, text: `${text(status)} ${again(retryAfter)}`, retry: true };
  }
  const [title, advice] = REFUSALS[code];
  const said = (code !== "upload_not_found" && fields(problem)) || (DETAILED.has(code) ? sentence(problem.detail ?? "") : "");
  return { title, text: [said, advice].filter(Boolean).join(" "), retry: RETRY[code] };
}

// Refusals of which the service tells more than the page knows.
const DETAILED = new Set(["blocked", "forbidden", "invalid_request", "model_not_allowed"]);

function sentence(text) {
  const whole = text.charAt(0).toLocaleUpperCase(LANGUAGE) + text.slice(1);
  return !whole || /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

function quotaExceeded({ quota, limit, used, budget, resetsAt }) {
  const texts = REFUSALS.quota;
  if (quota === "budget") {
    return { title: texts.budget, text: texts.budgetText(dollars(budget.used), dollars(budget.limit), date(resetsAt)), retry: false };
  }
  const numbers = limit === undefined ? "" : texts.numbers(number(used ?? limit), number(limit));
  const until = resetsAt ? texts.renewed(date(resetsAt)) : "";
  const tokens = quota === "tokens";
  const text = (tokens ? texts.tokensText : texts.requestsText)(numbers) + until;
  return { title: tokens ? texts.tokens : texts.requests, text, retry: false };
}

function fields(problem) {
  return (problem.errors ?? []).map(({ field, message }) => `${field}: ${message}.`).join(" ");
}

function again(seconds) {
  return seconds ? REFUSALS.againIn(seconds) : REFUSALS.again;
}

/** A number as people write it. */
export const number = (n) => new Intl.NumberFormat(LANGUAGE).format(n);

/** An amount of dollars, down to a hundredth of a cent. */
export const dollars = (n) =>
  new Intl.NumberFormat(LANGUAGE, { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: 4 }).format(n);

/** A number in few characters: 49.99M for 49,990,383. */
export const short = (n) => new Intl.NumberFormat(LANGUAGE, { notation: "compact", maximumSignificantDigits: 4 }).format(n);

/** A date with its time, in the reader's time zone. */
export function date(iso) {
  const options = { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat(LANGUAGE === "en" ? "en-GB" : LANGUAGE, options).format(new Date(iso));
}
