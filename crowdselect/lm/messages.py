"""One message of a conversation, and what people's files write for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

from crowdselect.reading import parse_cell


class Message(TypedDict):
    """One turn, as chat templates take it."""

    role: str
    """``system``, ``user``, ``assistant`` or ``tool``."""
    content: str
    tool_calls: NotRequired[list[dict[str, Any]]]
    """What an assistant calls: ``{"type": "function", "function": {"name", "arguments"}}``."""
    reasoning_content: NotRequired[str]
    """What an assistant thought before its answer."""
    weight: NotRequired[float]
    """0: not trained on; 1, or none: trained on."""
    name: NotRequired[str]
    tool_call_id: NotRequired[str]
    tools: NotRequired[list[dict[str, Any]]]
    """Of a crowd's question, its first message alone: see :mod:`crowdselect.lm.calls`."""


def user(content: str) -> Message:
    """A user turn."""
    return {"role": "user", "content": content}


def assistant(content: str) -> Message:
    """An assistant turn."""
    return {"role": "assistant", "content": content}


ROLES = {
    "human": "user",
    "user": "user",
    "prompter": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
    "tool_response": "tool",
    "observation": "tool",
}
"""Who speaks, by the names that files give them."""
_CALLS = ("function_call", "tool_call")
_TEXT = ("content", "value", "text")
_REASONING = ("reasoning_content", "reasoning", "thinking")
_WEIGHTS = ("weight", "train", "loss")
_LABELS = ("name", "tool_call_id")
_ASKS = ("human", "user", "input", "question", "prompt", "instruction")
_SAYS = ("assistant", "gpt", "bot", "output", "answer", "response")
_SPEAKERS = ("role", "from", "speaker")
_USED = {*_SPEAKERS, *_TEXT, *_REASONING, *_WEIGHTS, *_LABELS, "tool_calls", "function_call"}
_TEMPLATE = ("role", "content", "tool_calls", "reasoning_content", *_LABELS)


def for_template(messages: Sequence[Message]) -> list[Message]:
    """Messages as a chat template gets them: without what only training reads."""
    kept = [{k: v for k, v in m.items() if k in _TEMPLATE} for m in messages]
    return cast("list[Message]", kept)


def read_messages(value: Any) -> list[Message]:
    """A list of messages (``role`` and ``content``, or ``from`` and ``value``), or its JSON text.

    A list of plain texts is user and assistant in turn; an object of a question and its answer
    (``human`` and ``assistant``, ``input`` and ``output``) is two messages.
    Raises ValueError in words that follow ``FILE, row N:``.
    """
    turns = _by_rows(value) if isinstance(value, Mapping) else json_list(value)
    if turns is None or not turns:
        raise ValueError(f"expected a list of messages, found {_found(value)}")
    if all(isinstance(turn, str) for turn in turns):
        roles = ("user", "assistant")
        return [{"role": roles[k % 2], "content": turn} for k, turn in enumerate(turns)]
    return [message for turn in turns for message in _one_or_two(turn)]


def _by_rows(value: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """``{"role": [...], "content": [...]}``, as ``datasets`` gives a sequence of objects."""
    columns = {k: v for k, v in value.items() if isinstance(v, list | tuple)}
    sizes = {len(v) for v in columns.values()}
    if not {"role", "from"} & set(columns) or len(sizes) != 1:
        return None
    return [{k: v[n] for k, v in columns.items()} for n in range(sizes.pop())]


def _one_or_two(turn: Any) -> list[Message]:
    """A message; or a question and its answer, which some files write as one object."""
    if isinstance(turn, Mapping) and not set(_SPEAKERS) & set(turn):
        asked, said = (next((k for k in keys if k in turn), None) for keys in (_ASKS, _SAYS))
        if asked is not None and said is not None:
            pair = [user(text_of(turn[asked], asked)), assistant(text_of(turn[said], said))]
            system = turn.get("system")
            first: list[Message] = [{"role": "system", "content": str(system)}] if system else []
            return [*first, *pair]
    return [read_message(turn)]


def read_message(value: Any) -> Message:
    """One message of any of the usual forms; raises ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a message with role and content, found {_found(value)}")
    given = {k: v for k, v in value.items() if v is not None}
    speaker = str(given.get("role", given.get("from", given.get("speaker", ""))))
    role = ROLES.get(speaker.strip().lower())
    if role is None:
        known = ", ".join(ROLES)
        raise ValueError(
            f"{speaker!r} is no known role ({known})" if speaker else "a message has no role"
        )
    calls = _calls_of(given)
    content = next((given[k] for k in _TEXT if k in given), None)
    if speaker.strip().lower() in _CALLS:
        calls, content = [*calls, *_written_calls(content)], ""
    if content is None and not calls:
        raise ValueError(f"a message of the role {role} has no content")
    message: Message = {
        "role": role,
        "content": text_of(content or "", f"a message of the role {role}"),
    }
    if calls:
        if role != "assistant":
            raise ValueError(f"a message of the role {role} calls a tool")
        message["tool_calls"] = calls
    return _with_rest(message, given)


def _with_rest(message: Message, given: Mapping[str, Any]) -> Message:
    reasoning = next((given[k] for k in _REASONING if given.get(k)), None)
    if reasoning is not None:
        message["reasoning_content"] = text_of(reasoning, "reasoning_content")
    weight = next((given[k] for k in _WEIGHTS if k in given), None)
    if weight is not None:
        if weight not in (0, 1):
            raise ValueError(f"the weight of a message is {weight!r}, expected 0 or 1")
        message["weight"] = float(weight)
    if given.get("name"):
        message["name"] = str(given["name"])
    if given.get("tool_call_id"):
        message["tool_call_id"] = str(given["tool_call_id"])
    return message


def unused_keys(value: Any) -> set[str]:
    """What a message holds beside all that is read."""
    if not isinstance(value, Mapping):
        return set()
    return {str(k) for k, v in value.items() if v not in (None, "", [])} - _USED


def text_of(value: Any, what: str) -> str:
    """A text, or the text of a list of content parts; raises ValueError naming ``what``."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and set(value) & {"type", "text"}:
        value = [value]
    if not isinstance(value, list | tuple):
        raise ValueError(f"{what} is {_found(value)}, expected text")
    parts = []
    for part in value:
        inner = part.get("text") if isinstance(part, Mapping) else part
        kind = part.get("type", "text") if isinstance(part, Mapping) else "text"
        if kind not in ("text", "input_text", "output_text", None) or not isinstance(inner, str):
            named = kind if isinstance(part, Mapping) else _found(part)
            raise ValueError(f"{what} holds a part of the kind {named!r}; only text is read")
        parts.append(inner)
    return "".join(parts)


def _found(value: Any) -> str:
    if isinstance(value, list | tuple) and not value:
        return "an empty one"
    if isinstance(value, str):
        return f"the text {value!r:.40}" if value else "an empty text"
    return "nothing" if value is None else type(value).__name__


def json_list(value: Any) -> list[Any] | None:
    """A list, also where it is written as JSON in a text (a cell of a CSV); else None."""
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            found = parse_cell(value)
        except ValueError:
            return None
        return found if isinstance(found, list) else None
    return None


def _calls_of(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """``tool_calls``, or the older ``function_call``."""
    listed = given.get("tool_calls") or ()
    calls = json_list(listed)
    if calls is None:
        raise ValueError(f"tool_calls is {_found(listed)}, expected a list")
    if given.get("function_call"):
        calls = [*calls, given["function_call"]]
    return [_call(call) for call in calls]


def _written_calls(content: Any) -> list[dict[str, Any]]:
    """Calls that a ShareGPT turn of the role ``function_call`` writes as JSON."""
    try:
        value = parse_cell(content) if isinstance(content, str) else content
    except ValueError:
        raise ValueError(f"a function_call is not JSON: {content!r:.60}") from None
    return [_call(call) for call in (value if isinstance(value, list) else [value])]


def _call(value: Any) -> dict[str, Any]:
    """One call with its arguments as an object, as templates want them."""
    inner = value.get("function", value) if isinstance(value, Mapping) else None
    name = inner.get("name") if isinstance(inner, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(name, str) or not name:
        raise ValueError(f"a call names no function: {value!r:.60}")
    arguments = inner.get("arguments", inner.get("parameters")) or {}
    if isinstance(arguments, str):
        try:
            arguments = parse_cell(arguments)
        except ValueError:
            raise ValueError(f"the arguments of a call of {name} are not JSON") from None
    call: dict[str, Any] = {
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }
    return {"id": value["id"], **call} if value.get("id") else call
