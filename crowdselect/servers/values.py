"""What is asked of a chat model, and what it replies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crowdselect.lm.messages import Message

SERVERS_FAULT = "the server "
"""How a problem begins that is the server's fault, not the answer's."""
REFUSED = f"{SERVERS_FAULT}refused"
"""How the problem of a refused request begins."""


LIMIT = "the length limit of"
"""What the problem of a reply that was cut names."""
ENDLESS = "its thoughts never came to an end"
"""The problem of a reply that is all thought."""


def may_succeed(problem: str) -> bool:
    """Whether a request that failed so may be answered another time: it was the server's fault."""
    return problem.startswith(SERVERS_FAULT)


def with_room(problem: str, option: str) -> str:
    """A problem and, where more room may help, the ``option`` that gives it."""
    short = LIMIT in problem or problem == ENDLESS
    return f"{problem}; {option} gives it more" if short else problem


@dataclass(frozen=True)
class ChatRequest:
    """One conversation to be continued."""

    key: str
    """Names the request among others; no part of what is asked."""
    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    seed: int | None = None
    top_logprobs: int = 0
    """Ask for the log-probabilities of so many candidates of the first token."""


@dataclass(frozen=True)
class ChatReply:
    """An answer, or why there is none."""

    text: str
    problem: str = ""
    """Empty: the answer is whole. Else one clause: cut off, refused, no connection ..."""
    finished: bool = True
    """False: cut at the length limit."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    cached: bool = False
    """Read from the cache: it cost nothing now."""
    logprobs: Mapping[str, float] = field(default_factory=dict)
    """Candidates of the first token with their natural log-probabilities."""
