import { $, say } from "./dom.js";
import { describeSignIn } from "./problems.js";

/**
 * What the form asks for and says in each of its states.
 * @type {Record<string, {title: string, hint: string, button: string, fields: string[], links: string[], password?: "current"|"new", passwordLabel?: string}>}
 */
const FORMS = {
  signIn: {
    title: "Sign in", hint: "Ask, and watch the answer being written.", button: "Sign in",
    fields: ["email", "password"], links: ["to-sign-up", "to-forgot"], password: "current",
  },
  signUp: {
    title: "Create an account", hint: "A code will be sent to your e-mail.", button: "Create account",
    fields: ["email", "password"], links: ["to-sign-in"], password: "new",
  },
  confirm: {
    title: "Confirm your e-mail", hint: "Enter the code that was sent to you.", button: "Confirm",
    fields: ["code"], links: ["resend", "to-sign-in"],
  },
  forgot: {
    title: "Forgot password", hint: "A code to set a new one will be sent to your e-mail.", button: "Send the code",
    fields: ["email"], links: ["to-sign-in"],
  },
  reset: {
    title: "Set a new password", hint: "Enter the code that was sent to you.", button: "Set password",
    fields: ["code", "password"], links: ["to-sign-in"], password: "new", passwordLabel: "New password",
  },
  newPassword: {
    title: "Choose a password", hint: "The one you were given was for the first time only.", button: "Set password",
    fields: ["password"], links: ["to-sign-in"], password: "new", passwordLabel: "New password",
  },
};

/** The view in which a user signs in or up. */
export class SignIn {
  #auth;
  #config;
  #onSession;
  #form = "signIn";
  #challenge = null;
  #busy = false;

  /**
   * @param {import("../lib/auth.js").Auth} auth
   * @param {import("../lib/auth.js").Config} config
   * @param {(session: object) => void} onSession
   */
  constructor(auth, config, onSession) {
    this.#auth = auth;
    this.#config = config;
    this.#onSession = onSession;
    $("auth-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    $("to-sign-up").addEventListener("click", () => this.#open("signUp"));
    $("to-forgot").addEventListener("click", () => this.#open("forgot"));
    $("to-sign-in").addEventListener("click", () => this.#open("signIn"));
    $("resend").addEventListener("click", () => this.#attempt(() => this.#resend()));
    $("reveal").addEventListener("click", () => this.#reveal($("password").type === "password"));
    $("demo").addEventListener("click", () => this.#attempt(() => this.#signIn(config.demoUser, config.demoPassword)));
  }

  /** Shows the form, with a note about why. */
  show(note = "") {
    $("sign-in-view").hidden = false;
    this.#open("signIn", note);
  }

  hide() {
    $("sign-in-view").hidden = true;
    $("password").value = "";
  }

  #open(name, note = "") {
    const form = FORMS[name];
    this.#form = name;
    $("form-title").textContent = form.title;
    $("form-hint").textContent = form.hint;
    $("auth-submit").textContent = form.button;
    for (const field of ["email", "code", "password"]) $(`${field}-field`).hidden = !form.fields.includes(field);
    for (const link of ["to-sign-up", "to-forgot", "to-sign-in", "resend"]) $(link).hidden = !form.links.includes(link);
    $("demo").hidden = name !== "signIn" || !this.#config.demoUser;
    $("password-label").textContent = form.passwordLabel ?? "Password";
    $("password").autocomplete = `${form.password ?? "current"}-password`;
    $("password").value = $("code").value = "";
    this.#reveal(false);
    say($("form-note"), note);
    say($("form-error"), "");
    const first = form.fields.find((field) => !$(field).value) ?? form.fields[0];
    $(first).focus();
  }

  #reveal(shown) {
    $("password").type = shown ? "text" : "password";
    $("reveal").textContent = shown ? "Hide" : "Show";
    $("reveal").setAttribute("aria-pressed", String(shown));
  }

  #submit() {
    const missing = FORMS[this.#form].fields.find((field) => $(field).value.trim() === "");
    if (missing) {
      say($("form-error"), missing === "email" ? "Enter your e-mail." : `Enter the ${missing}.`);
      $(missing).focus();
      return;
    }
    const email = $("email").value.trim();
    const code = $("code").value.trim();
    const password = $("password").value;
    this.#attempt(() => this.#steps[this.#form](email, password, code));
  }

  #steps = {
    signIn: (email, password) => this.#signIn(email, password),
    signUp: async (email, password) => {
      const { confirmed } = await this.#auth.signUp(email, password);
      if (confirmed) return this.#signIn(email, password);
      this.#open("confirm", `The code was sent to ${email}.`);
    },
    confirm: async (email, _, code) => {
      await this.#auth.confirmSignUp(email, code);
      this.#open("signIn", "Your e-mail is confirmed. Sign in with your password.");
    },
    forgot: async (email) => {
      await this.#auth.forgotPassword(email);
      this.#open("reset", `If there is an account, the code was sent to ${email}.`);
    },
    reset: async (email, password, code) => {
      await this.#auth.resetPassword(email, code, password);
      this.#open("signIn", "The password is set. Sign in with it.");
    },
    newPassword: async (_, password) => this.#onSession(await this.#auth.setNewPassword(this.#challenge, password)),
  };

  async #signIn(email, password) {
    try {
      this.#onSession(await this.#auth.signIn(email, password));
    } catch (error) {
      if (error.code === "UserNotConfirmedException") return this.#open("confirm", "Your e-mail is not confirmed yet.");
      if (error.challenge !== "NEW_PASSWORD_REQUIRED") throw error;
      this.#challenge = error;
      this.#open("newPassword");
    }
  }

  async #resend() {
    const email = $("email").value.trim();
    await this.#auth.resendCode(email);
    say($("form-note"), `The code was sent to ${email} again.`);
  }

  async #attempt(step) {
    if (this.#busy) return;
    this.#setBusy(true);
    say($("form-error"), "");
    try {
      await step();
    } catch (error) {
      say($("form-error"), describeSignIn(error));
    } finally {
      this.#setBusy(false);
    }
  }

  #setBusy(busy) {
    this.#busy = busy;
    $("auth-submit").disabled = $("demo").disabled = busy;
    $("auth-form").setAttribute("aria-busy", String(busy));
  }
}
