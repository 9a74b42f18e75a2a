"""What a scorer is: samples in, passes over them by models, columns per sample out.

Passes (:mod:`crowdselect.lm.passes`) are what costs; a scorer with another alpha needs no new one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from crowdselect.lm.passes import Pass, Sample
from crowdselect.values import FloatArray

Uses = Literal["language model", "chat server", "no model"]
INPUTS = "inputs"
"""Key of the crowd's own columns in :data:`Found`."""
VECTORS = "vectors"
"""Key of the vectors of :meth:`Scorer.texts` in :data:`Found`: columns ``text`` and ``vector``."""
Found = Mapping[str, Mapping[str, Sequence[Any]]]
"""Pass key -> what the pass found: a value per sample and column."""


@dataclass(frozen=True)
class Column:
    """A finished metric column."""

    values: FloatArray
    """Shape (n,), NaN = none."""
    reasons: Sequence[str | None]
    """Per sample: why there is no value, or what should be known about it."""
    title: str
    direction: str
    unit: str = ""


@dataclass(frozen=True)
class Scorer(ABC):
    """A frozen dataclass: fields = options, class variables = facts."""

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    """Paper and section."""
    uses: ClassVar[Uses] = "language model"
    """What its ``models`` are."""
    packaged: ClassVar[bool] = False
    """Whether the language model that comes as a package does, where none is named."""
    levels: ClassVar[tuple[str, ...]] = ()
    """Columns that are levels of the one called like the scorer, which is analysed by rank."""

    @property
    def prefix(self) -> str:
        """What its columns are called in a crowd, in place of its name, unless a name is given."""
        return self.name

    def inputs(self) -> tuple[str, ...]:
        """Columns of the crowd that it computes from, if any."""
        return ()

    @abstractmethod
    def passes(self) -> tuple[Pass, ...]:
        """The passes that must be made, in order."""

    @abstractmethod
    def columns(self, samples: Sequence[Sample], found: Found) -> dict[str, Column]:
        """Turn what the passes found (by pass key) into metric columns. Cheap and pure.

        Columns of the crowd (:meth:`inputs`) are under the key :data:`INPUTS`, vectors of
        :meth:`texts` under :data:`VECTORS`.
        """

    def texts(self, samples: Sequence[Sample], found: Found) -> tuple[str, ...]:
        """Texts whose unit vectors it needs for its columns, if any."""
        return ()

    def tags(self, samples: Sequence[Sample], found: Found) -> dict[str, tuple[str, ...]]:
        """Sample id -> tags, for a scorer that tags."""
        return {}

    def report(
        self, samples: Sequence[Sample], found: Found, columns: Mapping[str, Column]
    ) -> dict[str, Any]:
        """Figures worth telling beside the columns, such as ties."""
        return {}
