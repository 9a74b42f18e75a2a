"""A Ray of this machine alone, for as long as a test needs it."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def local_ray(slots: int) -> Iterator[None]:
    """Ray with so many worker slots."""
    import ray

    ray.init(
        num_cpus=slots,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=80_000_000,
        configure_logging=False,
    )
    yield
    ray.shutdown()
