"""LIMA (arXiv 2305.11206): a fixed set of instructions and answers that people chose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from crowdselect.errors import InputError
from crowdselect.ingest.source import Source, files_of
from crowdselect.plans import Builder, ColumnUse, Instructions, Tidy
from crowdselect.progress import Progress, silent
from crowdselect.reading import read_table

AUTHORS = "lima"
"""The one model of such a crowd: the people who wrote the answers."""
_USES = {
    "conversations": ColumnUse(
        "conversations", "response", why="its second text; the first is the instruction"
    ),
    "source": ColumnUse("source", "kept"),
}
_COLUMNS = ("id", "instruction", "source", "turns", "model", "response")


@dataclass(frozen=True)
class Lima(Source):
    """Reads LIMA's JSONL (``conversations``: a list of texts, ``source``); first turns only."""

    name: ClassVar[str] = "lima"
    title: ClassVar[str] = "LIMA: instructions and answers that people chose"

    def __call__(self, paths: Sequence[str], builder: Builder, progress: Progress = silent) -> None:
        """Read one or more files such as ``train.jsonl``."""
        files = files_of(paths, (".jsonl",), split=self.split or None)[0]
        if not files:
            raise InputError("No file was given.", "Give LIMA's train.jsonl.")
        keys: dict[str, None] = {}
        table = builder.open_records(files[0].name, _tables(files, builder.note, keys, progress))
        plan = Tidy(
            Instructions(table, "instruction", "id", ("source", "turns")),
            table,
            model="model",
            id="id",
            text="instruction",
            response="response",
            rewards={},
        )
        uses = [_USES.get(key, ColumnUse(key, "left out", why="not part of LIMA")) for key in keys]
        self.load(plan, builder, progress, uses=uses)


def _tables(
    files: Sequence[Path], note: Callable[[str], None], keys: dict[str, None], progress: Progress
) -> Iterator[pa.Table]:
    longer = 0
    for k, file in enumerate(files):
        progress(k, len(files), f"reading {file.name}")
        read = read_table(file)
        for remark in read.remarks:
            note(remark)
        keys.update(dict.fromkeys(read.columns))
        rows = [_row(file, number, row) for number, row in read]
        longer += sum(row["turns"] > 1 for row in rows)
        if rows:
            columns = {name: [row[name] for row in rows] for name in _COLUMNS}
            yield pa.table(columns, schema=_SCHEMA)
    if longer:
        note(f"{longer:,} conversations have further turns; question and answer are the first two.")
    progress(len(files), len(files), "reading")


_SCHEMA = pa.schema([(name, pa.int64() if name == "turns" else pa.string()) for name in _COLUMNS])


def _row(file: Path, number: int, value: Mapping[str, Any]) -> dict[str, Any]:
    texts = value.get("conversations")
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise InputError(
            f"{file.name}, row {number:,} is not a row of LIMA: an object whose 'conversations' "
            "is a list of texts.",
            "Give LIMA's own train.jsonl, or use the source table.",
        )
    return {
        "id": f"{file.stem}-{number:04}",
        "instruction": texts[0],
        "source": str(value.get("source") or "unknown"),
        "turns": len(texts) // 2,
        "model": AUTHORS,
        "response": texts[1] if len(texts) > 1 else None,
    }
