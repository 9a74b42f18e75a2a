"""Reward files: ``rewards/<slug>.parquet``, one row per instruction, one double per model.

The file itself says whose rewards they are (metadata ``judge``), so a judge's name may hold any
character, and nothing depends on the order of files.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect.errors import CrowdSelectError
from crowdselect.files import write_aside
from crowdselect.values import FloatArray

Origin = Literal["ingest", "added"]
LARGE = 1 << 29
"""Bytes of a reward matrix beyond which it stays on the disk and is mapped: 3.5 million x 19."""
_WRITTEN = 1 << 20
"""Rows written at once: a row group of the file."""
_READ = 1 << 16
"""Rows read at once."""


@dataclass(frozen=True)
class RewardFile:
    """One judge's file, as its footer describes it."""

    judge: str
    path: Path
    position: int
    """Order among the judges; the first is the crowd's default."""
    origin: Origin
    digest: str
    """Hex sha256 of the values and the models' names."""
    problems: Mapping[str, int] = field(default_factory=dict)
    """Why answers got no reward, an example of each kind of reason, and how many."""

    def sentence(self) -> str:
        """What kept answers from a reward; empty: nothing that is known."""
        if not self.problems:
            return ""
        told = "; ".join(f"{count:,} x {reason}" for reason, count in self.problems.items())
        return (
            f"The judge {self.judge} rewarded {sum(self.problems.values()):,} answers not: {told}."
        )


def slug(name: str, taken: Iterable[str] = ()) -> str:
    """Return a file name for ``name``: itself where it is safe and free, else with a hash."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:80]
    if safe == name and safe.lower() not in {t.lower() for t in taken}:
        return safe
    return f"{safe or 'x'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def digest_of(models: Sequence[str], values: FloatArray) -> str:
    """Return the sha256 (hex) of a reward matrix and the names of its columns."""
    digest = hashlib.sha256("\0".join(models).encode())
    for first in range(0, len(values), _READ):
        block = values[first : first + _READ]
        digest.update(np.where(np.isnan(block), np.nan, block).astype("<f8").tobytes())
    return digest.hexdigest()


def write_rewards(
    folder: Path,
    judge: str,
    models: Sequence[str],
    values: FloatArray,
    *,
    position: int,
    origin: Origin,
    problems: Mapping[str, int] | None = None,
) -> RewardFile:
    """Write one judge's rewards, shape (n, m) with NaN = missing, whole or not at all.

    ``problems`` are kept beside them: why answers got none, and how many.
    """
    known = {f.judge: f for f in list_rewards(folder)}
    taken = [f.path.stem for f in known.values() if f.judge != judge]
    path = known[judge].path if judge in known else folder / f"{slug(judge, taken)}.parquet"
    digest = digest_of(models, values)
    metadata = {
        "judge": judge,
        "position": str(position),
        "origin": origin,
        "digest": digest,
    }
    if problems:
        metadata["problems"] = json.dumps(dict(problems), ensure_ascii=False)
    fields = [pa.field(name, pa.float64()) for name in models]
    schema = pa.schema(fields, metadata=metadata)
    with (
        write_aside(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for first in range(0, max(len(values), 1), _WRITTEN):
            block = values[first : first + _WRITTEN]
            columns = [
                pa.array(block[:, j], mask=np.isnan(block[:, j])) for j in range(len(models))
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    return RewardFile(judge, path, position, origin, digest, dict(problems or {}))


def list_rewards(folder: Path, damaged: list[Path] | None = None) -> list[RewardFile]:
    """Return the reward files of a crowd in the order of their positions.

    A file that cannot be read raises pa.ArrowException, or is put into ``damaged``.
    """
    found = []
    for path in folder.glob("[!.]*.parquet"):
        try:
            said = pq.read_metadata(path).metadata or {}
        except pa.ArrowException:
            if damaged is None:
                raise
            damaged.append(path)
            continue
        meta = {k.decode(): v.decode() for k, v in said.items()}
        if "judge" in meta:
            origin: Origin = "added" if meta["origin"] == "added" else "ingest"
            place, problems = int(meta["position"]), json.loads(meta.get("problems", "{}"))
            found.append(RewardFile(meta["judge"], path, place, origin, meta["digest"], problems))
    return sorted(found, key=lambda f: (f.position, f.judge))


def changed_rewards(crowd: Path) -> list[Path]:
    """Reward files of the folder ``crowd`` whose values are not those that were written."""
    damaged: list[Path] = []
    known = list_rewards(crowd / "rewards", damaged)
    for file in known:
        try:
            models = pq.read_schema(file.path).names
            changed = digest_of(models, read_rewards(file.path, models)) != file.digest
        except (pa.ArrowException, OSError):
            changed = True
        if changed:
            damaged.append(file.path)
    return sorted(damaged)


def read_rewards(source: Path | pa.NativeFile, models: Sequence[str]) -> FloatArray:
    """Return the rewards as (n, m) float64 in the order of ``models``; NaN = missing."""
    with pq.ParquetFile(source) as file:
        # Metrics go column by column: Fortran order keeps each model's rewards together.
        values = np.full((file.metadata.num_rows, len(models)), np.nan, order="F")
        _fill(values, file, models)
    return values


def mapped_rewards(source: pa.NativeFile, models: Sequence[str], path: Path) -> FloatArray:
    """Return what :func:`read_rewards` returns, from the file ``path`` (.npy), made where needed.

    The system takes of the file into memory what is looked at, and takes it out again when memory
    is short. Where nothing can be written the rewards are read into memory.
    """
    with contextlib.suppress(OSError, ValueError):  # not there, or damaged: it is made again
        return np.lib.format.open_memmap(path, mode="r")
    try:
        with write_aside(path) as temporary, pq.ParquetFile(source) as file:
            shape = (file.metadata.num_rows, len(models))
            values = np.lib.format.open_memmap(
                temporary, mode="w+", dtype=np.float64, shape=shape, fortran_order=True
            )
            _fill(values, file, models)
            values.flush()
            del values
    except (OSError, CrowdSelectError):
        return read_rewards(source, models)
    return np.lib.format.open_memmap(path, mode="r")


def _fill(values: FloatArray, file: pq.ParquetFile, models: Sequence[str]) -> None:
    """Write a reward file's columns into ``values`` (n, m), block by block; NaN = missing."""
    places = [file.schema_arrow.get_field_index(name) for name in models]
    for j in (j for j, place in enumerate(places) if place < 0):
        values[:, j] = np.nan
    first = 0
    for batch in file.iter_batches(_READ):
        rows = slice(first, first := first + batch.num_rows)
        for j, place in enumerate(places):
            if place >= 0:
                values[rows, j] = batch.column(place).to_numpy(zero_copy_only=False)
