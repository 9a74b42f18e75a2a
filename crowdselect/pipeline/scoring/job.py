"""A crowd or a file -> metric columns made by models; the jobs of ``crowdselect score``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect import files, jobs
from crowdselect.access import in_batches
from crowdselect.errors import InputError, NotFoundError
from crowdselect.jobs import Job
from crowdselect.landscape import embed, encoder_named
from crowdselect.lm.conversations import read_conversations
from crowdselect.lm.messages import Message
from crowdselect.lm.models import check_folder
from crowdselect.lm.packaged import located, usual_model
from crowdselect.lm.prompts import first_exchange, question_text
from crowdselect.metrics import is_calculation
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.metrics import metrics
from crowdselect.pipeline.scoring.experience import experienced
from crowdselect.pipeline.selection.answers import answers_of
from crowdselect.reading import SUFFIXES
from crowdselect.registry import build
from crowdselect.scoring import (
    IFD,
    SCORERS,
    Analysis,
    Sample,
    ScoreConfig,
    Scorer,
    ScoreTable,
    analyse,
)
from crowdselect.scoring import score as run_scorer
from crowdselect.servers import by_kind
from crowdselect.settings import Workspace
from crowdselect.store import Crowd, ScoreInfo, write_tags
from crowdselect.values import FloatArray


def make_scorer(name: str, options: Mapping[str, Any]) -> Scorer:
    """Build a scorer from its options; raises NotFoundError or InputError for wrong ones."""
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    return build(SCORERS[name], given)


def crowd_samples(crowd: Crowd, policy: str, judge: str | None, seed: int) -> list[Sample]:
    """Each instruction with the response that the policy chooses; without one it is left out."""
    rows = np.arange(crowd.n)
    columns = answers_of(crowd, policy, judge).columns(rows, seed)
    responses = crowd.responses_of(columns)
    prompts = crowd.prompts(rows)
    return [
        _sample(str(i), prompt, response)
        for i, prompt, response in zip(crowd.ids, prompts, responses, strict=True)
        if response is not None
    ]


def _sample(name: str, prompt: tuple[Message, ...], response: str) -> Sample:
    plain = len(prompt) == 1 and prompt[0]["role"] == "user"
    return Sample(name, question_text(prompt), response, () if plain else prompt)


def file_samples(path: Path) -> list[Sample]:
    """The first question and its answer of each conversation of a file; id = its row from 1.

    A question is the first user turn, with the system text before it; its answer is the assistant
    turn that follows, whoever spoke first. Raises InputError, also for a preference file.
    """
    read = read_conversations(path)
    if read.format == "preference":
        raise InputError(
            f"{path.name} holds preference pairs; a score is about one answer.",
            "Give rows with one answer: messages, prompt and completion, or instruction and "
            "output.",
        )
    pairs = ((row, first_exchange(row.messages)) for row in read.rows)
    return [_sample(str(row.row), *pair) for row, pair in pairs if pair is not None]


def create_score(workspace: Workspace, config: ScoreConfig) -> Path:
    """Make the run directory of a scoring job; raises at once for what can be seen beforehand.

    A scorer that takes any language model takes the packaged one, if there is one, where none is
    named: see ``crowdselect.lm.packaged``.
    """
    config = _with_models(workspace, config)
    scorer = make_scorer(config.scorer, config.options)
    scorer.passes()
    check_source(workspace, config.source)
    for given in config.options.get("models", ()):
        if not given.get("base_url"):
            check_folder(str(given["model"]))
    if is_given_file(workspace, config.source):
        if scorer.inputs():
            raise InputError(
                f"{scorer.name} computes from columns of a crowd; {config.source} is a file.",
                "Ingest the file as a crowd first.",
            )
    else:
        crowd = open_crowd(workspace, config.source)
        metrics(crowd, scorer.inputs(), config.judge)
        answers_of(crowd, config.answer, config.judge)
    return jobs.create(workspace, "score", config.model_dump(mode="json"))


def _with_models(workspace: Workspace, config: ScoreConfig) -> ScoreConfig:
    """With the usual model where none is named, and packaged models by their folders."""
    given = list(config.options.get("models") or ())
    usual = usual_model(workspace.cache)
    if not given and usual is not None and SCORERS[config.scorer].packaged:
        given = [{"model": usual}]
    if not given:
        return config
    models = [
        {**m, **({"batch": True} if in_batches(workspace, m["base_url"]) else {})}
        if m.get("base_url")
        else {**m, "model": located(str(m["model"]), workspace.cache)}
        for m in given
    ]
    return config.model_copy(update={"options": {**config.options, "models": models}})


def run_score_job(job: Job) -> None:
    """Worker of ``crowdselect score``: columns of a crowd, or a Parquet file beside the run."""
    config = ScoreConfig.parse(job.config, str(job.path / "config.json"))
    scorer = make_scorer(config.scorer, config.options)
    crowd, samples = _samples(job.workspace, config)
    if isinstance(scorer, IFD) and scorer.pre_experienced:
        scorer = experienced(job, scorer, samples, config.pool)
    table = run_scorer(
        samples,
        scorer,
        job.workspace.cache / "scoring",
        job.progress,
        pool=config.pool,
        **_in_one(config, samples),
        inputs=_inputs(crowd, config, scorer, samples),
        embed=lambda texts: embed(
            texts,
            encoder_named("minilm"),
            job.workspace.cache / "embeddings",
            job.progress,
            config.pool,
        ),
    )
    reasons = {name: by_kind(r for r in c.reasons if r) for name, c in table.columns.items()}
    told = [work.note(job.workspace.cache / "scoring") for work in scorer.passes()]
    found: dict[str, Any] = {"report": dict(table.report), "notes": list(filter(None, told))}
    if analysis := analysis_of(scorer, table, samples):
        found["analysis"] = _without_empty_slices(asdict(analysis))
    if crowd is None:
        target = Path(config.out).expanduser() if config.out else job.path / "scores.parquet"
        with files.write_aside(target) as temporary:
            frame = pa.Table.from_pandas(table.frame(), preserve_index=False)
            pq.write_table(frame, temporary, compression="zstd")
        found |= {"file": str(target), "columns": list(table.columns), "missing": table.missing}
        found["reasons"] = reasons
    else:
        added = _add_to_crowd(crowd, config, scorer, table, found)
        missing = dict(zip(added, table.missing.values(), strict=True))
        found |= {"crowd": crowd.name, "columns": added, "missing": missing}
        found["reasons"] = dict(zip(added, reasons.values(), strict=True))
    job.event("scores", **found)


def _in_one(config: ScoreConfig, samples: Sequence[Sample]) -> dict[str, int]:
    """One batch for all samples, where a server is asked by its Batch API, and not one a shard."""
    batched = any(m.get("batch") for m in config.options.get("models") or ())
    return {"shard_rows": len(samples)} if batched else {}


def analysis_of(scorer: Scorer, table: ScoreTable, samples: Sequence[Sample]) -> Analysis | None:
    """Length (words of instruction and response), calculation and levels by rank.

    None for a scorer without levels.
    """
    if not scorer.levels:
        return None
    words = [len(s.instruction.split()) + len(s.response.split()) for s in samples]
    return analyse(
        table.columns[scorer.name].values,
        {name: table.columns[name].values for name in scorer.levels},
        np.array(words, dtype=np.float64),
        np.array([is_calculation(s.instruction) for s in samples]),
    )


def check_source(workspace: Workspace, source: str) -> None:
    """Raise NotFoundError for what is written as a file's path but is no file."""
    path = Path(source).expanduser()
    written_so = "/" in source or source.lower().endswith(SUFFIXES)
    if written_so and not is_given_file(workspace, source):
        raise NotFoundError(f"There is no file {path}.", "Give a file, or a crowd's name.")


def is_given_file(workspace: Workspace, source: str) -> bool:
    """Whether ``source`` is a file, or a folder of files that is no crowd's name."""
    path = Path(source).expanduser()
    return path.is_file() or (path.is_dir() and source not in workspace.crowd_names())


def score_samples(workspace: Workspace, config: ScoreConfig) -> list[Sample]:
    """What a scoring job scores; raises InputError where there is nothing."""
    check_source(workspace, config.source)
    return _samples(workspace, config)[1]


def _without_empty_slices(analysis: dict[str, Any]) -> dict[str, Any]:
    """With fewer than ten samples some tenths hold nobody, and have no mean."""
    slices = {k: [s for s in analysis[k] if s["n"]] for k in ("ranks", "budgets")}
    return {**analysis, **slices}


def _samples(workspace: Workspace, config: ScoreConfig) -> tuple[Crowd | None, list[Sample]]:
    if is_given_file(workspace, config.source):
        samples = file_samples(Path(config.source).expanduser())[: config.limit]
        if not samples:
            raise InputError(
                f"No row of {config.source} has an instruction and a response.",
                "Give a file of conversations, such as an export.",
            )
        return None, samples
    crowd = open_crowd(workspace, config.source)
    found = crowd_samples(crowd, config.answer, config.judge, config.seed)
    if not found:
        raise InputError(
            f"No instruction of {crowd.name} has a response.",
            f"Make some: crowdselect crowd generate {crowd.name} --model MODEL",
        )
    return crowd, found[: config.limit]


def _inputs(
    crowd: Crowd | None, config: ScoreConfig, scorer: Scorer, samples: Sequence[Sample]
) -> dict[str, FloatArray]:
    if crowd is None or not scorer.inputs():
        return {}
    rows = crowd.rows(sample.id for sample in samples)
    columns = metrics(crowd, scorer.inputs(), config.judge).columns
    return {name: values[rows] for name, values in columns.items()}


def _add_to_crowd(
    crowd: Crowd,
    config: ScoreConfig,
    scorer: Scorer,
    table: ScoreTable,
    found: Mapping[str, Any],
) -> list[str]:
    """One score file per column, since each has a title and direction of its own.

    Report and analysis stay with the column that is called like the scorer.
    """
    frame = table.frame()
    prefix = config.name or scorer.prefix
    added = []
    for name, column in table.columns.items():
        called = name.replace(scorer.name, prefix, 1)
        wanted = [c for c in frame.columns if c in ("id", name, f"{name}__reason")]
        part = frame[wanted].rename(columns={c: c.replace(name, called, 1) for c in wanted[1:]})
        info = ScoreInfo(
            name=called,
            title=column.title,
            direction=column.direction,
            unit=column.unit,
            source=scorer.source,
            made={**table.made, **(found if name == scorer.name else {})},
        )
        crowd.write_scores(called, part, info)
        added.append(called)
    if table.tags:
        write_tags(crowd.path, scorer.name, table.tags)
    return added
