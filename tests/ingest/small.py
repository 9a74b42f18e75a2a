"""Small crowds for the tests of the store and of the sources: files written, then ingested."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect.ingest import SOURCES
from crowdselect.locks import LOCK
from crowdselect.settings import Workspace
from crowdselect.store import Crowd, CrowdBuilder, open_crowd

MODELS = ("tiny-1B-chat", "tiny-7B-chat", "other-3b-it")
INSTRUCTIONS = ("Add 2 and 3.", "Name a city in Peru.", "Reverse the word 'stone'.", "Say hi.")


def tidy_rows(n: int = 4, models: Sequence[str] = MODELS) -> list[dict[str, Any]]:
    """One row per instruction and model; reward = 10 x instruction + model."""
    return [
        {
            "id": f"q{i}",
            "instruction": INSTRUCTIONS[i % len(INSTRUCTIONS)] + ("" if i < 4 else f" ({i})"),
            "kind": "even" if i % 2 == 0 else "odd",
            "model": model,
            "response": f"answer {i} of {model}",
            "reward": 10.0 * i + j,
        }
        for i in range(n)
        for j, model in enumerate(models)
    ]


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


def nested_rows(rows: Sequence[dict[str, Any]], judge: str = "reward") -> list[dict[str, Any]]:
    """Tidy rows in the shape of Magpie-Generator-Zoo: one struct per model."""
    nested: dict[str, dict[str, Any]] = {}
    for row in rows:
        line = nested.setdefault(row["id"], {"uuid": row["id"], "instruction": row["instruction"]})
        line[row["model"]] = {"content": row["response"], judge: row["reward"]}
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
