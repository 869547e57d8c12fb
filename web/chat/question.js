import { $, copyButton, h, iconButton } from "./dom.js";
import { fileChip } from "./files.js";
import { TEXTS } from "./texts.js";
import { variants } from "./variants.js";

/** A message of the user, which can be edited and sent again. */
export class QuestionView {
  element;
  #text = h("p", { class: "text", dir: "auto" });
  #files = h("ul", { class: "files", "aria-label": TEXTS.files.list, hidden: true });
  #bubble;
  #foot = h("div", { class: "foot" });
  #shown = "";
  #message;
  #on;

  constructor(message, on) {
    this.#on = on;
    this.#bubble = h("div", { class: "bubble" }, this.#files, this.#text);
    this.element = h(
      "li", { class: "turn question", "data-role": "user", "data-message": message.id },
      h("h2", { class: "visually-hidden" }, TEXTS.message.you), this.#bubble, this.#foot,
    );
  }

  draw(message, siblings) {
    this.#message = message;
    const shows = JSON.stringify([message.text, siblings.map(({ id }) => id)]);
    if (shows === this.#shown) return;
    this.#shown = shows;
    this.#text.textContent = message.text;
    this.#text.hidden = message.text === "";
    const files = message.attachments ?? [];
    this.#files.hidden = files.length === 0;
    this.#files.replaceChildren(...files.map(({ name, blob }) => fileChip(name, blob)));
    this.#foot.replaceChildren(
      ...variants(message, siblings, this.#on.choose),
      copyButton(TEXTS.message.copyQuestion, () => this.#message.text),
      iconButton("pencil", TEXTS.message.editLabel, () => this.edit(), { class: "icon edit" }),
    );
  }

  /** Opens the editor in the place of the text. */
  edit() {
    const { send, cancel, editLabel } = TEXTS.message;
    const input = h("textarea", { class: "editor", dir: "auto", rows: "3", "aria-label": editLabel });
    input.value = this.#message.text;
    let attachments = this.#message.attachments ?? [];
    const files = h("ul", { class: "files", "aria-label": TEXTS.files.list });
    const remove = (file) => {
      attachments = attachments.filter((other) => other !== file);
      showFiles();
      input.focus();
    };
    const showFiles = () => {
      files.hidden = attachments.length === 0;
      files.replaceChildren(...attachments.map((file) => fileChip(file.name, file.blob, () => remove(file))));
    };
    showFiles();
    const close = () => {
      form.replaceWith(this.#bubble);
      this.#foot.hidden = false;
      this.#foot.querySelector(".edit")?.focus();
    };
    const submit = () => {
      const text = input.value.trim();
      if (text === "" && attachments.length === 0) return;
      close();
      this.#on.edit(this.#message, text, attachments);
    };
    const form = h("form", { class: "editing" }, files, input, h("div", { class: "actions" },
      h("button", { type: "button", class: "ghost", onclick: close }, cancel),
      h("button", { type: "submit", class: "primary" }, send)));
    form.addEventListener("submit", (event) => (event.preventDefault(), submit()));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") event.preventDefault(), close();
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) event.preventDefault(), submit();
    });
    this.#bubble.replaceWith(form);
    this.#foot.hidden = true;
    input.focus();
    if (form.getBoundingClientRect().top < 0) form.scrollIntoView({ block: "nearest" });
    $("notice").hidden = true;
  }
}
