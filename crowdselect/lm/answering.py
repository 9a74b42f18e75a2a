"""Every request answered once, whatever stopped an earlier start: the loop with its journal."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from crowdselect.engines import Pool, spread
from crowdselect.lm.generation import Answer, Deliver, Request, generate, generate_here, use_vllm
from crowdselect.lm.journal import Journal
from crowdselect.lm.models import Checkpoint, LocalModel
from crowdselect.progress import Progress

Maker = Callable[[Sequence[Request], Deliver, Callable[[], None]], None]
"""Answers requests and hands each answer over as soon as it is there; while it waits it calls the
last function now and then, which reports again, and raises when the work is to stop."""


def answer_all(
    journal: Journal,
    requests: Sequence[Request],
    make: Maker,
    progress: Progress,
    *,
    label: str = "answering",
    prepare: Callable[[], None] = lambda: None,
    keep: Callable[[Answer], bool] = lambda answer: True,
) -> dict[str, dict[str, Any]]:
    """Answers by key (text, tokens, finished, problem), from the journal or made now.

    Parameters
    ----------
    make
        Asked for what the journal does not hold; requests of one key are made once.
    prepare
        Called before the first report, if anything is to be made: loading is no pace of answering.
    keep
        Which answers go into the journal; the others are asked for again at the next start.
    """
    unique = {r.key: r for r in requests}
    todo = [r for r in unique.values() if r.key not in journal]
    passing: dict[str, dict[str, Any]] = {}
    done = len(unique) - len(todo)

    def deliver(key: str, answer: Answer) -> None:
        record = dataclasses.asdict(answer)
        if keep(answer):
            journal.add(key, record)
        else:
            passing[key] = record
        nonlocal done
        done += 1
        report()

    def report() -> None:
        progress(done, len(unique), label)

    if todo:
        prepare()
    report()
    if todo:
        make(todo, deliver, report)
    return {key: passing.get(key) or journal.get(key) or {} for key in unique}


def answered_here(
    model: LocalModel,
    *,
    max_new_tokens: int,
    seed: int,
    batch_tokens: int | None = None,
    vllm: bool = True,
) -> Maker:
    """Answers of a model on this machine; ``vllm``: by vLLM where it is there."""

    def make(requests: Sequence[Request], deliver: Deliver, report: Callable[[], None]) -> None:
        options = {"max_new_tokens": max_new_tokens, "seed": seed, "batch_tokens": batch_tokens}
        if vllm:
            generate(model, requests, deliver, **options)  # type: ignore[arg-type]
        else:
            generate_here(model.loaded, requests, deliver, **options)  # type: ignore[arg-type]

    return make


CHUNK = 128
"""Requests that a worker of a pool answers before it hands them back."""


def answered_on(
    pool: Pool,
    checkpoint: Checkpoint,
    *,
    max_new_tokens: int,
    seed: int,
    batch_tokens: int | None = None,
) -> Maker:
    """Answers of a model on a pool: each worker holds it once and answers chunk by chunk."""

    def make(requests: Sequence[Request], deliver: Deliver, report: Callable[[], None]) -> None:
        # Prompts of like length together, so that little of a batch is padding; longest first.
        ordered = sorted(
            requests, key=lambda r: (-sum(len(m["content"]) for m in r.messages), r.key)
        )
        chunks = [ordered[first : first + CHUNK] for first in range(0, len(ordered), CHUNK)]
        worker = partial(_Answering, checkpoint, max_new_tokens, seed, batch_tokens)
        for _, answers in spread(worker, chunks, pool):
            for key, answer in answers:
                deliver(key, answer)

    return make


class _Answering:
    """A worker of a pool: one model, loaded once."""

    def __init__(
        self, checkpoint: Checkpoint, max_new_tokens: int, seed: int, batch_tokens: int | None
    ) -> None:
        model = LocalModel(checkpoint)
        self._make = answered_here(
            model, max_new_tokens=max_new_tokens, seed=seed, batch_tokens=batch_tokens
        )

    def __call__(self, requests: Sequence[Request]) -> list[tuple[str, Answer]]:
        found: list[tuple[str, Answer]] = []
        self._make(requests, lambda key, answer: found.append((key, answer)), lambda: None)
        return found


def loaded_first(model: LocalModel, progress: Progress) -> Callable[[], None]:
    """What :func:`answer_all` does beforehand for a model on this machine."""

    def prepare() -> None:
        if not model.is_loaded and not use_vllm():
            progress(0, None, "loading the model")
            model.loaded  # noqa: B018

    return prepare
