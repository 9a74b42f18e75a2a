"""Calculation: whether an instruction asks for one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.metrics.base import MetricInputs, Need, texts_of
from crowdselect.values import FloatArray

CALCULATION = re.compile(
    r"""
    \d\s*[-+*/×÷^]\s*\d            # a digit, an operator, a digit: 3 + 4, 12/5, 2^10
  | \d\s*%                         # 15 %
  | =\s*[-?\d(]                    # = 7, = ?
  | \b(?:calculat|comput)(?:e|es|ed|ing|ion)\b
  | \b(?:sum|product|difference|quotient|square\s+root|average|mean|median)\s+of\b
  | \b(?:percent(?:age)?|equations?|arithmetic|solve\s+for|how\s+(?:much|many))\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Ours: SelectIT (arXiv 2402.16705) reports the share but not its detector. Dates written with
``-`` or ``/`` and ``how many`` questions count as well; compare shares, not single rows."""


def is_calculation(text: str) -> bool:
    """Tell whether ``text`` matches :data:`CALCULATION`."""
    return CALCULATION.search(text) is not None


def calc_share(texts: Iterable[str]) -> float:
    """Return the share of ``texts`` that ask for a calculation, in [0, 1]; NaN for none."""
    flags = [is_calculation(text) for text in texts]
    return sum(flags) / len(flags) if flags else float("nan")


@dataclass(frozen=True)
class CalcShare:
    """1 where the instruction asks for a calculation, else 0; its mean is the share."""

    name: ClassVar[str] = "calc_share"
    title: ClassVar[str] = "Calculation"
    direction: ClassVar[str] = "1 = asks for a calculation"
    ends: ClassVar[tuple[str, str]] = ("no calculation", "calculation")
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = "0 or 1"
    source: ClassVar[str] = "after SelectIT (arXiv 2402.16705); the detector is ours"
    needs: ClassVar[frozenset[Need]] = frozenset({"texts"})

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return 0 or 1 per instruction, shape (n,)."""
        texts = texts_of(inputs, self.name).instructions()
        return np.fromiter((is_calculation(t) for t in texts), dtype=np.float64, count=len(texts))

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        return f"It {'asks' if value else 'does not ask'} for a calculation."
