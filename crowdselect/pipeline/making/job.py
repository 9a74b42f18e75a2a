"""Making a crowd as jobs: ``crowdselect crowd generate`` and ``crowdselect crowd judge``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crowdselect import jobs
from crowdselect.access import in_batches
from crowdselect.errors import InputError, NotFoundError
from crowdselect.jobs import Job
from crowdselect.lm.calls import is_about_tools, knows_calls
from crowdselect.lm.messages import Message
from crowdselect.lm.packaged import located
from crowdselect.lm.passes import Sample
from crowdselect.lm.prompts import read_prompts
from crowdselect.making import (
    GenerateConfig,
    JudgingConfig,
    check_answerer,
    judge_blocks,
    judge_pass,
    kept_answers,
    make_answers,
)
from crowdselect.making.rewards import Block
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.making.crowd import Given, grow_crowd
from crowdselect.pipeline.scoring import check_source, is_given_file
from crowdselect.registry import did_you_mean
from crowdselect.servers import by_kind
from crowdselect.settings import Workspace, check_name
from crowdselect.store import Crowd
from crowdselect.values import FloatArray, IntArray

BLOCK = 500
"""Instructions judged between two times that the rewards are added to the crowd."""
BATCHED = 50_000
"""The same where a server is asked by its Batch API: one wait for them all."""


def create_generate(workspace: Workspace, config: GenerateConfig) -> Path:
    """Make the run directory of a generating job; raises at once for what can be seen before."""
    check_source(workspace, config.source)
    check_name("crowd", config.name)
    here = [
        a.model_copy(update={"batch": in_batches(workspace, a.base_url)})
        if a.base_url
        else a.model_copy(update={"model": located(a.model, workspace.cache)})
        for a in config.answerers
    ]
    config = config.model_copy(update={"answerers": tuple(here)})
    for answerer in config.answerers:
        check_answerer(config, answerer)
    instructions_of(workspace, config)
    exists = config.name in workspace.crowd_names()
    if exists and config.source != config.name:
        raise InputError(
            f"There is a crowd called {config.name!r} already.",
            f"Choose another --name, or extend it: crowdselect crowd generate {config.name}",
        )
    return jobs.create(workspace, "generate", config.model_dump(mode="json"))


def run_generate_job(job: Job) -> None:
    """Worker of ``crowdselect crowd generate``; the crowd grows with every model that is done.

    What a model has answered when the job is cancelled or fails goes into the crowd, too.
    """
    config = GenerateConfig.parse(job.config, str(job.path / "config.json"))
    given, prompts = instructions_of(job.workspace, config)
    prompts = prompts[: config.limit]
    cache = job.workspace.cache / "answers"
    for number, answerer in enumerate(config.answerers, start=1):
        label = f"{answerer.name} ({number} of {len(config.answerers)})"
        try:
            make_answers(config, answerer, prompts, cache, job.progress, label)
        finally:
            answers = kept_answers(config, answerer, prompts, cache)
            texts = [a.get("text") or None for a in answers]
            if any(texts):
                grow_crowd(job.workspace, config.name, given, answerer.name, texts)
        job.event(
            "answered",
            crowd=config.name,
            model=answerer.name,
            answers=sum(t is not None for t in texts),
            cut=sum(bool(a.get("text")) and not a["finished"] for a in answers),
            without=sum(t is None for t in texts),
        )


def instructions_of(
    workspace: Workspace, config: GenerateConfig
) -> tuple[Given, list[tuple[Message, ...]]]:
    """The instructions of a crowd or a file, and what is asked for each.

    Raises InputError where there are none.
    """
    given, asked = _asked(workspace, config)
    odd = next((i for i, m in zip(given.ids, asked, strict=True) if _needs_tools(m)), None)
    if odd is not None:
        raise InputError(
            f"The instruction {odd} has tools or calls them; answers to such are not made here.",
            "Leave such rows out, and bring their answers with you.",
        )
    return given, asked


def _needs_tools(messages: Sequence[Message]) -> bool:
    return knows_calls(messages) or is_about_tools(messages)


def _asked(workspace: Workspace, config: GenerateConfig) -> tuple[Given, list[tuple[Message, ...]]]:
    path = Path(config.source).expanduser()
    if not is_given_file(workspace, config.source):
        crowd = open_crowd(workspace, config.source)
        asked = crowd.prompts()
        texts, extra = crowd.instruction_texts(), crowd.extra_columns()
        return Given([str(i) for i in crowd.ids], texts, extra, asked), asked
    prompts = read_prompts(path)
    asked = [p.messages for p in prompts]
    return Given([p.id for p in prompts], [p.text for p in prompts], {}, asked), asked


def create_judge(workspace: Workspace, config: JudgingConfig, *, replace: bool = False) -> Path:
    """Make the run directory of a judging job; raises at once for what can be seen beforehand."""
    if config.kind == "likelihood":
        config = config.model_copy(update={"model": located(config.model, workspace.cache)})
    if config.kind == "server":
        config = config.model_copy(update={"batch": in_batches(workspace, config.base_url)})
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
    wanted = [j for j, m in enumerate(crowd.models) if not config.models or m.name in config.models]
    last = min(crowd.n, config.limit or crowd.n)
    total = int((crowd.texts.response_lengths("chars")[:last, wanted] > 0).sum())
    if not total:
        raise InputError(
            f"No instruction of {crowd.name} has a response of these models.",
            f"Make some: crowdselect crowd generate {crowd.name} --model MODEL",
        )
    values: FloatArray = np.full((crowd.n, len(crowd.models)), np.nan)
    cache = job.workspace.cache / "rewards"
    problems = judge_blocks(
        config,
        _blocks(crowd, last, wanted, BATCHED if config.batch else BLOCK),
        values,
        cache,
        job.progress,
        total=total,
        publish=lambda problems: _publish(crowd, config.name, values, problems),
    )
    given = int((~np.isnan(values)).sum())
    job.event(
        "judged", crowd=crowd.name, judge=config.name, rewards=given, missing=total - given,
        problems=by_kind(problems.elements()), note=judge_pass(config).note(cache),
    )  # fmt: skip


def _blocks(crowd: Crowd, last: int, models: Sequence[int], size: int) -> Iterator[Block]:
    for first in range(0, last, size):
        yield _pairs(crowd, np.arange(first, min(first + size, last)), models)


def _pairs(crowd: Crowd, rows: IntArray, models: Sequence[int]) -> Block:
    """Every answer to the instructions ``rows`` as a sample, and its place in the matrix."""
    texts, asked = crowd.instruction_texts(rows), crowd.prompts(rows)
    found: list[tuple[int, int, str]] = []
    for j in models:
        columns = np.full(crowd.n, -1, dtype=np.int64)
        columns[rows] = j
        responses = crowd.responses_of(columns)
        found += [(int(i), j, text) for i in rows if (text := responses[i])]
    found.sort(key=lambda each: each[:2])
    first = int(rows[0])
    samples = [
        Sample(
            f"{crowd.ids[i]}\n{crowd.models[j].name}",
            texts[i - first],
            text,
            asked[i - first] if len(asked[i - first]) > 1 else (),
        )
        for i, j, text in found
    ]
    return samples, [(i, j) for i, j, _ in found]


def _publish(crowd: Crowd, judge: str, values: FloatArray, problems: Counter[str]) -> None:
    """Add what there is to the crowd, unless there is nothing yet."""
    if np.isnan(values).all():
        return
    frame = pd.DataFrame(values, columns=[m.name for m in crowd.models])
    frame.insert(0, "id", crowd.ids)
    crowd.add_judge(judge, frame, problems=by_kind(problems.elements()))


def describe_end(event: dict[str, Any]) -> str:
    """The job's outcome in one sentence."""
    missing = f", {event['missing']:,} answers got none" if event["missing"] else ""
    return f"{event['judge']}: {event['rewards']:,} rewards added to {event['crowd']}{missing}."
