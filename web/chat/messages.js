import { AnswerView } from "./answer.js";
import { $ } from "./dom.js";
import { QuestionView } from "./question.js";

// Nearer to the end than this, in pixels, the reader is taken along.
const NEAR = 60;

/** Shows the path through one conversation. */
export class Messages {
  #list = $("messages");
  #scroller = $("scroller");
  #toBottom = $("to-bottom");
  #views = new Map(); // message id -> its view
  #thread = null;
  #network;
  #planned = false;
  #following = true;
  #on;

  /**
   * @param {import("./network.js").Network} network
   * @param {object} on edit(message, text, attachments), startEditing(id), again(answer),
   *   proceed(answer), choose(message), remove(answer)
   */
  constructor(network, on) {
    this.#network = network;
    this.#on = on;
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#toBottom.addEventListener("click", () => this.follow());
  }

  /** Shows a conversation from its end. */
  show(thread) {
    this.#thread = thread;
    this.#views.clear();
    this.#draw();
    this.follow();
  }

  /** Shows it as it is now, at the next frame. */
  update() {
    if (this.#planned) return;
    this.#planned = true;
    requestAnimationFrame(() => {
      this.#planned = false;
      this.#draw();
    });
  }

  /** Opens the editor of a message. */
  edit(id) {
    this.#views.get(id)?.edit();
  }

  clear() {
    this.#thread = null;
    this.#list.replaceChildren();
    this.#views.clear();
  }

  /** Scrolls to the end and stays there as text comes. */
  follow() {
    this.#following = true;
    this.#toBottom.hidden = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #draw() {
    if (!this.#thread) return;
    const elements = this.#thread.path().map((message) => {
      const view = this.#view(message);
      view.draw(message, this.#thread.siblings(message), this.#network);
      return view.element;
    });
    this.#arrange(elements);
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #view(message) {
    let view = this.#views.get(message.id);
    if (!view) {
      view = message.role === "user" ? new QuestionView(message, this.#on) : new AnswerView(message, this.#on);
      this.#views.set(message.id, view);
    }
    return view;
  }

  // What stays is not touched: it may have the focus or a selection.
  #arrange(elements) {
    elements.forEach((element, i) => {
      const there = this.#list.children[i];
      if (there !== element) this.#list.insertBefore(element, there ?? null);
    });
    while (this.#list.children.length > elements.length) this.#list.lastElementChild.remove();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR;
    this.#toBottom.hidden = this.#following;
  }
}
