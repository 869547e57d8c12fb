import { AuthError, ChallengeError, NetworkError } from "./errors.js";

/**
 * Where a service is: the outputs of its Pulumi stack.
 * @typedef {object} Config
 * @property {string} restUrl
 * @property {string} webSocketUrl
 * @property {string} region
 * @property {string} userPoolClientId
 * @property {string} [cognitoEndpoint] overrides the regional endpoint of Cognito
 * @property {string} [demoUser]
 * @property {string} [demoPassword]
 */

/**
 * Reads the configuration of a service.
 * @param {string} url
 * @returns {Promise<Config>}
 */
export async function fetchConfig(url) {
  const response = await fetch(url, { cache: "no-store" });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const config = await response.json();
  for (const name of ["restUrl", "webSocketUrl", "userPoolClientId"]) {
    if (!config[name]) throw new Error(`${url} has no ${name}`);
  }
  return config;
}

/** Signs users of the service's Cognito user pool up and in. */
export class Auth {
  #endpoint;
  #clientId;
  #env;

  /**
   * @param {Config} config
   * @param {{fetch?: typeof fetch, now?: () => number, uptime?: () => number}} [env] for tests
   */
  constructor(config, env = {}) {
    this.#endpoint = cognitoUrl(config);
    this.#clientId = config.userPoolClientId;
    this.#env = { fetch: globalThis.fetch.bind(globalThis), now: Date.now, uptime: () => performance.now(), ...env };
  }

  /** Registers a user; Cognito then mails a code for confirmSignUp. */
  async signUp(email, password) {
    const UserAttributes = [{ Name: "email", Value: email }];
    const answer = await this.call("SignUp", { Username: email, Password: password, UserAttributes });
    return { confirmed: answer.UserConfirmed === true };
  }

  confirmSignUp(email, code) {
    return this.call("ConfirmSignUp", { Username: email, ConfirmationCode: code });
  }

  resendCode(email) {
    return this.call("ResendConfirmationCode", { Username: email });
  }

  /** Has a code for resetPassword mailed. */
  forgotPassword(email) {
    return this.call("ForgotPassword", { Username: email });
  }

  resetPassword(email, code, password) {
    return this.call("ConfirmForgotPassword", { Username: email, ConfirmationCode: code, Password: password });
  }

  /**
   * Fails with an AuthError if Cognito refuses, with a ChallengeError if it
   * asks for more.
   * @returns {Promise<Session>}
   */
  async signIn(email, password) {
    const AuthParameters = { USERNAME: email, PASSWORD: password };
    return this.#session(email, await this.call("InitiateAuth", { AuthFlow: "USER_PASSWORD_AUTH", AuthParameters }));
  }

  /**
   * Replaces the temporary password of a user whom an administrator created.
   * @param {ChallengeError} challenge
   */
  async setNewPassword(challenge, password) {
    const answer = await this.call("RespondToAuthChallenge", {
      ChallengeName: "NEW_PASSWORD_REQUIRED",
      Session: challenge.session,
      ChallengeResponses: { USERNAME: challenge.userId, NEW_PASSWORD: password },
    });
    return this.#session(challenge.email, answer);
  }

  /** Continues a session by its refresh token. */
  restore(refreshToken) {
    return new Session(this, this.#env, { RefreshToken: refreshToken });
  }

  /** Makes one call of Cognito's JSON API. */
  async call(operation, input) {
    let response, body;
    try {
      response = await this.#env.fetch(this.#endpoint, {
        method: "POST",
        headers: {
          "Content-Type": "application/x-amz-json-1.1",
          "X-Amz-Target": `AWSCognitoIdentityProviderService.${operation}`,
        },
        body: JSON.stringify({ ClientId: this.#clientId, ...input }),
      });
      body = await response.text();
    } catch (cause) {
      throw new NetworkError(cause);
    }
    const answer = parse(body);
    if (response.ok) return answer;
    const name = String(answer.__type ?? "UnknownError").replace(/^.*#/, "");
    throw new AuthError(name, answer.message ?? answer.Message ?? "", response.status);
  }

  #session(email, answer) {
    if (answer.AuthenticationResult) return new Session(this, this.#env, answer.AuthenticationResult);
    const userId = answer.ChallengeParameters?.USER_ID_FOR_SRP ?? email;
    throw new ChallengeError(answer.ChallengeName, email, answer.Session, userId);
  }
}

// Between renewals that fail while the token is still valid, in ms.
const RENEWAL_PAUSE = 5_000;

/** A signed-in user, whose ID token is renewed before it expires. */
export class Session {
  refreshToken = "";
  #auth;
  #env;
  #idToken = "";
  #receivedAt = { now: 0, uptime: 0 };
  #life = 0;
  #renewAfter = 0;
  #renewal = null;

  constructor(auth, env, result) {
    this.#auth = auth;
    this.#env = env;
    this.#take(result);
  }

  /**
   * The claims of the ID token, for display; {} before the first one.
   * @returns {{sub?: string, email?: string}}
   */
  get claims() {
    return decodeClaims(this.#idToken);
  }

  /** An ID token that is valid for some time yet. */
  async idToken() {
    if (this.#age() < this.#renewAfter) return this.#idToken;
    try {
      await this.#renew();
    } catch (error) {
      if (this.#age() >= this.#life) throw error;
    }
    return this.#idToken;
  }

  /** Replaces the ID token if it is still the one that was refused. */
  async renew(stale) {
    if (this.#idToken === stale) await this.#renew();
  }

  /** Revokes the refresh token. ID tokens last until they expire. */
  async signOut() {
    const Token = this.refreshToken;
    this.refreshToken = this.#idToken = "";
    this.#life = this.#renewAfter = 0;
    if (Token) await this.#auth.call("RevokeToken", { Token });
  }

  // All callers share one renewal.
  #renew() {
    this.#renewal ??= this.#refresh().finally(() => (this.#renewal = null));
    return this.#renewal;
  }

  async #refresh() {
    const refreshToken = this.refreshToken;
    if (!refreshToken) throw ended();
    let answer;
    try {
      const AuthParameters = { REFRESH_TOKEN: refreshToken };
      answer = await this.#auth.call("InitiateAuth", { AuthFlow: "REFRESH_TOKEN_AUTH", AuthParameters });
    } catch (error) {
      this.#renewAfter = Math.min(this.#life, this.#age() + RENEWAL_PAUSE);
      throw error;
    }
    if (this.refreshToken !== refreshToken) throw ended(); // signed out meanwhile
    this.#take(answer.AuthenticationResult ?? {});
  }

  // The life of the ID token is its own, which is not that of the access token,
  // and is counted from its receipt, so that a wrong clock does no harm.
  #take(result) {
    this.#idToken = result.IdToken ?? "";
    this.#receivedAt = { now: this.#env.now(), uptime: this.#env.uptime() };
    this.#life = lifeOf(this.#idToken, result.ExpiresIn ?? 0);
    this.#renewAfter = this.#life - Math.min(this.#life / 5, 120_000);
    this.refreshToken = result.RefreshToken ?? this.refreshToken;
  }

  // By the clock that went further: uptime stands still while the machine
  // sleeps, the other clock may be set back.
  #age() {
    const { now, uptime } = this.#receivedAt;
    return Math.max(this.#env.now() - now, this.#env.uptime() - uptime);
  }
}

function ended() {
  return new AuthError("NotAuthorizedException", "the session has ended, sign in again");
}

/** How long an ID token is valid from its issue on, in ms; without its own word for it, as long as the access token. */
function lifeOf(token, expiresIn) {
  const { iat, exp } = decodeClaims(token);
  return (exp > iat ? exp - iat : expiresIn) * 1_000;
}

function cognitoUrl(config) {
  if (config.cognitoEndpoint) return config.cognitoEndpoint.replace(/\/?$/, "/");
  const suffix = config.region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return `https://cognito-idp.${config.region}.${suffix}/`;
}

function decodeClaims(token) {
  const payload = token.split(".")[1] ?? "";
  try {
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}

function parse(body) {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
}
