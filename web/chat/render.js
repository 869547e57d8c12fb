import { format } from "./format.js";
import { h, iconButton } from "./dom.js";

/**
 * Shows the text of an answer as it grows. Only blocks that changed are made
 * anew. Everything from the model becomes a text node; textContent of the
 * element is exactly the text.
 */
export class AnswerText {
  element = h("div", { class: "text" });
  #sources = [];

  show(text) {
    const blocks = format(text);
    let same = 0;
    while (same < blocks.length && blocks[same].source === this.#sources[same]) same++;
    while (this.element.children.length > same) this.element.lastElementChild.remove();
    this.element.append(...blocks.slice(same).map((block) => blockElement(block)));
    this.#sources = blocks.map((block) => block.source);
  }
}

function blockElement({ nodes }) {
  return nodes.length === 1 ? nodeElement(nodes[0]) : h("div", {}, ...nodes.map(nodeElement));
}

function nodeElement(node) {
  switch (node.tag) {
    case "text":
      return document.createTextNode(node.text);
    case "mark":
      return h("span", { class: "mark" }, node.text);
    case "code":
    case "strong":
    case "em":
      return h(node.tag, {}, node.text);
    case "pre":
      return codeBlock(node);
    case "li":
      return h("div", { class: `item level-${node.level}`, role: "listitem", "data-marker": node.marker }, ...children(node));
    case "h":
      return h("p", { class: `heading heading-${node.level}`, role: "heading", "aria-level": String(Math.min(6, node.level + 3)) }, ...children(node));
    default:
      return h("p", {}, ...children(node));
  }
}

const children = (node) => node.children.map(nodeElement);

function codeBlock(node) {
  const code = node.children.find((child) => child.tag === "code").text;
  const parts = node.children.map((child) => (child.tag === "code" ? h("pre", { tabindex: "0" }, nodeElement(child)) : nodeElement(child)));
  return h("div", { class: "code", "data-lang": node.lang || "text" }, copyButton("Copy the code", () => code), ...parts);
}

/** A button that copies a text and says so. */
export function copyButton(label, text) {
  const button = iconButton("copy", label, async () => {
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      return;
    }
    flash(button);
  });
  button.classList.add("copy");
  return button;
}

function flash(button) {
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 1_500);
}
