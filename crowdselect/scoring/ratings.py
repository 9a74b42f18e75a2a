"""SelectIT's mathematics (arXiv 2402.16705): probabilities of the rating digits in, scores out.

Every function is vectorised over leading axes; NaN marks what could not be rated and never spreads
further than its own row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from crowdselect.values import BoolArray, FloatArray

Variant = Literal["uncertainty", "expected_rating"]
Profile = Literal["paper", "reference"]

MIN_DIGIT_MASS = 1e-6
"""Below this probability on all digits together a prompt counts as failed."""
REFERENCE_MODEL_WEIGHTS = (7 / 20, 13 / 20, 70 / 90)
"""The published code's weights of the 7B, 13B and 70B model; they do not add up to 1."""


def digit_shares(raw: FloatArray, profile: Profile = "paper") -> FloatArray:
    """Probabilities of the K levels, renormalised over the digits.

    Parameters
    ----------
    raw
        Shape (..., K): next-token probabilities of "1" .. "K". Where their sum (the digit mass) is
        below :data:`MIN_DIGIT_MASS` the result is NaN.
    profile
        ``reference`` applies a second softmax, as the published code does.
    """
    mass = raw.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(mass >= MIN_DIGIT_MASS, raw / mass, np.nan)
    if profile == "reference":
        powers = np.exp(shares)
        shares = powers / powers.sum(axis=-1, keepdims=True)
    return np.asarray(shares, dtype=np.float64)


def token_scores(shares: FloatArray, variant: Variant = "uncertainty") -> FloatArray:
    """Token-R: the most probable level, scaled by how sure the model is of it.

    ``S_token = S_base / (K - 1) * sum_i |P'_i - P'_base|`` with ``S_base = argmax P'`` in 1 .. K;
    of equally probable levels the lower counts (SelectIT section 3.1). 0 for a uniform
    distribution, S_base for a certain one. ``expected_rating`` is ``sum_k k P'_k`` instead
    (OpenDataArena's variant; not interchangeable).

    Parameters
    ----------
    shares
        Shape (..., K), rows that sum to 1 or NaN.
    """
    k = shares.shape[-1]
    if variant == "expected_rating":
        return np.asarray(shares @ np.arange(1, k + 1), dtype=np.float64)
    failed = np.asarray(np.isnan(shares).any(axis=-1))
    filled = np.where(failed[..., None], 0.0, shares)
    base = filled.argmax(axis=-1)
    top = np.take_along_axis(filled, base[..., None], axis=-1)
    spread = np.abs(filled - top).sum(axis=-1) / (k - 1)
    return np.where(failed, np.nan, (base + 1) * spread)


def sentence_scores(tokens: FloatArray, alpha: float = 0.2) -> FloatArray:
    """Sentence-R: mean of the prompts' token scores, damped by their disagreement.

    ``S_sent = mean / (1 + alpha * std)``, std with ddof 0 (SelectIT section 3.2).

    Parameters
    ----------
    tokens
        Shape (..., prompts); NaN = that prompt failed. Fewer than two valid prompts (or fewer
        than all, where there is only one) give NaN.
    """
    valid = ~np.isnan(tokens)
    count = valid.sum(axis=-1)
    enough = count >= min(2, tokens.shape[-1])
    filled = np.where(valid, tokens, 0.0)
    divisor = np.maximum(count, 1)
    mean = filled.sum(axis=-1) / divisor
    square = np.where(valid, (tokens - mean[..., None]) ** 2, 0.0).sum(axis=-1) / divisor
    return np.where(enough, mean / (1 + alpha * np.sqrt(square)), np.nan)


def model_weights(sizes: Sequence[float], profile: Profile = "paper") -> FloatArray:
    """Weights of the models in Model-R: proportional to their parameter counts, sum 1.

    ``reference`` gives three models the published code's weights. Raises ValueError for a size
    that is not positive, or for another number of models with ``reference``.
    """
    theta = np.asarray(sizes, dtype=np.float64)
    if profile == "reference":
        if len(theta) != len(REFERENCE_MODEL_WEIGHTS):
            raise ValueError("the reference weights are those of exactly three models")
        return np.array(REFERENCE_MODEL_WEIGHTS)
    if not (theta > 0).all():
        raise ValueError("every model needs a positive size")
    return np.asarray(theta / theta.sum(), dtype=np.float64)


def model_scores(sentences: FloatArray, weights: FloatArray) -> FloatArray:
    """Model-R: the weighted sum over models (SelectIT section 3.3); NaN where any model failed.

    Parameters
    ----------
    sentences
        Shape (models, n).
    weights
        Shape (models,).
    """
    return np.asarray(weights @ sentences, dtype=np.float64)


def top_share(scores: FloatArray, share: float) -> BoolArray:
    """Mask of the ``floor(n * share)`` best rows; of equal scores the earlier row counts."""
    keep = int(np.floor(len(scores) * share + 1e-9))
    order = np.lexsort((np.arange(len(scores)), -np.nan_to_num(scores, nan=-np.inf)))
    chosen = np.zeros(len(scores), dtype=np.bool_)
    chosen[order[:keep]] = True
    return chosen & ~np.isnan(scores)


def level_shares(
    levels: dict[str, FloatArray], final: FloatArray, share: float = 0.2
) -> dict[str, float]:
    """For each level: the part of its own best ``share`` that the final selection holds."""
    chosen = top_share(final, share)
    shares = {}
    for name, values in levels.items():
        own = top_share(values, share)
        shares[name] = float((own & chosen).sum() / max(own.sum(), 1))
    return shares
