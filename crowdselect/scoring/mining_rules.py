"""Instruction Mining: a linear rule over indicator columns predicts the loss after training."""

from __future__ import annotations

from crowdselect.values import FloatArray


def instruction_mining_v1(reward: FloatArray, length: FloatArray, knn6: FloatArray) -> FloatArray:
    """Return the predicted log evaluation loss, rule of the paper's first version; lower = better.

    Instruction Mining (arXiv 2307.06290 v1). ``reward``: OpenAssistant reward model; ``length``:
    tokens of the response; ``knn6``: distance to the sixth neighbour in SentenceBERT space; all
    shape (n,). The rule was fitted on means of whole data sets and for that reward model's scale.
    """
    return 1.0694 - 0.1498 * reward + 8.257e-5 * length - 0.9350 * knn6


def instruction_mining_v3(
    reward: FloatArray,
    understandability: FloatArray,
    naturalness: FloatArray,
    coherence: FloatArray,
) -> FloatArray:
    """Return the predicted log evaluation loss, rule of the third version; lower = better.

    Instruction Mining (arXiv 2307.06290 v3). The last three are UniEval dialogue scores; all shape
    (n,). The plus sign on understandability is as printed.
    """
    return (
        0.0274
        - 0.0078 * reward
        + 0.4421 * understandability
        - 0.3212 * naturalness
        - 0.1520 * coherence
    )
