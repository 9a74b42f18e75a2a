"""A crowd's answers -> the rewards of a new judge, block by block; ``crowdselect crowd judge``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from crowdselect import jobs
from crowdselect.benchmark.chat import render, token_ids
from crowdselect.benchmark.generate import batches
from crowdselect.benchmark.judges.rewards import load_reward_model
from crowdselect.benchmark.judges.rewards import score as reward_batch
from crowdselect.benchmark.subject import check_folder
from crowdselect.errors import InputError, NotFoundError
from crowdselect.jobs import Job
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.progress import Progress
from crowdselect.registry import did_you_mean
from crowdselect.scoring import Engine, GradePass, Pass, Sample
from crowdselect.scoring.base import Columns, Worker
from crowdselect.scoring.chat import server_of
from crowdselect.scoring.engines import run_pass
from crowdselect.scoring.language_model import model_files, usual_tokens
from crowdselect.scoring.shards import ShardFolder, shard_folder
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.values import FloatArray, Frozen, IntArray

BLOCK = 500
"""Instructions judged between two times that the rewards are added to the crowd."""
SHARD = 256
BEST_GRADE = 10.0


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
        own = getattr(self._judge.model.config, "max_position_embeddings", None)
        self._limit = min(work.max_length, own or work.max_length)
        self._budget = work.batch_tokens or usual_tokens(self._judge.device)

    def __call__(self, samples: Sequence[Sample]) -> Columns:
        ids = [self._ids(sample) for sample in samples]
        fitting = [row for row in range(len(ids)) if len(ids[row]) <= self._limit]
        found: list[float | None] = [None] * len(ids)
        for group in batches([len(ids[row]) for row in fitting], self._budget, 0):
            rows = [fitting[i] for i in group]
            for row, value in zip(
                rows, reward_batch(self._judge, [ids[r] for r in rows]), strict=True
            ):
                found[row] = value
        long = f"longer than {self._limit} tokens"
        return {"grade": found, "reason": [long if v is None else None for v in found]}

    def _ids(self, sample: Sample) -> list[int]:
        messages = (
            {"role": "user", "content": sample.instruction},
            {"role": "assistant", "content": sample.response},
        )
        tokenizer = self._judge.tokenizer
        return token_ids(tokenizer, render(tokenizer, messages, complete=True))


def judge_pass(config: JudgingConfig) -> Pass:
    """The pass that gives an answer its reward; raises InputError for an unusable judge."""
    if config.kind == "reward":
        check_folder(config.model)
        files = model_files(config.model)
        return RewardPass(config.model, files, config.max_length, config.batch_tokens)
    server = {
        "model": config.model,
        "base_url": config.base_url,
        "api_key_variable": config.api_key_variable,
        "concurrency": config.concurrency,
    }
    return GradePass(server_of("A served judge", [server]), 256, config.dimension, BEST_GRADE)


def create_judge(workspace: Workspace, config: JudgingConfig, *, replace: bool = False) -> Path:
    """Make the run directory of a judging job; raises at once for what can be seen beforehand."""
    judge_pass(config)
    crowd = open_crowd(workspace, config.crowd)
    known = [m.name for m in crowd.models]
    for name in config.models:
        if name not in known:
            raise NotFoundError(
                f"The crowd {crowd.name} has no model {name!r}.", did_you_mean(name, known)
            )
    if config.name in crowd.judges and not replace:
        raise InputError(
            f"The crowd {crowd.name} has a judge called {config.name!r} already.",
            "Choose another --name, or give --replace.",
        )
    return jobs.create(workspace, "judge", config.model_dump(mode="json"))


def run_judge_job(job: Job) -> None:
    """Worker of ``crowdselect crowd judge``; the crowd has every finished block's rewards."""
    config = JudgingConfig.parse(job.config, str(job.path / "config.json"))
    crowd = open_crowd(job.workspace, config.crowd)
    work = judge_pass(config)
    wanted = [j for j, m in enumerate(crowd.models) if not config.models or m.name in config.models]
    last = min(crowd.n, config.limit or crowd.n)
    total = int((crowd.texts.response_lengths("chars")[:last, wanted] > 0).sum())
    if not total:
        raise InputError(
            f"No instruction of {crowd.name} has a response of these models.",
            f"Make some: crowdselect crowd generate {crowd.name} --model MODEL",
        )
    values: FloatArray = np.full((crowd.n, len(crowd.models)), np.nan)
    problems: Counter[str] = Counter()
    done = 0
    for first in range(0, last, BLOCK):
        rows = np.arange(first, min(first + BLOCK, last))
        samples, places = _pairs(crowd, rows, wanted)
        if not samples:
            continue
        shards = shard_folder(job.workspace.cache / "rewards", work, samples, SHARD)
        try:
            progress = _after(job.progress, done, total)
            run_pass(work, samples, shards, progress, config.engine, config.workers)
        finally:
            problems += _fill(values, shards, places)
            _publish(crowd, config.name, values)
        done += len(samples)
    given = int((~np.isnan(values)).sum())
    job.event(
        "judged", crowd=crowd.name, judge=config.name, rewards=given, missing=total - given,
        problems=dict(problems.most_common(10)),
    )  # fmt: skip


def _pairs(
    crowd: Crowd, rows: IntArray, models: Sequence[int]
) -> tuple[list[Sample], list[tuple[int, int]]]:
    """Every answer to the instructions ``rows`` as a sample, and its place in the matrix."""
    texts = crowd.instruction_texts(rows)
    found: list[tuple[int, int, str]] = []
    for j in models:
        columns = np.full(crowd.n, -1, dtype=np.int64)
        columns[rows] = j
        responses = crowd.responses_of(columns)
        found += [(int(i), j, text) for i in rows if (text := responses[i])]
    found.sort(key=lambda each: each[:2])
    first = int(rows[0])
    samples = [
        Sample(f"{crowd.ids[i]}\n{crowd.models[j].name}", texts[i - first], text)
        for i, j, text in found
    ]
    return samples, [(i, j) for i, j, _ in found]


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


def _publish(crowd: Crowd, judge: str, values: FloatArray) -> None:
    """Add what there is to the crowd, unless there is nothing yet."""
    if np.isnan(values).all():
        return
    frame = pd.DataFrame(values, columns=[m.name for m in crowd.models])
    frame.insert(0, "id", crowd.ids)
    crowd.add_judge(judge, frame)


def describe_end(event: dict[str, Any]) -> str:
    """The job's outcome in one sentence."""
    missing = f", {event['missing']:,} answers got none" if event["missing"] else ""
    return f"{event['judge']}: {event['rewards']:,} rewards added to {event['crowd']}{missing}."
