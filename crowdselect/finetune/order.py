"""The order of the rows: like lengths together, the same after a resume and on several devices."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices
from trl.trainer.sft_trainer import SFTTrainer


class RowOrder(Sampler[int]):
    """Rows in random order, or in batches of like lengths, the one with the longest row first.

    Grouped, rows are shuffled, sorted by length within stretches of some fifty batches, cut into
    batches, and the batches are shuffled again, so that length does not follow the learning rate.
    The order follows from seed and epoch alone (the sampler of transformers draws from the global
    generator, so a resumed run would see other batches), and from the rows of a whole step
    rather than of one device, so several devices see the same batches as one. The longest row
    comes first, which finds a lack of memory at once.

    ``multiple`` is how many rows all devices take at a time. What the last step lacks is filled
    with row number ``len(lengths)``, which must carry no loss; accelerate would train on some
    rows twice instead.
    """

    def __init__(
        self,
        lengths: list[int],
        batch_size: int,
        seed: int,
        *,
        grouped: bool = True,
        multiple: int = 1,
    ) -> None:
        self.lengths, self.batch_size, self.seed = lengths, batch_size, seed
        self.grouped, self.missing = grouped, -len(lengths) % multiple
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by accelerate before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths) + self.missing

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * self.epoch)
        rows = self._grouped(generator) if self.grouped else self._shuffled(generator)
        return itertools.chain(rows, itertools.repeat(len(self.lengths), self.missing))

    def _shuffled(self, generator: torch.Generator) -> list[int]:
        order: list[int] = torch.randperm(len(self.lengths), generator=generator).tolist()
        return order

    def _grouped(self, generator: torch.Generator) -> Iterator[int]:
        indices: list[int] = get_length_grouped_indices(  # type: ignore[no-untyped-call]
            self.lengths, self.batch_size, generator=generator
        )
        size = self.batch_size
        first, *others = (indices[i : i + size] for i in range(0, len(indices), size))
        short = [others.pop()] if others and len(others[-1]) < size else []  # it stays the last
        shuffled = [others[i] for i in torch.randperm(len(others), generator=generator).tolist()]
        return itertools.chain(first, *shuffled, *short)


class OrderedSFTTrainer(SFTTrainer):
    """TRL's trainer with the order of the rows given from outside."""

    order: Sampler[int] | None = None

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return self.order or super()._get_train_sampler(train_dataset)
