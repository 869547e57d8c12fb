import { $, icon } from "./dom.js";
import { TEXTS } from "./texts.js";

const KEY = "streaming.theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" };

/** Has the button change between the system's colours, light and dark. */
export function startTheme() {
  const button = $("theme");
  show(button, document.documentElement.dataset.theme ?? "auto");
  button.addEventListener("click", () => {
    const theme = NEXT[document.documentElement.dataset.theme ?? "auto"];
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    keep(theme);
    show(button, theme);
  });
}

function show(button, theme) {
  button.replaceChildren(icon(theme));
  button.setAttribute("aria-label", TEXTS.themes[theme]);
  button.title = TEXTS.themes[theme];
}

function keep(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
