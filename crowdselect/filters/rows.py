"""Filters by what a row has: notes, the data's own columns, selections, and its rewards.

They are registered, not fields: a recipe that uses none of them keeps the id it always had.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from crowdselect.equal_texts import set_apart
from crowdselect.errors import InputError
from crowdselect.filters.base import Filter, Mask, Numbers, Rows
from crowdselect.options import Frozen

Mark = Literal["pinned", "banned", "tagged", "commented", "answered", "reviewed"]
MARKS: tuple[Mark, ...] = get_args(Mark)


class Own(Frozen):
    """Keep rows whose column of the data has one of ``values``, or lies in ``[low, high]``."""

    column: str
    values: tuple[str, ...] = ()
    """As they are written; an empty text: the row has none."""
    low: float | None = None
    high: float | None = None

    @classmethod
    def from_text(cls, text: str) -> Own:
        """Read ``COLUMN=VALUE`` or, of numbers, ``COLUMN=LOW..HIGH``; raises InputError."""
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not name:
            raise InputError(
                f"{text!r} names no column and value.",
                "Write COLUMN=VALUE, such as language=en, or COLUMN=LOW..HIGH for numbers.",
            )
        low, dots, high = (part.strip() for part in value.partition(".."))
        if dots and (low or high) and _number(low) is not None and _number(high) is not None:
            low_side, high_side = (float(v) if v else None for v in (low, high))
            return cls(column=name, low=low_side, high=high_side)
        return cls(column=name, values=(value,))


def _number(text: str) -> float | None:
    """An empty text is no bound, and so a number all the same."""
    try:
        return float(text or 0)
    except ValueError:
        return None


def _keeps(wanted: Own, rows: Rows) -> Mask:
    found = rows.own(wanted.column)
    if found.dtype == object:
        import pandas as pd  # here: every command reads this module, few ask this

        if wanted.low is not None or wanted.high is not None:
            raise InputError(
                f"The column {wanted.column!r} holds text, which has no range.",
                f"Give one of its values: {wanted.column}=VALUE.",
            )
        return np.asarray(pd.Series(found).fillna("").isin(wanted.values))
    kept = _among(found, wanted) if wanted.values else ~np.isnan(found)
    if wanted.low is not None:
        kept &= found >= wanted.low
    if wanted.high is not None:
        kept &= found <= wanted.high
    return np.asarray(kept)


def _among(found: Numbers, wanted: Own) -> Mask:
    """Rows of numbers that equal one of the texts."""
    numbers = []
    for text in filter(None, wanted.values):
        number = _number(text)
        if number is None:
            raise InputError(
                f"The column {wanted.column!r} holds numbers, {text!r} is none.",
                f"Give a number, or a range: {wanted.column}=LOW..HIGH.",
            )
        numbers.append(number)
    kept = np.isin(found, numbers)
    return kept | np.isnan(found) if "" in wanted.values else kept


def _other_data(wanted: Sequence[Own], rows: Rows) -> dict[str, Mask]:
    """Of several conditions on one column any is enough; every column must be met."""
    kept: dict[str, Mask] = {}
    for one in wanted:
        found = _keeps(one, rows)
        kept[one.column] = kept[one.column] | found if one.column in kept else found
    return {f"column {column}": ~mask for column, mask in kept.items()}


def _marked(marks: Sequence[str], rows: Rows) -> Mask:
    out: Mask = np.logical_or.reduce([rows.marked(mark) for mark in marks])
    return out


def _selected(selections: Sequence[str], rows: Rows) -> Mask:
    out: Mask = np.logical_or.reduce([rows.selected(each) for each in selections])
    return out


def _not_drafted(where: str, rows: Rows) -> dict[str, Mask]:
    drafted = rows.drafted()
    return {"draft": ~drafted if where == "in" else drafted}


def _agreeing(most: float, rows: Rows) -> dict[str, Mask]:
    agreement = rows.agreement()
    return {"agreement of judges": np.isnan(agreement) | (agreement > most)}


def _good_enough(bound: float, rows: Rows) -> dict[str, Mask]:
    """A row without any reward has no good answer either."""
    return {"best reward": rows.column("best_reward") >= bound}


def _other_rewards(which: str, rows: Rows) -> dict[str, Mask]:
    missing = rows.missing_rewards()
    return {"missing rewards": missing == 0 if which == "missing" else missing > 0}


def _several(name: str, **said: Any) -> Filter:
    """A filter that takes several texts."""
    return Filter(**{"name": name, "type": tuple[str, ...], "default": (), **said})


OF_ROWS = (
    _several(
        "marked",
        type=tuple[Mark, ...],
        help="People marked it so, in one of these ways",
        one=f"Only rows that people marked so: {', '.join(MARKS)}; repeatable",
        label="Marked as",
        chip="{}",
        needs="notes",
        group="Notes",
        leaves_out=lambda marks, rows: {"mark": ~_marked(marks, rows)},
    ),
    _several(
        "unmarked",
        type=tuple[Mark, ...],
        help="Nobody marked it so, in any of these ways",
        one=f"Only rows that nobody marked so: {', '.join(MARKS)}; repeatable",
        label="Not marked as",
        chip="not {}",
        needs="notes",
        group="Notes",
        leaves_out=lambda marks, rows: {"mark to avoid": _marked(marks, rows)},
    ),
    _several(
        "tags",
        help="A tag that people gave it; one of these is enough",
        one="Only rows with this tag that people gave; repeatable",
        label="Tagged",
        flag="--tagged",
        chip="tagged {}",
        needs="notes",
        group="Notes",
        leaves_out=lambda tags, rows: {"tag": ~rows.tagged(tags)},
    ),
    _several(
        "tags_to_avoid",
        help="Has none of these tags from people",
        one="No row with this tag that people gave; repeatable",
        label="Not tagged",
        flag="--not-tagged",
        chip="not tagged {}",
        needs="notes",
        group="Notes",
        leaves_out=lambda tags, rows: {"tag to avoid": rows.tagged(tags)},
    ),
    _several(
        "authors",
        help="One of these people left a note on it",
        one="Only rows on which this person left a note; repeatable",
        label="Noted by",
        flag="--noted-by",
        chip="noted by {}",
        needs="notes",
        group="Notes",
        leaves_out=lambda names, rows: {"author": ~rows.noted_by(names)},
    ),
    _several(
        "scorer_tags",
        help="A tag that a model gave it; people's tags are apart",
        one="Only rows with this tag that a model gave; repeatable",
        label="Tagged by a model",
        flag="--model-tagged",
        chip="tagged {} by a model",
        needs="data",
        group="Data",
        leaves_out=lambda tags, rows: {"tag of a model": ~rows.scorer_tagged(tags)},
    ),
    Filter(
        name="own",
        type=tuple[Own, ...],
        default=(),
        help="Columns of the data",
        one="COLUMN=VALUE, or COLUMN=LOW..HIGH of numbers, of the data's own columns; repeatable",
        label="Column of the data",
        flag="--where",
        chip="{}",
        needs="data",
        group="Data",
        parse=Own.from_text,
        leaves_out=_other_data,
    ),
    Filter(
        name="held_out",
        type=int | None,
        default=None,
        low=1,
        help="So many instructions are kept apart for testing; which, follows from the texts alone",
        label="Kept apart for testing",
        chip="{} kept apart for testing",
        needs="texts",
        group="Data",
        leaves_out=lambda count, rows: {"kept for testing": set_apart(rows.texts(), count)},
    ),
    Filter(
        name="rewards",
        type=Literal["missing", "complete"] | None,
        default=None,
        help="missing: a model lacks a reward from the recipe's judge; complete: none does",
        label="Rewards",
        choices=("missing", "complete"),
        chip="rewards {}",
        needs="judges",
        group="Numbers",
        leaves_out=_other_rewards,
    ),
    Filter(
        name="best_below",
        type=float | None,
        default=None,
        help="Even the best answer's reward is below this, by the recipe's judge",
        label="Best answer's reward below",
        chip="best answer below {}",
        group="Numbers",
        leaves_out=_good_enough,
    ),
    Filter(
        name="judges_apart",
        type=float | None,
        default=None,
        low=-1,
        high=1,
        help="Judges order its answers differently: their rank correlation is at most this",
        label="Agreement of the judges at most",
        chip="judges agree up to {}",
        needs="judges",
        group="Numbers",
        leaves_out=_agreeing,
    ),
    _several(
        "selections",
        help="In one of these saved selections",
        one="Only rows of this saved selection; repeatable",
        label="In a saved selection",
        flag="--in-selection",
        chip="in {}",
        needs="selections",
        group="Selections",
        leaves_out=lambda keys, rows: {"selection": ~_selected(keys, rows)},
    ),
    _several(
        "selections_to_avoid",
        help="In none of these saved selections",
        one="No row of this saved selection; repeatable",
        label="Not in a saved selection",
        flag="--not-in-selection",
        chip="not in {}",
        needs="selections",
        group="Selections",
        leaves_out=lambda keys, rows: {"selection to avoid": _selected(keys, rows)},
    ),
    Filter(
        name="draft",
        type=Literal["in", "out"] | None,
        default=None,
        help="Whether the draft selects it",
        label="The draft",
        choices=("in", "out"),
        flag=None,
        chip="{} the draft",
        needs="draft",
        group="Selections",
        looks=True,
        leaves_out=_not_drafted,
    ),
)
