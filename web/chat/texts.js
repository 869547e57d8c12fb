// Every text of the chat, for translation; those of signing in are with it.
// index.html names its own by data-text and data-label.

/** The language of the texts, also for numbers and dates. */
export const LANGUAGE = "en";

export const TEXTS = {
  service: "Streaming Service",
  newConversation: "New conversation",
  suggestions: [
    "Explain how a message queue keeps work from being lost.",
    "Write a short poem about a river that never stops.",
    "What makes an apology a good one?",
  ],
  notStarted: (message) => `The page could not be started: ${message}`,
  sessionEnded: "Your session has ended. Sign in again.",
  noRoom: "This browser has no room left: delete conversations that you no longer need.",
  pageTitle: (title) => `${title} – Streaming Service`,

  connection: {
    idle: "Not connected",
    connecting: "Connecting…",
    open: "Connected",
    offline: "You are offline",
    waiting: "Reconnecting…",
    retryIn: (seconds) => (seconds > 0 ? `Next try in ${seconds} s` : "Trying now"),
  },

  waiting: {
    answer: "Waiting for the answer",
    queued: "Queued: it is sent when the answer above is complete.",
    sending: "Sending…",
    offline: "You are offline. It is sent when the network is back.",
    unreachable: "The service cannot be reached. It is sent as soon as that is possible.",
    reconnecting: "The connection is lost. The answer goes on at the service and is fetched when the connection is back.",
    quiet: "Nothing has come for a while. If the service was interrupted, it takes the answer up again within a minute.",
    stopping: "Stopping…",
    stopLater: "It is stopped when the connection is back.",
  },

  ended: {
    stopped: "Stopped",
    empty: "The answer is empty.",
    complete: "Answer complete.",
    announceStopped: "Answer stopped.",
    tokens: (count, estimated) => `${estimated ? "about " : ""}${count} tokens`,
    cost: (dollars) => dollars,
    reasons: {
      max_tokens: "Cut off at the longest length allowed",
      model_context_window_exceeded: "Cut off: the conversation is as long as the model can take",
      deadline: "Cut off at the longest time allowed",
      guardrail_intervened: "A guardrail intervened",
      content_filtered: "The content filter intervened",
    },
  },

  message: {
    you: "You said",
    answer: "The answer",
    copyAnswer: "Copy the answer",
    copyQuestion: "Copy the message",
    copyCode: "Copy the code",
    copied: "Copied",
    edit: "Edit",
    editLabel: "Edit the message",
    send: "Send",
    cancel: "Cancel",
    remove: "Remove",
    sendNow: "Send now",
    tryAgain: "Try again",
    regenerate: "Make another answer",
    proceed: "Continue",
    proceedPrompt: "Continue exactly where you stopped.",
    earlier: "Show the one before",
    later: "Show the one after",
    variant: (n, of) => `${n} / ${of}`,
    table: "Table",
    reasoning: "Reasoning",
    tool: (name) => `Called ${name}`,
  },

  files: {
    list: "Attached files",
    remove: (name) => `Remove ${name}`,
    refused: "A file cannot be sent",
    noUploads: (name, limit) => `${name} is too large: this service takes files of at most ${limit} bytes.`,
    refusals: {
      format: (name) => `${name} is of no type that a model takes.`,
      empty: (name) => `${name} is empty.`,
      size: (name, limit) => `${name} is too large: at most ${limit} bytes.`,
    },
  },

  held: {
    title: "Not sent",
    text: "The answer before it did not come to its end.",
  },

  sidebar: {
    rename: (title) => `Rename ${title}`,
    remove: (title) => `Delete ${title}`,
    beingAnswered: ", being answered",
    removal: (title) => `“${title}” will be gone from this browser.`,
    removalOfAll: (count) => `${count === 1 ? "The conversation" : `All ${count} conversations`} will be gone from this browser.`,
    nothingFound: "Nothing found",
    days: { today: "Today", yesterday: "Yesterday", week: "Last 7 days" },
    imported: (count) => (count === 1 ? "1 conversation was imported." : `${count} conversations were imported.`),
    notImported: "This file does not hold conversations of this page.",
  },

  usage: {
    requests: "Requests",
    tokens: "Tokens",
    budget: "Budget",
    left: (left, limit) => `${left} of ${limit} left`,
    noLimit: (used) => `${used} used, no limit`,
    used: (name, text) => `${name} used: ${text}`,
    renewed: (date) => `Renewed on ${date}`,
  },

  themes: { auto: "Colours: as the system", light: "Colours: light", dark: "Colours: dark" },
  defaultModel: "Default model",

  failures: {
    model_throttled: ["The model is busy", "Too many people are asking it at the moment. Nothing was charged."],
    model_error: ["The model failed", "It could not finish this answer. Nothing was charged."],
    model_refused: ["The model did not answer this message", "The same message would fail again. Edit it, then send it once more."],
    model_timeout: ["The model took too long", "It stopped answering. Nothing was charged."],
    content_filtered: ["The answer was withheld", "The model's content filter stopped it. Ask in other words."],
    upload_not_found: ["A file was gone", "The service no longer had it. Try again to send it once more. Nothing was charged."],
    expired: ["Too late", "The request waited too long and was dropped. Nothing was charged."],
    dead_lettered: ["The request could not be processed", "It was tried several times. Nothing was charged."],
    internal: ["Something went wrong", "The service failed. Nothing was charged."],
    unknown: "The request failed",
  },

  refusals: {
    noConnection: ["No connection", "The service cannot be reached. Your message is kept here."],
    ended: ["Your session has ended", "Sign in again to go on. Your message is kept here."],
    wrong: "Something went wrong",
    service_budget_exceeded: ["The service has spent its budget", "No one can ask more this month. Ask the operator of this service."],
    rate_limited: ["Too fast", "You have reached the limit of requests per second."],
    too_many_in_flight: ["Too many answers at once", "Wait until another answer is complete, or stop it, then try again."],
    blocked: ["Your account is blocked", "Ask the operator of this service. Your message is kept here."],
    payload_too_large: ["The message is too long", "Edit it to make it shorter, or begin a new conversation."],
    model_not_allowed: ["This model is not allowed", "Choose another model, then try again."],
    model_not_capable: ["This model does not take all of the message", "Choose another model, or edit the message."],
    upload_not_found: ["A file is gone", "The service no longer has it. Try again to send it once more."],
    invalid_request: ["The service did not accept the message", "Edit it, then send it again."],
    idempotency_conflict: ["The message has changed", "It was sent before with another text. Try again to send it as a new one."],
    not_found: ["The answer is gone", "The service no longer keeps this request. Try again to ask once more."],
    forbidden: ["Not allowed", "You may not use this service from here."],
    unavailable: ["The service is not available", (status) => `It answered with status ${status}.`],
    again: "Try again in a moment.",
    againIn: (seconds) => (seconds < 120 ? `Try again in ${seconds} s.` : `Try again in ${Math.ceil(seconds / 60)} minutes.`),
    quota: {
      requests: "This month's requests are used up",
      tokens: "This month's tokens are used up",
      requestsText: (numbers) => `Your monthly limit of requests is reached${numbers}.`,
      tokensText: (numbers) => `What is left of your monthly limit of tokens does not cover this message${numbers}. A shorter one may fit.`,
      numbers: (used, limit) => ` (${used} of ${limit} used)`,
      renewed: (date) => ` They are renewed on ${date}.`,
      budget: "This month's budget is used up",
      budgetText: (used, limit, date) =>
        `${used} of ${limit} are spent, and what is left does not cover this message. The budget is renewed on ${date}.`,
    },
  },
};

/** Gives the elements of the page their texts. */
export function fillTexts(root = document) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = lookUp(element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", lookUp(element.dataset.label));
  }
  for (const element of root.querySelectorAll("[data-placeholder]")) element.placeholder = lookUp(element.dataset.placeholder);
}

function lookUp(path) {
  const text = path.split(".").reduce((texts, name) => texts?.[name], { ...TEXTS, page: PAGE });
  if (typeof text !== "string") throw new Error(`there is no text ${path}`);
  return text;
}

/** The texts that index.html names. */
const PAGE = {
  skip: "Skip to the message box",
  conversations: "Conversations",
  yourConversations: "Your conversations",
  closeList: "Close the list of conversations",
  openList: "Open the list of conversations",
  search: "Search conversations",
  exportAll: "Export all conversations",
  importAll: "Import conversations",
  removeAll: "Delete all conversations",
  month: "This month",
  instructionsButton: "Instructions for this conversation",
  exportOne: "Export this conversation",
  model: "Model",
  messages: "Messages",
  emptyTitle: "What would you like to know?",
  emptyText: "Answers stream in as they are written. You can leave and come back: nothing is lost.",
  toBottom: "Scroll to the newest message",
  composer: "Write a message",
  message: "Message",
  send: "Send",
  stop: "Stop the answer",
  attach: "Attach files",
  keys: "Enter sends, Shift+Enter begins a new line, Esc stops",
  renameTitle: "Rename the conversation",
  name: "Name",
  cancel: "Cancel",
  rename: "Rename",
  removeTitle: "Delete?",
  remove: "Delete",
  instructions: "Instructions",
  instructionsHint: "What the model should keep in mind in this conversation",
  instructionsExample: "Answer in one short paragraph.",
  save: "Save",
};
