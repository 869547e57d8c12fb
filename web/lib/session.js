import { Authenticator } from "./authenticator.js";
import { AuthError } from "./errors.js";

// Between renewals that fail while the token is still valid, in ms.
const RENEWAL_PAUSE = 5_000;

/** A signed-in user, whose ID token is renewed before it expires. */
export class Session {
  refreshToken = "";
  #auth;
  #env;
  #idToken = "";
  #accessToken = "";
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

  /** Whether codes of an authenticator app are asked for at the user's sign-in. */
  async asksForCodes() {
    const { UserMFASettingList = [] } = await this.#call("GetUser", {});
    return UserMFASettingList.includes("SOFTWARE_TOKEN_MFA");
  }

  /**
   * Begins the set-up of an authenticator app, whose codes are asked for once
   * it is verified.
   * @returns {Promise<Authenticator>}
   */
  async setUpAuthenticator() {
    const { SecretCode } = await this.#call("AssociateSoftwareToken", {});
    return new Authenticator(SecretCode, this.claims.email ?? "", async (UserCode) => {
      await this.#call("VerifySoftwareToken", { UserCode });
      await this.#preferCodes(true);
    });
  }

  /** Has codes not asked for any more, where the user pool leaves that to users. */
  async removeAuthenticator() {
    await this.#preferCodes(false);
  }

  #preferCodes(Enabled) {
    return this.#call("SetUserMFAPreference", { SoftwareTokenMfaSettings: { Enabled, PreferredMfa: Enabled } });
  }

  // Makes a call about the user. The access token may have another life than
  // the ID token, so one that is refused is renewed once.
  async #call(operation, input) {
    const idToken = await this.idToken();
    try {
      return await this.#auth.call(operation, { AccessToken: this.#accessToken, ...input });
    } catch (error) {
      if (error.code !== "NotAuthorizedException") throw error;
    }
    await this.renew(idToken);
    return this.#auth.call(operation, { AccessToken: this.#accessToken, ...input });
  }

  /** Revokes the refresh token. ID tokens last until they expire. */
  async signOut() {
    const Token = this.refreshToken;
    this.refreshToken = this.#idToken = this.#accessToken = "";
    this.#life = this.#renewAfter = 0;
    if (Token) await this.#auth.callAsClient("RevokeToken", { Token });
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
      answer = await this.#auth.callAsClient("InitiateAuth", { AuthFlow: "REFRESH_TOKEN_AUTH", AuthParameters });
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
    this.#accessToken = result.AccessToken ?? "";
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

function decodeClaims(token) {
  const payload = token.split(".")[1] ?? "";
  try {
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}
