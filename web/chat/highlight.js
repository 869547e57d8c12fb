import { cleanCode } from "./clean.js";

// Longer code is left without colours.
const MOST = 50_000;

let library = null; // a promise of it: it is loaded when there is code

/** Colours code, if its language is known. */
export async function highlight(code, language) {
  const text = code.textContent;
  if (language === "text" || text.length > MOST) return;
  library ??= import("../third_party/highlight/highlight.min.js");
  const { default: hljs } = await library;
  if (code.textContent !== text || !hljs.getLanguage(language)) return;
  code.replaceChildren(cleanCode(hljs.highlight(text, { language, ignoreIllegals: true }).value));
}
