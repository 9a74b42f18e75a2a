"""Verifiable tasks in plain English: a seed in, instructions with reference answers out.

Pure Python. ``make_tasks`` draws tasks, ``verify`` scores an answer, ``load_heldout`` reads the
committed benchmark.
"""

from crowdselect.tasks import (  # importing a module registers its kinds
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
from crowdselect.tasks.core import KINDS, LEVELS, Kind, Problem, Split, Task, split_of
from crowdselect.tasks.generate import draw_problem, load_heldout, make_tasks, task_stream
from crowdselect.tasks.verify import PARTIAL, verify

__all__ = [
    "KINDS",
    "LEVELS",
    "PARTIAL",
    "Kind",
    "Problem",
    "Split",
    "Task",
    "draw_problem",
    "load_heldout",
    "make_tasks",
    "split_of",
    "task_stream",
    "verify",
]
_MODULES = (
    arithmetic, code, counting, extraction, logic, lookup, measures, ordering, patterns, strings,
)  # fmt: skip
