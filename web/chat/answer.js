import { AnswerText } from "./answertext.js";
import { copyButton, h, icon, iconButton } from "./dom.js";
import { isCut, noteOf } from "./status.js";
import { TEXTS } from "./texts.js";
import { isOpen } from "./thread.js";
import { variants } from "./variants.js";

/** An answer, with what can be done about it. */
export class AnswerView {
  element;
  #text = new AnswerText();
  #reasoning = h("p", { dir: "auto" });
  #thoughts = h("details", { class: "reasoning", hidden: true }, h("summary", {}, TEXTS.message.reasoning), this.#reasoning);
  #tools = h("div", { class: "tools" });
  #waiting = h("p", { class: "waiting" }, h("span", { class: "visually-hidden" }, TEXTS.waiting.answer));
  #problem = h("div", { class: "problem", hidden: true });
  #foot = h("div", { class: "foot" });
  #footShows = "";
  #message;
  #on;

  constructor(message, on) {
    this.#on = on;
    this.element = h(
      "li", { class: "turn answer", "data-role": "assistant", "data-message": message.id },
      h("h2", { class: "visually-hidden" }, TEXTS.message.answer), this.#thoughts, this.#text.element, this.#tools, this.#waiting, this.#problem, this.#foot,
    );
  }

  draw(message, siblings, network) {
    const open = isOpen(message);
    if (message !== this.#message) {
      this.#message = message;
      this.#text.show(message.text, !open);
      this.#drawThoughts(message);
      this.element.dataset.state = message.state;
      this.element.setAttribute("aria-busy", String(open));
      this.#waiting.hidden = message.text !== "" || (message.state !== "open" && message.state !== "sending");
      this.#drawProblem(message);
    }
    this.#drawFoot(message, siblings, noteOf(message, network));
  }

  #drawThoughts({ reasoning = "", tools = [] }) {
    this.#thoughts.hidden = reasoning === "";
    if (this.#reasoning.textContent !== reasoning) this.#reasoning.textContent = reasoning;
    if (this.#tools.children.length !== tools.length) this.#tools.replaceChildren(...tools.map(toolCall));
  }

  #drawProblem({ state, problem }) {
    const shown = (state === "failed" || state === "refused") && problem;
    this.#problem.hidden = !shown;
    if (!shown) return;
    const { title, text } = problem.held ? TEXTS.held : problem;
    this.#problem.replaceChildren(h("strong", {}, title), h("span", {}, text));
  }

  // The buttons are kept while nothing about them changes, for whoever has
  // the focus on one.
  #drawFoot(message, siblings, note) {
    const actions = this.#actions(message);
    const shows = JSON.stringify([note, message.text !== "", isOpen(message), Object.keys(actions), siblings.map(({ id }) => id)]);
    if (shows === this.#footShows) return;
    this.#footShows = shows;
    const copy = !isOpen(message) && message.text ? [copyButton(TEXTS.message.copyAnswer, () => this.#message.text)] : [];
    this.#foot.replaceChildren(
      ...copy,
      ...variants(message, siblings, this.#on.choose),
      ...Object.values(actions),
      ...(note ? [h("span", { class: "fine note-below" }, note)] : []),
    );
  }

  /** What can be done about an answer, by name. */
  #actions(message) {
    const { state, text, problem } = message;
    const texts = TEXTS.message;
    const again = () => this.#on.again(this.#message);
    const edit = () => this.#on.startEditing(this.#message.parent);
    if (state === "queued") return { edit: button("pencil", texts.edit, edit), remove: button("trash", texts.remove, () => this.#on.remove(this.#message)) };
    if (isOpen(message)) return {};
    if (state === "refused") {
      const offered = { edit: button("pencil", texts.edit, edit) };
      if (problem?.held) return { now: button("send", texts.sendNow, again), ...offered, remove: button("trash", texts.remove, () => this.#on.remove(this.#message)) };
      return { again: button("retry", texts.tryAgain, again), ...offered };
    }
    const empty = text.trim() === "";
    if (state === "done" && !empty) {
      const more = isCut(message) ? { proceed: button("play", texts.proceed, () => this.#on.proceed(this.#message)) } : {};
      return { ...more, regenerate: iconButton("retry", texts.regenerate, again, { class: "icon regenerate" }) };
    }
    if (state === "failed" && problem?.retry === false) return { edit: button("pencil", texts.edit, edit) };
    return { again: button("retry", texts.tryAgain, again) };
  }
}

function toolCall({ name, input }) {
  const json = h("pre", { tabindex: "0", dir: "ltr" }, JSON.stringify(input, null, 2));
  return h("details", { class: "tool" }, h("summary", {}, TEXTS.message.tool(name)), json);
}

function button(name, label, onclick) {
  return h("button", { type: "button", class: `ghost action ${name}`, onclick }, icon(name), label);
}
