"""``crowdselect benchmark arena-hard --judgments ...``: scores from judgments that exist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from crowdselect import jobs
from crowdselect.benchmark import BENCHMARKS, JUDGMENTS, BenchmarkView, read_results
from crowdselect.cli.options import JsonOption, WorkspaceOption, example
from crowdselect.errors import CrowdSelectError
from crowdselect.settings import open_workspace


def scored(
    benchmark: str, judgments: Path, model: str, judge: str, questions: str, workspace: Path | None
) -> list[BenchmarkView]:
    """One finished run per model and judge; raises the first failure."""
    from crowdselect.pipeline.benchmark import judged_runs  # it loads every stage

    folder = open_workspace(workspace)
    found = []
    for path in judged_runs(
        folder, benchmark, judgments, model=model, judge=judge, questions=questions
    ):
        jobs.run_here(path)
        view = read_results(path)
        if view.error is not None:
            raise CrowdSelectError(*view.error)
        found.append(view)
    return found


Show = Callable[[Sequence[BenchmarkView], bool], None]


def register(group: typer.Typer, show: Show) -> None:
    """Add a command per benchmark whose judgments can be read; ``show(views, as_json)`` prints."""
    for name in JUDGMENTS:
        _add(group, name, show)


JudgmentsOption = Annotated[
    Path, typer.Option(help="File of judgments in the project's own format, or a folder with such")
]
ModelOption = Annotated[str, typer.Option(help="Only the judgments of this model")]
JudgeOption = Annotated[str, typer.Option(help="Only the judgments by this judge")]
QuestionsOption = Annotated[
    str, typer.Option(help="File of the questions, for their categories (MT-Bench)")
]


def _add(group: typer.Typer, name: str, show: Show) -> None:
    def command(
        judgments: JudgmentsOption,
        model: ModelOption = "",
        judge: JudgeOption = "",
        questions: QuestionsOption = "",
        workspace: WorkspaceOption = None,
        json: JsonOption = False,
    ) -> None:
        show(scored(name, judgments, model, judge, questions, workspace), json)

    group.command(
        name,
        help=f"Score {BENCHMARKS[name].title} judgments that were made elsewhere "
        f"({JUDGMENTS[name].files}): one run per model and judge.",
        epilog=example(f"crowdselect benchmark {name} --judgments FOLDER"),
    )(command)
