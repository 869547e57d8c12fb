import { $, say } from "./dom.js";
import { Files } from "./files.js";

const MAX_HEIGHT = 220;

/** The box in which a message is written. */
export class Composer {
  #prompt = $("prompt");
  #open = false; // whether an answer is being written
  #stopping = false;
  #files = new Files({ changed: () => this.#changed(), refused: (text) => this.notice(text) });
  #on;

  /**
   * @param {object} on send(text, files), stop(), written(text)
   */
  constructor(on) {
    this.#on = on;
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#prompt.addEventListener("keydown", (event) => this.#key(event));
    this.#prompt.addEventListener("input", () => {
      this.#changed();
      on.written(this.#prompt.value);
    });
    $("stop").addEventListener("click", () => this.#stop());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) this.#stop();
    });
  }

  /** Shows whether an answer is being written, and being stopped. */
  show(open, stopping) {
    const hadFocus = document.activeElement === $("stop");
    this.#open = open;
    this.#stopping = stopping;
    $("stop").hidden = !open;
    $("stop").setAttribute("aria-disabled", String(stopping)); // disabled, it would lose the focus
    this.#changed();
    if (hadFocus && !open) this.focus();
  }

  /** On a touch screen the focus would open the keyboard, which is not asked for. */
  focus() {
    if (!matchMedia("(pointer: coarse)").matches) this.#prompt.focus();
  }

  /** Puts a text into the box, if it is empty. */
  suggest(text) {
    if (this.#prompt.value === "") this.fill(text);
    this.#on.written(this.#prompt.value);
    this.focus();
  }

  /** Has a text stand in the box. */
  fill(text) {
    this.#prompt.value = text;
    this.#changed();
  }

  /** Shows what the user has to know, "" for nothing. */
  notice(text) {
    say($("notice"), text);
  }

  // Enter is the end of a composed character, too, in which case it is not
  // meant for the page.
  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#send();
  }

  #send() {
    const text = this.#prompt.value.trim();
    if (text === "" && !this.#files.some) return;
    this.fill("");
    this.notice("");
    this.#on.send(text, this.#files.take());
  }

  #stop() {
    if (this.#open && !this.#stopping) this.#on.stop();
  }

  #changed() {
    const blank = this.#prompt.value.trim() === "" && !this.#files.some;
    $("send").disabled = blank;
    $("send").hidden = this.#open && blank;
    this.#prompt.style.height = "auto";
    this.#prompt.style.height = `${Math.min(MAX_HEIGHT, this.#prompt.scrollHeight)}px`;
  }
}
