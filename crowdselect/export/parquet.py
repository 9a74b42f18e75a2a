"""Parquet with everything known about each row: for analysis, a hub, or the next tool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect.export.base import Example, Format, as_messages

_GROUP = 10_000
_TURN = pa.struct([("role", pa.string()), ("content", pa.string())])


@dataclass(frozen=True)
class Parquet(Format):
    """One row per example: messages, instruction, response and the reasons for the choice."""

    name = "parquet"
    title = "Parquet, with score and reasons"
    file = "data.parquet"
    columns = (
        ("id", "the instruction's id"),
        ("messages", "role and content of every turn"),
        ("instruction", "the last user turn"),
        ("response", "the last response"),
        ("model", "who wrote the response"),
        ("rank", "1 = the best-scored"),
        ("score", "the selection's score"),
        ("cluster", "the instruction's cluster"),
        ("reason", "why the row was selected"),
        ("contribution_*", "weight times normalised metric; they add up to the score"),
    )

    def __call__(self, examples: Sequence[Example], path: Path) -> None:
        """Write one Parquet file, compressed with zstd."""
        rows = [self.prepared(e) for e in examples]
        columns = {
            "id": pa.array([e.id for e in rows], pa.string()),
            "messages": pa.array([as_messages(e.turns) for e in rows], pa.list_(_TURN)),
            "instruction": pa.array([e.instruction for e in rows], pa.string()),
            "response": pa.array([e.response for e in rows], pa.string()),
            "model": pa.array([e.model for e in rows], pa.string()),
            "rank": pa.array([e.rank for e in rows], pa.int64()),
            "score": pa.array([e.score for e in rows], pa.float64(), from_pandas=True),
            "cluster": pa.array([e.cluster for e in rows], pa.int64()),
            "reason": pa.array([e.reason for e in rows], pa.string()),
        }
        for metric in sorted({name for e in rows for name in e.contributions}):
            values = [e.contributions.get(metric) for e in rows]
            columns[f"contribution_{metric}"] = pa.array(values, pa.float64(), from_pandas=True)
        # Groups and an index of pages as the hub's viewer asks for, to read a page of rows alone.
        pq.write_table(
            pa.table(columns),
            path,
            compression="zstd",
            row_group_size=_GROUP,
            write_page_index=True,
        )
