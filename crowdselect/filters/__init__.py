"""Filters: which rows may be selected at all or are listed, each declared once.

A field of :class:`Filters` says the type and the default, its :class:`Filter` the rest: what forms,
chips and the command line call it, what it needs to know, and which rows it leaves out. A filter
that is not among the fields is declared whole and registered (``FILTERS.add``); recipes that do not
use it keep their id. Those of :mod:`crowdselect.filters.rows` are of this kind.
"""

from crowdselect.filters.base import (
    CHANGING,
    EMBEDDED,
    GROUPS,
    NEEDS,
    Filter,
    Mask,
    Numbers,
    Rows,
)
from crowdselect.filters.fields import FILTERS, Filters, Range, left_out
from crowdselect.filters.rows import MARKS, OF_ROWS, Own

for _declared in OF_ROWS:
    FILTERS.add(_declared)

__all__ = [
    "CHANGING",
    "EMBEDDED",
    "FILTERS",
    "GROUPS",
    "MARKS",
    "NEEDS",
    "Filter",
    "Filters",
    "Mask",
    "Numbers",
    "Own",
    "Range",
    "Rows",
    "left_out",
]
