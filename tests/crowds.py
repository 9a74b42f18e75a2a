"""Small crowds for all tests: rows of answers, files of them in any shape, crowds, rewards alone.

What a test needs of its own (subjects, hostile texts, families) is data; it is built here.
"""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect.ingest import SOURCES
from crowdselect.locks import LOCK
from crowdselect.settings import Workspace
from crowdselect.store import Crowd, CrowdBuilder, open_crowd
from crowdselect.values import Model, RewardMatrix

MODELS = ("tiny-1B-chat", "tiny-7B-chat", "other-3b-it")
INSTRUCTIONS = ("Add 2 and 3.", "Name a city in Peru.", "Reverse the word 'stone'.", "Say hi.")


def answered(
    n: int,
    models: Sequence[str],
    row: Callable[[int], tuple[dict[str, Any], Iterable[dict[str, Any]]]],
) -> list[dict[str, Any]]:
    """One row per instruction and model.

    ``row(i)`` gives what instruction i's rows share, and what each model's has, in order.
    """
    rows = []
    for i in range(n):
        shared, answers = row(i)
        rows += [{**shared, "model": m, **a} for m, a in zip(models, answers, strict=True)]
    return rows


def tidy_rows(n: int = 4, models: Sequence[str] = MODELS) -> list[dict[str, Any]]:
    """Plain answers; reward = 10 x instruction + model."""

    def row(i: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        text = INSTRUCTIONS[i % len(INSTRUCTIONS)] + ("" if i < 4 else f" ({i})")
        shared = {"id": f"q{i}", "instruction": text, "kind": "even" if i % 2 == 0 else "odd"}
        return shared, [
            {"response": f"answer {i} of {model}", "reward": 10.0 * i + j}
            for j, model in enumerate(models)
        ]

    return answered(n, models, row)


def write_csv(path: Path, rows: Sequence[dict[str, Any]], columns: Sequence[str] = ()) -> Path:
    names = list(columns or rows[0])
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def write_models(folder: Path, models: Iterable[tuple[str, str | None, float | None]]) -> Path:
    """``models.csv`` of names, families and sizes; empty where unknown."""
    path = folder / "models.csv"
    pd.DataFrame(models, columns=["model", "family", "size_b"]).to_csv(path, index=False)
    return path


def nested_rows(
    rows: Sequence[dict[str, Any]], *judges: str, id_column: str = "uuid"
) -> list[dict[str, Any]]:
    """Tidy rows in the shape of Magpie-Generator-Zoo: one struct per model."""
    nested: dict[str, dict[str, Any]] = {}
    for row in rows:
        begun = {id_column: row["id"], "instruction": row["instruction"]}
        line = nested.setdefault(row["id"], begun)
        given = {judge: row[judge] for judge in judges or ("reward",)}
        line[row["model"]] = {"content": row["response"], **given}
    return list(nested.values())


def ingest(
    workspace: Workspace,
    paths: Sequence[Path | str],
    name: str = "small",
    source: str = "table",
    *,
    replace: bool = False,
    **options: Any,
) -> Crowd:
    """Ingest as the pipeline does, and open the crowd."""
    with CrowdBuilder(workspace, name, replace=replace) as builder:
        SOURCES[source](**options)([str(p) for p in paths], builder)
    return open_crowd(workspace, name)


def small_crowd(workspace: Workspace, folder: Path, n: int = 4) -> Crowd:
    """A crowd of ``n`` instructions and three models, ingested from a CSV file."""
    return ingest(workspace, [write_csv(folder / "small.csv", tidy_rows(n))])


def by_id(crowd: Crowd, judge: str | None = None) -> dict[tuple[str, str], float]:
    """(id, model) -> reward, without the missing ones."""
    rewards = crowd.rewards(judge)
    return {
        (str(i), m.name): float(rewards.values[r, c])
        for r, i in enumerate(rewards.ids)
        for c, m in enumerate(rewards.models)
        if not np.isnan(rewards.values[r, c])
    }


def left_behind(workspace: Workspace) -> list[Path]:
    """Everything in the folder of crowds but locks: it should hold whole crowds only."""
    found = workspace.crowds.iterdir() if workspace.crowds.exists() else []
    return sorted(path for path in found if not path.name.startswith(LOCK))


FAMILIES = (("a", (2.0, 9.0, 27.0)), ("b", (8.0, 70.0)), ("c", (3.0, 3.0, 7.0)), ("d", (5.0,)))
"""With a pair, a family of three, one with two equal sizes, and one that cannot be ranked."""


def models_of(families=FAMILIES) -> tuple[Model, ...]:
    """Models called after their families."""
    pairs = [(name, size) for name, sizes in families for size in sizes]
    return tuple(Model(f"{f}-{i}", f, s, i) for i, (f, s) in enumerate(pairs))


def growing(names: Sequence[str] | int) -> tuple[Model, ...]:
    """Models (``m00`` ... where only their number is given) of three families, growing in size."""
    names = [f"m{j:02}" for j in range(names)] if isinstance(names, int) else names
    return tuple(Model(name, f"f{j % 3}", 1.0 + j, j) for j, name in enumerate(names))


def rewards(values, models: Sequence[Model] | None = None, judge: str = "judge") -> RewardMatrix:
    """One judge's rewards in memory; ids ``i0`` ...; without ``models`` those of FAMILIES."""
    values = np.asarray(values, dtype=np.float64)
    ids = np.array([f"i{i}" for i in range(len(values))], dtype=object)
    return RewardMatrix(judge, ids, tuple(models or models_of()), values)
