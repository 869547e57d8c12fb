// A light reading of Markdown. It never loses a character: the texts of its
// nodes, joined, are the input, so what is on the page is exactly what the
// model wrote. Marks such as ** are kept in nodes of their own, which the style
// sheet hides. It only ever yields names of this list and texts.

/**
 * @typedef {{tag: "p"|"pre"|"li"|"h"|"code"|"strong"|"em"|"mark"|"text", text?: string, children?: Node[], lang?: string, level?: number, marker?: string}} Node
 */

const FENCE = /^ {0,3}(```+|~~~+)[ \t]*([^\s`]*)[^`\n]*$/;
const ITEM = /^( *)([-*+]|\d{1,3}[.)])( +)(?=\S)/;
const HEADING = /^(#{1,4} +)(?=\S)/;

/**
 * Reads text into blocks, each with the source it came from.
 * @param {string} text
 * @returns {{source: string, nodes: Node[]}[]}
 */
export function format(text) {
  const blocks = [];
  const lines = splitLines(text);
  for (let i = 0; i < lines.length; ) {
    const taken = takeBlock(lines, i);
    blocks.push({ source: lines.slice(i, taken.next).join(""), nodes: taken.nodes });
    i = taken.next;
  }
  return blocks;
}

/** The text that nodes hold. */
export function flatten(nodes) {
  return nodes.map((node) => (node.text ?? "") + flatten(node.children ?? [])).join("");
}

function splitLines(text) {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function takeBlock(lines, i) {
  const fence = FENCE.exec(chomp(lines[i]));
  if (fence) return takeFence(lines, i, fence);
  if (HEADING.test(lines[i])) return { next: takeBlank(lines, i + 1), nodes: [heading(lines, i)] };
  if (ITEM.test(lines[i])) return takeItem(lines, i);
  return takeParagraph(lines, i);
}

// A fence that is not closed yet is code up to the end: it is being written.
function takeFence(lines, i, [, fence, lang]) {
  let end = i + 1;
  while (end < lines.length && !closes(lines[end], fence)) end++;
  const closed = end < lines.length;
  const children = [mark(lines[i]), { tag: "code", text: lines.slice(i + 1, end).join("") }];
  if (closed) children.push(mark(lines[end]));
  const next = takeBlank(lines, closed ? end + 1 : end);
  const blank = lines.slice(closed ? end + 1 : end, next).join("");
  if (blank) children.push(mark(blank));
  return { next, nodes: [{ tag: "pre", lang: lang.slice(0, 20), children }] };
}

function closes(line, fence) {
  const trimmed = line.trim();
  return trimmed.length >= fence.length && trimmed === fence[0].repeat(trimmed.length);
}

function heading(lines, i) {
  const [, marks] = HEADING.exec(lines[i]);
  const next = takeBlank(lines, i + 1);
  const children = [mark(marks), ...spans(chomp(lines[i].slice(marks.length)))];
  children.push(...ending(lines, i, next));
  return { tag: "h", level: marks.trim().length, children };
}

function takeItem(lines, i) {
  const [whole, indent, marker] = ITEM.exec(lines[i]);
  let end = i + 1;
  while (end < lines.length && /^ +\S/.test(lines[end]) && !ITEM.test(lines[end])) end++;
  const next = takeBlank(lines, end);
  const body = lines.slice(i, end).join("").slice(whole.length);
  const children = [mark(whole), ...spans(chomp(body)), ...ending(lines, end - 1, next)];
  const shown = /\d/.test(marker) ? marker : "•";
  return { next, nodes: [{ tag: "li", level: Math.min(3, indent.length >> 1), marker: shown, children }] };
}

function takeParagraph(lines, i) {
  let end = i;
  while (end < lines.length && lines[end].trim() !== "" && (end === i || !begins(lines[end]))) end++;
  const next = takeBlank(lines, end);
  if (end === i) return { next, nodes: [mark(lines.slice(i, next).join(""))] };
  const body = chomp(lines.slice(i, end).join(""));
  return { next, nodes: [{ tag: "p", children: [...spans(body), ...ending(lines, end - 1, next)] }] };
}

function begins(line) {
  return FENCE.test(chomp(line)) || HEADING.test(line) || ITEM.test(line);
}

/** The newline of the block's last line and the blank lines after it. */
function ending(lines, last, next) {
  const text = lines.slice(last, next).join("").slice(chomp(lines[last]).length);
  return text ? [mark(text)] : [];
}

function takeBlank(lines, i) {
  while (i < lines.length && lines[i].trim() === "") i++;
  return i;
}

// Code, bold and slanted, in this order. A lone star is a star.
const SPAN =
  /(`+)([^`\n]|[^`\n][^\n]*?[^`\n])\1(?!`)|\*\*(?=\S)([^\n]*?\S)\*\*(?!\*)|(?<![\w*])\*(?=[^\s*])([^*\n]*[^*\s])\*(?![\w*])/g;

function spans(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(SPAN)) {
    if (match.index > at) nodes.push({ tag: "text", text: text.slice(at, match.index) });
    nodes.push(...spanOf(match));
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push({ tag: "text", text: text.slice(at) });
  return nodes;
}

function spanOf([, ticks, code, bold, slanted]) {
  if (ticks) return [mark(ticks), { tag: "code", text: code }, mark(ticks)];
  if (bold) return [mark("**"), { tag: "strong", text: bold }, mark("**")];
  return [mark("*"), { tag: "em", text: slanted }, mark("*")];
}

const mark = (text) => ({ tag: "mark", text });
const chomp = (line) => line.replace(/\n$/, "");
