"""What a server will be asked for, before it is asked: requests and tokens, by rule of thumb."""

from __future__ import annotations

import numpy as np

from crowdselect.errors import InputError
from crowdselect.making import GenerateConfig, JudgingConfig
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.making.job import instructions_of
from crowdselect.servers import CHARS_PER_TOKEN, Cost
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
    return Cost(requests, tokens, requests * config.max_tokens, None)


def generating_cost(workspace: Workspace, config: GenerateConfig) -> Cost | None:
    """The most that served models are asked for; None: no server is asked."""
    served = sum(a.base_url is not None for a in config.answerers)
    if not served:
        return None
    asked = instructions_of(workspace, config)[1][: config.limit]
    chars = sum(len(config.system) + sum(len(m["content"]) for m in talk) for talk in asked)
    requests = served * len(asked)
    tokens = served * chars // CHARS_PER_TOKEN
    return Cost(requests, tokens, requests * config.max_new_tokens, None)


def check_cost(cost: Cost | None, most: int | None) -> None:
    """Raise InputError where more than ``most`` requests would be made."""
    if cost is not None and most is not None and cost.requests > most:
        raise InputError(
            f"{cost.sentence('Estimated')[:-1]}, and at most {most:,} requests were allowed.",
            "Raise --max-requests, or take fewer instructions: --limit.",
        )
