"""Run a pass: the shards that are missing are made, here or on a pool, and kept one by one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from crowdselect.engines import HERE, Pool, spread
from crowdselect.lm.passes import Pass, Sample
from crowdselect.lm.shards import ShardFolder
from crowdselect.progress import Progress


def run_pass(
    work: Pass,
    samples: Sequence[Sample],
    shards: ShardFolder,
    progress: Progress,
    pool: Pool = HERE,
) -> None:
    """Make the missing shards of a pass; those that are final are not made again."""
    missing = shards.missing(work)
    if not missing:
        return
    parts = [samples[shards.part(shard)] for shard in missing]
    done = shards.n - sum(map(len, parts))
    progress(done, shards.n, work.label)
    make = partial(work.worker, shards.path.parent)
    for place, columns in spread(make, parts, pool, loads_a_model=work.loads_a_model):
        shards.write(missing[place], columns)
        done += len(parts[place])
        progress(done, shards.n, work.label)
