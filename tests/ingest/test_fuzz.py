"""Mangled files of every kind through every source: a clear error or a whole crowd, never else."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowdselect.errors import CrowdSelectError
from crowdselect.ingest import SOURCES
from crowdselect.settings import open_workspace
from crowdselect.store import CrowdBuilder, open_crowd
from tests.crowds import (
    left_behind,
    nested_rows,
    tidy_rows,
    write_csv,
    write_jsonl,
    write_parquet,
)  # fmt: skip
from tests.ingest.test_alpaca_eval import TEXTS, WEIGHTED, annotation, write
from tests.ingest.test_demo import write_demo

Mangle = Callable[[random.Random, Path], None]
ODD: tuple[Any, ...] = (
    None, "", " ", "text", "NaN", "1e999", -1, 0.5, True, [], [1, "a"], {}, {"a": 1}, "\u0000",
    "é\ud7a3", "1" * 400, "'; DROP TABLE answers; --", '"', "=cmd()",
)  # fmt: skip


def _table(kind: str) -> Callable[[Path], list[Path]]:
    return lambda folder: [
        {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}[kind](
            folder / f"t.{kind}", tidy_rows()
        )
    ]


def _wide(folder: Path) -> list[Path]:
    rows = [
        {"instruction": f"i {k}", "a-1b": k, "b-7b": -k, "a-1b_response": "r"} for k in range(4)
    ]
    return [write_csv(folder / "wide.csv", rows)]


def _nested(folder: Path) -> list[Path]:
    return [write_parquet(folder / "n.parquet", nested_rows(tidy_rows()))]


def _results(folder: Path) -> list[Path]:
    for model in ("m-1b", "m-7b"):
        outputs = [{"instruction": t, "output": t[::-1], "dataset": "d"} for t in TEXTS]
        write(folder / "results", model, None, outputs)
        write(folder / "results", model, WEIGHTED, [annotation(t, model, 1.25) for t in TEXTS])
    return [folder / "results"]


def _demo(folder: Path) -> list[Path]:
    return [write_demo(folder / "crowd")]


CASES = {
    "csv": ("table", _table("csv")),
    "jsonl": ("table", _table("jsonl")),
    "parquet": ("table", _table("parquet")),
    "wide": ("table", _wide),
    "nested": ("magpie", _nested),
    "results": ("alpaca-eval", _results),
    "demo": ("demo", _demo),
}


def cut(rng: random.Random, file: Path) -> None:
    """Truncate."""
    data = file.read_bytes()
    file.write_bytes(data[: rng.randrange(len(data) + 1)])


def scatter(rng: random.Random, file: Path) -> None:
    """Overwrite some bytes with random ones."""
    data = bytearray(file.read_bytes())
    for _ in range(rng.randint(1, 20)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    file.write_bytes(bytes(data))


def noise(rng: random.Random, file: Path) -> None:
    """Replace everything with random bytes."""
    file.write_bytes(rng.randbytes(rng.randint(0, 400)))


def shuffle_lines(rng: random.Random, file: Path) -> None:
    """Repeat, drop and reorder lines (also of binary files)."""
    lines = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join(rng.choices(lines, k=len(lines))))


def odd_values(rng: random.Random, file: Path) -> None:
    """Rewrite the file with values of the wrong type, and columns renamed, dropped, shuffled."""
    rows = tidy_rows()
    columns = list(rows[0])
    rng.shuffle(columns)
    columns = columns[: rng.randint(1, len(columns))]
    names = {c: rng.choice([c, c, c, c.upper(), "x y", "select", "Reward", "a.b"]) for c in columns}
    mangled = [
        {names[c]: rng.choice(ODD) if rng.random() < 0.15 else row[c] for c in columns}
        for row in rows
    ]
    if file.suffix == ".csv":
        write_csv(file, mangled)
    elif file.suffix == ".json":
        file.write_text(json.dumps(mangled))
    elif file.suffix == ".parquet":
        text = [{k: None if v is None else str(v) for k, v in row.items()} for row in mangled]
        write_parquet(file, text if rng.random() < 0.5 else nested_rows(rows))
    else:
        write_jsonl(file, mangled)


@pytest.mark.parametrize("case", CASES)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**32),
    mangle=st.sampled_from([cut, scatter, noise, shuffle_lines, odd_values]),
    keep_first=st.booleans(),
)
def test_a_mangled_file_is_an_error_or_a_whole_crowd(
    tmp_path: Path, case: str, seed: int, mangle: Mangle, keep_first: bool
):
    folder = tmp_path / "case"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    source, write_files = CASES[case]
    paths = write_files(folder)
    rng = random.Random(seed)
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    mangle(rng, rng.choice(files))
    workspace = open_workspace(folder / "workspace")
    plugin = SOURCES[source](dedupe_ids="keep-first" if keep_first else "no")
    try:
        with CrowdBuilder(workspace, "fuzz", threads=1) as builder:
            plugin([str(p) for p in paths], builder)
    except CrowdSelectError as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        assert refused.problem.strip()
        assert refused.remedy.strip()
        assert left_behind(workspace) == []
        return
    with open_crowd(workspace, "fuzz") as crowd:
        assert crowd.report_lines()
        assert len(crowd.instruction_texts()) == crowd.n > 0
        for judge in crowd.judges:
            assert crowd.rewards(judge).values.shape == (crowd.n, len(crowd.models))
        for row in range(crowd.n):
            crowd.answers(row)
        crowd.page(range(crowd.n))
