"""Texts of similar length together, so that little is padded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

CPU_TOKENS = 512
"""More at once does not fit into a processor's cache: 2,400 take 1.4 times as long per token."""
GPU_TOKENS = 8192


def usual_tokens(device: str) -> int:
    """Padded tokens of one batch that suit a device."""
    return CPU_TOKENS if device == "cpu" else GPU_TOKENS


def length_batches(
    lengths: Sequence[int], batch_tokens: int, extra: int = 0
) -> Iterator[list[int]]:
    """Row numbers in batches of similar length, longest first, padded size <= ``batch_tokens``.

    ``extra`` tokens are counted on top of every row (what is going to be generated). A row longer
    than the budget is a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batch: list[int] = []
    for row in order:
        if batch and (len(batch) + 1) * (lengths[batch[0]] + extra) > batch_tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
