"""Calls of tools in conversations: which tools there are, and a call as text and back.

A crowd keeps answers as texts, which are measured, embedded, judged and shown. An answer that calls
tools is written as the Hermes and Qwen templates write it: its words, then a block a call::

    <tool_call>
    {"name": "weather", "arguments": {"city": "Oslo"}}
    </tool_call>

Whether such blocks mean calls is said by the question: its first message has ``tools``, the list of
descriptions, which may be empty. Elsewhere a text is a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from crowdselect.lm.messages import Message

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_BLOCK = re.compile(rf"\n?{_OPEN}\n(.*?)\n{_CLOSE}", re.DOTALL)
Tools = tuple[dict[str, Any], ...]


def is_about_tools(messages: Sequence[Message]) -> bool:
    """Tell whether a message calls a tool, or hands over what one gave."""
    return any(m["role"] == "tool" or m.get("tool_calls") for m in messages)


def with_tools(messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> tuple[Message, ...]:
    """A question whose answers may call ``tools``, which are described in its first message."""
    first = cast("Message", {**messages[0], "tools": list(tools)})
    return (first, *messages[1:])


def knows_calls(messages: Sequence[Message]) -> bool:
    """Tell whether answers to this question may call tools."""
    return bool(messages) and "tools" in messages[0]


def tools_of(messages: Sequence[Message]) -> Tools:
    """Descriptions of the tools that may be called."""
    return tuple(messages[0].get("tools", ())) if messages else ()


def without_tools(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages alone."""
    return tuple(cast("Message", {k: v for k, v in m.items() if k != "tools"}) for m in messages)


def written(message: Message) -> str:
    """A message as text, its calls as blocks; raises ValueError where its words hold a mark."""
    calls = message.get("tool_calls", [])
    if calls and _OPEN in message["content"]:
        raise ValueError(f"an answer that calls tools holds {_OPEN} among its words, too")
    blocks = [f"{_OPEN}\n{_as_json(call)}\n{_CLOSE}" for call in calls]
    return "\n".join([*([message["content"]] if message["content"] or not blocks else []), *blocks])


def _as_json(call: Mapping[str, Any]) -> str:
    inner = call["function"]
    value = {"name": inner["name"], "arguments": inner["arguments"]}
    if call.get("id"):
        value["id"] = call["id"]
    text = json.dumps(value, ensure_ascii=False)
    for mark in (_OPEN, _CLOSE):  # a mark inside of an argument ends no block
        text = text.replace(mark, mark.replace("<", "\\u003c"))
    return text


def read_written(text: str) -> Message:
    """An answer's text as a message; blocks that are no calls stay words."""
    start = text.find(_OPEN)
    plain: Message = {"role": "assistant", "content": text}
    if start < 0:
        return plain
    words, rest = text[:start], text[start:]
    if _BLOCK.sub("", rest).strip():
        return plain
    found = [_call(block[1]) for block in _BLOCK.finditer(rest)]
    calls = [call for call in found if call is not None]
    if len(calls) < len(found):
        return plain
    return {"role": "assistant", "content": words.removesuffix("\n"), "tool_calls": calls}


def _call(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
        name, arguments = value["name"], value["arguments"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(name, str) or not name:
        return None
    call = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return {"id": str(value["id"]), **call} if value.get("id") else call
