"""What a strategy sees (:class:`Pool`) and what it returns (:class:`Picks`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from crowdselect.errors import InputError, NotFoundError
from crowdselect.progress import Progress, silent
from crowdselect.ranks import normalise
from crowdselect.registry import did_you_mean
from crowdselect.selection import ties
from crowdselect.selection.normalise import normalise_sklearn
from crowdselect.selection.quota import Shares
from crowdselect.selection.take import Outcome
from crowdselect.values import BoolArray, FloatArray, IdArray, IntArray, Scores


class MetricTable:
    """A crowd's metric columns with their normalised values and tie keys, made on first use.

    Values are normalised over the whole crowd, not over the eligible rows: a filter never changes
    a score. Keep one table per crowd and judge, and share it between pools.
    """

    def __init__(
        self,
        scores: Scores,
        *,
        profile: Literal["paper", "reference"] = "paper",
        impute_missing: bool = False,
    ) -> None:
        self.ids: IdArray = scores.ids
        self.profile = profile
        self.impute_missing = impute_missing
        self._raw = dict(scores.columns)
        self._normalised: dict[str, FloatArray] = {}
        self._hashes: ties.Keys | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self._raw)

    def raw(self, name: str) -> FloatArray:
        """Return the column ``name`` as measured, shape (n,)."""
        try:
            return self._raw[name]
        except KeyError:
            raise NotFoundError(
                f"There is no metric column {name!r} here.", did_you_mean(name, self._raw)
            ) from None

    def normalised(self, name: str) -> FloatArray:
        """Return the column ``name`` in [0, 1], shape (n,); missing: NaN, or 0.5 if imputed."""
        if name not in self._normalised:
            way: Callable[[FloatArray], FloatArray] = (
                normalise_sklearn if self.profile == "reference" else normalise
            )
            column = way(self.raw(name))
            if self.impute_missing:
                column = np.where(np.isnan(column), 0.5, column)
            self._normalised[name] = column
        return self._normalised[name]

    def keys(self, seed: int, rule: ties.TieRule = "hash") -> ties.Keys:
        """Return the tie keys, shape (n,): of two equal scores the lower key goes first."""
        if rule == "id":
            return ties.id_keys(self.ids)
        if self._hashes is None:
            self._hashes = ties.id_hashes(self.ids)
        return ties.seeded_keys(self._hashes, seed)


@dataclass(frozen=True)
class Without:
    """The metric columns as they are without one part of the crowd."""

    kind: str
    """``model``, ``family`` or ``judge``."""
    name: str
    table: MetricTable


@dataclass(frozen=True)
class Targets:
    """Examples of what the model shall do."""

    vectors: npt.NDArray[np.float32]
    """Unit rows, shape (t, d), by the encoder of the pool's vectors."""
    tasks: tuple[str, ...]
    """Which task each belongs to."""


def _no_rows() -> IntArray:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Pool:
    """Everything a strategy may look at. Rows are positions in the crowd, 0 to n - 1."""

    table: MetricTable
    weights: Mapping[str, float] = field(default_factory=dict)
    budget: int | float = 1000
    """A count (int), or a share of the eligible rows (float in (0, 1))."""
    seed: int = 42
    clusters: IntArray | None = None
    """Cluster label per row, shape (n,); -1 = unclustered; None: no quota."""
    shares: Shares | None = None
    """Weights and caps of clusters; None: equal shares."""
    excluded: Mapping[str, BoolArray] = field(default_factory=dict)
    """Cause -> rows (n,) that may not be selected, such as ``{"filters": ..., "empty": ...}``."""
    pins: IntArray = field(default_factory=_no_rows)
    """Rows that are in, whatever their score; they count against the budget and their quota."""
    bans: IntArray = field(default_factory=_no_rows)
    """Rows that are out."""
    groups: IntArray | None = None
    """Code of the exact-duplicate group per row, -1 = alone; the best-scored of a group stays."""
    vectors: npt.NDArray[np.float32] | None = None
    """Unit rows, shape (n, d); needed by near-duplicates and the diversity strategies."""
    near_duplicates: float | None = None
    """Drop a row whose cosine similarity to a better-ranked pick is above this."""
    tags: Sequence[Sequence[str]] | None = None
    """Tags per row, for the strategies ``instag`` and ``instag_crowdselect``."""
    targets: Targets | None = None
    """What the strategy ``targeted`` selects for."""
    without: Sequence[Without] = ()
    """The table without each model, family and judge, for the strategy ``robust``."""
    progress: Progress = field(default=silent, compare=False)
    """Told by strategies that take seconds (facility location, k-center)."""

    def __post_init__(self) -> None:
        self._check_lengths()
        both = np.intersect1d(self.pins, self.bans)
        if len(both):
            raise InputError(
                f"The instruction {self.table.ids[both[0]]!r} is both pinned and banned.",
                "Take back one of the two.",
            )
        if self.near_duplicates is not None and self.vectors is None:
            raise InputError(
                "Dropping near-duplicates needs embeddings and there are none.",
                "Compute the landscape first: `crowdselect landscape CROWD`.",
            )

    def __len__(self) -> int:
        return len(self.table)

    def _check_lengths(self) -> None:
        named = {
            "clusters": self.clusters,
            "groups": self.groups,
            "vectors": self.vectors,
            "tags": self.tags,
            **{f"excluded[{cause!r}]": rows for cause, rows in self.excluded.items()},
        }
        for name, values in named.items():
            if values is not None and len(values) != len(self):
                raise InputError(
                    f"Pool: {name} has {len(values):,} rows, the metric table {len(self):,}.",
                    "Give one entry per instruction.",
                )


@dataclass(frozen=True)
class Picks:
    """An outcome in words: what made every score, a reason per row, and counts."""

    outcome: Outcome
    contributions: Mapping[str, FloatArray]
    """Per metric: what it adds to the score, shape (b,)."""
    reasons: tuple[str, ...]
    """One sentence per row: why it is in."""
    report: Mapping[str, Any]
    """JSON-able counts; see :func:`crowdselect.selection.report.report`."""

    @property
    def rows(self) -> IntArray:
        """The chosen rows, shape (b,), best first."""
        return self.outcome.rows

    @property
    def scores(self) -> FloatArray:
        """The strategy's own score, shape (b,); NaN for a pinned row that has none."""
        return self.outcome.scores

    @property
    def clusters(self) -> IntArray:
        """Cluster labels, shape (b,); 0 where there are no clusters."""
        return self.outcome.clusters
