"""Errors of the libraries below -> what happened and what to do, in words."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crowdselect.errors import CrowdSelectError
from crowdselect.finetune.budget import what_to_lower
from crowdselect.finetune.checkpoints import remove_incomplete
from crowdselect.finetune.plan import Plan
from crowdselect.jobs import release_reserve

_FULL_BELOW_BYTES = 1 << 20


@contextmanager
def in_words(run: Path, checkpoints: Path, plan: Plan | None) -> Iterator[None]:
    """Turn a full disk and exhausted memory into CrowdSelectError; leave the rest alone."""
    try:
        yield
    except CrowdSelectError:
        raise
    except Exception as error:
        if disk_is_full(error, run):
            release_reserve(run)
            remove_incomplete(checkpoints)
            raise CrowdSelectError(
                f"The disk that holds {run} is full.",
                "Free some space and resume: the run goes on from its last complete checkpoint. "
                "keep_checkpoints=1 or LoRA need less.",
            ) from error
        if plan is not None and out_of_memory(error):
            budget = plan.budget
            raise CrowdSelectError(
                f"The {'GPU' if plan.setup.device == 'cuda' else 'machine'} ran out of memory with "
                f"{budget.micro_batch} rows of up to {plan.config.max_length} tokens at a time.",
                what_to_lower(plan.config, budget.micro_batch, budget.activation_checkpointing),
            ) from error
        raise


def out_of_memory(error: BaseException) -> bool:
    """Whether the error (or a cause of it) is exhausted memory, on a GPU or on the host."""
    texts = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
    return any(
        isinstance(e, MemoryError) or any(text in str(e) for text in texts) for e in _chain(error)
    )


def disk_is_full(error: BaseException, run: Path) -> bool:
    """Whether the error (or a cause of it) is a full disk.

    The writers of tensors do not keep the errno, so a failed write onto a disk without room
    counts as well.
    """
    for e in _chain(error):
        if isinstance(e, OSError) and e.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if "No space left" in str(e):
            return True
        if "writ" in str(e) and shutil.disk_usage(run).free < _FULL_BELOW_BYTES:
            return True
    return False


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
