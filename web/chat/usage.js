import { $, h } from "./dom.js";
import { date, dollars, number, short } from "./problems.js";

const LOW = 0.1;

/** Shows what is left of the month's quota. */
export function showUsage(usage) {
  if (!usage?.requests || !usage.tokens) return;
  $("usage-tier").textContent = usage.tier && usage.tier !== "default" ? usage.tier : "";
  const meters = [meter("Requests", usage.requests), meter("Tokens", usage.tokens)];
  if (usage.budget) meters.push(meter("Budget", usage.budget, dollars, dollars));
  $("usage-meters").replaceChildren(...meters);
  $("usage-reset").textContent = `Renewed on ${date(usage.resetsAt)}`;
}

function meter(name, { limit, used, reserved = 0, remaining }, exact = number, rough = short) {
  if (limit === null || limit === undefined) {
    return h("div", { class: "meter" }, h("p", { class: "meter-text" }, h("span", {}, name), h("span", {}, `${exact(used)} used, no limit`)));
  }
  const left = Math.max(0, remaining);
  const level = left === 0 ? "empty" : left < limit * LOW ? "low" : "fine";
  const text = `${exact(left)} of ${rough(limit)} left`;
  const bar = h("progress", { max: limit, value: Math.min(limit, used + reserved), "aria-label": `${name} used: ${text}` });
  return h("div", { class: "meter", "data-level": level }, h("p", { class: "meter-text" }, h("span", {}, name), h("span", {}, text)), bar);
}
