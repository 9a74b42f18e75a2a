"""A datamodel: what a model learns from a subset, as a linear function of what the subset is like.

After Ilyas et al. 2022 (arXiv 2202.00622), with a subset's mean metrics in place of who is in it:
dozens of small runs instead of hundreds of thousands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crowdselect.pipeline.study.tuning import (
    Levels,
    Tune,
    feature_names,
    fields_of,
    level_features,
    levels_of,
)
from crowdselect.values import FloatArray

_ALPHAS = np.logspace(-2, 4, 13)
_FOLDS = 5


@dataclass(frozen=True)
class Datamodel:
    """A ridge regression of the score on a subset's features."""

    coefficients: Mapping[str, float]
    """Feature -> change of the score per unit of the feature."""
    correlation: float
    """Of held-out subsets' scores with what the others predict of them; NaN: they are all alike."""
    r_squared: float
    """The same as explained variance; below 0 it predicts worse than the mean."""


def fit(features: FloatArray, scores: FloatArray, names: Sequence[str], seed: int) -> Datamodel:
    """Fit ``scores`` (K,) to ``features`` (K, p).

    The penalty is chosen by leaving one out inside of each of five outer folds, so what is said of
    held-out subsets saw none of them.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    ridge = make_pipeline(StandardScaler(), RidgeCV(alphas=_ALPHAS))
    folds = KFold(min(_FOLDS, len(scores)), shuffle=True, random_state=seed)
    predicted = cross_val_predict(ridge, features, scores, cv=folds)
    spread = float(np.sum((scores - scores.mean()) ** 2))
    r_squared = 1 - float(np.sum((scores - predicted) ** 2)) / spread if spread else float("nan")
    told = spread > 0 and float(np.std(predicted)) > 0
    correlation = float(np.corrcoef(scores, predicted)[0, 1]) if told else float("nan")
    ridge.fit(features, scores)
    per_unit = ridge[-1].coef_ / ridge[0].scale_
    found = {name: float(value) for name, value in zip(names, per_unit, strict=True)}
    return Datamodel(found, correlation, r_squared)


def subsets(tune: Tune, recipe: Mapping[str, Any]) -> list[tuple[Levels, dict[str, Any]]]:
    """The tilted subsets to train on: the levels of each, and its recipe's fields.

    Levels come up equally often; the weights of each are a random direction.
    """
    random = np.random.default_rng(tune.seed)
    levels = levels_of(tune, recipe)
    order = [levels[i % len(levels)] for i in random.permutation(tune.runs)]
    directions = random.normal(size=(tune.runs, len(tune.metrics)))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    found = []
    for chosen, direction in zip(order, np.round(directions, 3).tolist(), strict=True):
        weights = dict(zip(tune.metrics, direction, strict=True))
        found.append((chosen, fields_of(chosen, weights, tune.tilt)))
    return found


def candidates(tune: Tune, recipe: Mapping[str, Any], model: Datamodel) -> list[dict[str, Any]]:
    """Recipes that the model finds best, at most ``tune.finalists``, the best first.

    For each combination of levels, best first: the top rows by the coefficients as weights, and a
    draw as tilted as the subsets were, for which nothing is extrapolated.
    """
    most = max(abs(model.coefficients[name]) for name in tune.metrics) or 1.0
    weights = {name: round(model.coefficients[name] / most, 3) + 0.0 for name in tune.metrics}
    names = feature_names(tune, recipe)[len(tune.metrics) :]
    effects = [model.coefficients[name] for name in names]

    def effect(levels: Levels) -> float:
        return float(np.dot(level_features(tune, recipe, levels), effects))

    best = sorted(levels_of(tune, recipe), key=effect, reverse=True)
    found = [fields_of(levels, weights, tilt) for levels in best for tilt in (None, tune.tilt)]
    return found[: tune.finalists]
