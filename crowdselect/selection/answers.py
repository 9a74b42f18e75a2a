"""Whose response is trained on: a policy and rewards in, one model per instruction out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from crowdselect.errors import InputError, NotFoundError
from crowdselect.registry import did_you_mean
from crowdselect.rules import Ties
from crowdselect.selection.ties import Keys, id_hashes, seeded_keys, uniform
from crowdselect.values import BoolArray, FloatArray, IntArray, Model, RewardMatrix

POLICIES = ("best", "random", "top5_random", "worst", "consensus", "base_likes")
"""Besides ``model:NAME`` and ``base_likes:JUDGE``. ``worst`` belongs to ``reward_bottom``."""


def check_policy(policy: str, models: tuple[str, ...]) -> None:
    """Raise InputError or NotFoundError unless ``policy`` can be used with ``models``."""
    kind, colon, name = policy.partition(":")
    if colon and kind == "model":
        if name not in models:
            raise NotFoundError(
                f"The crowd has no model {name!r} to answer.", did_you_mean(name, models)
            )
    elif policy not in POLICIES and not (kind == "base_likes" and name):
        raise InputError(
            f"{policy!r} is not an answer policy.",
            f"Choose one of: {', '.join(POLICIES)}, base_likes:JUDGE, model:NAME.",
        )


def choose_answers(
    rewards: RewardMatrix,
    rows: IntArray,
    policy: str,
    hashes: Keys,
    seed: int,
    answered: BoolArray | None = None,
    ties: Ties = "first",
    others: FloatArray | None = None,
) -> IntArray:
    """Return for each of ``rows`` the column of the model whose response is used, -1 = none.

    ``best``: highest reward (equation 2), and so ``consensus`` and ``base_likes``, whose rewards
    are agreement and likelihood; ``worst``: lowest; ``random``: uniform over the models that
    answered; ``top5_random``: uniform over the five best-rewarded; ``model:NAME``: that one.

    Of equal rewards ``ties`` decides: ``draw`` by id, model's name and seed; ``judges`` by
    ``others`` (the other judges' word, shape (n, m), more is better) and ``larger`` by the model's
    size, then by draw; ``first`` by the model's ``order``, by name among models that are only
    guessed. Draws depend on the id, the seed and (for ``random``) that order only.
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
    keys = seeded_keys(hashes[rows], seed)
    draws = uniform(seeded_keys(keys, 1))
    first = [] if policy == "random" else _first(ties, rewards.models, keys, others, rows)
    ranked = _ranked(values[:, order], able[:, order], policy, [key[:, order] for key in first])
    count = able.sum(axis=1)
    place = np.zeros(len(rows), dtype=np.int64)
    if policy in ("random", "top5_random"):
        most = count if policy == "random" else np.minimum(count, 5)
        place = (draws * most).astype(np.int64)
    chosen = order[ranked[np.arange(len(rows)), place]] if len(names) else place
    return np.where(count > 0, chosen, -1)


def tie_order(
    models: Sequence[Model],
    rows: IntArray,
    hashes: Keys,
    seed: int,
    ties: Ties,
    others: FloatArray | None = None,
) -> IntArray:
    """Return the columns of ``models`` per row in the order that equal answers are taken in.

    Shape (len(rows), m); the arguments are those of :func:`choose_answers`.
    """
    order = np.array(sorted(range(len(models)), key=lambda j: _place(models[j])), dtype=np.int64)
    first = _first(ties, models, seeded_keys(hashes[rows], seed), others, rows)
    if not first or not len(models):
        return np.tile(order, (len(rows), 1))
    return order[np.lexsort(tuple(key[:, order] for key in reversed(first)), axis=1)]


def count_ties(values: FloatArray, able: BoolArray, chosen: IntArray) -> IntArray:
    """Return how many usable answers have the chosen one's reward, itself included, shape (n,).

    1: it stands alone; 0: none is chosen, or the chosen one has no reward. ``values`` and ``able``
    have shape (n, m).
    """
    if not values.shape[1]:
        return np.zeros(len(values), dtype=np.int64)
    own = np.where(chosen >= 0, values[np.arange(len(values)), chosen], np.nan)
    same = able & (values == own[:, None])
    return np.asarray(same.sum(axis=1), dtype=np.int64)


def _place(model: Model) -> tuple[float, str]:
    """Where a model stands among others: as somebody said, else by name.

    The order in which a file happens to name models that nobody described says nothing.
    """
    said = model.source in ("table", "known")
    return (model.order if said else math.inf, model.name)


def _first(
    ties: Ties,
    models: Sequence[Model],
    keys: Keys,
    others: FloatArray | None,
    rows: IntArray,
) -> list[FloatArray]:
    """Keys (len(rows), m) that put equal rewards in order, lower first, the weightiest first."""
    if ties == "first":
        return []
    shape = (len(keys), len(models))
    names = id_hashes(np.array([m.name for m in models], dtype=object))
    drawn = np.empty(shape)
    for j, name in enumerate(names.tolist()):
        drawn[:, j] = uniform(seeded_keys(keys, name))
    if ties == "judges" and others is not None:
        return [-np.nan_to_num(others[rows], nan=-np.inf), drawn]
    if ties == "larger":
        sizes = [-math.inf if m.size_b is None else m.size_b for m in models]
        return [np.broadcast_to(-np.array(sizes, dtype=np.float64), shape), drawn]
    return [drawn]


def _ranked(
    values: FloatArray, able: BoolArray, policy: str, first: Sequence[FloatArray]
) -> IntArray:
    """Order the columns of each row: usable ones first, best (or worst) first, then as ``first``.

    The lowest of several keys decides before the next; what is equal in all stays in its order.
    """
    sign = {"random": 0.0, "worst": 1.0}.get(policy, -1.0)
    key = np.where(able, sign * np.nan_to_num(values), np.inf)
    if not first:
        return np.argsort(key, axis=1, kind="stable")
    return np.lexsort((*reversed(first), key), axis=1)
