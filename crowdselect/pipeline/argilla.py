"""Argilla records: a selection out for annotators, and their annotations back in as notes.

The file is what ``argilla``'s ``records.to_json`` and ``from_json`` write and read: a JSON array of
records with ``id, fields, metadata, suggestions, responses, vectors``.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from crowdselect import files
from crowdselect.errors import InputError
from crowdselect.pipeline.export import export
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.progress import Progress, silent
from crowdselect.reading import read_table
from crowdselect.settings import Workspace
from crowdselect.store.notes import Author, NoteKind

TOLD = ("model", "rank", "score", "cluster", "reason")
"""Columns of an export that become a record's metadata."""
_TAG_CHARS = 60
"""A longer answer to a question, or one of several lines, is a comment and no tag."""


@dataclass(frozen=True)
class Annotated:
    """What became of the annotations of a file."""

    notes: int
    known: int
    """Annotations that were notes already."""
    unknown: int
    """Records whose id the crowd does not hold."""


def write_records(
    workspace: Workspace, selection: str, out: Path, progress: Progress = silent
) -> int:
    """Write a saved selection as records; return how many.

    Fields: ``prompt`` (a chat field) and ``response`` (text). Raises InputError where ``out``
    exists.
    """
    if out.exists():
        raise InputError(f"{out} exists.", "Give another name; nothing was changed.")
    with tempfile.TemporaryDirectory() as folder:
        made = export(workspace, selection, "parquet", Path(folder) / "out", progress=progress)
        rows = pq.read_table(made.data).to_pylist()
    files.write_text(out, json.dumps([_record(row) for row in rows], ensure_ascii=False, indent=1))
    return len(rows)


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in TOLD if row[name] not in (None, "")}
    finite = {k: v for k, v in told.items() if not (isinstance(v, float) and math.isnan(v))}
    return {
        "id": row["id"],
        "fields": {"prompt": row["messages"][:-1], "response": row["response"]},
        "metadata": finite,
        "suggestions": {},
        "responses": {},
        "vectors": {},
    }


def read_annotations(workspace: Workspace, crowd: str, path: Path) -> Annotated:
    """Add the annotations of a file of records to a crowd's notes; what is there stays once.

    A label, a rating or a rank becomes the tag ``QUESTION: VALUE``, several labels a tag each, a
    longer text a comment; the annotator's id is the note's author. Raises InputError where no
    record has an id.
    """
    table = read_table(path)
    opened = open_crowd(workspace, crowd)
    if not any("id" in row and "responses" in row for row in table.rows):
        raise InputError(
            f"{path.name} holds no records with id and responses.",
            "Give the JSON that argilla writes: dataset.records.to_json(path).",
        )
    state = opened.notes.state()
    there = {(i, v) for held in (state.tags, state.comments) for i, vs in held.items() for v in vs}
    notes = known = unknown = 0
    for row in table.rows:
        identity = str(row.get("id"))
        if identity not in opened.row_of:
            unknown += 1
            continue
        for kind, text, who in _notes_of(row.get("responses")):
            if (identity, text) in there:
                known += 1
                continue
            there.add((identity, text))
            opened.notes.append(kind, identity, text, Author(who))
            notes += 1
    return Annotated(notes, known, unknown)


def _notes_of(responses: Any) -> Iterator[tuple[NoteKind, str, str]]:
    """Kind, text and annotator of every answer to a question."""
    for question, answers in responses.items() if isinstance(responses, Mapping) else ():
        for answer in answers if isinstance(answers, list) else ():
            value = answer.get("value") if isinstance(answer, Mapping) else None
            who = str(answer.get("user_id") or "") if isinstance(answer, Mapping) else ""
            for one in value if isinstance(value, list) else [value]:
                if one is None or one == "":
                    continue
                plain = one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)
                text = f"{question}: {plain}".strip()
                short = len(text) <= _TAG_CHARS and "\n" not in text
                yield "tag" if short else "comment", text, who
