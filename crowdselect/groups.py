"""What a person makes of the clusters: merged, split, renamed, and with a share of their own.

An edit is one line of text, the same in a recipe, on the command line, in a link and in Python.
Each sees the clusters as the edits before it left them, numbered 0 to k - 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from crowdselect.errors import InputError
from crowdselect.options import Option

Labels = npt.NDArray[np.int64]
Split = Callable[[Labels, int], Labels]
"""(rows, parts) -> part of each of the rows, 0 = the largest."""
FORMS = (
    "merge 0 3",
    "split 2 into 3",
    "rename 1 to Poetry",
    "weight 2 at 0.5",
    "cap 3 at 50",
    "exclude 4",
)
"""An example of every edit."""
EDITS = Option(
    one=f"Change of the clusters, in order: {', '.join(FORMS)}; repeatable", flag="--cluster-edit"
)
"""The option of a recipe; each line sees the clusters as those before it left them."""
_EDIT = re.compile(
    r"(?P<merge>merge(?: \d+){2,})|(?P<split>split \d+ into \d+)|(?P<rename>rename \d+ to \S.*)"
    r"|(?P<weight>weight \d+ at [\d.]+)|(?P<cap>cap \d+ at \d+)|(?P<exclude>exclude \d+)"
)
_LONGEST_NAME = 80
MOST_PARTS = 50
LARGEST_WEIGHT = 1e6


@dataclass(frozen=True)
class Groups:
    """Clusters as edits left them."""

    labels: Labels
    """Shape (n,): 0 to k - 1, -1 = unclustered."""
    names: tuple[str, ...]
    weights: dict[int, float] = field(default_factory=dict)
    """Label -> how large its share is beside the others'; 1 where it is not here."""
    caps: dict[int, int] = field(default_factory=dict)
    """Label -> how many are taken at most; 0: it is left out."""
    unnamed: frozenset[int] = frozenset()
    """Clusters that edits made and that nobody named yet."""


def leaves_out(edits: Sequence[str]) -> bool:
    """Tell whether the edits exclude a cluster, which can be known only where there are some."""
    return any(edit.startswith("exclude") or edit.endswith(" at 0") for edit in edits)


def check_edits(edits: Iterable[str]) -> tuple[str, ...]:
    """The edits with single spaces; raises ValueError for a line that is none."""
    found = []
    for edit in edits:
        line = " ".join(str(edit).split())
        if _EDIT.fullmatch(line) is None:
            raise ValueError(f"{line!r} is no edit of clusters; write it like: {'; '.join(FORMS)}")
        found.append(line)
    return tuple(found)


def apply_edits(groups: Groups, edits: Sequence[str], split: Split) -> Groups:
    """``groups`` after every edit in turn; raises InputError for one that cannot be done."""
    for edit in edits:
        verb, numbers, said = _read(edit)
        _check(groups, edit, numbers if verb == "merge" else numbers[:1])
        if verb == "merge":
            groups = _merged(groups, sorted(set(numbers)))
        elif verb == "split":
            groups = _split(groups, numbers[0], numbers[1], split, edit)
        elif verb == "rename":
            names = list(groups.names)
            names[numbers[0]] = said[:_LONGEST_NAME]
            rest = groups.unnamed - {numbers[0]}
            groups = replace(groups, names=tuple(names), unnamed=rest)
        elif verb == "weight":
            groups = replace(groups, weights=groups.weights | {numbers[0]: _weight(said, edit)})
        else:
            most = numbers[1] if verb == "cap" else 0
            groups = replace(groups, caps=groups.caps | {numbers[0]: most})
    return groups


def _read(edit: str) -> tuple[str, list[int], str]:
    """Verb, the numbers, and what stands after ``to`` or ``at``."""
    verb, _, rest = edit.partition(" ")
    if verb in ("rename", "weight"):
        label, _, said = re.split(r" (to|at) ", rest, maxsplit=1)
        return verb, [int(label)], said
    return verb, [int(n) for n in re.findall(r"\d+", rest)], ""


def _weight(said: str, edit: str) -> float:
    try:
        weight = float(said)
    except ValueError:
        weight = math.inf
    if weight <= LARGEST_WEIGHT:
        return weight
    raise InputError(
        f"The edit {edit!r} gives no usable weight.", f"Give 0 to {LARGEST_WEIGHT:,.0f}."
    )


def _check(groups: Groups, edit: str, labels: Sequence[int]) -> None:
    k = len(groups.names)
    wrong = next((label for label in labels if label >= k), None)
    if wrong is not None:
        raise InputError(
            f"The edit {edit!r} names the cluster {wrong}, and there are 0 to {k - 1}.",
            "Take the edit back, or ask for as many clusters as it was made for.",
        )


def _merged(groups: Groups, labels: list[int]) -> Groups:
    """One cluster of several, at the place of the first; those after the others move up."""
    first, gone = labels[0], labels[1:]
    kept = [label for label in range(len(groups.names)) if label not in gone]
    place = np.full(len(groups.names) + 1, -1, dtype=np.int64)  # the last stands for -1
    place[kept] = np.arange(len(kept))
    place[gone] = first
    number = {label: int(place[label]) for label in kept if label != first}
    return Groups(
        labels=place[groups.labels],
        names=tuple(groups.names[label] for label in kept),
        weights={number[k]: v for k, v in groups.weights.items() if k in number},
        caps={number[k]: v for k, v in groups.caps.items() if k in number},
        unnamed=frozenset({first, *(number[k] for k in groups.unnamed if k in number)}),
    )


def _split(groups: Groups, label: int, parts: int, split: Split, edit: str) -> Groups:
    """The largest part keeps the number; the others come after all clusters."""
    rows = np.flatnonzero(groups.labels == label)
    if not 2 <= parts <= min(MOST_PARTS, len(rows)):
        raise InputError(
            f"The edit {edit!r} cannot be done with {len(rows):,} instructions.",
            f"Split into 2 to {max(2, min(MOST_PARTS, len(rows)))} parts.",
        )
    own = split(rows, parts)
    k = len(groups.names)
    labels = groups.labels.copy()
    labels[rows] = np.where(own == 0, label, own + k - 1)
    made = int(own.max()) + 1  # texts that are all equal cannot be parted
    return Groups(
        labels=labels,
        names=groups.names + tuple(f"{groups.names[label]} {i + 1}" for i in range(1, made)),
        weights={k: v for k, v in groups.weights.items() if k != label},
        caps={k: v for k, v in groups.caps.items() if k != label},
        unnamed=groups.unnamed | {label, *range(k, k + made - 1)},
    )
