import { $, h } from "./dom.js";
import { date, number, short } from "./problems.js";

const LOW = 0.1;

/** Shows what is left of the month's quota. */
export function showUsage(usage) {
  if (!usage?.requests || !usage.tokens) return;
  $("usage-tier").textContent = usage.tier && usage.tier !== "default" ? usage.tier : "";
  $("usage-meters").replaceChildren(
    meter("Requests", usage.requests, 0),
    meter("Tokens", usage.tokens, usage.tokens.reserved ?? 0),
  );
  $("usage-reset").textContent = `Renewed on ${date(usage.resetsAt)}`;
}

function meter(name, { limit, used, remaining }, reserved) {
  if (limit === null || limit === undefined) {
    return h("div", { class: "meter" }, h("p", { class: "meter-text" }, h("span", {}, name), h("span", {}, `${number(used)} used, no limit`)));
  }
  const left = Math.max(0, remaining);
  const level = left === 0 ? "empty" : left < limit * LOW ? "low" : "fine";
  const text = `${number(left)} of ${short(limit)} left`;
  const bar = h("progress", { max: limit, value: Math.min(limit, used + reserved), "aria-label": `${name} used: ${text}` });
  return h("div", { class: "meter", "data-level": level }, h("p", { class: "meter-text" }, h("span", {}, name), h("span", {}, text)), bar);
}
