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
    return this.status === 503 || this.status === 504;
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
  constructor(code, message) {
    super(message || code);
    this.name = "AuthError";
    this.code = code;
  }
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
