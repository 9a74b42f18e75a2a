"""Whose response is trained on, and which instructions have one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crowdselect.errors import InputError, NotFoundError
from crowdselect.files import forget
from crowdselect.pipeline.metrics import LIKES, judge_of, quality_judges
from crowdselect.ranks import DECIMALS
from crowdselect.registry import did_you_mean
from crowdselect.rules import Ties
from crowdselect.selection import (
    check_policy,
    choose_answers,
    consensus,
    count_ties,
    id_hashes,
    tie_order,
)
from crowdselect.store import Crowd
from crowdselect.values import (
    BY_HAND,
    COMBINED,
    BoolArray,
    FloatArray,
    GivenAnswer,
    IntArray,
    Recipe,
    RewardMatrix,
)

NONE, HAND = -1, -2
"""In place of a model's column: there is no answer; a person wrote it."""

_ONE_BY_ONE = ("best", "worst", "consensus", "base_likes")
"""Policies of which equal answers decide which one it is."""


@dataclass(frozen=True)
class Answers:
    """The responses that a policy may use."""

    crowd: Crowd
    policy: str
    judges: tuple[str, ...]
    """Judges whose rewards decide; several: their ranks are combined; empty: none is needed."""
    there: BoolArray
    """Shape (n, m): the model has a response that is not empty and, where only good ones count, is
    good enough; or the crowd has no responses."""
    ties: Ties = "draw"
    graders: tuple[str, ...] = ()
    """Judges that say how good an answer is, whatever the policy goes by."""

    given: Mapping[str, GivenAnswer] = field(default_factory=dict)
    """Id -> what a person wrote or chose; it comes before the policy."""

    def eligible(self) -> BoolArray:
        """Rows with a response under the policy or by a person's choice, shape (n,)."""
        found = self._under_policy()
        rows, columns = self._by_people(np.arange(self.crowd.n))
        found[rows] = columns != NONE
        return found

    def _under_policy(self) -> BoolArray:
        if self.policy.startswith("model:"):
            names = [m.name for m in self.crowd.models]
            return self.there[:, names.index(self.policy.removeprefix("model:"))].copy()
        if not self.judges or self.policy == "random":
            return np.asarray(self.there.any(axis=1))
        found = np.zeros(self.crowd.n, dtype=bool)
        for values in [self.crowd.rewards(judge).values for judge in self.judges]:
            for j in range(values.shape[1]):
                found |= self.there[:, j] & ~np.isnan(values[:, j])
            forget(values)
        return found

    def columns(self, rows: IntArray, seed: int) -> IntArray:
        """The chosen model's column for each of ``rows``; NONE: no response; HAND: a person's."""
        return self.chosen(rows, seed)[0]

    def chosen(self, rows: IntArray, seed: int) -> tuple[IntArray, IntArray]:
        """The chosen column of each of ``rows``, and how many answers are as good as it.

        1: it stands alone; 0: there is none, the policy puts no answers in order, or a person
        decided.
        """
        rewards = self._rewards(rows)
        hashes = id_hashes(self.crowd.ids[rows])
        places = np.arange(len(rows))
        there = self.there[rows]
        columns = choose_answers(
            rewards, places, self.policy, hashes, seed, there, self.ties, self._others(rows)
        )
        ties = np.zeros(len(rows), dtype=np.int64)
        if self.policy.partition(":")[0] in _ONE_BY_ONE:
            ties = count_ties(rewards.values, there & ~np.isnan(rewards.values), columns)
        decided, by_people = self._by_people(rows)
        columns[decided], ties[decided] = by_people, 0
        return columns, ties

    def _by_people(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """Places in ``rows`` of what people wrote or chose, and its columns."""
        column = {m.name: j for j, m in enumerate(self.crowd.models)}
        here = {self.crowd.row_of[i]: g for i, g in self.given.items() if i in self.crowd.row_of}
        places, columns = [], []
        for place in np.flatnonzero(np.isin(rows, list(here))).tolist():
            row = int(rows[place])
            model = here[row].model
            if model is not None and model not in column:
                raise NotFoundError(
                    f"The answer chosen for {self.crowd.ids[row]} is of {model!r}, and the crowd "
                    f"has no such model. {did_you_mean(model, column)}",
                    "Choose another answer on the instruction's page, or take it out of the "
                    "recipe's answers.",
                )
            places.append(place)
            columns.append(HAND if model is None else self._there_or_none(row, column[model]))
        return np.array(places, dtype=np.int64), np.array(columns, dtype=np.int64)

    def _there_or_none(self, row: int, column: int) -> int:
        return column if self.there[row, column] else NONE

    def tie_order(self, rows: IntArray, seed: int) -> IntArray:
        """Per row of ``rows`` the columns in the order that equal answers are taken in."""
        hashes = id_hashes(self.crowd.ids[rows])
        places, others = np.arange(len(rows)), self._others(rows)
        return tie_order(self.crowd.models, places, hashes, seed, self.ties, others)

    def rewards_of(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """The reward of the answer ``columns[i]`` in ``rows[i]``; NaN: none.

        Where judges are combined: the answer's place by all of them, in (0, 1].
        """
        if not self.graders or not self.there.shape[1]:
            return np.full(len(rows), np.nan)
        values = mean_places(self.crowd, self.graders, rows, self.there[rows])
        return np.where(columns >= 0, values[np.arange(len(rows)), columns], np.nan)

    def tied(self, rows: IntArray, columns: IntArray) -> IntArray:
        """How many answers of ``rows[i]`` the policy finds as good, itself included; 0: none."""
        values = self._rewards(rows).values
        return count_ties(values, self.there[rows] & ~np.isnan(values), columns)

    def _rewards(self, rows: IntArray) -> RewardMatrix:
        ids, models = self.crowd.ids[rows], self.crowd.models
        if self.policy == "consensus":
            texts = texts_of(self.crowd, rows, self.there)
            return RewardMatrix("consensus", ids, models, consensus(texts, len(models)))
        if not self.judges:
            return RewardMatrix("none", ids, models, np.full((len(rows), len(models)), np.nan))
        values = mean_places(self.crowd, self.judges, rows, self.there[rows])
        return RewardMatrix(self.judges[0], ids, models, values)

    def _others(self, rows: IntArray) -> FloatArray | None:
        """What the other judges say of the answers of ``rows``, where ties are theirs to break."""
        others = tuple(j for j in quality_judges(self.crowd) if j not in self.judges)
        if self.ties != "judges" or not others:
            return None
        return mean_places(self.crowd, others, rows, self.there[rows], always=True)


def model_names(crowd: Crowd, columns: IntArray) -> tuple[str | None, ...]:
    """Whose answers :meth:`Answers.columns` chose: a model, ``BY_HAND``, or None."""
    names = [m.name for m in crowd.models]
    known = {NONE: None, HAND: BY_HAND}
    return tuple(known[c] if c < 0 else names[c] for c in columns.tolist())


def columns_of(crowd: Crowd, names: Sequence[str | None]) -> IntArray:
    """The other way round: NONE also for a model that the crowd has no longer."""
    column = {BY_HAND: HAND} | {m.name: j for j, m in enumerate(crowd.models)}
    return np.array([column.get(name or "", NONE) for name in names], dtype=np.int64)


def answer_texts(
    crowd: Crowd, recipe: Recipe, rows: IntArray, columns: IntArray
) -> list[str | None]:
    """What each of ``rows`` is trained on; None: nothing."""
    wanted = np.full(crowd.n, NONE, dtype=np.int64)
    wanted[rows] = np.maximum(columns, NONE)
    found = crowd.responses_of(wanted)
    texts = [found[row] for row in rows.tolist()]
    for place in np.flatnonzero(columns == HAND).tolist():
        texts[place] = recipe.answers[str(crowd.ids[rows[place]])].text
    return texts


def answered(crowd: Crowd) -> BoolArray:
    """Which models gave a response that is not empty, shape (n, m)."""
    return crowd.texts.answered()


def usable(crowd: Crowd) -> BoolArray:
    """:func:`answered`; everything where the crowd has no responses, but rewards alone."""
    there = answered(crowd)
    return there if there.any() else np.ones(there.shape, dtype=bool)


def answers_of(
    crowd: Crowd,
    policy: str,
    judge: str | None,
    ties: Ties = "draw",
    good: BoolArray | None = None,
) -> Answers:
    """The answers of ``crowd`` under ``policy``; ``good`` (n, m): only these, None: any.

    Raises InputError for an unknown policy, or one that needs rewards where there are none.
    """
    check_policy(policy, tuple(m.name for m in crowd.models))
    if len(crowd.models) == 1 and not crowd.judges and policy in ("best", "worst", "top5_random"):
        policy = f"model:{crowd.models[0].name}"  # of one answer, that one is meant
    kind, _, named = policy.partition(":")
    judges = _judges_of(crowd, kind, named, judge)
    if kind == "consensus" and not answered(crowd).any():
        raise InputError(
            f"The crowd {crowd.name} has no responses, so none is the most common one.",
            "Choose the answer policy best or model:NAME.",
        )
    there = usable(crowd) if good is None else usable(crowd) & good
    return Answers(crowd, policy, judges, there, ties, _graders(crowd, judge))


def _judges_of(crowd: Crowd, kind: str, named: str, judge: str | None) -> tuple[str, ...]:
    """Whose rewards the policy goes by."""
    if kind == "base_likes":
        return (likes_of(crowd, named or None),)
    if kind == "consensus":
        return ()
    found = _graders(crowd, judge)
    if not found and kind not in ("random", "model"):
        raise InputError(
            f"The crowd {crowd.name} has no rewards, so no response is the {kind} one.",
            "Choose the answer policy consensus, random or model:NAME.",
        )
    return found


def _graders(crowd: Crowd, judge: str | None) -> tuple[str, ...]:
    """The judges that ``judge`` means; none where the crowd has none."""
    found = judge_of(crowd, judge)
    return () if found is None else quality_judges(crowd) if found == COMBINED else (found,)


def likes_of(crowd: Crowd, judge: str | None) -> str:
    """The judge that holds a base model's likelihoods: ``judge``, or the only one that does.

    Raises NotFoundError for a judge that the crowd does not have, InputError for none or several.
    """
    if judge is not None:
        return str(judge_of(crowd, judge))
    found = [name for name in crowd.judges if name.startswith(LIKES)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"The crowd {crowd.name} holds likelihoods of several models: {', '.join(found)}.",
            "Name one of them: base_likes:JUDGE.",
        )
    raise InputError(
        f"The crowd {crowd.name} holds no likelihoods of its answers under a base model.",
        f"Compute them: crowdselect crowd judge {crowd.name} --likelihood --model MODEL.",
    )


def combined_rewards(crowd: Crowd) -> RewardMatrix:
    """The judges combined by rank: each answer's mean place among its row's, in (0, 1]."""
    rows = np.arange(crowd.n, dtype=np.int64)
    there = np.ones((crowd.n, len(crowd.models)), dtype=bool)
    values = mean_places(crowd, quality_judges(crowd), rows, there, always=True)
    return RewardMatrix(COMBINED, crowd.ids, crowd.models, values)


def texts_of(crowd: Crowd, rows: IntArray, there: BoolArray) -> list[list[str | None]]:
    """The answers to each of ``rows`` that are ``there`` (n, m), one per model."""
    columns = []
    for j in range(len(crowd.models)):
        wanted = np.full(crowd.n, -1, dtype=np.int64)
        wanted[rows] = np.where(there[rows, j], j, -1)
        found = crowd.responses_of(wanted)
        columns.append([found[row] for row in rows.tolist()])
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in rows]


def mean_places(
    crowd: Crowd,
    judges: tuple[str, ...],
    rows: IntArray,
    there: BoolArray,
    *,
    always: bool = False,
) -> FloatArray:
    """Rewards of one judge, or the mean over several of each answer's place, (len(rows), m).

    ``there`` has the shape of the outcome; ``always``: places of one judge too.
    """
    values = []
    for judge in judges:
        whole = crowd.rewards(judge).values
        values.append(np.where(there, whole[rows], np.nan))
        forget(whole)  # scattered rows bring in nearly every page
    return values[0] if len(values) == 1 and not always else _mean_place(values)


def _mean_place(rewards: list[FloatArray]) -> FloatArray:
    """Mean over the judges of each response's place among its row's, in (0, 1]; NaN: unscored.

    Judges' scales differ, so only ranks are averaged.
    """
    total = np.zeros(rewards[0].shape)
    count = np.zeros(rewards[0].shape)
    for values in rewards:
        ranks = pd.DataFrame(values).rank(axis=1).to_numpy(dtype=np.float64)
        place = ranks / np.sum(~np.isnan(values), axis=1, keepdims=True).clip(1)
        total += np.nan_to_num(place)
        count += ~np.isnan(place)
    mean = np.full(total.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return np.round(mean, DECIMALS)  # three judges add up to other last bits in another order
