import { dayOf, moment } from "./days.js";
import { $, h, iconButton, openDialog } from "./dom.js";
import { TEXTS } from "./texts.js";
import { titleOf } from "./thread.js";

const NARROW = "(max-width: 800px)";
const SEARCH_AFTER = 150;

/** The list of conversations. On a narrow screen it slides over the page. */
export class Sidebar {
  #on;
  #items = new Map(); // conversation id -> its element, which keeps the focus
  #conversations = [];
  #shown = { current: "", busy: new Set() };
  #found = null; // the ids that a search found, null without one
  #subject = null; // of the open dialog
  #timer = null;

  /**
   * @param {object} on select(id), create(), rename(id, title), remove(ids),
   *   search(text): Promise<Set<string>>, exportAll(), importAll(file)
   */
  constructor(on) {
    this.#on = on;
    $("new-chat").addEventListener("click", () => this.#choose(() => on.create()));
    $("open-sidebar").addEventListener("click", () => this.open());
    $("close-sidebar").addEventListener("click", () => this.close());
    $("scrim").addEventListener("click", () => this.close());
    $("sidebar").addEventListener("keydown", (event) => event.key === "Escape" && this.#escape());
    $("search").addEventListener("input", () => this.#searchSoon());
    $("export-all").addEventListener("click", () => on.exportAll());
    $("import-all").addEventListener("click", () => $("import-file").click());
    $("import-file").addEventListener("change", () => this.#import());
    $("remove-all").addEventListener("click", () => this.#remove(this.#conversations));
    matchMedia(NARROW).addEventListener("change", () => this.close({ focus: false }));
    $("rename-form").addEventListener("submit", (event) => this.#renamed(event));
    $("delete-confirm").addEventListener("click", () => this.#deleted());
    this.close({ focus: false });
  }

  /**
   * @param {import("./store.js").Conversation[]} conversations the one used last first
   * @param {string} current the id of the one that is shown
   * @param {Set<string>} busy the ids of those that are being answered
   */
  show(conversations, current, busy) {
    this.#conversations = conversations;
    this.#shown = { current, busy };
    for (const button of [$("export-all"), $("remove-all")]) button.disabled = conversations.length === 0;
    const listed = this.#found ? conversations.filter(({ id }) => this.#found.has(id)) : conversations;
    const wanted = [];
    let day = "";
    for (const conversation of listed) {
      const next = dayOf(conversation.updatedAt, Date.now());
      if (next !== day) wanted.push(h("li", { class: "day" }, (day = next)));
      wanted.push(this.#item(conversation));
    }
    if (this.#found && listed.length === 0) wanted.push(h("li", { class: "day" }, TEXTS.sidebar.nothingFound));
    this.#arrange(wanted);
  }

  /** Forgets whose conversations these were. */
  clear() {
    $("search").value = "";
    this.#found = null;
    this.#items.clear();
    $("conversations").replaceChildren();
  }

  open() {
    $("sidebar").classList.add("shown");
    $("sidebar").inert = false;
    $("scrim").hidden = false;
    $("stage").inert = true;
    $("open-sidebar").setAttribute("aria-expanded", "true");
    $("close-sidebar").focus();
  }

  close({ focus = true } = {}) {
    const narrow = matchMedia(NARROW).matches;
    const wasOpen = $("sidebar").classList.contains("shown");
    $("sidebar").classList.remove("shown");
    $("sidebar").inert = narrow;
    $("scrim").hidden = true;
    $("stage").inert = false;
    $("open-sidebar").setAttribute("aria-expanded", "false");
    if (wasOpen && focus) $("open-sidebar").focus();
  }

  #choose(action) {
    this.close({ focus: false });
    action();
  }

  // What stays is not taken off the page, where it may have the focus.
  #arrange(wanted) {
    const list = $("conversations");
    const keep = new Set(wanted);
    for (const element of [...list.children]) if (!keep.has(element)) element.remove();
    wanted.forEach((element, i) => {
      if (list.children[i] !== element) list.insertBefore(element, list.children[i] ?? null);
    });
  }

  #item(conversation) {
    const { id } = conversation;
    if (!this.#items.has(id)) this.#items.set(id, this.#newItem(id));
    const item = this.#items.get(id);
    const [entry, rename, remove] = item.children;
    const title = titleOf(conversation);
    const { current, busy } = this.#shown;
    const texts = TEXTS.sidebar;
    entry.title = `${title}\n${moment(conversation.updatedAt)}`;
    entry.toggleAttribute("aria-current", id === current);
    if (id === current) entry.setAttribute("aria-current", "true");
    entry.firstChild.textContent = title;
    for (const [button, label] of [[rename, texts.rename(title)], [remove, texts.remove(title)]]) {
      button.setAttribute("aria-label", label);
      button.title = label;
    }
    const pulsing = item.querySelector(".pulse") !== null;
    if (busy.has(id) && !pulsing) entry.append(h("span", { class: "pulse" }), h("span", { class: "visually-hidden" }, texts.beingAnswered));
    if (!busy.has(id) && pulsing) entry.replaceChildren(entry.firstChild);
    return item;
  }

  #newItem(id) {
    const named = () => this.#conversations.find((conversation) => conversation.id === id);
    return h("li", { class: "conversation" },
      h("button", { type: "button", class: "entry", onclick: () => this.#choose(() => this.#on.select(id)) }, h("span", { class: "entry-title", dir: "auto" })),
      iconButton("pencil", "", () => this.#rename(named())),
      iconButton("trash", "", () => this.#remove([named()])));
  }

  #rename(conversation) {
    this.#subject = [conversation.id];
    $("rename-name").value = titleOf(conversation);
    openDialog($("rename-dialog"));
    $("rename-name").select();
  }

  #renamed(event) {
    event.preventDefault();
    const title = $("rename-name").value.trim();
    $("rename-dialog").close();
    if (title) this.#on.rename(this.#subject[0], title);
  }

  #remove(conversations) {
    this.#subject = conversations.map(({ id }) => id);
    const { removal, removalOfAll } = TEXTS.sidebar;
    const one = conversations.length === 1;
    $("delete-text").textContent = one ? removal(titleOf(conversations[0])) : removalOfAll(conversations.length);
    openDialog($("delete-dialog"));
  }

  #deleted() {
    $("delete-dialog").close();
    this.#on.remove(this.#subject);
    $("new-chat").focus();
  }

  #searchSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(), SEARCH_AFTER);
  }

  async #search() {
    const text = $("search").value.trim();
    this.#found = text ? await this.#on.search(text) : null;
    this.show(this.#conversations, this.#shown.current, this.#shown.busy);
  }

  #escape() {
    if ($("search").value === "") return this.close();
    $("search").value = "";
    this.#search();
  }

  async #import() {
    const [file] = $("import-file").files;
    $("import-file").value = "";
    if (file) this.#on.importAll(await file.text());
  }
}
