"""What a server will be asked for, before it is asked: requests and tokens, by rule of thumb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from crowdselect.access import server_at
from crowdselect.errors import InputError
from crowdselect.making import GenerateConfig, JudgingConfig
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.making.job import instructions_of
from crowdselect.pipeline.scoring import make_scorer, score_samples
from crowdselect.scoring import ScoreConfig
from crowdselect.servers import (
    CHARS_PER_TOKEN,
    AskPass,
    ChatRequest,
    Cost,
    ServerConfig,
    expected_cost,
)
from crowdselect.settings import Workspace

FRAME_TOKENS = 200
"""Tokens of a judge's own words around question and answer."""


def judging_cost(workspace: Workspace, config: JudgingConfig) -> Cost | None:
    """The most that a served judge is asked for; None: no server is asked.

    What an earlier run asked already is not asked again, and not taken off here.
    """
    if config.kind != "server":
        return None
    crowd = open_crowd(workspace, config.crowd)
    last = min(crowd.n, config.limit or crowd.n)
    wanted = [j for j, m in enumerate(crowd.models) if not config.models or m.name in config.models]
    answers = crowd.texts.response_lengths("chars")[:last, wanted]
    asked = answers > 0
    questions = crowd.texts.instruction_lengths("chars")[:last, None] * asked
    requests = int(asked.sum())
    chars = float(np.nansum(np.where(asked, answers, 0.0)) + questions.sum())
    tokens = int(chars // CHARS_PER_TOKEN) + FRAME_TOKENS * requests
    cost = Cost(requests, tokens, requests * config.max_tokens, None)
    return priced(workspace, cost, config.base_url, config.model)


def generating_cost(workspace: Workspace, config: GenerateConfig) -> Cost | None:
    """The most that served models are asked for; None: no server is asked."""
    served = [a for a in config.answerers if a.base_url is not None]
    if not served:
        return None
    asked = instructions_of(workspace, config)[1][: config.limit]
    chars = sum(len(config.system) + sum(len(m["content"]) for m in talk) for talk in asked)
    each = Cost(len(asked), chars // CHARS_PER_TOKEN, len(asked) * config.max_new_tokens, None)
    return total_cost([priced(workspace, each, a.base_url, a.model) for a in served])


def scoring_cost(workspace: Workspace, config: ScoreConfig) -> Cost | None:
    """The most that a scorer asks a served model for; None: no server is asked."""
    scorer = make_scorer(config.scorer, config.options)
    if scorer.uses != "chat server":
        return None
    samples = score_samples(workspace, config)
    costs = []
    for work in scorer.passes():
        assert isinstance(work, AskPass)
        server = ServerConfig.parse(work.server, "the server's options")
        requests = [ChatRequest(s.id, work.messages(s), work.max_tokens) for s in samples]
        cost = expected_cost(server, requests)
        costs.append(priced(workspace, cost, server.base_url, server.model))
    return total_cost(costs)


def priced(workspace: Workspace, cost: Cost, base_url: str | None, model: str) -> Cost:
    """``cost`` with money, where ``servers.toml`` tells the model's price."""
    server = server_at(workspace, base_url)
    if server is None or model not in server.prices:
        return cost
    per = server.prices[model]
    money = (cost.prompt_tokens * per.input + cost.completion_tokens * per.output) / 1e6
    return replace(cost, money=money * (server.batch or 1.0), currency=server.currency)


def total_cost(costs: Sequence[Cost]) -> Cost:
    """All together; the money where every price is known, in one currency."""
    known = all(c.money is not None for c in costs) and len({c.currency for c in costs}) == 1
    return Cost(
        sum(c.requests for c in costs),
        sum(c.prompt_tokens for c in costs),
        sum(c.completion_tokens for c in costs),
        sum(c.money or 0.0 for c in costs) if known else None,
        costs[0].currency if known else "",
    )


def check_cost(cost: Cost | None, most: int | None) -> None:
    """Raise InputError where more than ``most`` requests would be made."""
    if cost is not None and most is not None and cost.requests > most:
        raise InputError(
            f"{cost.sentence('Estimated')[:-1]}, and at most {most:,} requests were allowed.",
            "Raise --max-requests, or take fewer instructions: --limit.",
        )
