"""Where work runs: in this process, or on a pool of Ray actors. The same results come out.

The one home of Ray: who needs it started calls :func:`start_ray`. Workers hand their results back
and whoever asked keeps them (shards, journals), so that workers need no disk in common, and what is
kept survives whatever is killed: a worker, a machine, or the head.
"""

from __future__ import annotations

import pickle  # nosec B403 - what we packed ourselves
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import Field

from crowdselect.errors import CrowdSelectError, require
from crowdselect.options import Frozen, Option

Part = TypeVar("Part")
Result = TypeVar("Result")
Work = Callable[[Part], Result]
Engine = Literal["local", "ray"]

ENGINE = Option(help="Where models run: in one process, or on a pool of Ray workers")
WORKERS = Option(help="Workers of --engine ray, each with a model of its own")
GPUS_EACH = Option(
    help="GPUs of one worker of --engine ray; 0.25: four share one. Else one each, or what there is"
)


@dataclass(frozen=True)
class Pool:
    """Where work runs."""

    engine: Engine = "local"
    workers: int = 2
    """Ray actors, each with a model of its own."""
    gpus_each: float | None = None
    """GPUs of one actor; None: one, or a share where the cluster has fewer than workers."""


HERE = Pool()


class OnEngine(Frozen):
    """The options of a job whose models may run on a pool."""

    engine: Annotated[Engine, ENGINE] = "local"
    workers: Annotated[int, WORKERS, Field(ge=1, le=1024)] = 2
    gpus_each: Annotated[float | None, GPUS_EACH, Field(gt=0, le=64)] = None

    @property
    def pool(self) -> Pool:
        """Where its models run."""
        return Pool(self.engine, self.workers, self.gpus_each)


def spread(
    make: Callable[[], Work[Part, Result]],
    parts: Sequence[Part],
    pool: Pool = HERE,
    *,
    loads_a_model: bool = True,
) -> Iterator[tuple[int, Result]]:
    """Hand every part to a worker; yield its place and what came out, as soon as it is there.

    Parameters
    ----------
    make
        Makes a worker (loads its model): once here, once per actor on Ray, where it, the parts and
        the results are pickled.
    loads_a_model
        Whether a worker wants a GPU, where the cluster has one.

    Raises what the worker raises; on Ray a CrowdSelectError where it raises something else. A part
    whose worker was killed is handed to another one.
    """
    if pool.engine == "ray":
        yield from _on_ray(make, parts, pool, loads_a_model=loads_a_model)
        return
    if parts:
        work = make()
        for place, part in enumerate(parts):
            yield place, work(part)


def start_ray() -> None:
    """Join the cluster of ``RAY_ADDRESS``, or start Ray on this machine; nothing where it runs.

    Raises MissingDependencyError without the extra ``scale``.
    """
    require("ray", feature="--engine ray", extra="scale")
    import ray

    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False, configure_logging=False)


class _Actor:
    """One worker (one model), part after part; Ray replaces one that dies."""

    def __init__(self, make: Callable[[], Work[Any, Any]]) -> None:
        self._make = make
        self._work: Work[Any, Any] | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        # Pickled by us: a table's columns would turn lists inside a part into arrays.
        results = np.empty(len(batch["part"]), dtype=object)
        for i, part in enumerate(batch["part"]):
            results[i] = pickle.dumps(self._result(pickle.loads(part)))  # noqa: S301 # nosec B301 - our own
        return {"place": batch["place"], "result": results}

    def _result(self, part: Any) -> Any:
        try:
            # Made here and not in __init__: Ray tells of what is raised there in its own words.
            self._work = self._work or self._make()
            return self._work(part)
        except CrowdSelectError as error:
            return _Failed(error)


@dataclass(frozen=True)
class _Failed:
    """In place of a result: what the worker raised."""

    error: CrowdSelectError


def _on_ray(
    make: Callable[[], Work[Part, Result]],
    parts: Sequence[Part],
    pool: Pool,
    *,
    loads_a_model: bool,
) -> Iterator[tuple[int, Result]]:
    start_ray()
    import ray

    if not parts:
        return
    rows = [{"place": place, "part": pickle.dumps(part)} for place, part in enumerate(parts)]
    data = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        _Actor,
        fn_constructor_args=(make,),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(pool.workers, len(rows))),
        num_gpus=_gpus_each(pool) if loads_a_model else None,
    )
    try:
        for row in data.iter_rows():
            result = pickle.loads(row["result"])  # noqa: S301 # nosec B301 - ours
            if isinstance(result, _Failed):
                raise result.error
            yield int(row["place"]), result
    except ray.exceptions.RayError as error:
        last = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise CrowdSelectError(
            f"A worker of --engine ray failed: {last:.300}",
            "What was done is kept; run it again, or with --engine local to see more.",
        ) from error


def _gpus_each(pool: Pool) -> float | None:
    """GPUs of one worker; None: the cluster has none.

    Ray hides the GPUs from a worker that has not asked for any.
    """
    import ray

    resources: Any = ray.cluster_resources()  # type: ignore[no-untyped-call]
    gpus = float(resources.get("GPU", 0.0))
    return (pool.gpus_each or min(1.0, gpus / pool.workers)) if gpus else None
