import DOMPurify from "../third_party/dompurify/purify.es.mjs";
import { h } from "./dom.js";
import { TEXTS } from "./texts.js";

const RULES = {
  ALLOWED_TAGS: [
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "span", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
  ],
  ALLOWED_ATTR: ["align", "class", "data-display", "data-done", "data-lang", "href", "start", "title"],
  ADD_URI_SAFE_ATTR: ["align", "data-display", "data-done", "data-lang", "start"], // no addresses
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  RETURN_DOM_FRAGMENT: true,
};

/**
 * Makes an element of a block's HTML that can do no harm: no script, style,
 * form, image or event, and no link but to the web and to mail.
 * @param {string} html
 * @returns {Element}
 */
export function clean(html) {
  const fragment = DOMPurify.sanitize(html, RULES);
  for (const link of fragment.querySelectorAll("a")) makeSafe(link);
  for (const table of fragment.querySelectorAll("table")) makeScrollable(table);
  const only = fragment.childNodes.length === 1 ? fragment.firstElementChild : null;
  const block = only ?? h("div", { class: "block" }, fragment);
  block.dir = "auto"; // by its first letter; the style sheet does likewise for what is in it
  return block;
}

/** The HTML of highlighted code, cleaned. */
export const cleanCode = (html) => DOMPurify.sanitize(html, { ALLOWED_TAGS: ["span"], ALLOWED_ATTR: ["class"], RETURN_DOM_FRAGMENT: true });

function makeSafe(link) {
  if (!link.hasAttribute("href")) return link.replaceWith(...link.childNodes);
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
}

function makeScrollable(table) {
  const frame = h("div", { class: "table", tabindex: "0", role: "region", "aria-label": TEXTS.message.table });
  table.replaceWith(frame);
  frame.append(table);
}

/**
 * Changes an element to what a fresh one is by changing its end only, since
 * text grows there. What stays keeps its place, selection and focus.
 * @template {Node} T
 * @param {T} old
 * @param {T} fresh of the same name
 * @returns {T} old
 */
export function patch(old, fresh) {
  const have = [...old.childNodes];
  const want = [...fresh.childNodes];
  let same = 0;
  while (same < have.length && same < want.length && have[same].isEqualNode(want[same])) same++;
  if (same < have.length && same < want.length && alike(have[same], want[same])) {
    if (have[same].nodeType === Node.TEXT_NODE) have[same].data = want[same].data;
    else patch(have[same], want[same]);
    same++;
  }
  for (const node of have.slice(same)) node.remove();
  old.append(...want.slice(same));
  return old;
}

/** Whether one element can become the other by a change of its end. */
export function alike(a, b) {
  if (a.nodeName !== b.nodeName) return false;
  return a.nodeType === Node.TEXT_NODE || (a.className === b.className && !a.matches(".math, a"));
}
