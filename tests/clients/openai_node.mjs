// The OpenAI client of JavaScript does what the test asks, and prints what it
// saw.
import { text } from "node:stream/consumers";

import OpenAI from "openai";

const world = JSON.parse(await text(process.stdin));

const client = (key, maxRetries = 0, baseURL = world.baseUrl) => new OpenAI({ baseURL, apiKey: world.keys[key], maxRetries });

const ask = (script) => ({
  model: world.model,
  messages: [
    { role: "system", content: `script: ${script}` },
    { role: "user", content: "Why is the sky blue?" },
  ],
});

async function errorOf(action) {
  try {
    await action();
  } catch (e) {
    return { class: e.constructor.name, status: e.status ?? 0, code: e.code, param: e.param, message: e.message };
  }
  return { class: "none" };
}

async function plain() {
  const answer = await client("all").chat.completions.create(ask("tokens=30 rate=0"));
  const [choice] = answer.choices;
  return { id: answer.id, text: choice.message.content, finish: choice.finish_reason, tokens: answer.usage.total_tokens };
}

async function secondTurn() {
  const request = ask("tokens=5 rate=0");
  const first = await client("all").chat.completions.create(request);
  request.messages.push(first.choices[0].message, { role: "user", content: "And at night?" });
  const answer = await client("all").chat.completions.create({ ...request, max_completion_tokens: 3, stop: ["§"] });
  return { text: answer.choices[0].message.content };
}

async function stream() {
  const { data, request_id } = await client("all")
    .chat.completions.create({ ...ask("tokens=30 rate=0"), stream: true, stream_options: { include_usage: true } })
    .withResponse();
  const seen = { requestId: request_id, text: "", pieces: 0 };
  for await (const chunk of data) {
    seen.id = chunk.id;
    for (const choice of chunk.choices) {
      seen.text += choice.delta.content ?? "";
      seen.pieces += choice.delta.content ? 1 : 0;
      seen.finish = choice.finish_reason;
    }
    if (chunk.usage) {
      seen.tokens = chunk.usage.total_tokens;
      seen.lastChoices = chunk.choices.length;
    }
  }
  return seen;
}

// A picture and a document are asked about, a tool is used, its result answered.
async function tools() {
  const request = { ...ask("tokens=6 rate=0 tool=get_weather echo"), tools: world.tools, reasoning_effort: "low" };
  request.messages[1].content = [
    { type: "text", text: "Is it warm there?" },
    { type: "image_url", image_url: { url: world.image } },
    { type: "file", file: { filename: "plan.txt", file_data: "data:text/plain;base64,S8O2bG4=" } },
  ];
  const seen = { reasoning: "", text: "" };
  const runner = client("all").chat.completions.stream(request);
  for await (const chunk of runner) {
    seen.id = chunk.id;
    for (const choice of chunk.choices) {
      seen.text += choice.delta.content ?? "";
      seen.reasoning += choice.delta.reasoning_content ?? "";
      seen.finish = choice.finish_reason;
    }
  }
  const { message } = (await runner.finalChatCompletion()).choices[0];
  seen.calls = message.tool_calls.map((c) => ({ id: c.id, name: c.function.name, arguments: c.function.arguments }));
  request.messages.push(message, ...message.tool_calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "7.5 °C" })));
  const [last] = (await client("all").chat.completions.create(request)).choices;
  return { ...seen, answer: last.message.content, answerFinish: last.finish_reason };
}

async function rate() {
  const call = () => client("rate", 3, world.limitedUrl).chat.completions.create(ask("tokens=3 rate=0"));
  const answers = await Promise.all([call(), call()]);
  return { texts: answers.map((answer) => answer.choices[0].message.content) };
}

async function broken() {
  let read = "";
  const error = await errorOf(async () => {
    const events = await client("all").chat.completions.create({
      ...ask("tokens=20 rate=0 error=modelStreamErrorException@8 times=0"),
      stream: true,
    });
    for await (const chunk of events) read += chunk.choices[0].delta.content ?? "";
  });
  return { ...error, text: read };
}

async function hangUp() {
  const { data, request_id } = await client("all").chat.completions.create({ ...ask("tokens=60 rate=20"), stream: true }).withResponse();
  for await (const chunk of data) {
    if (chunk.choices[0].delta.content) break;
  }
  data.controller.abort();
  return { requestId: request_id };
}

async function models() {
  const ids = [];
  for await (const model of client("all").models.list()) ids.push(model.id);
  return ids;
}

console.log(
  JSON.stringify({
    plain: await plain(),
    secondTurn: await secondTurn(),
    stream: await stream(),
    tools: await tools(),
    notFetched: await errorOf(() =>
      client("all", 2).chat.completions.create({ model: world.model, messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }] }] }),
    ),
    models: await models(),
    quota: await errorOf(() => client("quota", 2).chat.completions.create(ask("tokens=3 rate=0"))),
    rate: await rate(),
    throttled: await errorOf(() => client("all").chat.completions.create(ask("error=throttlingException@0 times=0"))),
    broken: await broken(),
    hangUp: await hangUp(),
    wrongKey: await errorOf(() => client("wrong", 2).models.list()),
    refused: await errorOf(() => client("all", 2).chat.completions.create({ ...ask("tokens=3 rate=0"), n: 2 })),
  }),
);
