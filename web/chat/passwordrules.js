import { h } from "./dom.js";
import { TEXTS } from "./signintexts.js";

// What the component's user pool demands unless it is told otherwise.
const DEFAULT_LENGTH = 12;

/**
 * The rules for passwords. Those of a user pool that the service adopted are
 * not known: then they are advice, and Cognito decides.
 */
export class PasswordRules {
  #list;
  #input;
  #rules;
  /** Whether a password that breaks a rule is refused for certain. */
  binding;

  /**
   * @param {HTMLElement} list where they are shown
   * @param {HTMLInputElement} input
   * @param {import("../lib/auth.js").Config} config
   */
  constructor(list, input, config) {
    const length = Number(config.signIn?.passwordMinimumLength ?? 0);
    this.binding = length > 0;
    this.#rules = rulesOf(length || DEFAULT_LENGTH);
    this.#list = list;
    this.#input = input;
    input.addEventListener("input", () => list.hidden || this.#show());
  }

  /** Shows them, or hides them where an existing password is asked for. */
  toggle(shown) {
    this.#list.hidden = !shown;
    if (shown) this.#show();
  }

  /** The texts of those that a password breaks. */
  broken(password) {
    return this.#rules.filter(({ holds }) => !holds(password)).map(({ text }) => text);
  }

  #show() {
    const password = this.#input.value;
    this.#list.replaceChildren(...this.#rules.map(({ text, holds }) => {
      const met = holds(password);
      const state = h("span", { class: "visually-hidden" }, met ? TEXTS.rules.met : TEXTS.rules.open);
      return h("li", { "data-met": String(met) }, state, text);
    }));
  }
}

/** As Cognito counts them: letters of any script have a case, characters are UTF-16 units. */
function rulesOf(length) {
  return [
    { text: TEXTS.rules.length(length), holds: (password) => password.length >= length },
    { text: TEXTS.rules.lower, holds: (password) => /\p{Ll}/u.test(password) },
    { text: TEXTS.rules.upper, holds: (password) => /\p{Lu}/u.test(password) },
    { text: TEXTS.rules.digit, holds: (password) => /\p{Nd}/u.test(password) },
  ];
}
