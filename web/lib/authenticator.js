/** An authenticator app that is being set up. */
export class Authenticator {
  #verify;

  /**
   * @param {string} secret what the user gives to the app, in base32
   * @param {string} email the user, as the app names the account
   * @param {(code: string) => Promise<any>} verify
   */
  constructor(secret, email, verify) {
    this.secret = secret;
    this.email = email;
    this.#verify = verify;
  }

  /** The secret as apps read it from a link or a QR code; issuer names the service there. */
  uri(issuer) {
    const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(this.email)}`;
    return `otpauth://totp/${label}?secret=${this.secret}&issuer=${encodeURIComponent(issuer)}`;
  }

  /**
   * Ends the set-up with a code that the app shows. After an AuthError of
   * EnableSoftwareTokenMFAException it takes another one.
   */
  verify(code) {
    return this.#verify(code);
  }
}
