"""A crowd's rewards -> preference pairs: the best and a worse answer to one instruction.

The rule (the paper's Table 18 compares methods but does not describe its pairs): by one judge,
the chosen answer is the one with the highest reward; the rejected one is, among the answers
whose reward lies at least ``margin`` standard deviations of that judge's rewards below the best,
the lowest (``worst``), the nearest to the best (``closest``) or a seeded draw (``random``).
An instruction without such an answer gives no pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from crowdselect.errors import InputError
from crowdselect.lm.calls import knows_calls, read_written, tools_of, without_tools
from crowdselect.lm.messages import Message, assistant
from crowdselect.options import Frozen, Option
from crowdselect.values import FloatArray, IdArray, IntArray, RewardMatrix

Worse = Literal["worst", "closest", "random"]


class PairRule(Frozen):
    """Which answers make a pair: what a person decides of the rule above."""

    judge: Annotated[str | None, Option(help="Preference pairs: by whose rewards")] = None
    """None: the recipe's, or the crowd's first where the recipe combines judges."""
    margin: Annotated[
        float, Option(help="Preference pairs: least distance in standard deviations"), Field(ge=0)
    ] = 0.5
    worse: Annotated[Worse, Option(help="Preference pairs: which one is the worse answer")] = (
        "worst"
    )


@dataclass(frozen=True)
class PreferencePairs:
    """Pairs of answers, in row order. All arrays have shape (p,)."""

    judge: str
    ids: IdArray
    rows: IntArray
    """Row of the reward matrix."""
    chosen: IntArray
    """Model column of the better answer."""
    rejected: IntArray
    """Model column of the worse answer; never the chosen one."""
    margins: FloatArray
    """Reward of the chosen minus reward of the rejected, in the judge's unit; > 0."""
    skipped: int
    """Instructions without a pair."""
    rule: str
    """The rule in words, for the manifest and the model card."""


def pairs_from_rewards(
    rewards: RewardMatrix,
    *,
    rows: IntArray | None = None,
    margin: float = 0.5,
    worse: Worse = "worst",
    seed: int = 42,
    order: IntArray | None = None,
) -> PreferencePairs:
    """Make at most one pair per instruction by the rule above.

    Parameters
    ----------
    rewards
        One judge's rewards, shape (n, m); NaN = no answer.
    rows
        Rows to make pairs of (a selection), unique; None: all.
    margin
        Least distance in standard deviations (over all finite rewards of the judge), >= 0.
        Whatever it is, the rejected reward is strictly lower.
    worse
        Which of the answers that lie far enough below is the rejected one.
    seed
        For ``worse="random"``; the draw of a row depends on the seed and the row only.
    order
        Model columns per row, shape (len(rows), m): of equal rewards the first in it is taken,
        for the better and the worse answer alike; None: the first column.

    Raises
    ------
    InputError
        For a negative margin or no finite reward.
    """
    values = rewards.values
    if margin < 0:
        raise InputError(f"The margin is {margin}, expected >= 0.", "Give 0 or more.")
    if not np.isfinite(values).any():
        raise InputError(f"The judge {rewards.judge} has no rewards.", "Choose another judge.")
    wanted = np.arange(len(values)) if rows is None else np.asarray(rows, dtype=np.int64)
    taken = values[wanted]
    best = _first_best(np.where(np.isfinite(taken), taken, -np.inf), order)
    top = taken[np.arange(len(taken)), best]
    with np.errstate(invalid="ignore"):
        allowed = (top[:, None] - taken >= margin * np.nanstd(values)) & (taken < top[:, None])
    has = allowed.any(axis=1)
    rejected = _first_best(_preference(taken, allowed, worse, wanted, seed), order)
    index = np.flatnonzero(has)
    return PreferencePairs(
        judge=rewards.judge,
        ids=rewards.ids[wanted[index]],
        rows=wanted[index],
        chosen=best[index],
        rejected=rejected[index],
        margins=top[index] - taken[index, rejected[index]],
        skipped=int((~has).sum()),
        rule=f"judge {rewards.judge}: best against {worse}, at least {margin:g} standard "
        f"deviation{'' if margin == 1 else 's'} lower",
    )


def _first_best(values: FloatArray, order: IntArray | None) -> IntArray:
    """The column of each row's largest value; of equal ones the first in ``order``."""
    if order is None:
        return np.asarray(np.argmax(values, axis=1), dtype=np.int64)
    place = np.argmax(np.take_along_axis(values, order, axis=1), axis=1)
    return np.asarray(order[np.arange(len(values)), place], dtype=np.int64)


def _preference(
    taken: FloatArray,
    allowed: npt.NDArray[np.bool_],
    worse: Worse,
    rows: IntArray,
    seed: int,
) -> FloatArray:
    """How much each answer is to be the rejected one; -inf: it may not be."""
    if worse == "random":
        draws = [np.random.default_rng([seed, int(row)]).random(taken.shape[1]) for row in rows]
        preference = np.reshape(draws, taken.shape)
    else:
        preference = -taken if worse == "worst" else taken
    return np.where(allowed, preference, -np.inf)


def preference_rows(
    pairs: PreferencePairs,
    prompts: Sequence[Sequence[Message]],
    chosen: list[str | None],
    rejected: list[str | None],
) -> list[dict[str, Any]]:
    """Rows for a JSONL file: prompt, chosen and rejected as messages, with id and margin.

    The three lists hold the questions and the texts of the pairs in order; a pair whose texts
    are missing or equal is left out.
    """
    rows = []
    for i, (question, good, bad) in enumerate(zip(prompts, chosen, rejected, strict=True)):
        if good is None or bad is None or good == bad:
            continue
        reads = read_written if knows_calls(question) else assistant
        tools = tools_of(question)
        rows.append(
            {
                "id": str(pairs.ids[i]),
                "prompt": list(without_tools(question)),
                "chosen": [reads(good)],
                "rejected": [reads(bad)],
                "margin": float(pairs.margins[i]),
                **({"tools": list(tools)} if tools else {}),
            }
        )
    return rows
