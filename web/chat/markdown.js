// Markdown to HTML, block by block. What comes out is still to be cleaned and
// put on the page (see answertext.js). HTML that the model wrote is text.

import { Marked } from "../third_party/marked/marked.esm.js";

// The page's own headings come before those of an answer.
const TOP_LEVEL = 3;

// TeX between \( and \), \[ and \], $$ and $$ or, if it cannot be an amount of
// money, $ and $.
const MATH = {
  displayMath: {
    start: /\$\$|\\\[/,
    blockStart: /(?<=\n)(?:\$\$|\\\[)/,
    block: /^(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])[ \t]*(?:\n|$)/,
    inline: /^(?:\$\$([^\n]+?)\$\$|\\\[([^\n]+?)\\\])/,
  },
  math: { start: /\$|\\\(/, inline: /^(?:\$(?![\s$])((?:\\.|[^\n\\$])*?[^\s\\$])\$(?!\d)|\\\(([^\n]+?)\\\))/ },
};

function mathExtension(kind, level) {
  const { [level]: rule, start, blockStart } = MATH[kind];
  return {
    name: level === "block" ? "mathBlock" : kind,
    level,
    start: (text) => (level === "block" ? blockStart : start).exec(text)?.index,
    tokenizer(text) {
      const match = rule.exec(text);
      if (!match) return undefined;
      return { type: level === "block" ? "mathBlock" : kind, raw: match[0], tex: (match[1] ?? match[2]).trim() };
    },
    renderer: ({ tex }) => {
      const tag = level === "block" ? "p" : "span";
      return `<${tag} class="math" data-display="${kind === "displayMath"}">${escapeHtml(tex)}</${tag}>`;
    },
  };
}

const marked = new Marked({
  gfm: true,
  breaks: true,
  extensions: [mathExtension("displayMath", "block"), mathExtension("displayMath", "inline"), mathExtension("math", "inline")],
  renderer: {
    html: ({ text }) => escapeHtml(text),
    code: ({ text, lang }) => `<pre data-lang="${escapeHtml(languageOf(lang))}"><code>${escapeHtml(text)}\n</code></pre>`,
    // Another site is told of the reader only if the reader goes there.
    image({ href, text }) {
      return `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`;
    },
    checkbox: ({ checked }) => `<span class="task" data-done="${checked}">${checked ? "☑" : "☐"}</span> `,
    heading({ tokens, depth, level }) {
      const tag = `h${level ?? TOP_LEVEL}`;
      return `<${tag} class="heading heading-${depth}">${this.parser.parseInline(tokens)}</${tag}>`;
    },
  },
});

/** A text with the line ends that blocks are counted in. */
export const plain = (text) => text.replace(/\r\n?/g, "\n");

/**
 * Reads a plain text into its blocks. Space between blocks is none.
 * @param {string} text
 * @returns {{raw: string, start: number, end: number, token: object}[]}
 */
export function blocksOf(text) {
  const blocks = [];
  let at = 0;
  const tokens = marked.lexer(text);
  for (const token of tokens) {
    const end = at + token.raw.length;
    if (token.type !== "space" && token.type !== "def") blocks.push({ raw: token.raw, start: at, end, token });
    at = end;
  }
  return blocks;
}

/** The HTML of a block. */
export function htmlOf({ token }) {
  return marked.parser([token]).trimEnd();
}

/**
 * Gives headings levels without leaps, as screen readers want them, whatever
 * numbers of # the model likes.
 */
export class Outline {
  #depths = [];

  constructor(depths = []) {
    this.#depths = depths;
  }

  /** Sets the level of a block that is a heading. */
  enter({ token }) {
    if (token.type !== "heading") return;
    while (this.#depths.at(-1) >= token.depth) this.#depths.pop();
    this.#depths.push(token.depth);
    token.level = Math.min(6, TOP_LEVEL - 1 + this.#depths.length);
  }

  copy() {
    return new Outline([...this.#depths]);
  }
}

function languageOf(lang) {
  return (lang ?? "").trim().split(/\s/)[0].toLowerCase().slice(0, 20);
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (c) => ESCAPES[c]);
}
