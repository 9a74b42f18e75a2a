"""An instruction whose answer a program can check, and files of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import pyarrow.parquet as pq

from crowdselect.errors import CrowdSelectError

VerifierName = Literal["number", "choice", "sequence", "collection", "text", "json"]


@dataclass(frozen=True)
class Task:
    """An instruction whose answer a program can check."""

    id: str
    kind: str
    level: int
    instruction: str
    reference: str
    verifier: VerifierName


def load_heldout(path: Path) -> list[Task]:
    """Read tasks from a Parquet file with the columns of ``Task``.

    Raises ``CrowdSelectError`` if the file is missing, lacks a column or names an unknown
    verifier.
    """
    columns = list(Task.__dataclass_fields__)
    if not path.is_file():
        raise CrowdSelectError(
            f"There is no task file {path}.", "Give the path of a Parquet file of tasks."
        )
    present = pq.read_schema(path).names
    missing = [name for name in columns if name not in present]
    if missing:
        raise CrowdSelectError(
            f"{path} lacks the columns {', '.join(missing)}.",
            f"A task file has the columns {', '.join(columns)}.",
        )
    tasks = [Task(**row) for row in pq.read_table(path, columns=columns).to_pylist()]
    known = get_args(VerifierName)
    for row, task in enumerate(tasks, start=1):
        if task.verifier not in known:
            raise CrowdSelectError(
                f"Row {row} of {path} names the verifier {task.verifier!r}.",
                f"The verifiers are {', '.join(known)}.",
            )
    return tasks
