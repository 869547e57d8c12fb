"""What the document cannot say of bodies that are valid: OpenAPI 3.0 has no words
for roles that alternate, and which models there are, and how many tokens they may
write, is for a deployment to say."""

import os

import requests
import schemathesis

MODEL, MAX_TOKENS, TOKEN = os.environ["MODEL_ID"], int(os.environ["MAX_TOKENS"]), os.environ["ID_TOKEN"]

keys = []  # ids of personal keys, the oldest first


@schemathesis.hook
def before_call(context, case, kwargs):
    """A user has at most 20 keys: the oldest makes room."""
    if creates_key(case) and len(keys) > 15:
        response = requests.delete(f"{case.operation.base_url}/keys/{keys.pop(0)}", headers={"Authorization": TOKEN}, timeout=30)
        assert response.status_code in (204, 404), response.text


@schemathesis.hook
def after_call(context, case, response):
    if creates_key(case) and response.status_code == 201:
        keys.append(response.json()["keyId"])


def creates_key(case):
    return case.operation.path == "/keys" and case.method == "POST"


@schemathesis.hook
def map_case(context, case):
    fit = {"/requests": submission, "/openai/v1/chat/completions": completion}.get(case.operation.path)
    if fit and isinstance(case.body, dict) and case.meta and case.meta.generation.mode.is_positive:
        case.body = fit(dict(case.body))
    return case


def submission(body):
    """POST /requests: roles alternate and the user has the first and the last word."""
    if "model" in body:
        body["model"] = MODEL
    limit(body, "maxTokens")
    if "stopSequences" in body:
        body["stopSequences"] = [cut(s) for s in body["stopSequences"]]
    if "messages" in body:
        messages = body["messages"][: len(body["messages"]) - (len(body["messages"]) + 1) % 2]
        body["messages"] = [{"content": content(m["content"], i % 2), "role": ("user", "assistant")[i % 2]} for i, m in enumerate(messages)][-9:]
    if "tools" in body:
        body["tools"] = list({tool["name"]: tool for tool in body["tools"]}.values())
    if "tools" not in body:
        body.pop("toolChoice", None)
    elif isinstance(body.get("toolChoice"), dict):
        body["toolChoice"] = {"name": body["tools"][0]["name"]}
    return body


def content(given, by_assistant):
    """Blocks that fit their role: a use of a tool needs a result, a document a text and a name of its own, an upload has to exist."""
    if isinstance(given, str):
        return given
    kinds = ("text", "reasoning") if by_assistant else ("text", "image")
    fit = [block for block in given if block["type"] in kinds and "uploadId" not in block and said_something(block)]
    return [{"type": "text", "text": "What is a quorum?"}, *fit][:2]


def said_something(block):
    return block.get("text", "").strip() or block.get("signature") or block.get("redacted") or block["type"] == "image"


def completion(body):
    """POST /openai/v1/chat/completions: the user has the first and the last word."""
    body["model"] = MODEL
    limit(body, "max_completion_tokens")
    limit(body, "max_tokens")
    if body.get("max_completion_tokens") and body.get("max_tokens"):
        body["max_tokens"] = body["max_completion_tokens"]
    if not body.get("stream"):
        body.pop("stream_options", None)
    if isinstance(body.get("stop"), str):
        body["stop"] = cut(body["stop"])
    elif body.get("stop"):
        body["stop"] = [cut(s) for s in body["stop"]]
    for name in ("tools", "tool_choice", "reasoning_effort"):
        body.pop(name, None)
    question = {"role": "user", "content": "What is a quorum?"}
    body["messages"] = [question, *(m for m in body["messages"] if said(m)), question]
    return body


def limit(body, name):
    if body.get(name):
        body[name] = min(body[name], MAX_TOKENS)


def cut(stop):
    """At most 256 bytes, whatever the characters."""
    return stop[:64]


def said(message):
    """Texts, which may be blank, but not all those of a user; no loop of tools."""
    parts = message.get("content")
    if message["role"] == "tool" or message.get("tool_calls"):
        return False
    return message["role"] != "user" or isinstance(parts, str) or (
        all(p["type"] == "text" for p in parts) and any(p["text"].strip() for p in parts))
