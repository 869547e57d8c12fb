import { $, h } from "./dom.js";
import { date, dollars, number, short } from "./problems.js";
import { TEXTS } from "./texts.js";

const LOW = 0.1;
// From here on numbers are shortened, both in the same way.
const LARGE = 1_000_000;

/** Shows what is left of the month's quota. */
export function showUsage(usage) {
  if (!usage?.requests || !usage.tokens) return;
  const { requests, tokens, budget, renewed } = TEXTS.usage;
  $("usage-tier").textContent = usage.tier && usage.tier !== "default" ? usage.tier : "";
  const meters = [meter(requests, usage.requests), meter(tokens, usage.tokens)];
  if (usage.budget) meters.push(meter(budget, usage.budget, dollars));
  $("usage-meters").replaceChildren(...meters);
  $("usage-reset").textContent = renewed(date(usage.resetsAt));
}

function meter(name, { limit, used, reserved = 0, remaining }, exact = number) {
  const texts = TEXTS.usage;
  if (limit === null || limit === undefined) {
    return h("div", { class: "meter" }, line(name, texts.noLimit(exact(used))));
  }
  const left = Math.max(0, remaining);
  const level = left === 0 ? "empty" : left < limit * LOW ? "low" : "fine";
  const shown = exact === number && limit >= LARGE ? short : exact;
  const precise = texts.left(exact(left), exact(limit));
  const bar = h("progress", { max: limit || 1, value: Math.min(limit, used + reserved), "aria-label": texts.used(name, precise) });
  return h("div", { class: "meter", "data-level": level, title: precise }, line(name, texts.left(shown(left), shown(limit))), bar);
}

const line = (name, text) => h("p", { class: "meter-text" }, h("span", {}, name), h("span", {}, text));
