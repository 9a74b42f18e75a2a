"""The few values that cross boundaries: frozen, small, and nothing but data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import tomli_w
from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from crowdselect.errors import InputError
from crowdselect.filters import Filters as Filters
from crowdselect.filters import Range as Range
from crowdselect.groups import EDITS, check_edits
from crowdselect.mixture import MIX, check_mix
from crowdselect.options import Frozen as Frozen
from crowdselect.options import Option
from crowdselect.registry import content_key
from crowdselect.rules import BY_HAND as BY_HAND
from crowdselect.rules import Gate as Gate
from crowdselect.rules import GivenAnswer as GivenAnswer
from crowdselect.rules import QuestionFile as QuestionFile
from crowdselect.rules import Ties as Ties
from crowdselect.rules import budget_from_text, gate_from_text, ranks_answers, weights_from_text

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
    weights: Mapping[int, float] = field(default_factory=dict)
    """Label -> share beside the others', as edits say; 1 where it is not here."""
    caps: Mapping[int, int] = field(default_factory=dict)
    """Label -> how many are taken at most, as edits say; 0: none."""

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


WEIGHTS = Option(
    help="Weight per metric column; METRIC@JUDGE takes it from another judge",
    one="METRIC=NUMBER, ..., also METRIC@JUDGE and negative",
    card="weights",
    parse=weights_from_text,
)
BUDGET = Option(
    help="How many instructions to choose",
    one="A count, or a share: 0.1, 10%",
    card="budget",
    parse=budget_from_text,
)


LARGEST_WEIGHT = 1e12
"""The largest weight of a metric; sums of larger ones lose the other metrics, or are infinite."""


class Recipe(Frozen):
    """Everything the user decided; the same recipe on the same crowd gives the same selection.

    >>> recipe = cs.Recipe(
    ...     crowd="mine", weights={"difficulty": 1, "separability": 1}, clusters=0, budget=3
    ... )
    >>> print(recipe.to_toml().splitlines()[0])
    crowd = "mine"
    """

    crowd: Annotated[str, Option(flag=None, card="crowd")]
    strategy: Annotated[
        str,
        Option(
            help="crowdselect, random, top ...; see plugins strategies", short="-s", card="strategy"
        ),
    ] = "crowdselect"
    options: Annotated[dict[str, float | int | str | bool], Option(flag=None)] = Field(
        default_factory=dict
    )
    """The strategy's own options."""
    judge: Annotated[
        str | None, Option(help="Reward model; 'all': ranks combined", card="judge")
    ] = None
    """None: the crowd's first; ``all``: ranks combined over the judges."""
    weights: Annotated[dict[str, float], WEIGHTS] = Field(
        default_factory=lambda: {"difficulty": 1.0, "separability": 1.0, "stability": 2.0}
    )
    profile: Annotated[
        Literal["paper", "reference"], Option(help="reference: as the published code computes")
    ] = "paper"
    """``reference`` reproduces the published code's ordinal ranks and scikit-learn chain."""
    impute_missing: Annotated[
        bool,
        Option(
            help="A missing metric counts as the middle (0.5); else the row cannot be selected",
            label="A missing metric counts as the middle",
            one="A missing metric counts as 0.5",
            switch=True,
        ),
    ] = False
    encoder: Annotated[
        str,
        Option(
            help="What turns instructions into vectors",
            one="minilm, static, lsa, a hub id, a folder; else minilm if installed, else static",
            short="-e",
        ),
    ] = "minilm"
    clusters: Annotated[
        int,
        Option(
            help="An equal share is taken from each cluster; 0: no quota",
            one="Clusters; 0: no quota",
            short="-k",
            card="clusters",
        ),
        Field(ge=0),
    ] = 10
    clustering: Annotated[
        Literal["fast", "exact"],
        Option(help="exact: k-means with n_init=20, slower; fast: the slider's way"),
    ] = "exact"
    cluster_edits: Annotated[tuple[str, ...], EDITS, AfterValidator(check_edits)] = ()
    mix: Annotated[str, MIX, AfterValidator(check_mix)] = ""
    budget: Annotated[int | float, BUDGET] = 1000
    """A count (int), or a share of the eligible rows (float in (0, 1))."""
    budget_in: Annotated[
        Literal["rows", "chars", "tokens"],
        Option(
            help="What the budget counts: instructions, or characters or training tokens of "
            "question and answer together",
            label="Budget in",
            one="What the budget counts: rows, chars, or tokens of --tokenizer",
        ),
    ] = "rows"
    tokenizer: Annotated[
        str,
        Option(
            help="Folder, hub id or packaged model whose tokeniser and chat template count tokens",
            label="Counted by",
        ),
    ] = ""
    filters: Annotated[Filters, Option(flag=None)] = Filters()
    pins: Annotated[tuple[str, ...], Option(one="Id that is in; repeatable", flag="--pin")] = ()
    bans: Annotated[tuple[str, ...], Option(one="Id that is out; repeatable", flag="--ban")] = ()
    answer: Annotated[
        str,
        Option(
            help="best, random, top5_random, worst, consensus, base_likes or model:NAME",
            label="Answer to train on",
            card="answer",
        ),
    ] = "best"
    ties: Annotated[
        Ties,
        Option(
            help="Which of equally rewarded answers: draw from the seed, as the other judges say, "
            "the larger model's, or the first model's",
            label="Equally good answers",
            card="equal answers",
        ),
    ] = "draw"
    """For answer policies of ``rules.RANKED``; recipes of older versions mean ``first``."""
    among: Annotated[
        Literal["any", "good"],
        Option(
            help="good: only answers that the gate calls good enough are trained on",
            label="Answers to choose from",
        ),
    ] = "any"
    gate: Annotated[
        Gate | None,
        Option(
            help="Only instructions with an answer that is good enough",
            one="KIND=NUMBER[@JUDGE], such as reward=1, quantile=0.5, judges=1, crowd=0.5: only "
            "instructions with an answer that is good enough",
            label="Gate",
            parse=gate_from_text,
            chip="gate: {}",
        ),
    ] = None
    decontaminate: Annotated[
        tuple[QuestionFile, ...], Option(flag=None, chip="nothing like {}")
    ] = ()
    """What overlaps with these files cannot be selected; others take its place."""
    answers: Annotated[dict[str, GivenAnswer], Option(flag=None)] = Field(default_factory=dict)
    """Id -> what a person wrote or chose to train on; the policy decides about all others."""
    seed: Annotated[
        int, Option(help="Seed of everything random", card="seed"), Field(ge=0, lt=2**32)
    ] = 42

    @model_validator(mode="before")
    @classmethod
    def _of_older_versions(cls, data: Any) -> Any:
        """A whole recipe without a rule for ties was written when the first model took them."""
        if isinstance(data, Mapping) and "ties" not in data and data.keys() >= _WHOLE:
            return {**data, "ties": "first"}
        return data

    @field_validator("ties")
    @classmethod
    def _ties(cls, value: Ties, info: ValidationInfo) -> Ties:
        """Where no answers are put in order the rule counts for nothing, so there is one only."""
        return value if ranks_answers(str(info.data.get("answer", "best"))) else "draw"

    @field_validator("budget")
    @classmethod
    def _budget(cls, value: int | float) -> int | float:
        if value < 0 or (not isinstance(value, int) and not 0 < value < 1):
            raise ValueError("expected a whole number >= 0 or a share between 0 and 1")
        return value

    @model_validator(mode="after")
    def _counted(self) -> Recipe:
        if (self.budget_in == "tokens") != bool(self.tokenizer):
            raise ValueError(
                "a budget in tokens needs the tokenizer of a model"
                if self.budget_in == "tokens"
                else "a tokenizer is for a budget in tokens"
            )
        if self.budget_in != "rows" and not isinstance(self.budget, int):
            raise ValueError(f"a budget in {self.budget_in} is a whole number, no share")
        return self

    @field_validator("filters")
    @classmethod
    def _filters(cls, value: Filters) -> Filters:
        looking = next((declared.name for declared, _ in value.active() if declared.looks), None)
        if looking is not None:
            raise ValueError(f"{looking} says what is listed, not what may be selected")
        return value

    @property
    def grouped(self) -> bool:
        """Tell whether shares are taken: by clusters, or by a column of the data."""
        return self.clusters > 0 or bool(self.mix)

    @field_validator("weights")
    @classmethod
    def _weights(cls, value: dict[str, float]) -> dict[str, float]:
        large = next((k for k, v in value.items() if abs(v) > LARGEST_WEIGHT), None)
        if large is not None:
            raise ValueError(f"the weight of {large} is beyond {LARGEST_WEIGHT:g}")
        return dict(sorted((k, float(v)) for k, v in value.items()))

    @property
    def id(self) -> str:
        """Short hash (12 hex digits) of everything in the recipe.

        Neither a later field nor a rule for ties is in it where it says what was always done.
        """
        told = self.model_dump(mode="json")
        if self.ties == "first" or not ranks_answers(self.answer):
            del told["ties"]
        return content_key(told)

    @model_serializer(mode="wrap")
    def _without_what_came_later(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write a later field only where it says something: older recipes stay as ever."""
        told: dict[str, Any] = write(self)
        for name in _CAME_LATER:
            field = type(self).model_fields[name]
            if getattr(self, name) == field.get_default(call_default_factory=True):
                told.pop(name, None)
        return told

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
        except (ValueError, RecursionError) as error:
            what = "it is nested too deeply" if isinstance(error, RecursionError) else error
            raise InputError(f"{source} is not TOML: {what}.", "Correct that line.") from error
        return cls.parse(data, source)


_CAME_LATER = (
    "among", "gate", "decontaminate", "answers", "cluster_edits", "mix", "budget_in", "tokenizer",
)  # fmt: skip
"""Later fields, whose default means what was always done."""
_WHOLE = set(Recipe.model_fields) - {"judge", "ties", *_CAME_LATER}
"""What every recipe that was written as a whole has said from the first version on."""
