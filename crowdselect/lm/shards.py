"""Shards: small Parquet files that a pass writes one by one, in any order, by any process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect import files
from crowdselect.lm.passes import Columns, Pass, Sample

_SPEAKERS_NAMED = "speakers are named"
"""Tells findings about questions of several turns from those that read them as one text."""
ROWS = 64
"""Samples per shard: what a crash can cost at most."""


@dataclass(frozen=True)
class ShardFolder:
    """Where one pass over one list of samples keeps what it found."""

    path: Path
    n: int
    """Samples."""
    rows: int = ROWS

    @property
    def count(self) -> int:
        """Number of shards."""
        return -(-self.n // self.rows)

    def file(self, shard: int) -> Path:
        """The file of a shard."""
        return self.path / f"{shard:06d}.parquet"

    def missing(self, work: Pass) -> list[int]:
        """Shards that are still to be made, or to be made again since the pass may now succeed.

        Those stay until they are made again: what was found is never lost.
        """
        return [shard for shard in range(self.count) if not self.is_done(shard, work)]

    def is_done(self, shard: int, work: Pass) -> bool:
        """Whether a shard is there and final."""
        if not self.file(shard).exists():
            return False
        return not work.may_fail or work.is_final(pq.read_table(self.file(shard)).to_pydict())

    def part(self, shard: int) -> slice:
        """The samples of a shard."""
        return slice(shard * self.rows, min((shard + 1) * self.rows, self.n))

    def write(self, shard: int, columns: Columns) -> None:
        """Write a shard, whole or not at all; writing it twice is harmless."""
        table = pa.table({name: pa.array(list(values)) for name, values in columns.items()})
        with files.write_aside(self.file(shard)) as temporary:
            pq.write_table(table, temporary, compression="zstd")

    def finished(self) -> Iterator[tuple[slice, Mapping[str, Sequence[Any]]]]:
        """The shards that are there: which samples, and what was found about them."""
        for shard in range(self.count):
            if self.file(shard).exists():
                yield self.part(shard), pq.read_table(self.file(shard)).to_pydict()

    def read(self) -> Mapping[str, Sequence[Any]]:
        """Every column over all samples."""
        tables = [pq.read_table(self.file(shard)) for shard in range(self.count)]
        if not tables:
            return {}
        whole = pa.concat_tables(tables, promote_options="permissive")
        return {name: whole[name].to_pylist() for name in whole.column_names}


def shard_folder(
    cache: Path, work: Pass, samples: Sequence[Sample], rows: int = ROWS
) -> ShardFolder:
    """The folder of a pass over these samples: keyed by the content of both."""
    digest = hashlib.sha256()
    for sample in samples:
        turns = (_SPEAKERS_NAMED, json.dumps(sample.prompt)) if sample.prompt else ()
        for part in (sample.id, sample.instruction, sample.response, *turns):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    name = f"{work.key}-{digest.hexdigest()[:16]}-{rows}"
    folder = cache / name
    folder.mkdir(parents=True, exist_ok=True)
    return ShardFolder(folder, len(samples), rows)
