"""Verifiable tasks in plain English, drawn from a seed: ``make_tasks``."""

from scripts.demo_build.tasks import (  # importing a module registers its kinds
    arithmetic,
    code,
    counting,
    extraction,
    logic,
    lookup,
    measures,
    ordering,
    patterns,
    strings,
)
from scripts.demo_build.tasks.core import KINDS, LEVELS, Kind, Problem, Split, split_of
from scripts.demo_build.tasks.generate import draw_problem, make_tasks, task_stream

__all__ = [
    "KINDS",
    "LEVELS",
    "Kind",
    "Problem",
    "Split",
    "draw_problem",
    "make_tasks",
    "split_of",
    "task_stream",
]
_MODULES = (
    arithmetic, code, counting, extraction, logic, lookup, measures, ordering, patterns, strings,
)  # fmt: skip
