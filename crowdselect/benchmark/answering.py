"""The answers of the model under test: every request once, whatever stopped an earlier start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crowdselect.benchmark.base import Context
from crowdselect.lm.answering import answer_all, answered_here, loaded_first
from crowdselect.lm.generation import Request, request_seed
from crowdselect.servers import RequestCache, ServerConfig, answered_there, is_final


def subject_answers(
    context: Context, requests: Sequence[Request], max_new_tokens: int
) -> dict[str, dict[str, Any]]:
    """Answers by key (text, tokens, finished, problem), from the journal or freshly generated.

    What a server refused is not kept, so a resume asks for it again.
    """
    config = context.subject.config
    if not config.endpoint:
        model = context.subject.model
        return answer_all(
            context.journal,
            requests,
            answered_here(model, max_new_tokens=max_new_tokens, seed=context.seed),
            context.progress,
            prepare=loaded_first(model, context.progress),
        )
    make = answered_there(
        ServerConfig(model=config.model, base_url=config.endpoint),
        max_new_tokens=max_new_tokens,
        seed_of=lambda request: request_seed(request, context.seed),
        cache=RequestCache(context.cache),
    )
    return answer_all(context.journal, requests, make, context.progress, keep=is_final)
