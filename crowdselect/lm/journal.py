"""Finished work as JSON lines: whatever stops a run, what was done is not done again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crowdselect import files


class Journal:
    """Append-only records by key; the last record of a key counts.

    One journal belongs to one benchmark of one run and one protocol, so a key need only be unique
    inside it (a question id, or question id and turn).
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        """None: nothing is kept."""
        self._records: dict[str, dict[str, Any]] = {}
        if path is not None and path.exists():
            _end_cleanly(path)
            self._records = {r["key"]: r for r in files.read_lines(path)}

    def __contains__(self, key: object) -> bool:
        return key in self._records

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the record of ``key``, or None."""
        return self._records.get(key)

    def add(self, key: str, record: Mapping[str, Any]) -> None:
        """Append a record and sync it to disk."""
        line = {**record, "key": key}
        if self.path is not None:
            files.append_line(self.path, line)
        self._records[key] = line


def _end_cleanly(path: Path) -> None:
    """Close a line that a crash left open, so that the next record starts on its own."""
    if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
        with path.open("ab") as handle:
            handle.write(b"\n")
