import { h, iconButton } from "./dom.js";
import { TEXTS } from "./texts.js";

/**
 * Buttons between a message and those that stand in its place, [] if it is the
 * only one.
 * @param {import("./store.js").Message} message
 * @param {import("./store.js").Message[]} siblings among them the message
 * @param {(message: object) => void} choose
 */
export function variants(message, siblings, choose) {
  if (siblings.length < 2) return [];
  const at = siblings.findIndex(({ id }) => id === message.id);
  const { earlier, later, variant } = TEXTS.message;
  const to = (name, label, i) => iconButton(name, label, () => choose(siblings[i]), { disabled: !siblings[i] });
  return [h("span", { class: "variants" },
    to("left", earlier, at - 1), h("span", { class: "fine" }, variant(at + 1, siblings.length)), to("right", later, at + 1))];
}
