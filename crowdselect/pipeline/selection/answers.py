"""Whose response is trained on, and which instructions have one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from crowdselect.errors import InputError
from crowdselect.pipeline.metrics import judge_of
from crowdselect.ranks import DECIMALS
from crowdselect.selection import check_policy, choose_answers, id_hashes
from crowdselect.store import Crowd
from crowdselect.values import COMBINED, BoolArray, FloatArray, IntArray, RewardMatrix


@dataclass(frozen=True)
class Answers:
    """The responses that a policy may use."""

    crowd: Crowd
    policy: str
    judges: tuple[str, ...]
    """Judges whose rewards decide; several: their ranks are combined; empty: none is needed."""
    there: BoolArray
    """Shape (n, m): the model has a response that is not empty, or the crowd has no responses."""

    def eligible(self) -> BoolArray:
        """Rows with a response under the policy, shape (n,)."""
        if self.policy.startswith("model:"):
            names = [m.name for m in self.crowd.models]
            return np.asarray(self.there[:, names.index(self.policy.removeprefix("model:"))])
        usable = self.there
        if self.policy != "random":
            scored = [~np.isnan(self.crowd.rewards(judge).values) for judge in self.judges]
            usable = usable & np.logical_or.reduce(scored)
        return np.asarray(usable.any(axis=1))

    def columns(self, rows: IntArray, seed: int) -> IntArray:
        """The chosen model's column for each of ``rows``; -1: it has no response."""
        rewards = self._rewards(rows)
        hashes = id_hashes(self.crowd.ids[rows])
        places = np.arange(len(rows))
        return choose_answers(rewards, places, self.policy, hashes, seed, self.there[rows])

    def rewards_of(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """The reward of the answer ``columns[i]`` in ``rows[i]``; NaN: none.

        Where judges are combined: the answer's place by all of them, in (0, 1].
        """
        values = self._rewards(rows).values
        if not values.shape[1]:
            return np.full(len(rows), np.nan)
        return np.where(columns >= 0, values[np.arange(len(rows)), columns], np.nan)

    def tied(self, rows: IntArray, columns: IntArray) -> IntArray:
        """How many answers of ``rows[i]`` have that reward, itself included; 0: it has none."""
        same = self._rewards(rows).values == self.rewards_of(rows, columns)[:, None]
        return np.asarray((same & self.there[rows]).sum(axis=1), dtype=np.int64)

    def _rewards(self, rows: IntArray) -> RewardMatrix:
        ids, models = self.crowd.ids[rows], self.crowd.models
        if not self.judges:
            return RewardMatrix("none", ids, models, np.full((len(rows), len(models)), np.nan))
        matrices = [self.crowd.rewards(judge) for judge in self.judges]
        there = self.there[rows]
        values = [np.where(there, matrix.values[rows], np.nan) for matrix in matrices]
        combined = values[0] if len(values) == 1 else _mean_place(values)
        return replace(matrices[0], ids=ids, values=combined)


def answers_of(crowd: Crowd, policy: str, judge: str | None) -> Answers:
    """The answers of ``crowd`` under ``policy``.

    Raises InputError for an unknown policy, or one that needs rewards where there are none.
    """
    check_policy(policy, tuple(m.name for m in crowd.models))
    found = judge_of(crowd, judge)
    if found is None and policy != "random" and not policy.startswith("model:"):
        raise InputError(
            f"The crowd {crowd.name} has no rewards, so no response is the {policy} one.",
            "Choose the answer policy random or model:NAME.",
        )
    judges = () if found is None else crowd.judges if found == COMBINED else (found,)
    there = crowd.texts.response_lengths("words") > 0
    if not there.any():
        there = np.ones(there.shape, dtype=bool)
    return Answers(crowd, policy, judges, there)


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
