// The Vercel AI SDK does what the test asks, and prints what it saw. Which major
// of it, the environment says.
import { text } from "node:stream/consumers";

const { generateText, jsonSchema, stepCountIs, streamText, tool } = await import(process.env.AI);
const { createOpenAICompatible } = await import(process.env.COMPATIBLE);

const world = JSON.parse(await text(process.stdin));

const model = (key, baseURL = world.baseUrl) =>
  createOpenAICompatible({ name: "service", baseURL, apiKey: world.keys[key], includeUsage: true })(world.model);

const ask = (key, script, maxRetries = 0, baseURL = world.baseUrl) => ({
  model: model(key, baseURL),
  maxRetries,
  system: `script: ${script}`,
  prompt: "Why is the sky blue?",
});

const described = (e) => ({
  class: e.name,
  status: e.statusCode ?? 0,
  code: e.data?.error?.code ?? e.code,
  param: e.data?.error?.param,
  message: e.message ?? e.error?.message ?? JSON.stringify(e),
});

async function errorOf(action) {
  try {
    await action();
  } catch (e) {
    return described(e);
  }
  return { class: "none" };
}

async function plain() {
  const answer = await generateText(ask("all", "tokens=30 rate=0"));
  return { id: answer.response.id, text: answer.text, finish: answer.finishReason, tokens: answer.usage.totalTokens };
}

async function secondTurn() {
  const first = await generateText(ask("all", "tokens=5 rate=0"));
  const answer = await generateText({
    model: model("all"),
    maxRetries: 0,
    maxOutputTokens: 3,
    stopSequences: ["§"],
    messages: [{ role: "user", content: "Why?" }, ...first.response.messages, { role: "user", content: [{ type: "text", text: "And at night?" }] }],
  });
  return { text: answer.text };
}

async function stream() {
  const events = streamText(ask("all", "tokens=30 rate=0"));
  const seen = { text: "", pieces: 0 };
  for await (const piece of events.textStream) {
    seen.text += piece;
    seen.pieces += 1;
  }
  const response = await events.response;
  seen.id = response.id;
  seen.requestId = response.headers["x-request-id"];
  seen.finish = await events.finishReason;
  seen.tokens = (await events.usage).totalTokens;
  return seen;
}

// A picture is asked about, a tool is used and run, its result answered.
async function tools() {
  const [{ function: declared }] = world.tools;
  const events = streamText({
    ...ask("all", "tokens=6 rate=0 tool=get_weather"),
    prompt: undefined,
    messages: [{ role: "user", content: [{ type: "text", text: "Is it warm there?" }, { type: "file", mediaType: "image/png", data: world.image.split(",")[1] }] }],
    tools: { get_weather: tool({ description: declared.description, inputSchema: jsonSchema(declared.parameters), execute: () => "7.5 °C" }) },
    stopWhen: stepCountIs(3),
    providerOptions: { service: { reasoningEffort: "low" } },
  });
  await events.consumeStream();
  const [first, last] = await events.steps;
  return {
    id: first.response.id,
    reasoning: first.reasoningText,
    text: first.text,
    finish: first.finishReason,
    calls: first.toolCalls.map((c) => ({ id: c.toolCallId, name: c.toolName, arguments: JSON.stringify(c.input) })),
    answer: last.text,
    answerFinish: last.finishReason,
  };
}

async function rate() {
  const call = () => generateText(ask("rate", "tokens=3 rate=0", 3, world.limitedUrl));
  const answers = await Promise.all([call(), call()]);
  return { texts: answers.map((answer) => answer.text) };
}

async function broken() {
  let read = "";
  let error = { class: "none" };
  const events = streamText({ ...ask("all", "tokens=20 rate=0 error=modelStreamErrorException@8 times=0"), onError: () => {} });
  for await (const part of events.fullStream) {
    if (part.type === "text-delta") read += part.text;
    if (part.type === "error") error = described(Object(part.error));
  }
  return { ...error, text: read };
}

async function hangUp() {
  const controller = new AbortController();
  let requestId;
  const provider = createOpenAICompatible({
    name: "service",
    baseURL: world.baseUrl,
    apiKey: world.keys.all,
    fetch: async (...args) => {
      const response = await fetch(...args);
      requestId = response.headers.get("x-request-id");
      return response;
    },
  });
  const events = streamText({ ...ask("all", "tokens=60 rate=20"), model: provider(world.model), abortSignal: controller.signal, onError: () => {} });
  for await (const piece of events.textStream) {
    if (piece) break;
  }
  controller.abort();
  return { requestId };
}

console.log(
  JSON.stringify({
    plain: await plain(),
    secondTurn: await secondTurn(),
    stream: await stream(),
    tools: await tools(),
    quota: await errorOf(() => generateText(ask("quota", "tokens=3 rate=0"))),
    rate: await rate(),
    throttled: await errorOf(() => generateText(ask("all", "error=throttlingException@0 times=0"))),
    broken: await broken(),
    hangUp: await hangUp(),
    wrongKey: await errorOf(() => generateText(ask("wrong", "tokens=3 rate=0", 2))),
    refused: await errorOf(() =>
      generateText({ ...ask("all", "tokens=3 rate=0", 2), providerOptions: { service: { n: 2 } } }),
    ),
  }),
);
