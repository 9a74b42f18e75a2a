"""One judge rewards answers, block by block: a reward model, served grades, likelihoods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from crowdselect.engines import OnEngine
from crowdselect.lm.batches import usual_tokens
from crowdselect.lm.identity import model_identity
from crowdselect.lm.language_model import model_spec
from crowdselect.lm.messages import Message, assistant, user
from crowdselect.lm.models import check_folder
from crowdselect.lm.passes import Columns, Pass, Sample, Worker
from crowdselect.lm.rewards import load_reward_model, scored_batches
from crowdselect.lm.run import run_pass
from crowdselect.lm.shards import ShardFolder, shard_folder
from crowdselect.making.likelihood import LikelihoodPass, form_of
from crowdselect.options import Option
from crowdselect.progress import Progress
from crowdselect.servers import (
    ADDRESS,
    CONCURRENCY,
    KEY_VARIABLE,
    MAX_TOKENS,
    GradePass,
    server_of,
)
from crowdselect.values import FloatArray

SHARD = 256
BEST_GRADE = 10.0
Block = tuple[Sequence[Sample], Sequence[tuple[int, int]]]
"""Answers, and the place (instruction, model) of each in the matrix of rewards."""


class JudgingConfig(OnEngine):
    """What a judging job does."""

    crowd: Annotated[str, Option(flag=None)]
    name: Annotated[str, Option(flag=None)]
    """What the crowd calls the judge."""
    model: Annotated[
        str, Option(help="Reward model (folder or hub id), or a served model", short="-m")
    ]
    kind: Annotated[Literal["reward", "server", "likelihood"], Option(flag=None)] = "reward"
    form: Annotated[
        str,
        Option(
            help="For --likelihood: plain, chat, or a text with {question} that stands before the "
            "answer"
        ),
    ] = "plain"
    base_url: Annotated[str | None, ADDRESS] = None
    api_key_variable: Annotated[str, KEY_VARIABLE] = "OPENAI_API_KEY"
    concurrency: Annotated[int, CONCURRENCY, Field(ge=1, le=512)] = 8
    batch: Annotated[bool, Option(flag=None)] = False
    """Whether the server is asked by its Batch API (``servers.toml``)."""
    dimension: Annotated[
        str, Option(help="What a served judge grades from 0 to 10", label="What it grades, 0 to 10")
    ] = "overall quality"
    max_tokens: Annotated[int, MAX_TOKENS, Field(ge=8)] = 256
    max_length: Annotated[
        int, Option(help="Longest conversation in tokens for a reward model"), Field(ge=8)
    ] = 4096
    """Longer ones get no reward."""
    models: Annotated[
        tuple[str, ...], Option(help="Judge only this model's answers; repeatable", flag="--only")
    ] = ()
    """Empty: everybody's."""
    batch_tokens: Annotated[
        int | None,
        Option(help="Padded tokens of one batch; else what suits the device"),
        Field(ge=8),
    ] = None
    """None: 512 on a CPU, 8192 on a GPU."""
    limit: Annotated[int | None, Option(help="Only so many instructions"), Field(ge=1)] = None
    """The first ones."""


@dataclass(frozen=True)
class RewardPass(Pass):
    """A sequence-classification reward model reads instruction and response as a conversation."""

    version: ClassVar[int] = 2
    """2: read at the last token also where that is the padding token."""

    model: str
    files: str
    max_length: int
    batch_tokens: int | None

    @property
    def label(self) -> str:
        """The pass in a few words."""
        return f"rewards by {self.model}"

    def worker(self, keep: Path) -> Worker:
        """Load the reward model; it is loaded once per process."""
        return _Rewarder(self)


class _Rewarder:
    def __init__(self, work: RewardPass) -> None:
        self._judge = load_reward_model(work.model)
        self._limit = self._judge.limit(work.max_length)
        self._budget = work.batch_tokens or usual_tokens(self._judge.device)

    def __call__(self, samples: Sequence[Sample]) -> Columns:
        ids = [self._judge.ids(_conversation(sample)) for sample in samples]
        fitting = [row for row in range(len(ids)) if len(ids[row]) <= self._limit]
        found: list[float | None] = [None] * len(ids)
        batches = scored_batches(self._judge, [ids[row] for row in fitting], self._budget)
        for places, values in batches:
            for place, value in zip(places, values, strict=True):
                found[fitting[place]] = value
        long = f"longer than {self._limit} tokens"
        return {"grade": found, "reason": [long if v is None else None for v in found]}


def _conversation(sample: Sample) -> tuple[Message, ...]:
    return *(sample.prompt or (user(sample.instruction),)), assistant(sample.response)


def judge_pass(config: JudgingConfig) -> Pass:
    """The pass that gives an answer its reward; raises InputError for an unusable judge."""
    if config.kind == "reward":
        check_folder(config.model)
        files = model_identity(config.model)
        return RewardPass(config.model, files, config.max_length, config.batch_tokens)
    if config.kind == "likelihood":
        check_folder(config.model)
        spec = model_spec({"model": config.model, "batch_tokens": config.batch_tokens})
        return LikelihoodPass(spec, form_of(config.form), config.max_length)
    server = {
        "model": config.model,
        "base_url": config.base_url,
        "api_key_variable": config.api_key_variable,
        "concurrency": config.concurrency,
        "batch": config.batch,
    }
    asked = server_of("A served judge", [server])
    return GradePass(asked, config.max_tokens, config.dimension, BEST_GRADE)


def judge_blocks(
    config: JudgingConfig,
    blocks: Iterable[Block],
    values: FloatArray,
    cache: Path,
    progress: Progress,
    *,
    total: int,
    publish: Callable[[Counter[str]], None],
) -> Counter[str]:
    """Fill ``values`` (instructions x models, in place) and count what kept answers from a reward.

    ``publish`` is called after every block, and also when one is cut short: what was rewarded
    until then stands in ``values``, and it gets what kept answers from a reward. Shards that
    ``cache`` holds are not made again.
    """
    work = judge_pass(config)
    problems: Counter[str] = Counter()
    done = 0
    for samples, places in blocks:
        if not samples:
            continue
        # One batch for all that is known, which may take a day, and not one per shard.
        size = len(samples) if config.batch else SHARD
        shards = shard_folder(cache, work, samples, size)
        try:
            after = _after(progress, done, total)
            run_pass(work, samples, shards, after, config.pool)
        finally:
            problems += _fill(values, shards, places)
            publish(problems)
        done += len(samples)
    return problems


def _after(progress: Progress, before: int, everything: int) -> Progress:
    def report(done: int, total: int | None, label: str = "") -> None:
        progress(before + done, everything, label)

    return report


def _fill(
    values: FloatArray, shards: ShardFolder, places: Sequence[tuple[int, int]]
) -> Counter[str]:
    problems: Counter[str] = Counter()
    for part, columns in shards.finished():
        rewards = np.array(columns["grade"], dtype=np.float64)
        i, j = np.array(places[part]).T
        values[i, j] = rewards
        problems.update(reason for reason in columns["reason"] if reason)
    return problems
