"""Where a pass runs: in this process, or on a pool of Ray actors. The same shards come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from crowdselect.errors import require
from crowdselect.lm.passes import Pass, Sample
from crowdselect.lm.shards import ShardFolder
from crowdselect.options import Option
from crowdselect.progress import Progress

Engine = Literal["local", "ray"]
ENGINE = Option(help="Where models run: in one process, or on a pool of Ray workers")
WORKERS = Option(help="Workers of --engine ray")


def run_pass(
    work: Pass,
    samples: Sequence[Sample],
    shards: ShardFolder,
    progress: Progress,
    engine: Engine = "local",
    workers: int = 2,
) -> None:
    """Make the missing shards of a pass; those that are final are not made again."""
    missing = shards.missing(work)
    if not missing:
        return
    if engine == "ray":
        _on_ray(work, samples, shards, missing, progress, workers)
        return
    done = shards.n - sum(len(samples[shards.part(s)]) for s in missing)
    progress(done, shards.n, work.label)
    worker = work.worker(shards.path.parent)
    for shard in missing:
        part = samples[shards.part(shard)]
        shards.write(shard, worker(part))
        done += len(part)
        progress(done, shards.n, work.label)


class ShardMaker:
    """A Ray actor: one worker (one model), shard after shard; Ray replaces one that dies."""

    def __init__(self, work: Pass, shards: ShardFolder, samples: Any) -> None:
        import ray

        self._work = work
        self._worker = work.worker(shards.path.parent)
        self._shards = shards
        self._samples: Sequence[Sample] = ray.get(samples[0])

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Make the shards of a batch; a shard that another try has finished is left alone."""
        for shard in map(int, batch["shard"]):
            if not self._shards.is_done(shard, self._work):
                self._shards.write(shard, self._worker(self._samples[self._shards.part(shard)]))
        return {"shard": batch["shard"]}


def _on_ray(
    work: Pass,
    samples: Sequence[Sample],
    shards: ShardFolder,
    missing: Sequence[int],
    progress: Progress,
    workers: int,
) -> None:
    require("ray", feature="--engine ray", extra="scale")
    import ray

    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False, configure_logging=False)
    rows = [{"shard": shard} for shard in missing]
    # As objects: a table's columns would turn the turns of a question into arrays.
    shared = ray.put(list(samples))
    data = ray.data.from_items(rows, override_num_blocks=max(len(rows), 1)).map_batches(
        ShardMaker,
        fn_constructor_args=(work, shards, [shared]),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_gpus=_gpus_each(work, workers),
    )
    done = shards.n - sum(len(samples[shards.part(s)]) for s in missing)
    progress(done, shards.n, work.label)
    for row in data.iter_rows():
        done += len(samples[shards.part(int(row["shard"]))])
        progress(done, shards.n, work.label)


def _gpus_each(work: Pass, workers: int) -> float | None:
    """GPUs of one worker: one, or a share where the cluster has fewer; None: it needs none.

    Ray hides the GPUs from a worker that has not asked for any.
    """
    import ray

    resources: Any = ray.cluster_resources()  # type: ignore[no-untyped-call]
    gpus = float(resources.get("GPU", 0.0))
    return min(1.0, gpus / workers) if work.loads_a_model and gpus else None
