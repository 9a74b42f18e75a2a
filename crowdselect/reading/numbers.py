"""Numbers that are written as text: points or commas before the decimals."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Literal

Decimal = Literal["point", "comma", "unclear"]

_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")

VERDICTS = {
    **dict.fromkeys(("true", "yes", "pass", "passed", "correct"), 1.0),
    **dict.fromkeys(("false", "no", "fail", "failed", "incorrect"), 0.0),
}
"""Words in small letters that judge an answer, and what they count as."""


def decimal_mark(texts: Iterable[str]) -> Decimal:
    """Tell how a column writes decimals, from all of its values.

    ``unclear``: every comma could part thousands (``1,234``), or points and commas both occur.
    """
    commas, points, thousands = 0, 0, 0
    for text in map(str.strip, texts):
        commas += bool(_COMMA.fullmatch(text))
        thousands += bool(_THOUSANDS.fullmatch(text))
        points += "." in text and number(text) is not None
    if not commas and not thousands:
        return "point"
    return "comma" if not points and commas > thousands else "unclear"


def number(text: str, decimal: Decimal = "point") -> float | None:
    """Return ``text`` as a number, or None where it is none (infinite and NaN included)."""
    given = text.strip()
    if decimal == "comma":
        given = given.replace(",", ".") if _COMMA.fullmatch(given) else given
    if "_" in given:  # Python reads 1_000, people do not write it
        return None
    try:
        value = float(given)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
