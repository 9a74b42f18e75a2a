"""What a strategy is: a pool in, picks out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Protocol, runtime_checkable

from crowdselect.selection.pool import Picks, Pool

Need = Literal["clusters", "vectors", "tags", "targets", "parts"]


@runtime_checkable
class Strategy(Protocol):
    """Chooses rows from a pool. A strategy is a frozen dataclass; its fields are its options."""

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    """One sentence for people who choose between strategies."""
    source: ClassVar[str]
    needs: ClassVar[frozenset[Need]]
    """What the pool must hold besides its metric columns."""

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return the metric columns that the pool's table must hold."""

    def __call__(self, pool: Pool) -> Picks:
        """Choose at most ``pool.budget`` rows."""
