"""Mangled tables through ingest: what pandas, json or pyarrow find in them, or one sentence.

20 seeded cases here; ``make fuzz`` takes a tenth of CROWDSELECT_FUZZ.
"""

import io
import json
import math
import os
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crowdselect.errors import CrowdSelectError
from crowdselect.ingest import SOURCES
from crowdselect.settings import open_workspace
from crowdselect.store import CrowdBuilder, open_crowd
from tests.attack import mangling

CASES = max(20, int(os.environ.get("CROWDSELECT_FUZZ", "0")) // 10)
PART = 10
MODELS = ("one-1B", "two-7B", "Zwei ü-8B")
Cells = dict[tuple[str, str], tuple[str | None, float | None]]


def tidy() -> list[dict[str, Any]]:
    return [
        {"id": f"q{i}", "instruction": f"Name river {i}, \"north\" – é", "model": model,
         "response": f"{model} says\n{i}", "reward": round(0.37 * i - 1.5 * j, 3)}
        for i in range(6) for j, model in enumerate(MODELS)
    ]  # fmt: skip


def nested() -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for row in tidy():
        one = rows.setdefault(row["id"], {"uuid": row["id"], "instruction": row["instruction"]})
        one[row["model"]] = {"content": row["response"], "judge": row["reward"]}
    return list(rows.values())


def independent(path: Path) -> list[dict[str, Any]] | None:
    """The rows by another reader; None: it finds no table of the expected kind in them."""
    try:
        data = path.read_bytes()
        if path.suffix == ".parquet":
            return pq.read_table(io.BytesIO(data)).to_pylist()
        if path.suffix == ".csv":
            frame = pd.read_csv(
                io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8-sig"
            )
            return frame.to_dict("records")
        text = data.decode("utf-8-sig")
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
        return rows if all(isinstance(row, dict) for row in rows) else None
    except (ValueError, RecursionError, pa.ArrowException, OSError, TypeError, OverflowError):
        return None


def _number(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and not isinstance(value, bool) else None


def cells(rows: list[dict[str, Any]]) -> Cells | None:
    """(id, model) -> response and reward where every row is plainly sound; None: some is odd."""
    found: Cells = {}
    asked: dict[str, str] = {}
    for row in rows:
        if set(row) != {"id", "instruction", "model", "response", "reward"}:
            return None
        texts = [row[k] for k in ("id", "instruction", "model", "response")]
        reward = _number(row["reward"])
        if not all(isinstance(t, str) and t == t.strip() and t for t in texts) or reward is None:
            return None
        if (texts[0], texts[2]) in found or asked.setdefault(texts[0], texts[1]) != texts[1]:
            return None
        if any(c in t for t in texts for c in "\0\r\ufffd"):
            return None
        found[texts[0], texts[2]] = (texts[3], reward)
    return found or None


def held(workspace: Any) -> Cells:
    crowd = open_crowd(workspace, "c")
    rewards = crowd.rewards().values if crowd.judges else None
    found: Cells = {}
    for row in range(crowd.n):
        for k, (model, text) in enumerate(crowd.answers(row)[["model", "response"]].to_numpy()):
            reward = math.nan if rewards is None else float(rewards[row, k])
            if isinstance(text, str) or not math.isnan(reward):
                found[str(crowd.ids[row]), str(model)] = (
                    text if isinstance(text, str) else None,
                    None if math.isnan(reward) else reward,
                )
    crowd.close()
    return found


@pytest.mark.parametrize("part", range(0, CASES, PART))
def test_an_ingest_holds_what_another_reader_finds_or_says_why_not(
    part: int, tmp_path: Path
) -> None:
    compared = 0
    for seed in range(part, part + PART):
        rng = random.Random(seed)
        source = "magpie" if seed % 5 == 4 else "table"
        suffix = "parquet" if source == "magpie" else rng.choice(("csv", "jsonl", "parquet"))
        rows = nested() if source == "magpie" else tidy()
        path = tmp_path / f"{seed}.{suffix}"
        happened = rng.random() < 0.75
        path.write_bytes(
            mangling.mangled(rows, suffix, rng) if happened else mangling.whole(rows, suffix)
        )
        workspace = open_workspace(tmp_path / f"w{seed}")
        try:
            with CrowdBuilder(workspace, "c", threads=1) as builder:
                SOURCES[source]()([str(path)], builder)
        except CrowdSelectError as error:
            refused = error
        else:
            refused = None
        if refused is not None:
            assert happened, (seed, refused.problem)
            assert "\n" not in refused.problem.strip(), (seed, refused.problem)
            assert refused.remedy, seed
            continue
        other = independent(path)
        expected = None if source == "magpie" or other is None else cells(other)
        if source == "magpie" and other == nested():
            expected = cells(tidy())
        if expected is not None:
            compared += 1
            assert held(workspace) == expected, (seed, path.name)
    assert compared or part, "some cases can be compared"
