"""What requests cost: estimated before they are sent, counted after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crowdselect.servers.config import ServerConfig
from crowdselect.servers.values import ChatReply, ChatRequest

CHARS_PER_TOKEN = 4
"""A rule of thumb for estimates; afterwards the server's own counts are used."""


@dataclass(frozen=True)
class Cost:
    """Requests, tokens and money."""

    requests: int
    prompt_tokens: int
    completion_tokens: int
    money: float | None
    """In the currency of the prices; None: no prices were given."""
    currency: str = ""

    def sentence(self, when: str) -> str:
        """In words; ``when`` says whether it is an estimate or a count."""
        unit = f" {self.currency}" if self.currency else ""
        money = "" if self.money is None else f", cost {self.money:,.4g}{unit}"
        return (
            f"{when}: {self.requests:,} requests, {self.prompt_tokens:,} prompt and "
            f"{self.completion_tokens:,} completion tokens{money}."
        )


def price(config: ServerConfig, prompt_tokens: int, completion_tokens: int) -> float | None:
    """Money for so many tokens; None where a price is unknown."""
    if config.price_in is None or config.price_out is None:
        return None
    return (prompt_tokens * config.price_in + completion_tokens * config.price_out) / 1e6


def expected_tokens(request: ChatRequest) -> int:
    """Prompt tokens by rule of thumb."""
    return sum(len(m["content"]) for m in request.messages) // CHARS_PER_TOKEN + 8


def expected_cost(config: ServerConfig, requests: Sequence[ChatRequest]) -> Cost:
    """The most that requests can cost: prompts by rule of thumb, answers as long as allowed."""
    given = sum(map(expected_tokens, requests))
    wanted = sum(r.max_tokens for r in requests)
    return Cost(len(requests), given, wanted, price(config, given, wanted))


def cost_of(config: ServerConfig, replies: Iterable[ChatReply]) -> Cost:
    """What replies did cost by the server's counts; cached ones cost nothing."""
    paid = [r for r in replies if not r.cached]
    given = sum(r.prompt_tokens for r in paid)
    made = sum(r.completion_tokens for r in paid)
    return Cost(len(paid), given, made, price(config, given, made))
