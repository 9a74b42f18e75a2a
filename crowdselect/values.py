"""The few values that cross boundaries: frozen, small, and nothing but data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from crowdselect.errors import InputError
from crowdselect.registry import content_key

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
IdArray = npt.NDArray[np.str_]
"""Instruction ids as a numpy array of Python strings (dtype object)."""

COMBINED = "all"
"""The judge name that means: the metric of every judge, rank-combined. Never raw averages."""


@dataclass(frozen=True)
class Model:
    """A language model that answered the instructions."""

    name: str
    family: str | None = None
    """Family name; None: unknown, the model takes no part in stability."""
    size_b: float | None = None
    """Parameters in billions; None: unknown, the model takes no part in stability."""
    order: int = 0
    """Column position; ties between best responses go to the lower one."""
    source: Literal["table", "known", "guessed", "unknown"] = "table"
    """Where family and size come from; guesses are shown for confirmation."""


@dataclass(frozen=True)
class RewardMatrix:
    """One judge's rewards: ``values[i, j]`` is instruction ``ids[i]`` answered by ``models[j]``."""

    judge: str
    ids: IdArray
    models: tuple[Model, ...]
    values: FloatArray
    """Shape (n, m), float64, the judge's own unit; NaN = missing, never infinite."""


class CrowdTexts(Protocol):
    """What metrics may ask about texts without loading them all."""

    def instruction_lengths(self, unit: Literal["chars", "words", "tokens"]) -> FloatArray:
        """Length of each instruction, shape (n,)."""

    def response_lengths(self, unit: Literal["chars", "words", "tokens"]) -> FloatArray:
        """Length of each response, shape (n, m); NaN where there is none."""

    def instructions(self) -> Sequence[str]:
        """Every instruction's text in row order."""

    def responses_of(self, columns: IntArray) -> Sequence[str | None]:
        """For each row i the response of model ``columns[i]`` (-1 or no answer: None)."""


@dataclass(frozen=True)
class Scores:
    """Numbers per instruction: each column has shape (n,), float64, NaN = none."""

    ids: IdArray
    columns: Mapping[str, FloatArray]


@dataclass(frozen=True)
class Clustering:
    """Every instruction's cluster."""

    ids: IdArray
    labels: IntArray
    """Shape (n,), 0 = the largest cluster; -1 = no vector (bucket ``unclustered``)."""
    names: tuple[str, ...]
    """A readable label per cluster, from its distinctive terms."""
    encoder: str
    seed: int
    inertia: float
    warning: str = ""
    """Why there are fewer clusters than asked for; empty: there are as many."""

    @property
    def k(self) -> int:
        """Number of non-empty clusters."""
        return len(self.names)


@dataclass(frozen=True)
class Plane:
    """Every instruction's place on the map."""

    ids: IdArray
    xy: npt.NDArray[np.float32]
    """Shape (n, 2)."""


class Frozen(BaseModel):
    """A validated, hashable value with JSON and TOML round trips."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def parse(cls, data: Mapping[str, Any], source: str) -> Self:
        """Validate ``data``; an error names ``source``, the field, and what was found."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise InputError(
                f"{source}: {where}: {first['msg']} (found {first.get('input')!r:.80}).",
                f"Correct {where}; known fields: {', '.join(cls.model_fields)}.",
            ) from error


class Range(Frozen):
    """Keep rows with ``low <= metric <= high``; a missing value never passes."""

    metric: str
    low: float | None = None
    high: float | None = None


class Filters(Frozen):
    """Which instructions may be selected at all."""

    contains: str | None = None
    """Case-insensitive text that the instruction must contain."""
    lacks: str | None = None
    """Case-insensitive text that the instruction must not contain."""
    clusters: tuple[int, ...] = ()
    """Keep these clusters only; empty: all."""
    ranges: tuple[Range, ...] = ()
    min_chars: int | None = Field(default=None, ge=0)
    max_chars: int | None = Field(default=None, ge=0)
    lasso: tuple[tuple[float, float], ...] = ()
    """Polygon on the map (plane coordinates); empty: everywhere."""
    exact_duplicates: Literal["drop", "keep"] = "drop"
    """Of instructions equal after normalising case and white space keep the best-scored one."""
    near_duplicates: float | None = Field(default=None, gt=0, le=1)
    """Drop a row whose cosine similarity to a better-scored one is above this."""


class Recipe(Frozen):
    """Everything the user decided; the same recipe on the same crowd gives the same selection."""

    crowd: str
    strategy: str = "crowdselect"
    options: dict[str, float | int | str | bool] = Field(default_factory=dict)
    """The strategy's own options."""
    judge: str | None = None
    """Reward model; None: the crowd's first; ``all``: ranks combined over the judges."""
    weights: dict[str, float] = Field(
        default_factory=lambda: {"difficulty": 1.0, "separability": 1.0, "stability": 2.0}
    )
    """Weight per metric column; ``metric@judge`` takes that metric from another judge."""
    profile: Literal["paper", "reference"] = "paper"
    """``reference`` reproduces the published code's ordinal ranks and scikit-learn chain."""
    impute_missing: bool = False
    """Give a missing metric 0.5 (the middle) instead of making the row ineligible."""
    encoder: str = "minilm"
    clusters: int = Field(default=10, ge=0)
    """Number of clusters; 0: no quota."""
    clustering: Literal["fast", "exact"] = "exact"
    """``exact``: scikit-learn with n_init=20; ``fast``: the slider's way."""
    budget: int | float = 1000
    """A count (int), or a share of the eligible rows (float in (0, 1))."""
    filters: Filters = Filters()
    pins: tuple[str, ...] = ()
    bans: tuple[str, ...] = ()
    answer: str = "best"
    """``best``, ``random``, ``top5_random`` or ``model:NAME``."""
    seed: int = 42

    @field_validator("budget")
    @classmethod
    def _budget(cls, value: int | float) -> int | float:
        if value < 0 or (not isinstance(value, int) and not 0 < value < 1):
            raise ValueError("expected a whole number >= 0 or a share between 0 and 1")
        return value

    @field_validator("weights")
    @classmethod
    def _weights(cls, value: dict[str, float]) -> dict[str, float]:
        return dict(sorted((k, float(v)) for k, v in value.items()))

    @property
    def id(self) -> str:
        """Short hash (12 hex digits) of everything in the recipe."""
        return content_key(self.model_dump(mode="json"))

    def __hash__(self) -> int:
        return hash(self.id)

    def to_toml(self) -> str:
        """The recipe as TOML (fields that are None are left out)."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))

    @classmethod
    def from_toml(cls, text: str, source: str = "recipe") -> Recipe:
        """Read what :meth:`to_toml` wrote; raises InputError naming ``source`` and the field."""
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{source} is not TOML: {error}.", "Correct that line.") from error
        return cls.parse(data, source)


@dataclass(frozen=True)
class Selection:
    """A recipe's outcome: the chosen rows in rank order, each with its reason."""

    recipe: Recipe
    ids: IdArray
    """Shape (b,), rank order."""
    scores: FloatArray
    """Shape (b,): the weighted sum (or the strategy's own score), rounded to 12 decimals."""
    contributions: Mapping[str, FloatArray]
    """Per metric: weight times normalised value, shape (b,); they add up to the score."""
    clusters: IntArray
    """Shape (b,)."""
    reasons: tuple[str, ...]
    """One sentence per row: why it is in."""
    models: tuple[str | None, ...]
    """Whose response is trained on."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """Counts: pool, eligible, per-cluster take, tie block at the cut, warnings ..."""
