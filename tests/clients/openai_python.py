"""The OpenAI client of Python does what the test asks, and prints what it saw."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import get_type_hints

import openai
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

world = json.load(sys.stdin)


def client(key, retries=0):
    return openai.OpenAI(base_url=world["baseUrl"], api_key=world["keys"][key], max_retries=retries)


def ask(script):
    return {
        "model": world["model"],
        "messages": [
            {"role": "system", "content": "script: " + script},
            {"role": "user", "content": "Why is the sky blue?"},
        ],
    }


def error_of(action):
    try:
        action()
    except openai.APIError as e:
        return {"class": type(e).__name__, "status": getattr(e, "status_code", 0), "code": e.code, "param": e.param, "message": e.message}
    return {"class": "none"}


def plain():
    answer = client("all").chat.completions.create(**ask("tokens=30 rate=0"))
    return {
        "id": answer.id,
        "text": answer.choices[0].message.content,
        "finish": answer.choices[0].finish_reason,
        "tokens": answer.usage.total_tokens,
    }


def second_turn():
    request = ask("tokens=5 rate=0")
    first = client("all").chat.completions.create(**request)
    request["messages"] += [first.choices[0].message, {"role": "user", "content": "And at night?"}]
    return {"text": client("all").chat.completions.create(**request, max_completion_tokens=3, stop=["§"]).choices[0].message.content}


def stream():
    events = client("all").chat.completions.create(**ask("tokens=30 rate=0"), stream=True, stream_options={"include_usage": True})
    seen = {"requestId": events.response.headers["x-request-id"], "text": "", "pieces": 0}
    for chunk in events:
        seen["id"] = chunk.id
        for choice in chunk.choices:
            seen["text"] += choice.delta.content or ""
            seen["pieces"] += bool(choice.delta.content)
            seen["finish"] = choice.finish_reason
        if chunk.usage:
            seen["tokens"] = chunk.usage.total_tokens
            seen["lastChoices"] = len(chunk.choices)
    return seen


def rate():
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(lambda: client("rate", 3).with_options(base_url=world["limitedUrl"]).chat.completions.create(**ask("tokens=3 rate=0"))) for _ in range(2)]
        return {"texts": [call.result().choices[0].message.content for call in calls]}


def broken():
    text = ""

    def read():
        nonlocal text
        for chunk in client("all").chat.completions.create(**ask("tokens=20 rate=0 error=modelStreamErrorException@8 times=0"), stream=True):
            text += chunk.choices[0].delta.content or ""

    return error_of(read) | {"text": text}


def hang_up():
    events = client("all").chat.completions.create(**ask("tokens=60 rate=20"), stream=True)
    for chunk in events:
        if chunk.choices[0].delta.content:
            break
    events.close()
    return {"requestId": events.response.headers["x-request-id"]}


def tools():
    """A picture and a document are asked about, a tool is used, its result answered."""
    request = ask("tokens=6 rate=0 tool=get_weather echo") | {"tools": world["tools"], "reasoning_effort": "low"}
    request["messages"][1]["content"] = [
        {"type": "text", "text": "Is it warm there?"},
        {"type": "image_url", "image_url": {"url": world["image"]}},
        {"type": "file", "file": {"filename": "plan.txt", "file_data": "data:text/plain;base64,S8O2bG4="}},
    ]
    seen, calls, sealed = {"reasoning": "", "text": ""}, {}, []
    for chunk in client("all").chat.completions.create(**request, stream=True):
        seen["id"] = chunk.id
        for choice in chunk.choices:
            seen["text"] += choice.delta.content or ""
            seen["reasoning"] += (choice.delta.model_extra or {}).get("reasoning_content", "")
            sealed += (choice.delta.model_extra or {}).get("thinking_blocks", [])
            seen["finish"] = choice.finish_reason
            for call in choice.delta.tool_calls or []:
                calls[call.index] = call
    seen["calls"] = [{"id": c.id, "name": c.function.name, "arguments": c.function.arguments} for c in calls.values()]
    request["messages"] += [
        {"role": "assistant", "content": seen["text"], "thinking_blocks": sealed, "tool_calls": [{"id": c.id, "type": "function", "function": c.function.model_dump()} for c in calls.values()]},
        *({"role": "tool", "tool_call_id": c.id, "content": "7.5 °C"} for c in calls.values()),
    ]
    last = client("all").chat.completions.create(**request).choices[0]
    return seen | {"answer": last.message.content, "answerFinish": last.finish_reason}


json.dump(
    {
        "plain": plain(),
        "secondTurn": second_turn(),
        "stream": stream(),
        "tools": tools(),
        "notFetched": error_of(lambda: client("all", 2).chat.completions.create(model=world["model"], messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}])),
        "models": [model.id for model in client("all").models.list()],
        "quota": error_of(lambda: client("quota", 2).chat.completions.create(**ask("tokens=3 rate=0"))),
        "rate": rate(),
        "throttled": error_of(lambda: client("all").chat.completions.create(**ask("error=throttlingException@0 times=0"))),
        "broken": broken(),
        "hangUp": hang_up(),
        "wrongKey": error_of(lambda: client("wrong", 2).models.list()),
        "refused": error_of(lambda: client("all", 2).chat.completions.create(**ask("tokens=3 rate=0"), n=2)),
        "parameters": sorted(get_type_hints(CompletionCreateParamsStreaming)),
    },
    sys.stdout,
)
