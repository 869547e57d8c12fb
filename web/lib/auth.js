import { Authenticator } from "./authenticator.js";
import { AuthError, ChallengeError, NetworkError } from "./errors.js";
import { Session } from "./session.js";

/**
 * Where a service is: the outputs of its Pulumi stack.
 * @typedef {object} Config
 * @property {string} restUrl
 * @property {string} webSocketUrl
 * @property {string} region
 * @property {string} userPoolClientId
 * @property {string} [cognitoEndpoint] overrides the regional endpoint of Cognito
 * @property {{mfa?: "OFF"|"OPTIONAL"|"ON", passwordMinimumLength?: string, selfSignUp?: "true"|"false"}} [signIn] rules of the user pool; {} if they are not known
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
    const answer = await this.callAsClient("SignUp", { Username: email, Password: password, UserAttributes });
    return { confirmed: answer.UserConfirmed === true };
  }

  confirmSignUp(email, code) {
    return this.callAsClient("ConfirmSignUp", { Username: email, ConfirmationCode: code });
  }

  resendCode(email) {
    return this.callAsClient("ResendConfirmationCode", { Username: email });
  }

  /** Has a code for resetPassword mailed. */
  forgotPassword(email) {
    return this.callAsClient("ForgotPassword", { Username: email });
  }

  resetPassword(email, code, password) {
    return this.callAsClient("ConfirmForgotPassword", { Username: email, ConfirmationCode: code, Password: password });
  }

  /**
   * Fails with an AuthError if Cognito refuses, with a ChallengeError if it
   * asks for more: NEW_PASSWORD_REQUIRED is answered with setNewPassword,
   * SOFTWARE_TOKEN_MFA with sendCode, MFA_SETUP with setUpAuthenticator. Each
   * of them may fail with the next ChallengeError.
   * @returns {Promise<Session>}
   */
  async signIn(email, password) {
    const AuthParameters = { USERNAME: email, PASSWORD: password };
    return this.#session(email, await this.callAsClient("InitiateAuth", { AuthFlow: "USER_PASSWORD_AUTH", AuthParameters }));
  }

  /**
   * Replaces the temporary password of a user whom an administrator created.
   * @param {ChallengeError} challenge
   */
  setNewPassword(challenge, password) {
    return this.#respond(challenge, challenge.session, { NEW_PASSWORD: password });
  }

  /**
   * Sends the code that the user's authenticator app shows. After an AuthError
   * of CodeMismatchException or, for a code that was used before,
   * ExpiredCodeException, the challenge takes another one.
   * @param {ChallengeError} challenge
   */
  sendCode(challenge, code) {
    return this.#respond(challenge, challenge.session, { SOFTWARE_TOKEN_MFA_CODE: code });
  }

  /**
   * Begins the set-up of an authenticator app that the user pool demands. Its
   * verify gives the Session.
   * @param {ChallengeError} challenge
   * @returns {Promise<Authenticator>}
   */
  async setUpAuthenticator(challenge) {
    const { SecretCode, Session } = await this.call("AssociateSoftwareToken", { Session: challenge.session });
    return new Authenticator(SecretCode, challenge.email, async (UserCode) => {
      const verified = await this.call("VerifySoftwareToken", { Session, UserCode });
      return this.#respond(challenge, verified.Session, {});
    });
  }

  /** Continues a session by its refresh token. */
  restore(refreshToken) {
    return new Session(this, this.#env, { RefreshToken: refreshToken });
  }

  /** Makes one call of Cognito's JSON API that names the app client. */
  callAsClient(operation, input) {
    return this.call(operation, { ClientId: this.#clientId, ...input });
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
        body: JSON.stringify(input),
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

  async #respond({ challenge: ChallengeName, email, userId }, Session, answers) {
    const ChallengeResponses = { USERNAME: userId, ...answers };
    return this.#session(email, await this.callAsClient("RespondToAuthChallenge", { ChallengeName, Session, ChallengeResponses }));
  }

  #session(email, answer) {
    if (answer.AuthenticationResult) return new Session(this, this.#env, answer.AuthenticationResult);
    const userId = answer.ChallengeParameters?.USER_ID_FOR_SRP ?? email;
    throw new ChallengeError(answer.ChallengeName, email, answer.Session, userId);
  }
}

function cognitoUrl(config) {
  if (config.cognitoEndpoint) return config.cognitoEndpoint.replace(/\/?$/, "/");
  const suffix = config.region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return `https://cognito-idp.${config.region}.${suffix}/`;
}

function parse(body) {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
}
