"""IFD's mathematics (arXiv 2308.12032): losses of an answer with and without its instruction."""

from __future__ import annotations

from typing import Literal

import numpy as np

from crowdselect.values import FloatArray

Ratio = Literal["loss", "perplexity"]


def ifd(conditioned: FloatArray, alone: FloatArray, ratio: Ratio = "loss") -> FloatArray:
    """Instruction-following difficulty; higher = the instruction helps less.

    ``loss``: mean token loss of the answer given the instruction over that of the answer alone
    (Cherry). ``perplexity``: the ratio of perplexities, ``exp(l_c - l_a)`` (Superfiltering). The
    two order rows differently.

    Parameters
    ----------
    conditioned, alone
        Shape (n,), nats per token. NaN, or an ``alone`` of 0 with ``loss``, gives NaN.
    """
    if ratio == "perplexity":
        return np.asarray(np.exp(conditioned - alone), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = conditioned / alone
    return np.where(alone > 0, quotient, np.nan)
