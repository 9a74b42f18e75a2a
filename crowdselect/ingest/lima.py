"""LIMA (arXiv 2305.11206): a fixed set of instructions and answers that people chose."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from crowdselect.errors import InputError
from crowdselect.ingest.source import Source, files_of
from crowdselect.plans import Builder, Instructions, Tidy
from crowdselect.progress import Progress, silent

AUTHORS = "lima"
"""The one model of such a crowd: the people who wrote the answers."""
_COLUMNS = ("id", "instruction", "source", "turns", "model", "response")


@dataclass(frozen=True)
class Lima(Source):
    """Reads LIMA's JSONL (``conversations``: a list of texts, ``source``); first turns only."""

    name: ClassVar[str] = "lima"
    title: ClassVar[str] = "LIMA: instructions and answers that people chose"

    def __call__(self, paths: Sequence[str], builder: Builder, progress: Progress = silent) -> None:
        """Read one or more files such as ``train.jsonl``."""
        files = files_of(paths, (".jsonl",))[0]
        if not files:
            raise InputError("No file was given.", "Give LIMA's train.jsonl.")
        table = builder.open_records(files[0].name, _tables(files, progress))
        plan = Tidy(
            Instructions(table, "instruction", "id", ("source", "turns")),
            table,
            model="model",
            id="id",
            text="instruction",
            response="response",
            rewards={},
        )
        self.load(plan, builder, progress)


def _tables(files: Sequence[Path], progress: Progress) -> Iterator[pa.Table]:
    for k, file in enumerate(files):
        progress(k, len(files), f"reading {file.name}")
        rows = []
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    rows.append(_row(file, number, line))
        if rows:
            columns = {name: [row[name] for row in rows] for name in _COLUMNS}
            yield pa.table(columns, schema=_SCHEMA)
    progress(len(files), len(files), "reading")


_SCHEMA = pa.schema([(name, pa.int64() if name == "turns" else pa.string()) for name in _COLUMNS])


def _row(file: Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
        texts = value["conversations"]
        if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
            raise TypeError
    except (ValueError, TypeError, KeyError):
        raise InputError(
            f"{file.name}, line {number:,} is not a row of LIMA: an object whose 'conversations' "
            "is a list of texts.",
            "Give LIMA's own train.jsonl, or use the source table.",
        ) from None
    return {
        "id": f"{file.stem}-{number:04}",
        "instruction": texts[0],
        "source": str(value.get("source") or "unknown"),
        "turns": len(texts) // 2,
        "model": AUTHORS,
        "response": texts[1] if len(texts) > 1 else None,
    }
