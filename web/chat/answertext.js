import { blocksOf, htmlOf, Outline, plain } from "./markdown.js";
import { alike, clean, patch } from "./clean.js";
import { copyButton, h } from "./dom.js";
import { highlight } from "./highlight.js";
import { renderMath } from "./math.js";
import { TEXTS } from "./texts.js";

/**
 * Shows the Markdown of an answer as it grows. Only the last block can still
 * change, so the others stay as they are on the page until the answer is
 * complete and is read as a whole once.
 */
export class AnswerText {
  element = h("div", { class: "text" });
  #shown = { text: "", complete: false };
  #blocks = []; // {html, node, code, highlighted}
  #settled = { count: 0, length: 0, outline: new Outline() };

  /**
   * @param {string} source
   * @param {boolean} complete whether nothing more comes
   */
  show(source, complete) {
    const text = plain(source);
    if (text === this.#shown.text && complete === this.#shown.complete) return;
    const { length } = this.#settled;
    if (complete || text.slice(0, length) !== this.#shown.text.slice(0, length)) {
      this.#settled = { count: 0, length: 0, outline: new Outline() };
    }
    this.#shown = { text, complete };
    this.#draw(text, complete);
  }

  #draw(text, complete) {
    const { count, length, outline } = this.#settled;
    const found = blocksOf(text.slice(length));
    found.forEach((block, i) => {
      const last = i === found.length - 1;
      if (last && !complete) this.#settled = { count: count + i, length: length + block.start, outline: outline.copy() };
      outline.enter(block);
      this.#place(count + i, block, !last || complete);
    });
    for (const { node } of this.#blocks.splice(count + found.length)) node.remove();
  }

  /** Has a block stand at its place. */
  #place(i, block, settled) {
    const before = this.#blocks[i];
    const html = htmlOf(block);
    if (before?.html === html) return settled && this.#settle(before);
    if (block.token.type === "code" && before?.lang === block.token.lang && before?.code) {
      before.code.textContent = block.token.text;
      Object.assign(before, { html, highlighted: false });
    } else {
      this.#blocks[i] = this.#made(before, block, html);
    }
    if (settled) this.#settle(this.#blocks[i]);
  }

  #made(before, { token }, html) {
    const fresh = clean(html);
    let node = fresh;
    if (before && !before.code && token.type !== "code" && alike(before.node, fresh)) node = patch(before.node, fresh);
    else if (token.type === "code") node = codeBlock(fresh);
    if (node !== before?.node) {
      if (before) before.node.replaceWith(node);
      else this.element.append(node);
    }
    renderMath(node);
    return { html, node, lang: token.lang, code: token.type === "code" ? node.querySelector("code") : null, highlighted: false };
  }

  // Code is coloured when it is whole: before, it would be done again and again.
  #settle(block) {
    if (!block.code || block.highlighted) return;
    block.highlighted = true;
    highlight(block.code, block.code.closest(".code").dataset.lang);
  }
}

function codeBlock(pre) {
  const code = pre.querySelector("code");
  pre.tabIndex = 0;
  pre.dir = "ltr";
  return h("div", { class: "code", "data-lang": pre.dataset.lang || "text" }, copyButton(TEXTS.message.copyCode, () => code.textContent), pre);
}
