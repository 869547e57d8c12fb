import { $, h, iconButton, openDialog } from "./dom.js";
import { isOpen, titleOf } from "./store.js";

const NARROW = "(max-width: 800px)";

/** The list of conversations. On a narrow screen it slides over the page. */
export class Sidebar {
  #on;
  #subject = null; // of the open dialog

  /**
   * @param {object} on select(conversation), create(), rename(conversation,
   *   title), remove(conversation)
   */
  constructor(on) {
    this.#on = on;
    $("new-chat").addEventListener("click", () => this.#choose(() => on.create()));
    $("open-sidebar").addEventListener("click", () => this.open());
    $("close-sidebar").addEventListener("click", () => this.close());
    $("scrim").addEventListener("click", () => this.close());
    $("sidebar").addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    matchMedia(NARROW).addEventListener("change", () => this.close({ focus: false }));
    $("rename-form").addEventListener("submit", (event) => this.#renamed(event));
    $("delete-confirm").addEventListener("click", () => this.#deleted());
    this.close({ focus: false });
  }

  show(conversations, current) {
    $("conversations").replaceChildren(...conversations.map((conversation) => this.#item(conversation, conversation === current)));
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

  #item(conversation, current) {
    const title = titleOf(conversation);
    const busy = conversation.turns.some((turn) => isOpen(turn.answer));
    const select = h("button", {
      type: "button", class: "entry", "aria-current": current ? "true" : false, title,
      onclick: () => this.#choose(() => this.#on.select(conversation)),
    }, h("span", { class: "entry-title" }, title));
    if (busy) select.append(h("span", { class: "pulse" }), h("span", { class: "visually-hidden" }, ", being answered"));
    return h("li", { class: "conversation" }, select,
      iconButton("pencil", `Rename ${title}`, () => this.#rename(conversation)),
      iconButton("trash", `Delete ${title}`, () => this.#remove(conversation)));
  }

  #rename(conversation) {
    this.#subject = conversation;
    $("rename-name").value = titleOf(conversation);
    openDialog($("rename-dialog"));
    $("rename-name").select();
  }

  #renamed(event) {
    event.preventDefault();
    const title = $("rename-name").value.trim();
    $("rename-dialog").close();
    if (title) this.#on.rename(this.#subject, title);
  }

  #remove(conversation) {
    this.#subject = conversation;
    $("delete-text").textContent = `“${titleOf(conversation)}” will be gone from this browser.`;
    openDialog($("delete-dialog"));
  }

  #deleted() {
    $("delete-dialog").close();
    this.#on.remove(this.#subject);
  }
}
