"""Columns that a language model makes for the recipes of a study: scored before it chooses."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from crowdselect import jobs
from crowdselect.jobs import Job
from crowdselect.options import Frozen
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.scoring.job import create_score, make_scorer
from crowdselect.scoring import ScoreConfig


class Scored(Frozen):
    """One scoring, as a study's file has it under ``[[scores]]``."""

    name: str
    """What its column is called; a crowd that has one of that name is not scored again."""
    scorer: str
    options: dict[str, Any] = Field(default_factory=dict)
    models: tuple[str, ...] = ()
    """Folders or hub ids; empty: the model that the study trains."""
    answer: str = "best"
    """Which answer is scored."""

    def config(self, crowd: str, judge: str | None, model: str) -> ScoreConfig:
        """The scoring of a crowd; ``model`` is the one that the study trains."""
        options = {**self.options, "models": [{"model": m} for m in self.models or (model,)]}
        given = {"source": crowd, "scorer": self.scorer, "options": options, "name": self.name,
                 "answer": self.answer, "judge": judge}  # fmt: skip
        return ScoreConfig.parse(given, f"scores of {self.name}")

    def check(self, crowd: str, judge: str | None, model: str) -> None:
        """Raise what a scorer with such options raises, before anything is made."""
        made = self.config(crowd, judge, model)
        make_scorer(made.scorer, made.options).passes()


def make_scores(
    job: Job, given: tuple[Scored, ...], crowd: str, judge: str | None, model: str
) -> None:
    """Score what the crowd has no column of yet; each is a run of its own that resumes.

    Raises the error of the run that failed, CancelledError where it was told to stop.
    """
    for number, each in enumerate(given):
        if each.name in open_crowd(job.workspace, crowd).score_columns():
            continue
        job.progress(number, len(given), f"scoring {each.name}")
        path = create_score(job.workspace, each.config(crowd, judge, model))
        jobs.finish_here(path, f"Scoring {each.name}")
