"""What a filter is, and what it may ask about a crowd's rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from crowdselect.options import Option

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
NEEDS = (
    *("notes", "selections", "data", "texts", "lengths", "columns", "judges"),
    *("clusters", "plane", "vectors", "draft"),
)
"""What a filter may need, cheapest first: filters apply in this order."""
EMBEDDED = {"clusters", "plane", "vectors"}
"""What is there only once the instructions are embedded."""
CHANGING = {"notes", "selections"}
"""What changes while the crowd stays as it is: people write notes and save selections."""
GROUPS = ("Text", "Numbers", "Notes", "Data", "Selections")
"""How a form arranges filters."""


class Clusters(Protocol):
    """What a filter sees of a clustering."""

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Cluster of every row, shape (n,); -1: no vector."""

    @property
    def k(self) -> int:
        """Number of clusters."""


class Rows(Protocol):
    """What filters may ask about a crowd's rows, n of them; each is computed when it is asked."""

    def texts(self) -> Sequence[str]:
        """Every instruction."""

    def lengths(self) -> Numbers:
        """Characters of every instruction, shape (n,)."""

    def column(self, name: str) -> Numbers:
        """A metric as measured, shape (n,); NaN: none."""

    def clusters(self) -> Clusters:
        """The recipe's clusters."""

    def places(self) -> npt.NDArray[np.float32]:
        """Every row's place on the map, shape (n, 2)."""

    def own(self, column: str) -> npt.NDArray[Any]:
        """A column of the data's own, shape (n,): float64 with NaN, or strings and None."""

    def marked(self, mark: str) -> Mask:
        """Rows that people marked so: one of :data:`crowdselect.filters.rows.MARKS`."""

    def tagged(self, tags: Sequence[str]) -> Mask:
        """Rows to which people gave one of ``tags``."""

    def scorer_tagged(self, tags: Sequence[str]) -> Mask:
        """Rows to which a model gave one of ``tags``."""

    def noted_by(self, authors: Sequence[str]) -> Mask:
        """Rows on which one of ``authors`` left a note."""

    def selected(self, selection: str) -> Mask:
        """Rows of a saved selection, named or by its id."""

    def drafted(self) -> Mask:
        """Rows that the recipe itself selects."""

    def agreement(self) -> Numbers:
        """How alike the judges order the answers to each row, in [-1, 1]; NaN: cannot be told."""

    def missing_rewards(self) -> Numbers:
        """How many models lack a reward in each row, shape (n,)."""


LeavesOut = Callable[[Any, Rows], Mapping[str, Mask]]
"""(value, rows) -> cause -> rows (n,) that may not be selected."""


@dataclasses.dataclass(frozen=True)
class Filter(Option):
    """One filter: an option with what makes it leave out rows."""

    chip: str = "{}"
    """What an active filter says; ``{}`` stands for the value in words."""
    needs: str = "columns"
    """One of NEEDS."""
    group: str = "Text"
    """One of GROUPS."""
    looks: bool = False
    """It says what is listed, and cannot decide what may be selected."""
    leaves_out: LeavesOut | None = dataclasses.field(default=None, compare=False)
    """None: it is applied when selecting (of equals the best-scored is kept)."""
