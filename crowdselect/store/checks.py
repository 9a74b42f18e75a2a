"""Count what is unusual about a crowd that is being built, and hash what it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import duckdb
import numpy as np

from crowdselect.equal_texts import count_repeats, exact_duplicates
from crowdselect.errors import InputError
from crowdselect.store.load import Loaded
from crowdselect.store.questions import PROMPTS
from crowdselect.store.report import IngestReport, JudgeCount, ModelCount
from crowdselect.store.texts import batches, strings
from crowdselect.values import BoolArray, FloatArray


def dense(con: duckdb.DuckDBPyConnection, column: str, shape: tuple[int, int]) -> FloatArray:
    """Return a reward column of ``answers`` as an (n, m) array; NULL gives NaN.

    NaN and infinite rewards come through as they are, NULL as a quiet NaN of its own: see
    :func:`count_judge`.
    """
    values = np.full(shape, _NULL)
    for batch in batches(
        con, f"SELECT row, model, {column} AS value FROM crowd.answers WHERE {column} IS NOT NULL"
    ):
        values[batch["row"].to_numpy(), batch["model"].to_numpy()] = batch["value"].to_numpy()
    return values


_BATCH = 10_000
_ROWS = 1 << 20
"""Rows of rewards looked at once."""
_NULL = np.finfo(np.float64).min
"""Stands for SQL NULL between :func:`dense` and :func:`count_judge`; no reward is that low."""


def count_judge(
    name: str, values: FloatArray, models: Sequence[str]
) -> tuple[JudgeCount, FloatArray]:
    """Count a judge's oddities; return them and ``values``, in which what is missing is NaN now."""
    nan = infinite = 0
    for first in range(0, len(values), _ROWS):
        block = values[first : first + _ROWS]
        nan += int(np.isnan(block).sum())
        endless = np.isinf(block)
        infinite += int(endless.sum())
        block[endless | (block == _NULL)] = np.nan
    counted = [int(np.count_nonzero(~np.isnan(column))) for column in values.T]
    covered: BoolArray = np.array(counted, dtype=np.int64) > 0
    rewards = sum(counted)
    count = JudgeCount(
        name=name,
        rewards=rewards,
        missing=int(covered.sum()) * len(values) - rewards,
        nan=nan,
        infinite=infinite,
        low=float(np.nanmin(values)) if rewards else None,
        mean=_mean(values, rewards) if rewards else None,
        high=float(np.nanmax(values)) if rewards else None,
        models=int(covered.sum()),
        models_without=tuple(m for m, c in zip(models, covered, strict=True) if not c),
        identical=_identical(values, models, covered),
    )
    return count, values


def _mean(values: FloatArray, rewards: int) -> float:
    """Divided before they are added, so that no sum overflows."""
    starts = range(0, len(values), _ROWS)
    return float(sum(np.nansum(values[first : first + _ROWS] / rewards) for first in starts))


def _identical(
    values: FloatArray, models: Sequence[str], covered: BoolArray
) -> tuple[tuple[str, ...], ...]:
    groups: dict[bytes, list[str]] = {}
    for j in np.flatnonzero(covered).tolist():
        column = np.where(np.isnan(values[:, j]), np.nan, values[:, j])
        key = hashlib.sha256(column.tobytes()).digest()
        groups.setdefault(key, []).append(models[j])
    several = len(values) > 1
    return tuple(tuple(g) for g in groups.values() if several and len(g) > 1)


def count_report(
    con: duckdb.DuckDBPyConnection,
    loaded: Loaded,
    judges: Sequence[JudgeCount],
    source: str,
    files: tuple[str, ...],
    notes: Sequence[str],
) -> IngestReport:
    """Count texts, answers and gaps; raises InputError where there is no instruction or model."""
    n, empty = con.execute(
        "SELECT count(*), count(*) FILTER (length.words = 0) FROM crowd.instructions"
    ).fetchall()[0]
    if n == 0 or not loaded.models:
        raise InputError(
            f"{', '.join(files)}: no instruction with a model's answer was found.",
            "Check that the files hold instructions, models and answers.",
        )
    answers = con.execute(
        "SELECT model, count(length.words), count(*) FILTER (length.words = 0) "
        "FROM crowd.answers GROUP BY model"  # lengths are there where texts are, and far smaller
    ).fetchall()
    by_model = {model: (full, blank) for model, full, blank in answers}
    counts = tuple(
        ModelCount(name=m, responses=by_model.get(k, (0, 0))[0], empty=by_model.get(k, (0, 0))[1])
        for k, m in enumerate(loaded.models)
    )
    (answered,) = con.execute(
        "SELECT count(DISTINCT row) FROM crowd.answers WHERE length.words IS NOT NULL"
    ).fetchall()[0]
    return IngestReport(
        source=source,
        files=files,
        instructions=n,
        responses=sum(c.responses for c in counts),
        models=counts,
        judges=tuple(judges),
        empty_instructions=empty,
        empty_responses=sum(c.empty for c in counts),
        missing_responses=sum(n - c.responses for c in counts if c.responses),
        duplicate_instructions=count_repeats(exact_duplicates(_texts(con))),
        unanswered_instructions=n - answered if answered else 0,
        dropped_ids=loaded.dropped_ids,
        dropped_answers=loaded.dropped_answers,
        unknown_ids=loaded.unknown_ids,
        notes=tuple(notes),
    )


def _texts(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    found = con.execute("SELECT text FROM crowd.instructions")
    while batch := found.fetchmany(_BATCH):
        yield from (text for (text,) in batch)


def fingerprint(con: duckdb.DuckDBPyConnection, loaded: Loaded, shape: tuple[int, int]) -> str:
    """Return the sha256 (hex) of ids, texts and models' names; rewards have their own digests."""
    digest = hashlib.sha256("\0".join(loaded.models).encode())
    ids = strings(con, "SELECT id FROM crowd.instructions ORDER BY row", shape[0])
    digest.update("\0".join(map(str, ids)).encode())
    texts = con.execute(
        "SELECT md5_number_lower(text) AS text FROM crowd.instructions ORDER BY row"
    ).fetchnumpy()
    digest.update(np.ma.getdata(texts["text"]).astype("<u8").tobytes())
    answers = np.zeros(shape, dtype="<u8")
    for batch in batches(
        con, "SELECT row, model, digest FROM crowd.answers WHERE digest IS NOT NULL"
    ):
        answers[batch["row"].to_numpy(), batch["model"].to_numpy()] = batch["digest"].to_numpy()
    digest.update(answers.reshape(-1).data)
    tables = {t for (t,) in con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'crowd'"
    ).fetchall()}  # fmt: skip
    if PROMPTS in tables:
        turns = con.execute(f"SELECT row, prompt FROM crowd.{PROMPTS} ORDER BY row").fetchall()
        for row, prompt in turns:
            digest.update(f"\0{row}\0{prompt}".encode())
    return digest.hexdigest()
