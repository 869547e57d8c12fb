import { $ } from "./dom.js";

const TEXTS = { idle: "Not connected", connecting: "Connecting…", open: "Connected" };

let timer = null;

/** Shows the state of the socket, with a countdown while it waits. */
export function showConnection(connection) {
  clearInterval(timer);
  $("connection").dataset.state = connection.state;
  tell(connection);
  if (connection.state === "waiting") timer = setInterval(() => tell(connection), 1_000);
}

// The countdown is not for screen readers, which would read every second.
function tell({ state, retryAt }) {
  const text = $("connection-text");
  if (state !== "waiting") {
    text.textContent = TEXTS[state];
    $("connection").title = "";
    return;
  }
  text.textContent = "Reconnecting…";
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1_000));
  $("connection").title = seconds > 0 ? `Next try in ${seconds} s` : "Trying";
}
