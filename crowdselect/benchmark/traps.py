"""The trap of the paper: weights picked on the test set, and what that adds to a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crowdselect.benchmark.statistics import Sums
from crowdselect.benchmark.subject import SubjectConfig
from crowdselect.values import FloatArray

SPLITS = 1000
PAPER_WEIGHTS = ({"difficulty": 1.0, "separability": 1.0, "stability": 2.0},
                 {"difficulty": 1.0, "separability": -1.0, "stability": 1.5})  # fmt: skip
"""The weights that CrowdSelect (arXiv 2503.01836) reports as best in its Table 2. Tables 3 and 14
to 17 show that they were read off the same two benchmarks."""
PAPER_CHOSE_ON = ("mt-bench", "arena-hard")


@dataclass(frozen=True)
class Optimism:
    """How much the best of several recipes gains from being chosen on its own test.

    Estimated by repeated halving: choose on one half of the questions, score on the other.
    """

    best: str
    """The best on all questions."""
    apparent: float
    """Its score on the half that it was chosen on, mean over the splits."""
    honest: float
    """The chosen one's score on the other half, mean over the splits."""
    same_choice: float
    """Share of the splits in which both halves would choose the same recipe."""
    recipes: int


def optimism(
    sums: Mapping[str, Sequence[Sums]],
    selections: Mapping[str, str | None],
    *,
    higher_is_better: bool,
    seed: int,
) -> Optimism | None:
    """Estimate what choosing on the test adds; None for fewer than two recipes or four questions.

    ``sums``: per group the runs' weighted sums by question; ``selections``: per group the id of the
    selection behind it (None: not one of the candidates, a base model say).
    """
    names = [name for name in sums if selections.get(name) is not None]
    if len({selections[name] for name in names}) < 2:
        return None
    shared = sorted(set.intersection(*(set(run) for name in names for run in sums[name])))
    if len(shared) < 4:
        return None
    sign = 1.0 if higher_is_better else -1.0
    table = np.stack(
        [np.mean([[run[q] for q in shared] for run in sums[name]], axis=0) for name in names]
    )
    halves = _halves(len(shared), seed)
    left, right = (sign * _means(table, mask) for mask in (halves, ~halves))
    chosen, other = left.argmax(axis=0), right.argmax(axis=0)
    splits = np.arange(SPLITS)
    everything = sign * _means(table, np.ones((1, len(shared)), dtype=bool))[:, 0]
    return Optimism(
        best=names[int(everything.argmax())],
        apparent=float(sign * left[chosen, splits].mean()),
        honest=float(sign * right[chosen, splits].mean()),
        same_choice=float((chosen == other).mean()),
        recipes=len(names),
    )


def _halves(questions: int, seed: int) -> Any:
    """Random halves of the questions: bool (SPLITS, questions)."""
    rng = np.random.default_rng(seed)
    order = rng.permuted(np.tile(np.arange(questions), (SPLITS, 1)), axis=1)
    return order < questions // 2


def _means(table: FloatArray, masks: Any) -> FloatArray:
    """Weighted mean of each group over each mask: (groups, masks) from (groups, questions, 2)."""
    sums = np.einsum("gqs,mq->gms", table, masks.astype(np.float64))
    means: FloatArray = sums[..., 0] / np.maximum(sums[..., 1], np.finfo(np.float64).tiny)
    return means


def trap_warnings(
    benchmark: str, subjects: Mapping[str, SubjectConfig], gain: Optimism | None
) -> list[str]:
    """Say whether a recipe was chosen on this benchmark, and whether one is being chosen now."""
    plain = benchmark.split(":")[0]
    warnings, undeclared = [], []
    for name, subject in subjects.items():
        if plain in subject.chosen_on or benchmark in subject.chosen_on:
            warnings.append(
                f"{name}'s recipe was chosen on {plain} (declared): its score here is too high; "
                "judge it by another benchmark."
            )
        elif plain in PAPER_CHOSE_ON and _papers(subject):
            warnings.append(
                f"{name} uses weights that the CrowdSelect paper picked by its scores on MT-Bench "
                f"and Arena-Hard, so {plain} is no independent test of them."
            )
        elif subject.origin is not None:
            undeclared.append(name)
    if undeclared:
        whose = f"The recipe of {undeclared[0]} is"
        if len(undeclared) > 1:
            whose = f"The recipes of {', '.join(undeclared[:-1])} and {undeclared[-1]} are"
        warnings.append(
            f"{whose} not declared as chosen on {plain}; if so, say it with --chosen-on {plain}."
        )
    if gain is not None:
        warnings.append(
            f"The best of {gain.recipes} recipes is read off {benchmark} itself. Chosen on half of "
            f"the questions it scores {gain.apparent:.4g} there and {gain.honest:.4g} on the other "
            f"half; both halves choose the same recipe in {gain.same_choice:.0%} of 1,000 splits. "
            "Confirm the winner on a benchmark that did not choose it."
        )
    return warnings


def _papers(subject: SubjectConfig) -> bool:
    recipe = subject.origin and subject.origin.recipe
    if not recipe or recipe.strategy != "crowdselect":
        return False
    return {k: v for k, v in recipe.weights.items() if v} in PAPER_WEIGHTS
