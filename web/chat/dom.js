import { TEXTS } from "./texts.js";

/** The element with an id that the page has. */
export const $ = (id) => document.getElementById(id);

/**
 * Makes an element. Children are elements or texts; a text becomes a text node,
 * never markup. Properties whose name begins with "on" are event listeners.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Shows a text in an element, which is hidden if there is none. */
export function say(element, text) {
  element.textContent = text;
  element.hidden = text === "";
}

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  menu: "M4 7h16M4 12h16M4 17h10",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  send: "M12 19V5M5.5 11.5L12 5l6.5 6.5",
  stop: "M7.5 7.5h9v9h-9z",
  down: "M12 5v14M5.5 12.5L12 19l6.5-6.5",
  sliders: "M4 8h9M17 8h3M4 16h3M11 16h9M15 6v4M9 14v4",
  auto: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M5.6 18.4l1.1-1.1M17.3 6.7l1.1-1.1",
  dark: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
  pencil: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  trash: "M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12",
  copy: "M9 9h10v10H9zM6 15H5V5h10v1",
  check: "M5 12.5l4.5 4.5L19 7.5",
  left: "M14.5 6l-6 6 6 6",
  right: "M9.5 6l6 6-6 6",
  clip: "M18.5 11.5l-6.6 6.6a4 4 0 0 1-5.7-5.7l7-7a2.7 2.7 0 0 1 3.8 3.8l-6.9 6.9a1.3 1.3 0 0 1-1.9-1.9l6.2-6.2",
  download: "M12 4v11M7 10.5l5 4.5 5-4.5M5 19h14",
  upload: "M12 15V4M7 8.5L12 4l5 4.5M5 19h14",
  play: "M8 6l10 6-10 6z",
  retry: "M19 12a7 7 0 1 1-2-5l2 2M19 5v4h-4",
};

/** Makes the icon of a name. It says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Gives every element with data-icon its icon. */
export function drawIcons(root = document) {
  for (const element of root.querySelectorAll("[data-icon]")) element.replaceChildren(icon(element.dataset.icon));
}

/** A button that shows an icon only. */
export function iconButton(name, label, onclick, more = {}) {
  return h("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick, ...more }, icon(name));
}

/** A button that copies a text and says so. */
export function copyButton(label, text) {
  const button = iconButton("copy", label, async () => {
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      return;
    }
    button.dataset.copied = TEXTS.message.copied;
    setTimeout(() => delete button.dataset.copied, 1_500);
  });
  button.classList.add("copy");
  return button;
}

/** Opens a dialog, which a click beside it closes, too. */
export function openDialog(dialog) {
  // Chromium gives a field its focus back without the caret, so that what is
  // typed then goes nowhere.
  const field = document.activeElement instanceof HTMLTextAreaElement ? document.activeElement : null;
  field?.blur();
  dialog.onclose = () => {
    const moved = document.activeElement !== document.body && !dialog.contains(document.activeElement);
    if (!moved) field?.focus();
  };
  for (const button of dialog.querySelectorAll("[data-close]")) button.onclick = () => dialog.close();
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
  dialog.showModal();
}
