"""Instruction-following difficulty: two losses of the same answer in, their ratio out."""

from __future__ import annotations

from typing import Literal

import numpy as np

from crowdselect.values import FloatArray

Ratio = Literal["loss", "perplexity"]


def ifd(conditioned: FloatArray, alone: FloatArray, ratio: Ratio = "loss") -> FloatArray:
    """Return IFD (Cherry, arXiv 2308.12032), shape (n,); higher = the instruction helps less.

    ``conditioned`` and ``alone`` are the mean token losses (nats) of the answer with and without
    its instruction, shape (n,). ``loss``: their quotient, as in Cherry; ``perplexity``:
    ``exp(conditioned - alone)``, as in Superfiltering (arXiv 2402.00530). The two order rows
    differently. From 1 on the instruction hurts. NaN where a loss is missing or not positive.
    """
    usable = (conditioned > 0) & (alone > 0)
    result = np.full(len(conditioned), np.nan)
    if ratio == "loss":
        np.divide(conditioned, alone, out=result, where=usable)
    else:
        np.exp(conditioned - alone, out=result, where=usable)
    return result
