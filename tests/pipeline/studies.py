"""Studies of the tiny crowd with questions that a program answers; any field can be given."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect.pipeline.study import StudyPlan
from scripts.demo_build.tasks import make_tasks

Plan = Callable[..., StudyPlan]


def tiny_plans(
    folder: Path, model: Path, *, asked: tuple[int, int], new_tokens: int, **usual: Any
) -> Plan:
    """Makes plans; ``asked``: questions of development and test, written to ``folder``."""
    development, test = asked
    tasks = make_tasks(development + test, 7, "heldout")
    parts = {"development": tasks[:development], "test": tasks[development:]}
    for name, part in parts.items():
        pq.write_table(pa.Table.from_pylist([asdict(t) for t in part]), folder / f"{name}.pq")

    def make(**fields: Any) -> StudyPlan:
        questions = {
            name: f"verifiable:path={folder / f'{name}.pq'},max_new_tokens={new_tokens}"
            for name in parts
        }
        given = {
            "name": "mine",
            "crowd": "tiny",
            "baselines": ["random"],
            **questions,
            "recipe": {"budget": 6, "clusters": 0, "encoder": "lsa"},
            "train": {"model": str(model), "preset": "demo", "max_steps": 2},
        }
        return StudyPlan.parse({**given, **usual, **fields}, "study")

    return make
