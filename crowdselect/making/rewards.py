"""One judge rewards answers, block by block: a reward model, or a served chat model's grades."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from crowdselect.lm.batches import usual_tokens
from crowdselect.lm.engines import Engine, run_pass
from crowdselect.lm.identity import model_identity
from crowdselect.lm.messages import Message, assistant, user
from crowdselect.lm.models import check_folder
from crowdselect.lm.passes import Columns, Pass, Sample, Worker
from crowdselect.lm.rewards import load_reward_model, scored_batches
from crowdselect.lm.shards import ShardFolder, shard_folder
from crowdselect.progress import Progress
from crowdselect.servers import GradePass, server_of
from crowdselect.values import FloatArray, Frozen

SHARD = 256
BEST_GRADE = 10.0
Block = tuple[Sequence[Sample], Sequence[tuple[int, int]]]
"""Answers, and the place (instruction, model) of each in the matrix of rewards."""


class JudgingConfig(Frozen):
    """What a judging job does."""

    crowd: str
    name: str
    """What the crowd calls the judge."""
    model: str
    """Folder or hub id of a reward model, or a served chat model's name."""
    kind: Literal["reward", "server"] = "reward"
    base_url: str | None = None
    api_key_variable: str = "OPENAI_API_KEY"
    concurrency: int = Field(default=8, ge=1, le=512)
    dimension: str = "overall quality"
    """What a served judge grades, from 0 to 10."""
    max_tokens: int = Field(default=256, ge=8)
    """Longest reply of a served judge; one that reasons needs thousands."""
    max_length: int = Field(default=4096, ge=8)
    """Longest conversation in tokens for a reward model; longer ones get no reward."""
    batch_tokens: int | None = Field(default=None, ge=8)
    """Padded tokens of one batch; None: 512 on a CPU, 8192 on a GPU."""
    models: tuple[str, ...] = ()
    """Whose answers; empty: everybody's."""
    limit: int | None = Field(default=None, ge=1)
    """Only the first instructions."""
    engine: Engine = "local"
    workers: int = Field(default=2, ge=1, le=1024)


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
    server = {
        "model": config.model,
        "base_url": config.base_url,
        "api_key_variable": config.api_key_variable,
        "concurrency": config.concurrency,
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
        shards = shard_folder(cache, work, samples, SHARD)
        try:
            after = _after(progress, done, total)
            run_pass(work, samples, shards, after, config.engine, config.workers)
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
