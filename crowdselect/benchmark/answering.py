"""Every request answered once, whatever stopped an earlier start."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from crowdselect.benchmark.base import Context
from crowdselect.benchmark.generate import Answer, Request, generate


def answer_all(
    context: Context, requests: Sequence[Request], max_new_tokens: int
) -> dict[str, dict[str, Any]]:
    """Answers by key (text, tokens, finished, problem), from the journal or freshly generated."""
    todo = [r for r in requests if r.key not in context.journal]
    done = len(requests) - len(todo)
    context.progress(done, len(requests), "answering")

    def deliver(key: str, answer: Answer) -> None:
        context.journal.add(key, dataclasses.asdict(answer))
        nonlocal done
        done += 1
        context.progress(done, len(requests), "answering")

    generate(context.subject, todo, deliver, max_new_tokens=max_new_tokens, seed=context.seed)
    return {r.key: context.journal.get(r.key) or {} for r in requests}
