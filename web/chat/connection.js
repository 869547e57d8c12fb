import { $ } from "./dom.js";
import { TEXTS } from "./texts.js";

let timer = null;

/**
 * Shows the state of the socket, with a countdown while it waits.
 * @param {import("./network.js").Network} network
 */
export function showConnection({ connection, offline }) {
  clearInterval(timer);
  const state = offline ? "offline" : connection.state;
  $("connection").dataset.state = state;
  const tell = () => {
    $("connection-text").textContent = TEXTS.connection[state];
    $("connection").title = state === "waiting" ? retryIn(connection.retryAt) : "";
  };
  tell();
  // The countdown is not for screen readers, which would read every second.
  if (state === "waiting") timer = setInterval(tell, 1_000);
}

function retryIn(at) {
  return TEXTS.connection.retryIn(Math.max(0, Math.ceil((at - Date.now()) / 1_000)));
}
