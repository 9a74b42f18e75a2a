"""What of a conversation a chat template writes: found by taking it away and looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal, cast

from crowdselect.errors import InputError
from crowdselect.lm.conversations import Conversation
from crowdselect.lm.messages import Message

Render = Callable[[Conversation], str]
"""The text of a whole conversation under the template."""
Part = Literal["tool_calls", "reasoning_content", "tools"]


def check_calls(conversation: Conversation, render: Render) -> None:
    """Raise InputError for a call that the template does not write: it would be an empty answer."""
    calls = [c for m in conversation.messages for c in m.get("tool_calls", ())]
    if calls and not _writes(conversation, render, "tool_calls"):
        name = calls[0]["function"]["name"]
        raise InputError(
            f"{conversation.where} calls the tool {name}, which the model's chat template does "
            "not write: an empty answer would stand there.",
            "Take a model whose template knows tools, or leave such rows out.",
        )


def left_out(conversation: Conversation, render: Render) -> Iterator[Part]:
    """Yield the parts that the template does not write: thoughts, descriptions of tools."""
    thought = any(m.get("reasoning_content") for m in conversation.messages)
    if thought and not _writes(conversation, render, "reasoning_content"):
        yield "reasoning_content"
    if conversation.tools and not _writes(conversation, render, "tools"):
        yield "tools"


def _writes(conversation: Conversation, render: Render, part: Part) -> bool:
    """Whether the text changes when the part is taken away."""
    return render(conversation) != render(_without(conversation, part))


def _without(conversation: Conversation, part: Part) -> Conversation:
    if part == "tools":
        return replace(conversation, tools=())
    kept = tuple({k: v for k, v in m.items() if k != part} for m in conversation.messages)
    return replace(conversation, messages=cast("tuple[Message, ...]", kept))
