/** A refusal by the REST API. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {object} problem the RFC 9457 body, {} if there was none
   * @param {number} retryAfter seconds, 0 if the service did not say
   */
  constructor(status, problem = {}, retryAfter = 0) {
    super(problem.detail || problem.title || `the service answered ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.code = problem.code ?? "";
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** Whether the same call with the same key may be answered otherwise soon. */
  get temporary() {
    if (this.status === 429) return this.code === "rate_limited" || this.code === "";
    return (this.status === 503 && this.code !== "service_budget_exceeded") || this.status === 504;
  }
}

/** A file that cannot be part of a message. */
export class FileError extends Error {
  /**
   * @param {"format"|"size"|"empty"} code why
   * @param {string} message
   * @param {number} [limit] the most bytes that such a file may have
   */
  constructor(code, message, limit) {
    super(message);
    this.name = "FileError";
    this.code = code;
    this.limit = limit;
  }
}

/** An answer that did not come: the outcome is not known. */
export class NetworkError extends Error {
  constructor(cause) {
    super("the service cannot be reached", { cause });
    this.name = "NetworkError";
  }
}

/** A refusal by Amazon Cognito; code is the name of its exception. */
export class AuthError extends Error {
  constructor(code, message, status = 400) {
    super(message || code);
    this.name = "AuthError";
    this.code = code;
    this.status = status;
  }

  /**
   * Whether Cognito may answer the same call otherwise soon. A session whose
   * renewal failed with such an error has not ended.
   */
  get temporary() {
    return this.status >= 500 || this.status === 429 || ["TooManyRequestsException", "InternalErrorException"].includes(this.code);
  }
}

/**
 * Whether a call failed because the user has to sign in again.
 * @param {Error} error
 */
export function isSignedOut(error) {
  if (error.name === "AuthError") return !error.temporary;
  return error.name === "ApiError" && error.status === 401;
}

/** The password was right, but Cognito asks for more. */
export class ChallengeError extends Error {
  constructor(challenge, email, session, userId) {
    super(`the user pool asks for ${challenge}`);
    this.name = "ChallengeError";
    this.challenge = challenge;
    this.email = email;
    this.session = session;
    this.userId = userId;
  }
}
