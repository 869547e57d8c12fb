import { $, h } from "./dom.js";
import { TEXTS } from "./texts.js";

/** The choice of the model of a conversation; hidden if there is none. */
export class Models {
  #ids = [];
  #chosen = "";

  /** @param {(model: string) => void} onChoice "" for the service's default */
  constructor(onChoice) {
    $("model").addEventListener("change", () => onChoice($("model").value));
  }

  /** @param {string[]} ids */
  offer(ids) {
    this.#ids = ids;
    this.show(this.#chosen);
  }

  show(chosen) {
    this.#chosen = chosen;
    const known = chosen && !this.#ids.includes(chosen) ? [...this.#ids, chosen] : this.#ids;
    $("model").replaceChildren(h("option", { value: "" }, TEXTS.defaultModel), ...known.map((id) => h("option", { value: id }, id)));
    $("model").value = chosen;
    $("model").hidden = known.length < 2;
  }
}
