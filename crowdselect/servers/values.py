"""What is asked of a chat model, and what it replies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crowdselect.lm.messages import Message

REFUSED = "the server refused"
"""How the problem of a refused request begins: it may be answered another time."""


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
