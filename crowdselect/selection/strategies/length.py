"""Length: the longest or the shortest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from crowdselect.registry import option
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.single import by_metric


@dataclass(frozen=True)
class Length:
    """The longest (or shortest) instructions, responses, or both together."""

    name: ClassVar[str] = "length"
    title: ClassVar[str] = "Length"
    summary: ClassVar[str] = "The longest or the shortest: a cheap baseline that is hard to beat."
    source: ClassVar[str] = "CrowdSelect tables 9 to 12, Length; Long is More (arXiv 2402.04833)"
    needs: ClassVar[frozenset[Need]] = frozenset()

    field: Literal["instruction", "response", "both"] = option(
        "instruction", "whose length", choices=("instruction", "response", "both")
    )
    count: Literal["tokens", "words", "chars"] = option(
        "tokens", "counted in", choices=("tokens", "words", "chars")
    )
    end: Literal["long", "short"] = option("long", "which end", choices=("long", "short"))

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return the length column."""
        return (f"length:{self.field}:{self.count}",)

    def __call__(self, pool: Pool) -> Picks:
        """Choose the ``pool.budget`` longest or shortest."""
        return by_metric(pool, self.columns({})[0], lowest=self.end == "short")
