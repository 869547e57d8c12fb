import { StreamingClient } from "../lib/client.js";
import { isSignedOut } from "../lib/errors.js";
import { Announcer } from "./announcer.js";
import { Answers } from "./answers.js";
import { Composer } from "./composer.js";
import { showConnection } from "./connection.js";
import { $, h, openDialog } from "./dom.js";
import { Drafts } from "./drafts.js";
import { Messages } from "./messages.js";
import { Models } from "./models.js";
import { Network } from "./network.js";
import { Sidebar } from "./sidebar.js";
import { Store } from "./store.js";
import { TEXTS } from "./texts.js";
import { isOpen, newConversation, Thread, titleOf } from "./thread.js";
import { download, fileOf, markdownOf, parseFile } from "./transfer.js";
import { showUsage } from "./usage.js";

// Quotas change without the page, too: by a grant, or on another device.
const USAGE_EVERY = 60_000;
// The draft of a conversation in which nothing was said yet.
const UNSAID = "new";

/** What a signed-in user works with. The page makes it once and opens it for
 * whoever signs in. */
export class Workspace {
  #config;
  #onSignedOut;
  #client = null;
  #session = null;
  #store = null;
  #drafts = null;
  #answers = null;
  #conversations = new Map();
  #open = new Map(); // ids of open answers -> their conversations
  #thread = new Thread(newConversation("", 0));
  #network = new Network();
  #messages = new Messages(this.#network, {
    edit: (message, text, attachments) => this.#edit(message, text, attachments),
    startEditing: (id) => this.#messages.edit(id),
    again: (answer) => this.#again(answer),
    proceed: () => this.#send(TEXTS.message.proceedPrompt),
    choose: (message) => this.#store.choose(message),
    remove: (answer) => this.#removeTurn(answer),
  });
  #composer = new Composer({
    send: (text, files) => this.#send(text, { attachments: files.map((file) => ({ name: file.name, blob: file })) }),
    stop: () => this.#stop(),
    written: (text) => this.#drafts?.keep(this.#draftOf(), text),
  });
  #sidebar = new Sidebar({
    select: (id) => this.#select(this.#conversations.get(id)),
    create: () => this.#select(this.#create()),
    rename: (id, title) => this.#store.changeConversation(id, { title }),
    remove: (ids) => this.#store.remove(...ids),
    search: (text) => this.#search(text),
    exportAll: async () => download("conversations.json", "application/json", await fileOf(this.#store)),
    importAll: (text) => this.#import(text),
  });
  #models = new Models((model) => this.#setConversation({ model }));
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
    $("export-one").addEventListener("click", () => this.#exportOne());
    $("suggestions").append(...TEXTS.suggestions.map((text) =>
      h("li", {}, h("button", { type: "button", class: "suggestion", onclick: () => this.#composer.suggest(text) }, text))));
    for (const event of ["online", "offline"]) addEventListener(event, () => this.#reach());
    document.addEventListener("visibilitychange", () => document.hidden || this.#seen());
    // A page that the browser keeps for going back must not keep an answer from
    // the other tabs.
    addEventListener("pagehide", () => this.#rest());
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
    setInterval(() => document.hidden || this.#refreshUsage(), USAGE_EVERY);
  }

  /** Opens the workspace of a user. */
  async open(session) {
    const { sub, email } = session.claims;
    this.#session = session;
    this.#client = new StreamingClient(this.#config, session, { onConnection: (connection) => this.#connection(connection) });
    this.#drafts = new Drafts(localStorage, sub);
    this.#store = await Store.open(sub);
    if (this.#session !== session) return this.#store.close(); // signed out meanwhile
    this.#store.onFull = () => this.#composer.notice(TEXTS.noRoom);
    this.#store.onChange = (change) => this.#changed(change);
    this.#answers = new Answers(this.#client, this.#store, this.#network, {
      quota: (usage) => showUsage(usage),
      signedOut: () => this.#signedOut(TEXTS.sessionEnded),
    });
    $("account-name").textContent = email ?? "";
    $("chat-view").hidden = $("skip").hidden = false;
    this.#client.connect();
    await this.#load();
    this.#refreshUsage();
    this.#offerModels();
  }

  /** Closes it; conversations stay in the browser, requests go on. */
  close() {
    this.#rest();
    this.#store?.close();
    this.#client = this.#session = this.#answers = this.#store = null;
    this.#conversations.clear();
    this.#open.clear();
    this.#thread = new Thread(newConversation("", 0));
    $("chat-view").hidden = $("skip").hidden = true;
    this.#messages.clear();
    this.#sidebar.clear();
    this.#composer.fill("");
    document.title = TEXTS.service;
  }

  #rest() {
    this.#answers?.close();
    this.#client?.close();
  }

  async #load() {
    const [conversations, open] = await Promise.all([this.#store.conversations(), this.#store.inState("queued", "sending", "open")]);
    for (const conversation of conversations) this.#conversations.set(conversation.id, conversation);
    for (const answer of open) this.#note(answer);
    await this.#select(this.#sorted()[0] ?? this.#create());
  }

  #sorted() {
    return [...this.#conversations.values()].sort((a, b) => b.updatedAt - a.updatedAt);
  }

  // A conversation is kept once something was said in it.
  #create() {
    return newConversation(crypto.randomUUID(), Date.now());
  }

  async #select(conversation) {
    const thread = new Thread(conversation);
    this.#thread = thread;
    const messages = await this.#store.messages(conversation.id);
    if (this.#thread !== thread) return; // another one was selected meanwhile
    for (const message of messages) thread.merge({ ...message, ...thread.get(message.id) });
    this.#announcer.clear();
    this.#messages.show(thread);
    this.#composer.notice("");
    this.#composer.fill(this.#drafts.get(this.#draftOf()));
    this.#showAll();
    this.#composer.focus();
  }

  // Everything that is done changes the store, here or in another tab; what is
  // shown follows from what the store tells.
  #changed({ conversations = [], messages = [], removedConversations = [], removedMessages = [] }) {
    for (const fields of conversations) this.#mergeConversation(fields);
    for (const fields of messages) this.#mergeMessage(fields);
    this.#thread.remove(removedMessages);
    for (const id of removedMessages) this.#open.delete(id);
    for (const id of removedConversations) this.#forget(id);
    if (removedMessages.length > 0) this.#answers.drop(new Set(removedMessages));
    const onlyGrown = conversations.length + removedConversations.length + removedMessages.length === 0 && messages.every(({ state, stopAsked }) => !state && !stopAsked);
    if (onlyGrown) this.#messages.update();
    else this.#showAll();
  }

  #mergeConversation(fields) {
    const before = this.#conversations.get(fields.id);
    if (!before && fields.opening === undefined) return;
    const conversation = { ...before, ...fields };
    this.#conversations.set(fields.id, conversation);
    if (this.#thread.conversation.id === fields.id) this.#thread.conversation = conversation;
  }

  #mergeMessage(fields) {
    if (fields.state) this.#note(fields);
    this.#answers.changed(fields);
    if (fields.conversation !== this.#thread.conversation.id) return;
    const merged = this.#thread.merge(fields);
    if (merged?.message.role === "assistant") this.#announce(merged.message, merged.before);
  }

  /** Notes whether an answer is open, and has it got if it is. */
  #note(answer) {
    const known = this.#open.has(answer.id);
    if (isOpen(answer)) {
      this.#open.set(answer.id, answer.conversation);
      if (!known) this.#answers.get(answer);
    } else if (known) {
      this.#open.delete(answer.id);
      this.#refreshUsage();
    }
  }

  #announce(message, before) {
    const said = before?.text ?? "";
    if (!message.text.startsWith(said)) this.#announcer.clear();
    else if (isOpen(message)) this.#announcer.add(message.text.slice(said.length));
    if (isOpen(message) || !before || !isOpen(before)) return;
    const { complete, announceStopped } = TEXTS.ended;
    const endings = { done: complete, stopped: announceStopped };
    this.#announcer.end(endings[message.state] ?? `${message.problem?.title}. ${message.problem?.text}`);
  }

  #forget(id) {
    this.#conversations.delete(id);
    this.#drafts.drop(id);
    const answers = [...this.#open].filter(([, conversation]) => conversation === id).map(([answer]) => answer);
    for (const answer of answers) this.#open.delete(answer);
    this.#answers.drop(new Set(answers));
    if (this.#thread.conversation.id === id) this.#select(this.#sorted()[0] ?? this.#create());
  }

  /** Says something, after what is shown or in the place of a message. */
  async #send(text, { parent = this.#thread.last?.id ?? null, attachments = [] } = {}) {
    const { conversation } = this.#thread;
    const at = Date.now();
    const question = { id: crypto.randomUUID(), conversation: conversation.id, parent, role: "user", at, text, attachments };
    const before = parent && this.#thread.get(parent);
    const state = before && isOpen(before) ? "queued" : "sending";
    this.#drafts.drop(this.#draftOf());
    await this.#store.add({ ...conversation, opening: conversation.opening || text.slice(0, 500) || attachments[0].name }, [question, this.#newAnswer(question, state)]);
    this.#messages.follow();
  }

  #newAnswer({ id, conversation }, state) {
    const { instructions: system, model } = this.#thread.conversation;
    const key = crypto.randomUUID();
    return { id: crypto.randomUUID(), conversation, parent: id, role: "assistant", at: Date.now(), text: "", state, key, system, model };
  }

  /** Sends a message in other words. One that was never taken is replaced. */
  async #edit(message, text, attachments) {
    const answers = this.#thread.answersTo(message);
    const unheard = answers.every(({ state }) => state === "refused" || state === "queued");
    if (unheard) await this.#store.removeMessages(message.conversation, [message.id, ...answers.map(({ id }) => id)]);
    await this.#send(text, { parent: message.parent, attachments });
  }

  /** Gets another answer to the same message; one that says nothing goes. */
  async #again(answer) {
    const question = this.#thread.get(answer.parent);
    if (answer.text.trim() === "") await this.#store.removeMessages(answer.conversation, [answer.id]);
    await this.#store.add(this.#thread.conversation, [this.#newAnswer(question, "sending")]);
    this.#messages.follow();
    this.#composer.focus();
  }

  #removeTurn(answer) {
    return this.#store.removeMessages(answer.conversation, [answer.parent, answer.id]);
  }

  #stop() {
    const answer = this.#thread.openAnswer;
    if (answer) this.#answers.stop(answer);
  }

  #showAll() {
    const { conversation, openAnswer } = this.#thread;
    this.#messages.update();
    this.#sidebar.show(this.#sorted(), conversation.id, new Set(this.#open.values()));
    this.#composer.show(openAnswer !== null, openAnswer?.stopAsked === true);
    this.#models.show(conversation.model);
    const title = titleOf(conversation);
    $("title").textContent = title;
    document.title = TEXTS.pageTitle(title);
    $("empty").hidden = this.#thread.last !== null;
    $("export-one").disabled = this.#thread.last === null;
    $("instructions").classList.toggle("set", conversation.instructions.trim() !== "");
  }

  #draftOf() {
    const { id } = this.#thread.conversation;
    return this.#conversations.has(id) ? id : UNSAID;
  }

  #setConversation(fields) {
    Object.assign(this.#thread.conversation, fields);
    this.#store.changeConversation(this.#thread.conversation.id, fields);
    this.#showAll();
  }

  async #search(text) {
    const wanted = text.toLocaleLowerCase();
    const found = await this.#store.search(text);
    for (const conversation of this.#conversations.values()) {
      if (titleOf(conversation).toLocaleLowerCase().includes(wanted)) found.add(conversation.id);
    }
    return found;
  }

  async #import(text) {
    const file = parseFile(text);
    if (!file) return this.#composer.notice(TEXTS.sidebar.notImported);
    const before = this.#conversations.size;
    await this.#store.addAll(file.conversations, file.messages);
    this.#composer.notice(TEXTS.sidebar.imported(this.#conversations.size - before));
  }

  #exportOne() {
    download(`${titleOf(this.#thread.conversation)}.md`, "text/markdown", markdownOf(this.#thread));
  }

  #editInstructions() {
    $("instructions-text").value = this.#thread.conversation.instructions;
    openDialog($("instructions-dialog"));
  }

  #saveInstructions(event) {
    event.preventDefault();
    $("instructions-dialog").close();
    this.#setConversation({ instructions: $("instructions-text").value });
  }

  #connection(connection) {
    this.#network.take(connection);
    showConnection(this.#network);
    this.#messages.update();
  }

  // The browser says that its network came or went.
  #reach() {
    showConnection(this.#network);
    this.#messages.update();
    this.#client?.wake();
    this.#network.wake();
  }

  #seen() {
    this.#client?.wake();
    this.#refreshUsage();
  }

  async #offerModels() {
    const ids = await this.#client.models().catch(() => []);
    if (this.#client) this.#models.offer(ids);
  }

  async #refreshUsage() {
    try {
      showUsage(await this.#client?.usage());
    } catch (error) {
      if (isSignedOut(error)) this.#signedOut(TEXTS.sessionEnded);
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
