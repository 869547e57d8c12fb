// What is said below an answer about the state that it is in.

import { dollars, number } from "./problems.js";
import { TEXTS } from "./texts.js";

/**
 * @param {import("./store.js").Message & {waiting?: ""|"offline"|"unreachable"|"quiet"}} answer
 * @param {{offline: boolean, connected: boolean}} network
 */
export function noteOf(answer, network) {
  switch (answer.state) {
    case "queued":
      return TEXTS.waiting.queued;
    case "sending":
    case "open":
      return waitingFor(answer, network);
    case "stopped":
      return TEXTS.ended.stopped;
    case "done":
      return ending(answer);
    default:
      return "";
  }
}

function waitingFor({ state, stopAsked, waiting }, { offline, connected }) {
  const texts = TEXTS.waiting;
  const reached = connected && !offline;
  const away = !reached || (Boolean(waiting) && waiting !== "quiet");
  if (stopAsked) return away ? `${texts.stopping} ${texts.stopLater}` : texts.stopping;
  if (state === "open" && !reached) return texts.reconnecting;
  if (state === "open") return waiting === "quiet" ? texts.quiet : "";
  if (offline) return texts.offline;
  return waiting || !connected ? texts.unreachable : "";
}

function ending({ stopReason, usage, text }) {
  const sum = usage ? usage.inputTokens + usage.outputTokens : 0;
  const { reasons, tokens, empty } = TEXTS.ended;
  const parts = [text.trim() === "" && empty, reasons[stopReason], usage && tokens(number(sum), usage.estimated), usage?.cost && dollars(usage.cost)];
  return parts.filter(Boolean).join(" · ");
}

/** Whether an answer was cut and can be gone on with. */
export const isCut = ({ state, stopReason, text }) =>
  state === "done" && text.trim() !== "" && (stopReason === "max_tokens" || stopReason === "deadline");
