import { showAuthenticator } from "./authenticatorview.js";
import { $, say } from "./dom.js";
import { PasswordRules } from "./passwordrules.js";
import { describeSignIn, fieldOf, isConfirmedAlready, isOver } from "./signinproblems.js";
import { TEXTS } from "./signintexts.js";

const { forms, notes, problems } = TEXTS;

/**
 * What the form asks for in each of its states. Its password is an existing one
 * or, with its rules, a new one; its code comes by e-mail or from an app.
 * @type {Record<string, {fields: string[], links: string[], password?: "current"|"new", code?: "mail"|"app", setUp?: boolean}>}
 */
const FORMS = {
  signIn: { fields: ["email", "password"], links: ["to-sign-up", "to-forgot"], password: "current" },
  signUp: { fields: ["email", "password"], links: ["to-sign-in"], password: "new" },
  confirm: { fields: ["code"], links: ["resend", "to-sign-in"], code: "mail" },
  forgot: { fields: ["email"], links: ["to-sign-in"] },
  reset: { fields: ["code", "password"], links: ["resend", "to-sign-in"], password: "new", code: "mail" },
  newPassword: { fields: ["password"], links: ["to-sign-in"], password: "new" },
  code: { fields: ["code"], links: ["to-sign-in"], code: "app" },
  setUp: { fields: ["code"], links: ["to-sign-in"], code: "app", setUp: true },
};
const FIELDS = ["email", "code", "password"];
const LINKS = ["to-sign-up", "to-forgot", "to-sign-in", "resend"];

/** The view in which a user signs in or up. */
export class SignIn {
  #auth;
  #config;
  #onSession;
  #rules;
  #form = "signIn";
  #challenge = null; // what Cognito waits for
  #app = null; // the authenticator app that is being set up
  #password = ""; // of a sign-up, until its e-mail is confirmed
  #busy = false;

  /**
   * @param {import("../lib/auth.js").Auth} auth
   * @param {import("../lib/auth.js").Config} config
   * @param {(session: import("../lib/session.js").Session) => void} onSession
   */
  constructor(auth, config, onSession) {
    this.#auth = auth;
    this.#config = config;
    this.#onSession = onSession;
    this.#rules = new PasswordRules($("password-rules"), $("password"), config);
    $("auth-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    $("auth-form").addEventListener("input", ({ target }) => target.removeAttribute("aria-invalid"));
    $("to-sign-up").addEventListener("click", () => this.#open("signUp"));
    $("to-forgot").addEventListener("click", () => this.#open("forgot"));
    $("to-sign-in").addEventListener("click", () => this.#open("signIn"));
    $("resend").addEventListener("click", () => this.#attempt(() => this.#resend()));
    $("reveal").addEventListener("click", () => this.#reveal($("password").type === "password"));
    $("demo").addEventListener("click", () => this.#attempt(() => this.#useDemo()));
  }

  /** Shows the form, with a note about why. */
  show(note = "") {
    $("sign-in-view").hidden = false;
    this.#open("signIn", note);
  }

  hide() {
    $("sign-in-view").hidden = true;
    this.#forget();
  }

  #open(name, note = "") {
    const form = FORMS[name];
    this.#form = name;
    if (name === "signIn") this.#forget();
    this.#name(name, form);
    for (const field of FIELDS) $(`${field}-field`).hidden = !form.fields.includes(field);
    for (const link of LINKS) $(link).hidden = !form.links.includes(link);
    if (this.#config.signIn?.selfSignUp === "false") $("to-sign-up").hidden = true;
    $("demo").hidden = name !== "signIn" || !this.#config.demoUser;
    $("authenticator").hidden = !form.setUp;
    $("password").value = $("code").value = "";
    this.#rules.toggle(form.password === "new");
    this.#showOutbox(form.code === "mail");
    this.#reveal(false);
    say($("form-note"), note);
    this.#complain("");
    const first = form.fields.find((field) => !$(field).value) ?? form.fields[0];
    $(first).focus();
  }

  #name(name, form) {
    $("form-title").textContent = forms[name].title;
    $("form-hint").textContent = forms[name].hint;
    $("auth-submit").textContent = forms[name].button;
    $("code-label").textContent = form.code === "app" ? TEXTS.appCode : TEXTS.mailedCode;
    $("password-label").textContent = form.password === "new" && name !== "signUp" ? TEXTS.newPassword : TEXTS.password;
    $("password").autocomplete = `${form.password ?? "current"}-password`;
  }

  // Only the local cloud has a demo user, and an outbox instead of mail.
  #showOutbox(mailed) {
    const { demoUser, cognitoEndpoint } = this.#config;
    $("outbox-note").hidden = !mailed || !demoUser || !cognitoEndpoint;
    if ($("outbox-note").hidden) return;
    $("outbox").href = `${cognitoEndpoint.replace(/\/$/, "")}/_local/outbox?to=${encodeURIComponent(this.#email)}`;
  }

  #reveal(shown) {
    $("password").type = shown ? "text" : "password";
    $("reveal").textContent = shown ? TEXTS.hide : TEXTS.show;
    $("reveal").setAttribute("aria-pressed", String(shown));
  }

  /** Forgets what is secret. */
  #forget() {
    this.#challenge = this.#app = null;
    this.#password = $("password").value = $("code").value = "";
    $("authenticator").replaceChildren();
  }

  get #email() {
    return $("email").value.trim();
  }

  #submit() {
    const form = FORMS[this.#form];
    const missing = form.fields.find((field) => $(field).value.trim() === "");
    if (missing) return this.#complain(TEXTS.missing[missing], missing);
    const password = $("password").value;
    const broken = form.password === "new" && this.#rules.binding ? this.#rules.broken(password) : [];
    if (broken.length > 0) return this.#complain(TEXTS.rules.unmet(broken), "password");
    const code = $("code").value.replace(/\s/g, "");
    this.#attempt(() => this.#steps[this.#form](this.#email, password, code));
  }

  #steps = {
    signIn: (email, password) => this.#enter(email, password),
    signUp: async (email, password) => {
      const { confirmed } = await this.#auth.signUp(email, password);
      if (confirmed) return this.#enter(email, password);
      this.#password = password;
      this.#open("confirm", notes.sent(email));
    },
    confirm: (email, _, code) => this.#confirm(email, code),
    forgot: async (email) => {
      await this.#auth.forgotPassword(email);
      this.#open("reset", notes.sentIfKnown(email));
    },
    reset: async (email, password, code) => {
      await this.#auth.resetPassword(email, code, password);
      await this.#enterOrAsk(email, password, notes.reset);
    },
    newPassword: (_, password) => this.#follow(this.#auth.setNewPassword(this.#challenge, password)),
    code: (_, __, code) => this.#follow(this.#auth.sendCode(this.#challenge, code)),
    setUp: (_, __, code) => this.#follow(this.#app.verify(code)),
  };

  async #enter(email, password) {
    try {
      await this.#follow(this.#auth.signIn(email, password));
    } catch (error) {
      if (error.code !== "UserNotConfirmedException") throw error;
      this.#password = password;
      this.#open("confirm", notes.unconfirmed);
    }
  }

  /** Goes on with the session of a sign-in, or to what Cognito asks for next. */
  async #follow(signingIn) {
    try {
      this.#onSession(await signingIn);
    } catch (error) {
      const next = { NEW_PASSWORD_REQUIRED: "newPassword", SOFTWARE_TOKEN_MFA: "code", MFA_SETUP: "setUp" }[error.challenge];
      if (!next) throw error;
      this.#challenge = error;
      if (next === "setUp") {
        this.#app = await this.#auth.setUpAuthenticator(error);
        showAuthenticator($("authenticator"), this.#app);
      }
      this.#open(next);
    }
  }

  async #confirm(email, code) {
    try {
      await this.#auth.confirmSignUp(email, code);
    } catch (error) {
      if (!isConfirmedAlready(error)) throw error;
      return this.#open("signIn", notes.confirmedAlready);
    }
    await this.#enterOrAsk(email, this.#password, notes.confirmed);
  }

  /** Signs in with the password that was just given, or asks for it once more. */
  async #enterOrAsk(email, password, note) {
    try {
      if (password) return await this.#enter(email, password);
    } catch {
      // The form is there for whatever it was.
    }
    this.#open("signIn", note);
  }

  async #useDemo() {
    const { demoUser, demoPassword } = this.#config;
    $("email").value = demoUser;
    try {
      await this.#enter(demoUser, demoPassword);
    } catch (error) {
      const changed = error.code === "NotAuthorizedException" && describeSignIn(error) === problems.wrongPassword;
      if (!changed) throw error;
      this.#complain(problems.demoChanged, "password");
    }
  }

  async #resend() {
    const email = this.#email;
    if (this.#form === "reset") await this.#auth.forgotPassword(email);
    else await this.#auth.resendCode(email);
    say($("form-note"), notes.sentAgain(email));
  }

  async #attempt(step) {
    if (this.#busy) return;
    this.#setBusy(true);
    this.#complain("");
    try {
      await step();
    } catch (error) {
      if (this.#challenge && isOver(error)) this.#open("signIn", notes.tookTooLong);
      else this.#complain(describeSignIn(error, FORMS[this.#form].code === "app"), fieldOf(error));
    } finally {
      this.#setBusy(false);
    }
  }

  /** Says what is wrong, and leads to the field in which it can be put right. */
  #complain(text, field) {
    say($("form-error"), text);
    for (const name of FIELDS) $(name).removeAttribute("aria-invalid");
    if (!field || $(`${field}-field`).hidden) return;
    $(field).setAttribute("aria-invalid", "true");
    $(field).focus();
  }

  #setBusy(busy) {
    this.#busy = busy;
    $("auth-submit").disabled = $("demo").disabled = busy;
    $("auth-form").setAttribute("aria-busy", String(busy));
  }
}
