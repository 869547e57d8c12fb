"""litellm does what the test asks, and prints what it saw."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import litellm

litellm.suppress_debug_info = True
world = json.load(sys.stdin)


def complete(key, script, url="baseUrl", retries=0, **more):
    return litellm.completion(
        model="openai/" + world["model"],
        api_base=world[url],
        api_key=world["keys"][key],
        max_retries=retries,
        messages=[
            {"role": "system", "content": "script: " + script},
            {"role": "user", "content": "Why is the sky blue?"},
        ],
        **more,
    )


def error_of(action):
    try:
        action()
    except Exception as e:
        return {"class": type(e).__name__, "status": getattr(e, "status_code", 0), "code": getattr(e, "code", None), "message": str(e)}
    return {"class": "none"}


def header(answer, name):
    return answer._hidden_params["additional_headers"]["llm_provider-" + name]


def plain():
    answer = complete("all", "tokens=30 rate=0")
    return {
        "id": answer.id,
        "text": answer.choices[0].message.content,
        "finish": answer.choices[0].finish_reason,
        "tokens": answer.usage.total_tokens,
    }


def second_turn():
    first = complete("all", "tokens=5 rate=0").choices[0].message
    answer = litellm.completion(
        model="openai/" + world["model"],
        api_base=world["baseUrl"],
        api_key=world["keys"]["all"],
        messages=[{"role": "user", "content": "Why?"}, first, first.model_dump(), {"role": "user", "content": "And at night?"}],
        max_tokens=3,
        temperature=0.5,
        user="somebody",
    )
    return {"text": answer.choices[0].message.content}


def stream():
    events = complete("all", "tokens=30 rate=0", stream=True, stream_options={"include_usage": True})
    seen = {"requestId": header(events, "x-request-id"), "text": "", "pieces": 0}
    for chunk in events:
        seen["id"] = chunk.id
        for choice in chunk.choices:
            seen["text"] += choice.delta.content or ""
            seen["pieces"] += bool(choice.delta.content)
            seen["finish"] = choice.finish_reason or seen.get("finish")
        if getattr(chunk, "usage", None):
            seen["tokens"] = chunk.usage.total_tokens
    return seen


def tools():
    """A picture is asked about, a tool is used, its result answered."""
    request = {
        "model": "openai/" + world["model"],
        "api_base": world["baseUrl"],
        "api_key": world["keys"]["all"],
        "tools": world["tools"],
        "extra_body": {"reasoning_effort": "low"},
        "messages": [
            {"role": "system", "content": "script: tokens=6 rate=0 tool=get_weather echo"},
            {"role": "user", "content": [{"type": "text", "text": "Is it warm there?"}, {"type": "image_url", "image_url": {"url": world["image"]}}]},
        ],
    }
    first = litellm.completion(**request)
    choice = first.choices[0]
    calls = choice.message.tool_calls
    request["messages"] += [choice.message, *({"role": "tool", "tool_call_id": c.id, "content": "7.5 °C"} for c in calls)]
    last = litellm.completion(**request).choices[0]
    return {
        "id": first.id,
        "reasoning": choice.message.reasoning_content,
        "text": choice.message.content,
        "finish": choice.finish_reason,
        "calls": [{"id": c.id, "name": c.function.name, "arguments": c.function.arguments} for c in calls],
        "answer": last.message.content,
        "answerFinish": last.finish_reason,
    }


def rate():
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(complete, "rate", "tokens=3 rate=0", "limitedUrl", 3) for _ in range(2)]
        return {"texts": [call.result().choices[0].message.content for call in calls]}


def broken():
    text = ""

    def read():
        nonlocal text
        for chunk in complete("all", "tokens=20 rate=0 error=modelStreamErrorException@8 times=0", stream=True):
            text += chunk.choices[0].delta.content or ""

    return error_of(read) | {"text": text}


def hang_up():
    events = complete("all", "tokens=60 rate=20", stream=True)
    for chunk in events:
        if chunk.choices[0].delta.content:
            break
    events.completion_stream.close()
    return {"requestId": header(events, "x-request-id")}


json.dump(
    {
        "plain": plain(),
        "secondTurn": second_turn(),
        "stream": stream(),
        "tools": tools(),
        "quota": error_of(lambda: complete("quota", "tokens=3 rate=0", retries=2)),
        "rate": rate(),
        "throttled": error_of(lambda: complete("all", "error=throttlingException@0 times=0")),
        "broken": broken(),
        "hangUp": hang_up(),
        "wrongKey": error_of(lambda: complete("wrong", "tokens=3 rate=0", retries=2)),
        "refused": error_of(lambda: complete("all", "tokens=3 rate=0", retries=2, n=2)),
    },
    sys.stdout,
)
