"""Whose response is trained on: a policy and rewards in, one model per instruction out."""

from __future__ import annotations

import math

import numpy as np

from crowdselect.errors import InputError, NotFoundError
from crowdselect.registry import did_you_mean
from crowdselect.selection.ties import Keys, seeded_keys, uniform
from crowdselect.values import BoolArray, FloatArray, IntArray, Model, RewardMatrix

POLICIES = ("best", "random", "top5_random", "worst")
"""Besides ``model:NAME``. ``worst`` belongs to the strategy ``reward_bottom``."""


def check_policy(policy: str, models: tuple[str, ...]) -> None:
    """Raise InputError or NotFoundError unless ``policy`` can be used with ``models``."""
    kind, colon, name = policy.partition(":")
    if colon and kind == "model":
        if name not in models:
            raise NotFoundError(
                f"The crowd has no model {name!r} to answer.", did_you_mean(name, models)
            )
    elif policy not in POLICIES:
        raise InputError(
            f"{policy!r} is not an answer policy.",
            f"Choose one of: {', '.join(POLICIES)}, model:NAME.",
        )


def choose_answers(
    rewards: RewardMatrix,
    rows: IntArray,
    policy: str,
    hashes: Keys,
    seed: int,
    answered: BoolArray | None = None,
) -> IntArray:
    """Return for each of ``rows`` the column of the model whose response is used, -1 = none.

    ``best``: highest reward (equation 2); ``worst``: lowest; ``random``: uniform over the models
    that answered; ``top5_random``: uniform over the five best-rewarded; ``model:NAME``: that one.
    Ties go to the model with the lower ``order``, and by name among models that are only guessed.
    Draws depend on the id, the seed and that order only.
    ``hashes`` (n,) are :func:`crowdselect.selection.ties.id_hashes`; ``answered`` (len(rows), m)
    tells which responses exist (default: those with a reward).
    """
    names = tuple(m.name for m in rewards.models)
    check_policy(policy, names)
    values = rewards.values[rows]
    there = ~np.isnan(values)
    answered = there if answered is None else np.asarray(answered, dtype=bool)
    if policy.startswith("model:"):
        column = names.index(policy.removeprefix("model:"))
        return np.where(answered[:, column], column, -1)
    order = np.array(sorted(range(len(names)), key=lambda j: _place(rewards.models[j])))
    able = answered if policy == "random" else answered & there
    draws = uniform(seeded_keys(seeded_keys(hashes[rows], seed), 1))
    ranked = _ranked(values[:, order], able[:, order], policy)
    count = able.sum(axis=1)
    place = np.zeros(len(rows), dtype=np.int64)
    if policy in ("random", "top5_random"):
        most = count if policy == "random" else np.minimum(count, 5)
        place = (draws * most).astype(np.int64)
    chosen = order[ranked[np.arange(len(rows)), place]] if len(names) else place
    return np.where(count > 0, chosen, -1)


def _place(model: Model) -> tuple[float, str]:
    """Where a model stands among others: as somebody said, else by name.

    The order in which a file happens to name models that nobody described says nothing.
    """
    said = model.source in ("table", "known")
    return (model.order if said else math.inf, model.name)


def _ranked(values: FloatArray, able: BoolArray, policy: str) -> IntArray:
    """Order the columns of each row: usable ones first, best (or worst) first, then by place."""
    sign = {"random": 0.0, "worst": 1.0}.get(policy, -1.0)
    key = np.where(able, sign * np.nan_to_num(values), np.inf)
    return np.argsort(key, axis=1, kind="stable")
