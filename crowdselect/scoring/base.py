"""What a scorer is: samples in, passes over them by models, columns per sample out.

A pass is the part that costs: one model over all samples. It is a picklable recipe from which a
process (or a Ray actor) makes a worker once and hands it shard after shard, so the same code runs
in one process and on a cluster. What a pass found is kept by its content key: a scorer with another
alpha, or a resumed run, does not ask the model again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from crowdselect.registry import content_key
from crowdselect.values import FloatArray

Columns = dict[str, Sequence[Any]]
"""Column name -> one value per sample of the shard (numbers, texts or None)."""
Worker = Callable[[Sequence["Sample"]], Columns]
Uses = Literal["language model", "chat server", "no model"]
INPUTS = "inputs"
"""Key of the crowd's own columns in :data:`Found`."""
VECTORS = "vectors"
"""Key of the vectors of :meth:`Scorer.texts` in :data:`Found`: columns ``text`` and ``vector``."""
Found = Mapping[str, Mapping[str, Sequence[Any]]]
"""Pass key -> what the pass found: a value per sample and column."""


@dataclass(frozen=True)
class Sample:
    """An instruction and the response that would be trained on."""

    id: str
    instruction: str
    response: str


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
class Pass(ABC):
    """One model over all samples; its fields are everything the outcome depends on."""

    version: ClassVar[int] = 1
    """Raised when the same fields would give other numbers."""
    loads_a_model: ClassVar[bool] = True
    """Whether a worker holds a model, on a GPU where there is one."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The pass in a few words, for progress."""

    @property
    def key(self) -> str:
        """Content key of the pass: its kind, version and fields."""
        return content_key([type(self).__name__, self.version, asdict(self)], 16)

    @abstractmethod
    def worker(self, keep: Path) -> Worker:
        """Load what is needed (a model) and return the function over shards.

        ``keep`` is a folder for what is worth keeping beyond a shard, such as a server's replies.
        """


@dataclass(frozen=True)
class Scorer(ABC):
    """A frozen dataclass: fields = options, class variables = facts."""

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    """Paper and section."""
    uses: ClassVar[Uses] = "language model"
    """What its ``models`` are."""
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
