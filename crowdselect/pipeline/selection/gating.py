"""A recipe's gate on one crowd: the grade of every answer, and what the gate removes."""

from __future__ import annotations

import numpy as np

from crowdselect.errors import InputError
from crowdselect.pipeline.cache import artifact, load_or_make
from crowdselect.pipeline.metrics import judge_of, quality_judges
from crowdselect.pipeline.selection.answers import answered, texts_of, usable
from crowdselect.rules import Gate
from crowdselect.selection import agreement, confidence, judges_for, places
from crowdselect.store import Crowd
from crowdselect.values import COMBINED, FloatArray, Recipe

AGREEMENT = "agreement"
"""What the judge is called that tells how many models gave the same answer."""
_VERSION = 1


def check_gate(recipe: Recipe) -> None:
    """Raise InputError where only good answers may be trained on and nothing says what is good."""
    if recipe.among == "good" and recipe.gate is None:
        raise InputError(
            "Only good answers are to be trained on, and the recipe has no gate that says which "
            "are.",
            "Set a gate, such as --gate reward=1, or take answers among any.",
        )


def grades_of(crowd: Crowd, gate: Gate, judge: str | None) -> FloatArray:
    """Every answer's grade in the unit of ``gate``, shape (n, m); NaN: it has none.

    ``judge`` is the recipe's. Answers that are not there have no grade. Raises InputError where the
    crowd lacks what the gate asks, NotFoundError for an unknown judge.
    """
    there = usable(crowd)
    if gate.kind == "crowd":
        grades = agreement_of(crowd)
        if gate.judge is not None:
            named = str(judge_of(crowd, gate.judge))
            grades = confidence(grades, crowd.rewards(named).values)
    elif gate.kind == "judges":
        grades = _judges(crowd)
    else:
        grades = crowd.rewards(_one_judge(crowd, gate, judge)).values
        if gate.kind == "quantile":
            grades = places(np.where(there, grades, np.nan))
    return np.where(there, grades, np.nan)


def agreement_of(crowd: Crowd) -> FloatArray:
    """How many of the models gave the same answer, as a share, shape (n, m); made once.

    The judge of this name where the crowd has it, else as :func:`crowdselect.selection.agreement`.
    """
    return crowd.rewards(AGREEMENT).values if AGREEMENT in crowd.judges else own_agreement(crowd)


def own_agreement(crowd: Crowd) -> FloatArray:
    """The agreement of the crowd's answers as texts, shape (n, m); made once.

    Raises InputError where there are no responses.
    """
    path = artifact(crowd.cache, AGREEMENT, [_VERSION, crowd.fingerprint], ".npz")

    def make() -> dict[str, FloatArray]:
        there = answered(crowd)
        if not there.any():
            raise InputError(
                f"The crowd {crowd.name} has no responses, so no two of them are the same.",
                "Ingest the models' responses, or generate them: crowdselect crowd generate.",
            )
        texts = texts_of(crowd, np.arange(crowd.n), there)
        return {"share": agreement(texts, len(crowd.models))}

    return load_or_make(path, make)["share"]


def _one_judge(crowd: Crowd, gate: Gate, judge: str | None) -> str:
    named = judge_of(crowd, gate.judge or judge)
    if named is None:
        raise InputError(
            f"The crowd {crowd.name} has no rewards, so no answer is good enough by them.",
            "Choose a gate by the crowd: --gate crowd=0.5.",
        )
    if named == COMBINED:
        raise InputError(
            "A gate goes by the rewards of one judge, and the recipe combines all.",
            f"Name one of them, such as --gate {gate.kind}={gate.at_least:g}@{crowd.judges[0]}, or "
            "ask for their agreement: --gate judges=1.",
        )
    return named


def _judges(crowd: Crowd) -> FloatArray:
    judges = quality_judges(crowd)
    if len(judges) < 2:
        raise InputError(
            f"The crowd {crowd.name} has {len(judges)} judges; agreement needs two or more.",
            "Choose another gate, such as quantile=0.5, or add a judge: crowdselect crowd judge.",
        )
    return judges_for([crowd.rewards(judge).values for judge in judges])
