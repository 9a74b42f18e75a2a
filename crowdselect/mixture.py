r"""A mixture: shares by a column of the data, such as language or source, instead of by clusters.

It is one line of text, the same in a recipe, on the command line, in a link and in Python:
``language`` (an equal share of every value) or ``language: en=0.7, de=0.3``. A value with a comma,
an equals sign or quotes stands in double quotes, ``\`` before a quote inside.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from crowdselect.options import Option

MIX = Option(
    help="Shares by a column of the data instead of clusters: COLUMN, or COLUMN: VALUE=SHARE, ...",
    one="Shares by a column instead of clusters: language, or 'language: en=0.7, de=0.3'",
    label="Shares by",
)
_WORD = r'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^",=:]+?))\s*'
_COLUMN = re.compile(_WORD + r"(?::(?P<rest>.*))?", re.DOTALL)
_NUMBER = r"=\s*(?P<share>[\d.]+(?:e[-+]?\d+)?)\s*%?\s*(?:,|$)"
_SHARE = re.compile(_WORD.replace(":]", "]") + _NUMBER)


@dataclass(frozen=True)
class Mix:
    """The column and, by value, how large its share is beside the others'."""

    column: str
    shares: Mapping[str, float] = field(default_factory=dict)
    """Empty: an equal share of every value; else values that are not here get none."""

    @property
    def text(self) -> str:
        """What :meth:`read` reads."""
        return _quoted(self.column, ":") + (f": {self.shares_text}" if self.shares else "")

    @property
    def shares_text(self) -> str:
        """The part behind the column; empty: equal shares."""
        return ", ".join(f"{_quoted(value)}={share:.12g}" for value, share in self.shares.items())

    @classmethod
    def read(cls, text: str) -> Mix:
        """The mixture that ``text`` says; raises ValueError for one that cannot be."""
        found = _COLUMN.fullmatch(text)
        if found is None:
            raise ValueError(_wrong(text))
        shares: dict[str, float] = {}
        rest, at = found["rest"] or "", 0
        while rest[at:].strip():
            part = _SHARE.match(rest, at)
            if part is None or _value(part) in shares:
                raise ValueError(_wrong(rest[at:].strip()))
            shares[_value(part)] = _share(part["share"])
            at = part.end()
        if shares and not any(shares.values()):
            raise ValueError("a mixture needs a share above 0")
        return cls(_value(found), shares)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.inf
    if not share <= 1e6:
        raise ValueError(f"{text!r} is no share; give a number such as 0.7")
    return share


def _value(found: re.Match[str]) -> str:
    if found["quoted"] is not None:
        return re.sub(r"\\(.)", r"\1", found["quoted"])
    return found["plain"]


def _quoted(word: str, more: str = "") -> str:
    if word and word == word.strip() and not set(word) & set('",=\\' + more):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _wrong(text: str) -> str:
    return f"{text!r:.60} is no mixture; write COLUMN, or COLUMN: VALUE=SHARE, VALUE=SHARE"


def check_mix(text: str) -> str:
    """The mixture as it is written everywhere; empty: none. Raises ValueError."""
    return Mix.read(text).text if text.strip() else ""
