"""Rules of a recipe: which of equal answers is taken, which are good enough, what is kept out.

And how a person writes them, weights and budget, in one line.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from crowdselect.errors import InputError
from crowdselect.options import Frozen, Option

REFERENCES = ("reference", "reference_answer", "gold", "ground_truth", "target", "expected")
"""Columns beside an instruction that hold its right answer."""


Ties = Literal["draw", "judges", "larger", "first"]
TIES: dict[Ties, str] = {
    "draw": "a draw from the seed",
    "judges": "what the other judges say, then a draw",
    "larger": "the larger model, then a draw",
    "first": "the model that comes first",
}
"""Which of several equally rewarded answers is taken."""
RANKED = ("best", "worst", "top5_random", "base_likes", "consensus")
"""Answer policies that put answers in order, so that equal ones need a rule."""


def ranks_answers(policy: str) -> bool:
    """Tell whether the answer policy puts answers in order, so that the rule for ties counts."""
    return policy.partition(":")[0] in RANKED


BY_HAND = "written by hand"
"""Stands for a model where a person wrote the answer that is trained on."""


class GivenAnswer(Frozen):
    """What one instruction is trained on whatever the answer policy says: a text, or a model's."""

    text: str | None = None
    model: str | None = None
    by: str = ""
    """Who wrote or chose it; empty: nobody said."""

    @model_validator(mode="after")
    def _one(self) -> GivenAnswer:
        if (self.text is None) == (self.model is None) or self.text == "":
            raise ValueError("expected either a text or a model")
        return self


AGAINST = Option(
    help="Benchmark questions (JSONL, JSON, CSV, Parquet) that may not be in it; repeatable"
)
QUESTIONS = Option(
    help="Text column of the benchmark files; else detected", flag="--against-column"
)
OVERLAP = Option(help="Shared consecutive words that make an overlap", flag="--against-words")


class QuestionFile(Frozen):
    """Questions, of a benchmark for example, that no selected instruction may share words with."""

    name: str
    """The file's name, as it was given."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    words: Annotated[int, OVERLAP, Field(ge=1)] = 13
    """Shared consecutive words that make an overlap."""
    column: Annotated[str | None, QUESTIONS] = None
    """The column that holds the questions; None: detected."""


GateKind = Literal["reward", "quantile", "judges", "crowd"]
KINDS: dict[GateKind, str] = {
    "reward": "its best reward is at least",
    "quantile": "its best reward stands among all instructions' best at or above",
    "judges": "share of the judges that call one answer the best, at least",
    "crowd": "share of the models that give one and the same answer, at least",
}
"""What a gate asks, in words that end where the number stands."""


class Gate(Frozen):
    """What makes an answer good enough, so that its instruction may be selected.

    ``reward``: its reward is at least ``at_least``. ``quantile``: its reward stands at or above
    that place, 0 to 1, among all instructions' best rewards. ``judges``: at least that share of
    the judges call it the best (one that rewards all answers of an instruction alike calls none
    so). ``crowd``: at least that share of the models gave the same answer; with ``judge`` (the
    likelihoods of a base model) it is the place, 0 to 1, of the instruction among all by agreement
    and likelihood of the answer that is agreed on.
    """

    kind: Annotated[GateKind, Option(help="What makes an answer good enough")] = "reward"
    at_least: Annotated[float, Option(help="The least that is good enough")] = 1.0
    judge: Annotated[
        str | None, Option(help="Whose rewards, or likelihoods; none: the recipe's judge")
    ] = None

    @model_validator(mode="after")
    def _possible(self) -> Gate:
        if self.kind != "reward" and not 0 <= self.at_least <= 1:
            raise ValueError(f"at_least of a gate by {self.kind} is a share between 0 and 1")
        if self.kind == "judges" and self.judge is not None:
            raise ValueError("a gate by the judges asks all of them, so it names none")
        return self

    @property
    def words(self) -> str:
        """The gate in a sentence's second half."""
        whose = f" ({self.judge})" if self.judge else ""
        return f"{KINDS[self.kind]} {self.at_least:g}{whose}"


def gate_from_text(text: str) -> Gate | None:
    """``KIND=NUMBER`` or ``KIND=NUMBER@JUDGE`` as a gate; ``none``: no gate.

    Raises InputError for anything else.
    """
    if text.strip().lower() in ("", "none", "off"):
        return None
    kind, sign, rest = (part.strip() for part in text.partition("="))
    number, at, judge = (part.strip() for part in rest.partition("@"))
    try:
        least = float(number)
    except ValueError:
        least = float("nan")
    if not sign or kind not in KINDS or least != least or (at and not judge):
        raise InputError(
            f"{text!r} is not a gate.",
            "Write KIND=NUMBER or KIND=NUMBER@JUDGE, such as reward=1 or quantile=0.5; kinds: "
            f"{', '.join(KINDS)}.",
        )
    return Gate.parse({"kind": kind, "at_least": least, "judge": judge or None}, "The gate")


def weights_from_text(text: str) -> dict[str, float]:
    """``difficulty=1,separability@JUDGE=-0.5`` -> weight per column.

    Raises InputError for a weight that is not a number or a name that comes twice.
    """
    weights: dict[str, float] = {}
    for part in _weights_of(text):
        name, sign, value = (p.strip() for p in part.rpartition("="))
        if not sign or not name or name in weights:
            raise InputError(
                f"{part!r} in --weights is not one NAME=NUMBER.",
                "Write it like difficulty=1,separability=1,stability=2, each name once.",
            )
        weights[name] = _number(value, part)
    return weights


def _weights_of(text: str) -> list[str]:
    """``NAME=NUMBER`` parts; a comma inside of a name (``difficulty@acc,none=1``) parts nothing."""
    parts: list[str] = []
    waiting: list[str] = []
    for part in text.split(","):
        waiting.append(part)
        if "=" in part:
            parts.append(",".join(waiting).strip().lstrip(","))
            waiting = []
    return [*parts, *filter(None, (p.strip() for p in waiting))]


def budget_from_text(text: str) -> int | float:
    """``1000``, ``0.1`` or ``10%`` -> a count or a share; raises InputError."""
    cleaned = text.strip().replace("_", "").replace(",", "")
    if cleaned.isdigit():
        return int(cleaned)
    number = _number(cleaned.rstrip("%"), f"--budget {text}")
    return number / 100 if cleaned.endswith("%") else number


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{where}: {text!r} is not a number.", "Write a number.") from None
