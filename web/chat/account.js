import { showAuthenticator } from "./authenticatorview.js";
import { $, openDialog, say } from "./dom.js";
import { describeSignIn } from "./signinproblems.js";
import { TEXTS } from "./signintexts.js";

const { account: texts } = TEXTS;

/** The dialog about the user's account: two-step sign-in and signing out. */
export class Account {
  #session = null;
  #mfa;
  #onSignOut;
  #app = null; // the authenticator app that is being set up
  #busy = false;

  /**
   * @param {import("../lib/auth.js").Config} config
   * @param {(choice: {wipe: boolean}) => void} onSignOut
   */
  constructor(config, onSignOut) {
    this.#mfa = config.signIn?.mfa ?? "";
    this.#onSignOut = onSignOut;
    $("account").addEventListener("click", () => this.#open());
    $("two-step-set-up").addEventListener("click", () => this.#attempt(() => this.#setUp()));
    $("two-step-turn-off").addEventListener("click", () => this.#attempt(() => this.#turnOff()));
    $("two-step-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#attempt(() => this.#verify());
    });
    $("sign-out-form").addEventListener("submit", (event) => {
      event.preventDefault();
      $("account-dialog").close();
      this.#onSignOut({ wipe: $("sign-out-wipe").checked });
    });
    $("account-dialog").addEventListener("close", () => this.#forget());
  }

  /** Is about the user of a session, or about none. */
  use(session) {
    this.#session = session;
    if (!session) $("account-dialog").close();
  }

  #open() {
    $("sign-out-wipe").checked = false;
    $("account-email").textContent = this.#session?.claims.email ?? "";
    $("two-step").hidden = this.#mfa === "OFF";
    say($("two-step-note"), "");
    this.#show(null);
    openDialog($("account-dialog"));
    if (this.#mfa !== "OFF") this.#attempt(() => this.#ask());
  }

  async #ask() {
    this.#show(await this.#session.asksForCodes());
  }

  /** Shows whether codes are asked for; null: it is not known. */
  #show(on) {
    this.#forget();
    say($("two-step-state"), on === null ? "" : on ? texts.on : texts.off);
    $("two-step-set-up").hidden = on === null;
    $("two-step-set-up").textContent = on ? texts.replace : texts.setUp;
    $("two-step-turn-off").hidden = !on || this.#mfa === "ON";
  }

  #forget() {
    this.#app = null;
    $("two-step-form").hidden = true;
    $("two-step-code").value = "";
    $("two-step-app").replaceChildren();
    say($("two-step-error"), "");
  }

  async #setUp() {
    this.#app = await this.#session.setUpAuthenticator();
    showAuthenticator($("two-step-app"), this.#app);
    say($("two-step-note"), "");
    $("two-step-form").hidden = false;
    $("two-step-code").focus();
  }

  async #verify() {
    const code = $("two-step-code").value.replace(/\s/g, "");
    if (!code) return this.#complain(TEXTS.missing.code);
    await this.#app.verify(code);
    this.#show(true);
    say($("two-step-note"), texts.verified);
    $("two-step-set-up").focus();
  }

  async #turnOff() {
    await this.#session.removeAuthenticator();
    const on = await this.#session.asksForCodes(); // a pool that requires them lets nobody turn them off
    this.#show(on);
    say($("two-step-note"), on ? TEXTS.problems.mfaRequired : texts.turnedOff);
    $("two-step-set-up").focus();
  }

  async #attempt(step) {
    if (this.#busy) return;
    this.#busy = true;
    say($("two-step-error"), "");
    const session = this.#session;
    try {
      await step();
    } catch (error) {
      if (session === this.#session) this.#complain(describeSignIn(error, true));
    } finally {
      this.#busy = false;
    }
  }

  #complain(text) {
    say($("two-step-error"), text);
    if (!$("two-step-form").hidden) $("two-step-code").focus();
  }
}
