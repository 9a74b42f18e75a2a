"""What a server does not take, learned from its own refusals: once per server and model."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crowdselect.lm.messages import Message
from crowdselect.servers.config import ServerConfig
from crowdselect.servers.values import ChatRequest

_UNKNOWN = re.compile(
    r"unsupported|not supported|n.t support|not support|unknown|unrecogni[sz]ed|unexpected"
    r"|extra (?:input|field)|extra_forbidden|not permitted|not allowed|deprecated"
    r"|only the default|not available|invalid (?:parameter|argument|field)|instead",
    re.IGNORECASE,
)
_ANOTHER_MATTER = re.compile(
    r"context (?:length|window)|too (?:large|long|many)|at most|exceed|maximum (?:value|number)",
    re.IGNORECASE,
)
_NO_SYSTEM = re.compile(
    r"system[^.]{0,20}(?:role|message|prompt|instruction)[^.]{0,40}not[^.]{0,10}(?:support|allow|permit)"
    r"|not support[^.]{0,30}system|roles must alternate user/assistant",
    re.IGNORECASE,
)
_ABOVE_ZERO = re.compile(r"strictly positive|greater than 0|must be positive|> ?0\b", re.IGNORECASE)
DROPPABLE = ("temperature", "seed", "logprobs")
COLDEST = 0.01
"""Temperature for a server that takes none of 0."""


@dataclass(frozen=True)
class Habits:
    """How a request must differ from the usual one."""

    completion_tokens: bool = False
    """The limit is called ``max_completion_tokens``."""
    without: tuple[str, ...] = ()
    """Parameters that are not sent."""
    never_zero: bool = False
    """Temperature 0 is refused, a small one is not."""
    system_in_user: bool = False
    """The system message opens the first question."""

    def learn(self, refusal: str, request: ChatRequest) -> Habits | None:
        """What the server's refusal of ``request`` teaches; None: nothing new."""
        told_to = request.messages[0]["role"] == "system"
        if told_to and not self.system_in_user and _NO_SYSTEM.search(refusal):
            return replace(self, system_in_user=True)
        if _ANOTHER_MATTER.search(refusal):
            return None
        named = re.findall(r"[a-z_]+", refusal.lower())
        zero = request.temperature == 0 and "temperature" in named and not self.never_zero
        if zero and "temperature" not in self.without and _ABOVE_ZERO.search(refusal):
            return replace(self, never_zero=True)
        if not _UNKNOWN.search(refusal):
            return None
        if not self.completion_tokens and "max_tokens" in named:
            return replace(self, completion_tokens=True)
        for name in DROPPABLE:
            if name not in self.without and name in named and _sends(request, name):
                return replace(self, without=(*self.without, name))
        return None

    def arguments(self, config: ServerConfig, request: ChatRequest) -> dict[str, Any]:
        """The request as this server takes it, for the ``openai`` package."""
        limit = "max_completion_tokens" if self.completion_tokens else "max_tokens"
        asked: dict[str, Any] = {
            "model": config.model,
            "messages": _messages(request.messages, self.system_in_user),
            limit: request.max_tokens,
            "temperature": max(request.temperature, COLDEST if self.never_zero else 0.0),
        }
        if request.seed is not None:
            asked["seed"] = request.seed
        if request.top_logprobs:
            asked |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        left_out = {*self.without, *(["top_logprobs"] if "logprobs" in self.without else [])}
        return {name: value for name, value in asked.items() if name not in left_out}

    def sentence(self, config: ServerConfig) -> str:
        """What differs from the usual request and may change answers; empty: nothing."""
        told = [f"no {name}" for name in self.without]
        told += [f"no temperature 0, so {COLDEST:g}"] if self.never_zero else []
        told += ["no system message, so the question opens with it"] if self.system_in_user else []
        return f"{config.model} takes {'; '.join(told)}." if told else ""

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, record: dict[str, Any]) -> Habits:
        """Back from JSON; raises TypeError or ValueError for another version's."""
        return cls(**{**record, "without": tuple(record.get("without", ()))})


def _sends(request: ChatRequest, name: str) -> bool:
    sent = {"seed": request.seed is not None, "logprobs": request.top_logprobs > 0}
    return sent.get(name, True)


def _messages(messages: Sequence[Message], system_in_user: bool) -> list[Any]:
    """Messages as they can be sent: half a character, which no UTF-8 holds, is replaced.

    ``weight`` is for training only.
    """
    clean = [_sendable({k: v for k, v in m.items() if k != "weight"}) for m in messages]
    if system_in_user and len(clean) > 1 and clean[0]["role"] == "system":
        system, first, *rest = clean
        clean = [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]
    return clean


def _sendable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {k: _sendable(v) for k, v in value.items()}
    return [_sendable(v) for v in value] if isinstance(value, list) else value
