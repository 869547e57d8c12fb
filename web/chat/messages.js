import { AnswerText, copyButton } from "./render.js";
import { $, h, icon } from "./dom.js";
import { number } from "./problems.js";
import { isOpen } from "./store.js";

/** Shows the turns of one conversation. */
export class Messages {
  #list = $("messages");
  #scroller = $("scroller");
  #toBottom = $("to-bottom");
  #views = new Map(); // turn id -> TurnView
  #dirty = new Set();
  #following = true;
  #on;

  /**
   * @param {object} on retry(turn), isStopping(turn)
   */
  constructor(on) {
    this.#on = on;
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#toBottom.addEventListener("click", () => this.follow());
  }

  /** Shows a conversation from its end. */
  show(conversation) {
    this.#views.clear();
    this.#list.replaceChildren();
    for (const turn of conversation.turns) this.update(turn);
    this.#draw();
    this.follow();
  }

  /** Shows a turn as it is now, at the next frame. */
  update(turn) {
    if (!this.#views.has(turn.id)) {
      const view = new TurnView(turn, this.#on);
      this.#views.set(turn.id, view);
      this.#list.append(view.question, view.answer);
    }
    if (this.#dirty.size === 0) requestAnimationFrame(() => this.#draw());
    this.#dirty.add(turn);
  }

  /** Scrolls to the end and stays there as text comes. */
  follow() {
    this.#following = true;
    this.#toBottom.hidden = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #draw() {
    for (const turn of this.#dirty) this.#views.get(turn.id)?.draw(turn);
    this.#dirty.clear();
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#following = scrollHeight - scrollTop - clientHeight < 60;
    this.#toBottom.hidden = this.#following;
  }
}

/** A question and its answer. */
class TurnView {
  #text = new AnswerText();
  #waiting = h("p", { class: "waiting" }, h("span", { class: "visually-hidden" }, "Waiting for the answer"));
  #problem = h("div", { class: "problem", hidden: true });
  #foot = h("div", { class: "foot" });
  #footShows = "";
  #on;

  constructor(turn, on) {
    this.#on = on;
    const asked = h("p", { class: "text" });
    asked.textContent = turn.prompt;
    this.question = h("li", { class: "turn question", "data-role": "user" }, h("h2", { class: "visually-hidden" }, "You said"), asked);
    this.answer = h(
      "li", { class: "turn answer", "data-role": "assistant", "data-turn": turn.id },
      h("h2", { class: "visually-hidden" }, "The answer"), this.#text.element, this.#waiting, this.#problem, this.#foot,
    );
  }

  draw(turn) {
    const { answer } = turn;
    this.#text.show(answer.text);
    this.answer.dataset.state = answer.state;
    this.answer.setAttribute("aria-busy", String(isOpen(answer)));
    this.#waiting.hidden = !(isOpen(answer) && answer.text === "");
    this.#drawProblem(turn);
    this.#drawFoot(turn);
  }

  #drawProblem({ answer }) {
    const problem = answer.state === "failed" ? answer.problem : null;
    this.#problem.hidden = !problem;
    if (problem) this.#problem.replaceChildren(h("strong", {}, problem.title), h("span", {}, problem.text));
  }

  // The buttons are kept while nothing about them changes, for whoever has
  // the focus on one.
  #drawFoot(turn) {
    const { answer } = turn;
    const note = noteOf(answer, this.#on.isStopping(turn));
    const shows = JSON.stringify([answer.state, note, answer.problem?.retry]);
    if (shows === this.#footShows) return;
    this.#footShows = shows;
    const parts = note ? [h("span", { class: "fine" }, note)] : [];
    if (!isOpen(answer) && answer.text) parts.push(copyButton("Copy the answer", () => answer.text));
    if (canRetry(answer)) parts.push(retryButton(() => this.#on.retry(turn)));
    this.#foot.replaceChildren(...parts);
  }
}

function canRetry(answer) {
  return answer.state === "stopped" || (answer.state === "failed" && answer.problem?.retry === true);
}

function retryButton(onclick) {
  return h("button", { type: "button", class: "ghost retry", onclick }, icon("retry"), "Try again");
}

/** What is said below an answer. */
export function noteOf(answer, stopping) {
  switch (answer.state) {
    case "sending":
    case "open":
      return stopping ? "Stopping…" : "";
    case "stopped":
      return "Stopped.";
    case "done":
      return [STOP_REASONS[answer.stopReason], tokens(answer.usage)].filter(Boolean).join(" · ");
    default:
      return "";
  }
}

const STOP_REASONS = {
  max_tokens: "Cut off at the longest length allowed",
  model_context_window_exceeded: "Cut off: the conversation is as long as the model can take",
  deadline: "Cut off at the longest time allowed",
  guardrail_intervened: "A guardrail intervened",
  content_filtered: "The content filter intervened",
};

function tokens(usage) {
  if (!usage) return "";
  const sum = usage.inputTokens + usage.outputTokens;
  return `${usage.estimated ? "about " : ""}${number(sum)} tokens`;
}
