"""A crowd's studies as chapters of the report."""

from __future__ import annotations

import math

import pandas as pd

from crowdselect.charts.forest import forest
from crowdselect.charts.style import Palette
from crowdselect.dashboard import reads
from crowdselect.dashboard.report.story import Chapter
from crowdselect.dashboard.study.view import differences_frame, results
from crowdselect.dashboard.text import sentences
from crowdselect.pipeline.study import StudyResult, find_study, study_names


def study_chapters(crowd: str, p: Palette) -> list[Chapter]:
    """A chapter per finished study of ``crowd``: its test where it is reported, else what it was
    tuned on, said so.
    """
    return [_chapter(result, p) for result in finished_studies(crowd)]


def finished_studies(crowd: str) -> list[StudyResult]:
    """The finished studies of ``crowd``: on their test where it is reported."""
    found = []
    for name in study_names(reads.workspace()):
        plan = find_study(reads.workspace(), name).plan
        if plan.crowd != crowd:
            continue
        splits = [s for s in ("test", "development") if getattr(plan, s)]
        done = (results(name, split) for split in splits)
        result = next((r for r in done if r.complete and r.differences), None)
        if result is not None:
            found.append(result)
    return found


def _chapter(result: StudyResult, p: Palette) -> Chapter:
    plan, first = result.plan, result.plan.baselines[0]
    against = result.against(first)
    tuned = "" if result.split == "test" else (
        "These are the questions that recipes were tuned on: what is best here is flattered"
    )  # fmt: skip
    words = [plan.note, tuned, *(d.sentence() for d in against), result.correction()]
    table = pd.DataFrame(
        {
            "arm": [row.label for row in result.rows],
            result.unit: [_number(row.interval.value) for row in result.rows],
            "95 % interval": [
                f"{_number(row.interval.low)} to {_number(row.interval.high)}"
                for row in result.rows
            ],
            "seeds": [row.done for row in result.rows],
        }
    )
    return Chapter(
        f"Study: {plan.title or plan.name}",
        list(sentences([*filter(None, words), *result.looked()])),
        forest(differences_frame(against), f"difference to {first}, {result.unit}", p),
        f"Differences of every arm to {first}",
        table,
    )


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"
