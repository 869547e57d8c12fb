import { ACCEPTED_FILES, attachmentOf } from "../lib/attachments.js";
import { $, h, icon, iconButton } from "./dom.js";
import { number } from "./problems.js";
import { TEXTS } from "./texts.js";

/** The files that go with the message that is being written: chosen, pasted or dropped. */
export class Files {
  #files = [];
  #on;

  /** @param {object} on changed(), refused(text) */
  constructor(on) {
    this.#on = on;
    $("files").setAttribute("aria-label", TEXTS.files.list);
    $("file").accept = ACCEPTED_FILES;
    $("attach").addEventListener("click", () => $("file").click());
    $("file").addEventListener("change", () => {
      this.#add([...$("file").files]);
      $("file").value = "";
    });
    $("prompt").addEventListener("paste", (event) => this.#take(event, event.clipboardData));
    $("stage").addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
    $("stage").addEventListener("drop", (event) => this.#take(event, event.dataTransfer));
  }

  get some() {
    return this.#files.length > 0;
  }

  /** The files, which are then gone from here. */
  take() {
    const files = this.#files;
    this.#files = [];
    this.#show();
    return files;
  }

  #take(event, data) {
    if (data.files.length === 0) return;
    event.preventDefault();
    this.#add([...data.files]);
  }

  #add(files) {
    for (const file of files) {
      try {
        attachmentOf({ name: file.name, mediaType: file.type, size: file.size });
        this.#files.push(file);
      } catch (error) {
        this.#on.refused(refusal(error, file));
      }
    }
    this.#show();
  }

  #remove(file) {
    this.#files = this.#files.filter((other) => other !== file);
    this.#show();
    $("prompt").focus();
  }

  #show() {
    $("files").replaceChildren(...this.#files.map((file) => fileChip(file.name, file, () => this.#remove(file))));
    $("files").hidden = !this.some;
    this.#on.changed();
  }
}

function refusal(error, { name }) {
  const text = TEXTS.files.refusals[error.code];
  return text ? text(name, number(error.limit ?? 0)) : error.message;
}

/**
 * An item of a list that shows a file: a picture as it is, another one by its
 * name.
 * @param {string} name
 * @param {Blob} [blob] absent where only the name is known
 * @param {() => void} [remove] absent where it stays
 */
export function fileChip(name, blob, remove) {
  const buttons = remove ? [iconButton("close", TEXTS.files.remove(name), remove)] : [];
  return h("li", { class: "file", title: name }, picture(blob) ?? icon("clip"), h("span", { class: "file-name", dir: "auto" }, name), ...buttons);
}

function picture(blob) {
  if (!blob?.type.startsWith("image/")) return null;
  const src = URL.createObjectURL(blob);
  const done = () => URL.revokeObjectURL(src);
  return h("img", { src, alt: "", width: "40", height: "40", onload: done, onerror: done });
}
