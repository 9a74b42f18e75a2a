"""A server's bytes as a reply: whatever they are, an answer or the reason why there is none."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeGuard

from crowdselect.keys import scrub
from crowdselect.servers.thoughts import strip_thoughts
from crowdselect.servers.values import ENDLESS, LIMIT, SERVERS_FAULT, ChatReply

SHOWN = 120
"""Characters of a server's own words in a problem."""
PROBABLY = 0.01
"""A logarithm of a probability is at most 0, but for rounding."""
_NO_TEXT = {
    "content_filter": "a content filter stopped the answer",
    "tool_calls": "it called a tool instead of answering",
    "function_call": "it called a tool instead of answering",
}


def read_reply(body: bytes, max_tokens: int, seconds: float = 0.0) -> ChatReply:
    """The reply that ``body`` (of an answer with status 200) holds; never raises.

    A problem that is the server's fault begins with :data:`SERVERS_FAULT`.
    """
    reply = ChatReply("", finished=False, seconds=round(seconds, 3))
    text = body.decode("utf-8-sig", "replace")
    try:
        made = json.loads(text)
    except (ValueError, RecursionError):
        return _failed(reply, f"sent no whole JSON: {_quote(text)}")
    if not isinstance(made, dict):
        return _failed(reply, f"sent JSON that is no completion: {_quote(text)}")
    usage = made.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    reply = replace(
        reply,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )
    if made.get("error"):
        return _failed(reply, f"sent an error: {error_words(made)}")
    choices = made.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return _failed(reply, f"sent no choice with a message: {_quote(text)}")
    return _of_choice(reply, choice, message, max_tokens)


def error_words(body: Any) -> str:
    """What a server says in an error's body, in at most a line."""
    inner = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(inner, dict):
        told = [inner.get(k) for k in ("message", "msg", "detail", "error", "code", "type")]
        inner = next((t for t in told if isinstance(t, str) and t.strip()), json.dumps(inner))
    return one_line(inner if isinstance(inner, str) else json.dumps(inner, default=str))


def one_line(text: str) -> str:
    """The beginning of a text on one line, without secrets and half characters."""
    return scrub(whole_characters(" ".join(text.split())))[:SHOWN]


def whole_characters(text: str) -> str:
    """``text`` with half characters (lone surrogates), which no file holds, replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _of_choice(
    reply: ChatReply, choice: Mapping[str, Any], message: Mapping[str, Any], max_tokens: int
) -> ChatReply:
    ended = choice.get("finish_reason")
    logprobs = _first_token(choice.get("logprobs"))
    raw, refusal = _content(message)
    reply = replace(reply, finished=ended != "length", logprobs=logprobs)
    if refusal:
        return replace(reply, problem=f"the model refused: {one_line(refusal)}")
    if ended == "content_filter":
        return replace(reply, problem=_NO_TEXT[ended])
    limit = f"{LIMIT} {max_tokens:,} tokens"
    if raw is None:
        return replace(reply, problem=_why_no_text(message, ended, limit))
    text = strip_thoughts(scrub(whole_characters(raw)))
    if text is None:
        cut = f"its thoughts reached {limit}"
        return replace(reply, problem=cut if ended == "length" else ENDLESS)
    # Who asks for candidates of the first token wants nothing after it.
    problem = "" if ended != "length" or logprobs else f"cut off at {limit}"
    return replace(reply, text=text, problem=problem)


def _why_no_text(message: Mapping[str, Any], ended: Any, limit: str) -> str:
    thought = message.get("reasoning_content") or message.get("reasoning")
    thought = thought or isinstance(message.get("content"), list)
    if ended == "length":
        return f"its thoughts reached {limit}" if thought else f"cut off at {limit}"
    if message.get("tool_calls") or message.get("function_call"):
        return _NO_TEXT["tool_calls"]
    if thought:
        return "its reply holds thoughts only, no answer"
    kind = type(message.get("content")).__name__
    return "its answer is null" if kind == "NoneType" else f"its answer is no text but {kind}"


def _content(message: Mapping[str, Any]) -> tuple[str | None, str]:
    """The text of a message (of its text parts, where it comes in parts), and a refusal."""
    content = message.get("content")
    refusal = message.get("refusal")
    refusal = refusal if isinstance(refusal, str) else ""
    if isinstance(content, str):
        return content, "" if content else refusal
    texts: list[str] = []
    for part in content if isinstance(content, list) else []:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and part.get("type", "text") in ("text", "output_text"):
            inner = part.get("text")
            inner = inner.get("value") if isinstance(inner, dict) else inner
            texts += [inner] if isinstance(inner, str) else []
        elif isinstance(part, dict) and isinstance(part.get("refusal"), str):
            refusal = refusal or part["refusal"]
    return ("".join(texts), "") if texts else (None, refusal)


def _first_token(logprobs: Any) -> dict[str, float]:
    """Candidates of the first token, of the present format or the old one; empty: none came."""
    if not isinstance(logprobs, dict):
        return {}
    content = logprobs.get("content")
    first = content[0] if isinstance(content, list) and content else None
    listed = first.get("top_logprobs") if isinstance(first, dict) else None
    if isinstance(listed, list):
        pairs = [(t.get("token"), t.get("logprob")) for t in listed if isinstance(t, dict)]
    else:
        old = logprobs.get("top_logprobs")
        candidates = old[0] if isinstance(old, list) and old else None
        pairs = list(candidates.items()) if isinstance(candidates, dict) else []
    found: dict[str, float] = {}
    for token, value in pairs:
        if isinstance(token, str) and _is_number(value) and value <= PROBABLY:
            found.setdefault(scrub(whole_characters(token)), float(value))
    return found


def _count(value: Any) -> int:
    return int(value) if _is_number(value) and 0 <= value < 2**53 else 0


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _failed(reply: ChatReply, what: str) -> ChatReply:
    return replace(reply, problem=f"{SERVERS_FAULT}{what}")


def _quote(text: str) -> str:
    return repr(one_line(text)) if text.strip() else "nothing at all"
