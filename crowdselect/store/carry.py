"""Take over what people and models added to a crowd that is ingested again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect.errors import CrowdSelectError
from crowdselect.files import TEMPORARY, read_lines
from crowdselect.store.connect import open_read_only
from crowdselect.store.models_table import read_models
from crowdselect.store.report import some
from crowdselect.store.rewards import RewardFile, list_rewards, read_rewards, write_rewards
from crowdselect.store.tags import FOLDER as TAGS
from crowdselect.values import FloatArray, Model


def over(
    old: Path, new: Path, ids: Sequence[str], models: Sequence[Model]
) -> tuple[list[str], tuple[Model, ...]]:
    """Copy notes, scores, added judges, confirmed models and caches from ``old`` to ``new``.

    ``ids`` and ``models`` are the new crowd's. Returns one sentence per kind of thing, for the
    report, and the models with what a person had confirmed.
    """
    known = frozenset(ids)
    lines = [*_notes(old, new, known), *_scores(old, new, known), *_tags(old, new)]
    lines += _judges(old, new, ids, [m.name for m in models])
    merged, line = _models(old, models)
    _link_cache(old / "cache", new / "cache")
    return [*lines, *line], merged


def _without(n: int) -> str:
    return f"; {n:,} of their ids are no longer there" if n else ""


def _notes(old: Path, new: Path, known: frozenset[str]) -> Iterator[str]:
    source = old / "notes.jsonl"
    if not source.exists():
        return
    shutil.copy2(source, new / "notes.jsonl")
    lines = read_lines(source)
    gone = {str(line.get("id")) for line in lines if line.get("id") is not None} - known
    yield f"{len(lines):,} notes were carried over by id{_without(len(gone))}."


def _scores(old: Path, new: Path, known: frozenset[str]) -> Iterator[str]:
    folder = old / "scores"
    files = sorted(folder.glob("[!.]*.parquet"))
    if not files:
        return
    (new / "scores").mkdir()
    gone: set[str] = set()
    damaged = []
    for path in files:
        try:
            there = set(pq.read_table(path, columns=["id"])["id"].to_pylist())
        except pa.ArrowException:
            damaged.append(path.stem)
            continue
        for part in (path, path.with_suffix(".json")):
            if part.exists():
                shutil.copy2(part, new / "scores" / part.name)
        gone |= there - known
    if len(damaged) < len(files):
        kept = len(files) - len(damaged)
        yield f"{kept:,} score columns were carried over by id{_without(len(gone))}."
    if damaged:
        yield f"Scores that cannot be read were left behind; import them again: {some(damaged)}."


def _tags(old: Path, new: Path) -> Iterator[str]:
    if (old / TAGS).exists():
        shutil.copytree(old / TAGS, new / TAGS, ignore=shutil.ignore_patterns(f"{TEMPORARY}*"))
        yield "The tags that models gave were carried over."


def _judges(old: Path, new: Path, ids: Sequence[str], models: Sequence[str]) -> Iterator[str]:
    here = list_rewards(new / "rewards")
    taken = {f.judge for f in here}
    damaged: list[Path] = []
    olds = list_rewards(old / "rewards", damaged)
    added = [f for f in olds if f.origin == "added" and f.judge not in taken]
    lost = [path.stem for path in damaged if not (new / "rewards" / path.name).exists()]
    if lost:
        yield f"Judges that cannot be read were left behind; add them again: {some(lost)}."
    if not added:
        return
    try:
        with open_read_only(old / "crowd.duckdb") as con:
            rows = con.execute("SELECT id FROM crowd.instructions ORDER BY row").fetchall()
    except duckdb.Error:
        yield "The judges added to the older crowd could not be read; add them again."
        return
    position = {i: k for k, (i,) in enumerate(rows)}
    places = np.array([position.get(i, -1) for i in ids], dtype=np.int64)
    for k, file in enumerate(added):
        values = _realigned(file, places, models)
        write_rewards(
            new / "rewards", file.judge, models, values,
            position=len(here) + k, origin="added", problems=file.problems,
        )  # fmt: skip
    yield f"Judges carried over by id and model: {', '.join(f.judge for f in added)}."


def _realigned(file: RewardFile, places: np.ndarray, models: Sequence[str]) -> FloatArray:
    values = read_rewards(file.path, models)
    return np.where((places >= 0)[:, None], values[np.maximum(places, 0)], np.nan)


def _models(old: Path, models: Sequence[Model]) -> tuple[tuple[Model, ...], list[str]]:
    try:
        confirmed = {m.name: m for m in read_models(old / "models.csv") if m.source == "table"}
    except CrowdSelectError:  # it is damaged, or gone
        return tuple(models), []
    merged, taken = [], 0
    for model in models:
        if model.name in confirmed and model.source in ("guessed", "unknown"):
            merged.append(replace(confirmed[model.name], order=model.order))
            taken += 1
        else:
            merged.append(model)
    line = [f"Family and size of {taken:,} models were carried over."] if taken else []
    return tuple(merged), line


def _link_cache(old: Path, new: Path) -> None:
    """Keep what was computed: everything in a cache is keyed by content, so it can't be stale."""
    if old.exists():
        skip = shutil.ignore_patterns(f"{TEMPORARY}*")
        shutil.copytree(old, new, copy_function=_link_or_copy, ignore=skip)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)
