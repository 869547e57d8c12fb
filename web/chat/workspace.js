import { StreamingClient } from "../lib/client.js";
import { isSignedOut } from "../lib/errors.js";
import { Announcer } from "./announcer.js";
import { Answers } from "./answers.js";
import { Composer } from "./composer.js";
import { showConnection } from "./connection.js";
import { $, h, openDialog } from "./dom.js";
import { Messages } from "./messages.js";
import { Sidebar } from "./sidebar.js";
import { isOpen, newConversation, Store, titleOf } from "./store.js";
import { showUsage } from "./usage.js";

const SUGGESTIONS = [
  "Explain how a message queue keeps work from being lost.",
  "Write a short poem about a river that never stops.",
  "What makes an apology a good one?",
];

/** What a signed-in user works with. The page makes it once and opens it for
 * whoever signs in. */
export class Workspace {
  #config;
  #onSignedOut;
  #client = null;
  #session = null;
  #store = null;
  #answers = null;
  #conversations = [];
  #current = null;
  #messages = new Messages({
    retry: (turn) => this.#retry(turn),
    isStopping: (turn) => this.#answers.isStopping(turn),
  });
  #composer = new Composer({ send: (text) => this.#send(text), stop: () => this.#stop() });
  #sidebar = new Sidebar({
    select: (conversation) => this.#select(conversation),
    create: () => this.#select(this.#create()),
    rename: (conversation, title) => this.#rename(conversation, title),
    remove: (conversation) => this.#remove(conversation),
  });
  #announcer = new Announcer((text) => ($("announcer").textContent = text));

  /**
   * @param {import("../lib/auth.js").Config} config
   * @param {(note: string) => void} onSignedOut
   */
  constructor(config, onSignedOut) {
    this.#config = config;
    this.#onSignedOut = onSignedOut;
    $("instructions").addEventListener("click", () => this.#editInstructions());
    $("instructions-form").addEventListener("submit", (event) => this.#saveInstructions(event));
    $("suggestions").append(...SUGGESTIONS.map((text) =>
      h("li", {}, h("button", { type: "button", class: "suggestion", onclick: () => this.#composer.suggest(text) }, text))));
    addEventListener("online", () => this.#client?.wake());
    addEventListener("storage", (event) => this.#changedElsewhere(event.key));
    document.addEventListener("visibilitychange", () => document.hidden || this.#client?.wake());
  }

  /** Opens the workspace of a user. */
  open(session) {
    const { sub, email } = session.claims;
    this.#session = session;
    this.#client = new StreamingClient(this.#config, session, { onConnection: showConnection });
    this.#store = new Store(localStorage, sub);
    this.#store.onFull = () => this.#composer.notice("This browser has no room left: delete conversations that you no longer need.");
    this.#answers = new Answers(this.#client, this.#store, this.#answerEvents());
    $("account-name").textContent = email ?? "";
    $("chat-view").hidden = $("skip").hidden = false;
    this.#conversations = this.#store.all();
    this.#client.connect();
    for (const conversation of this.#conversations) this.#answers.resume(conversation);
    this.#select(this.#conversations[0] ?? this.#create());
    this.#refreshUsage();
  }

  /** Closes it; conversations stay in the browser, requests go on. */
  close() {
    this.#client?.close();
    this.#client = this.#session = null;
    this.#current = null;
    $("chat-view").hidden = $("skip").hidden = true;
    $("messages").replaceChildren();
    document.title = "Streaming Service";
  }

  #answerEvents() {
    const shown = (conversation) => conversation === this.#current;
    return {
      changed: (conversation, turn) => shown(conversation) && this.#changed(turn),
      delta: (conversation, _, text) => shown(conversation) && this.#announcer.add(text),
      restarted: () => this.#announcer.clear(),
      ended: (conversation, turn) => this.#ended(conversation, turn),
      quota: (usage) => showUsage(usage),
      signedOut: () => this.#signedOut("Your session has ended. Sign in again."),
    };
  }

  #select(conversation) {
    this.#current = conversation;
    this.#announcer.clear();
    this.#messages.show(conversation);
    this.#composer.notice("");
    this.#showList();
    this.#showState();
    this.#composer.focus();
  }

  // A conversation is kept once something was said in it.
  #create() {
    return newConversation(crypto.randomUUID(), Date.now());
  }

  #send(text) {
    if (!this.#conversations.includes(this.#current)) this.#conversations.unshift(this.#current);
    this.#messages.update(this.#answers.ask(this.#current, text));
    this.#messages.follow();
    this.#toTop(this.#current);
  }

  #retry(turn) {
    this.#answers.retry(this.#current, turn);
    this.#toTop(this.#current);
    this.#composer.focus();
  }

  #stop() {
    const turn = this.#openTurn();
    if (turn) this.#answers.stop(this.#current, turn);
  }

  #openTurn() {
    return this.#current?.turns.find((turn) => isOpen(turn.answer));
  }

  #changed(turn) {
    this.#messages.update(turn);
    this.#showState();
  }

  #ended(conversation, { answer }) {
    this.#showList();
    this.#refreshUsage();
    if (conversation !== this.#current) return;
    const endings = { done: "Answer complete.", stopped: "Answer stopped." };
    this.#announcer.end(endings[answer.state] ?? `${answer.problem?.title}. ${answer.problem?.text}`);
  }

  #showState() {
    const turn = this.#openTurn();
    this.#composer.show(turn !== undefined, turn !== undefined && this.#answers.isStopping(turn));
    const title = titleOf(this.#current);
    $("title").textContent = title;
    document.title = `${title} – Streaming Service`;
    $("empty").hidden = this.#current.turns.length > 0;
    $("instructions").classList.toggle("set", this.#current.instructions.trim() !== "");
  }

  #showList() {
    this.#sidebar.show(this.#conversations, this.#current);
  }

  #toTop(conversation) {
    this.#conversations = [conversation, ...this.#conversations.filter((other) => other !== conversation)];
    this.#showList();
    this.#showState();
  }

  #rename(conversation, title) {
    conversation.title = title;
    if (conversation.turns.length > 0) this.#store.save(conversation);
    this.#showList();
    this.#showState();
  }

  #remove(conversation) {
    this.#answers.drop(conversation);
    this.#store.remove(conversation.id);
    this.#conversations = this.#conversations.filter((other) => other !== conversation);
    if (conversation === this.#current) this.#select(this.#conversations[0] ?? this.#create());
    else this.#showList();
  }

  #editInstructions() {
    $("instructions-text").value = this.#current.instructions;
    openDialog($("instructions-dialog"));
  }

  #saveInstructions(event) {
    event.preventDefault();
    $("instructions-dialog").close();
    this.#current.instructions = $("instructions-text").value;
    if (this.#current.turns.length > 0) this.#store.save(this.#current);
    this.#showState();
  }

  // Another tab has changed the conversations. Those that are being answered
  // here are kept as they are here.
  #changedElsewhere(name) {
    if (!this.#client || !this.#store.owns(name)) return;
    const here = new Map(this.#conversations.map((conversation) => [conversation.id, conversation]));
    const busy = (conversation) => conversation.turns.some((turn) => isOpen(turn.answer));
    this.#conversations = this.#store.all().map((stored) => {
      const mine = here.get(stored.id);
      return mine && (busy(mine) || mine === this.#current && mine.updatedAt >= stored.updatedAt) ? mine : stored;
    });
    for (const conversation of this.#conversations) this.#answers.follow(conversation);
    const current = this.#conversations.find((conversation) => conversation.id === this.#current.id);
    if (current && current !== this.#current) {
      this.#current = current;
      this.#messages.show(current);
      this.#showState();
    }
    this.#showList();
  }

  async #refreshUsage() {
    try {
      showUsage(await this.#client?.usage());
    } catch (error) {
      if (isSignedOut(error)) this.#signedOut("Your session has ended. Sign in again.");
    }
  }

  /** Ends the session, with a note for the user. */
  async signOut(note) {
    const session = this.#session;
    this.#signedOut(note);
    await session?.signOut().catch(() => {});
  }

  #signedOut(note) {
    if (!this.#session) return;
    this.close();
    this.#onSignedOut(note);
  }
}
