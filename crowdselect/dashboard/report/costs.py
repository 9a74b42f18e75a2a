"""What a selection has cost so far: tokens, hours and money of the runs that used it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from crowdselect import jobs
from crowdselect.benchmark import BenchmarkView
from crowdselect.dashboard import reads
from crowdselect.dashboard.report.story import Fact
from crowdselect.dashboard.text import number, plural
from crowdselect.errors import CrowdSelectError
from crowdselect.finetune import FinetuneConfig, RunView, in_time, read_run


def trained(selection: str) -> list[RunView]:
    """The finished fine-tunes on a selection (its id)."""
    found = []
    for view in jobs.all_runs(reads.workspace(), "finetune"):
        with suppress(CrowdSelectError):
            origin = FinetuneConfig.parse(dict(view.config), view.id).origin
            if view.state == "done" and origin is not None and origin.selection == selection:
                found.append(read_run(view.path))
    return found


MADE = {
    "generate": ("answers", ("name",)),
    "judge": ("judging", ("crowd",)),
    "score": ("scores", ("crowd",)),
    "study": ("studies", ("plan", "crowd")),
}
"""Kind of job -> what it makes for a crowd, and where its options name the crowd."""


def making(crowd: str) -> dict[str, float]:
    """What was made for a crowd -> seconds that its jobs worked, by their journals.

    Those of a study are of all its processes: its wall time by how many work at once.
    """
    found: dict[str, float] = {}
    for view in jobs.all_runs(reads.workspace()):
        what, path = MADE.get(view.kind, ("", ()))
        named: Any = view.config
        for step in path:
            named = named.get(step, {})
        if not what or named != crowd:
            continue
        at_once = max(1, int(view.config.get("workers", 1))) if view.kind == "study" else 1
        found[what] = found.get(what, 0.0) + jobs.seconds_worked(view.path) * at_once
    return found


def costs(
    chosen: int,
    selection: str,
    tested: Sequence[BenchmarkView],
    *,
    crowd: str,
    studied: bool = False,
) -> list[Fact]:
    """Instructions, tokens, hours and money; what is not recorded is said to be so.

    Hours hold what was made for the ``crowd`` too: answers, judging, scores and studies.
    ``studied``: a study trained on it, whose tokens are not counted here.
    """
    made = making(crowd)
    runs = trained(selection)
    outcomes = [outcome for view in tested for outcome in view.outcomes]
    seconds = [run.seconds for run in runs if run.seconds is not None]
    seconds += [float(o.facts["seconds"]) for o in outcomes if "seconds" in o.facts]
    tokens = sum(run.curve[-1].tokens for run in runs if run.curve)
    devices = {str(o.facts["device"]).split(":")[0] for o in outcomes if o.facts.get("device")}
    where = {"cpu": "CPU", "cuda": "GPU"}.get(next(iter(devices), ""), "Computing")
    judging = [o.facts["judging"] for o in outcomes if o.facts.get("judging")]
    money = [one["money"] for one in judging if one.get("money") is not None]
    paid, note = "nothing recorded", "no service was asked to judge"
    if judging:
        paid, note = "not known", "the judge's prices were not given"
    if money:
        paid, note = number(sum(money)), "for judging, in the currency of its prices"
    trainings = plural(len(runs), "training") if runs else "no training"
    apart = ", those of a study not counted" if studied else ""
    return [
        Fact("Instructions", f"{chosen:,}", "to train on"),
        Fact(
            "Tokens trained on",
            f"{tokens:,}" if tokens else "none yet",
            f"in {trainings}{apart}",
        ),
        Fact(
            f"{where} time",
            in_time(sum(seconds) + sum(made.values())) if seconds or made else "none yet",
            _parts(sum(seconds), made),
        ),
        Fact("Money", paid, note),
    ]


def _parts(own: float, made: Mapping[str, float]) -> str:
    """What the hours are of; choosing takes seconds and is not counted."""
    if not made:
        return "to train and to test; choosing takes seconds" if own else ""
    parts = {"training and tests": own, **made}
    told = [f"{what} {in_time(seconds)}" for what, seconds in parts.items() if seconds]
    return f"{', '.join(told)}; those of the crowd serve its other selections too"
