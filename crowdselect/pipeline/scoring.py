"""A crowd or a file -> metric columns made by models; the jobs of ``crowdselect score``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect import files, jobs
from crowdselect.errors import InputError
from crowdselect.finetune.data import read_data
from crowdselect.jobs import Job
from crowdselect.pipeline.answers import answers
from crowdselect.pipeline.crowds import open_crowd
from crowdselect.registry import build
from crowdselect.scoring import SCORERS, Engine, Sample, Scorer, ScoreTable
from crowdselect.scoring import score as run_scorer
from crowdselect.settings import Workspace
from crowdselect.store import Crowd, ScoreInfo
from crowdselect.values import Frozen


class ScoreConfig(Frozen):
    """What a scoring job does."""

    source: str
    """A crowd's name, or a file of conversations."""
    scorer: str
    options: dict[str, Any]
    """The scorer's options; ``models`` is a list of ``ModelSpec`` dicts."""
    answer: str = "best"
    """Which response of a crowd is scored (an answer policy)."""
    judge: str | None = None
    seed: int = 42
    name: str | None = None
    """How the score is called in the crowd; None: the scorer's name."""
    out: str | None = None
    """Parquet file for a file's scores; None: beside the run."""
    engine: Engine = "local"
    workers: int = 2
    limit: int | None = None


def make_scorer(name: str, options: Mapping[str, Any]) -> Scorer:
    """Build a scorer from its options; raises NotFoundError or InputError for wrong ones."""
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    return build(SCORERS[name], given)


def crowd_samples(crowd: Crowd, policy: str, judge: str | None, seed: int) -> list[Sample]:
    """Each instruction with the response that the policy chooses; without one it is left out."""
    rows = np.arange(crowd.n)
    columns = answers(crowd, policy, judge).columns(rows, seed)
    responses = crowd.responses_of(columns)
    texts = crowd.instruction_texts()
    return [
        Sample(str(i), text, response)
        for i, text, response in zip(crowd.ids, texts, responses, strict=True)
        if response is not None
    ]


def file_samples(path: Path) -> list[Sample]:
    """The first instruction and response of each conversation of a file; id = its row from 1."""
    found = []
    for conversation in read_data(path).conversations:
        turns = [m for m in conversation.messages if m["role"] in ("user", "assistant")]
        if len(turns) >= 2:
            found.append(Sample(str(conversation.row), turns[0]["content"], turns[1]["content"]))
    return found


def create_score(workspace: Workspace, config: ScoreConfig) -> Path:
    """Make the run directory of a scoring job; raises at once for what can be seen beforehand."""
    make_scorer(config.scorer, config.options).passes()
    if not Path(config.source).is_file():
        open_crowd(workspace, config.source)
    return jobs.create(workspace, "score", config.model_dump(mode="json"))


def run_score_job(job: Job) -> None:
    """Worker of ``crowdselect score``: columns of a crowd, or a Parquet file beside the run."""
    config = ScoreConfig.parse(job.config, str(job.path / "config.json"))
    scorer = make_scorer(config.scorer, config.options)
    crowd, samples = _samples(job.workspace, config)
    cache = job.workspace.cache / "scoring"
    table = run_scorer(
        samples[: config.limit],
        scorer,
        cache,
        job.progress,
        engine=config.engine,
        workers=config.workers,
    )
    if crowd is None:
        target = Path(config.out) if config.out else job.path / "scores.parquet"
        with files.write_aside(target) as temporary:
            frame = pa.Table.from_pandas(table.frame(), preserve_index=False)
            pq.write_table(frame, temporary, compression="zstd")
        job.event("scores", file=str(target), missing=table.missing)
        return
    _add_to_crowd(crowd, config, scorer, table)
    job.event("scores", crowd=crowd.name, columns=list(table.columns), missing=table.missing)


def _samples(workspace: Workspace, config: ScoreConfig) -> tuple[Crowd | None, list[Sample]]:
    path = Path(config.source).expanduser()
    if path.is_file():
        return None, file_samples(path)
    crowd = open_crowd(workspace, config.source)
    found = crowd_samples(crowd, config.answer, config.judge, config.seed)
    if not found:
        raise InputError(
            f"No instruction of {crowd.name} has a response.", "Ingest responses, or generate them."
        )
    return crowd, found


def _add_to_crowd(crowd: Crowd, config: ScoreConfig, scorer: Scorer, table: ScoreTable) -> None:
    """One score file per column, since each has a title and direction of its own."""
    frame = table.frame()
    prefix = config.name or scorer.name
    for name, column in table.columns.items():
        called = name.replace(scorer.name, prefix, 1)
        wanted = [c for c in frame.columns if c in ("id", name, f"{name}__reason")]
        part = frame[wanted].rename(columns={c: c.replace(name, called, 1) for c in wanted})
        info = ScoreInfo(
            name=called,
            title=column.title,
            direction=column.direction,
            unit=column.unit,
            source=scorer.source,
            made=dict(table.made),
        )
        crowd.write_scores(called, part, info)
