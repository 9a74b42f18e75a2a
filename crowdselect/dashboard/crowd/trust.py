"""Which judge to trust: what each says, beside what can be checked, in words with the figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from crowdselect import audit
from crowdselect.dashboard import reads, shell
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.text import md, number, percent, plural
from crowdselect.pipeline import answers_of
from crowdselect.rules import REFERENCES
from crowdselect.store import Crowd
from crowdselect.values import BoolArray

WHAT = (
    "A judge is a model that gives every answer a number, the reward. Nothing here can tell "
    "whether it is right, but three things can be counted: whether its favourite is the answer "
    "that the data call right, whether other judges order answers alike, and whether length sways "
    "it."
)
SWAYED = 0.4
"""Mean rank correlation with length from which a judge is said to be swayed by it."""
FOLLOWS = 0.2
"""Difference of shares from which a favourite is said to follow the references."""


@cached(most=reads.KEPT_CROWDS, spinner="Looking at the judges' favourites")
def favourites(crowd: Crowd) -> pd.DataFrame | None:
    """Per judge the share of rows whose favourite equals the data's reference, and a random one's.

    ``judge``, ``right``, ``random`` in [0, 1], ``n`` rows. None: the data hold no reference.
    """
    own = crowd.extra_columns()
    name = next((c for c in own if c.casefold() in REFERENCES), None)
    if name is None:
        return None
    wanted = ["" if v is None else str(v).strip() for v in own[name].tolist()]
    rows = np.flatnonzero([bool(text) for text in wanted])
    rows = rows[:: max(1, -(-len(rows) // audit.SAMPLE_ROWS))]
    if not len(rows):
        return None
    drawn = _right(crowd, "random", None, rows, wanted)
    found = [
        (judge, _right(crowd, "best", judge, rows, wanted).mean(), drawn.mean(), len(rows))
        for judge in crowd.judges
    ]
    return pd.DataFrame(found, columns=["judge", "right", "random", "n"])


def _right(
    crowd: Crowd, policy: str, judge: str | None, rows: np.ndarray, wanted: list[str]
) -> BoolArray:
    """Whether the answer that a policy takes is the reference, per row."""
    columns = np.full(crowd.n, -1, dtype=np.int64)
    columns[rows] = answers_of(crowd, policy, judge).columns(rows, 0)
    texts = crowd.responses_of(columns)
    return np.array([(texts[r] or "").strip() == wanted[r] for r in rows.tolist()])


def show(crowd: Crowd, found: dict[str, pd.DataFrame]) -> None:
    """A sentence per judge; ``found`` is the audit's."""
    shell.heading("Which judge to trust", WHAT)
    right = favourites(crowd)
    for judge in crowd.judges:
        parts = [*_reference(right, judge), *_others(found["agreement"], judge)]
        parts += _length(found["length"], judge)
        st.markdown(f"**{md(judge)}**: {'; '.join(parts) or 'nothing can be counted'}.")
    if right is None:
        st.caption(
            "The data hold no right answers (a column such as reference), so no judge can be "
            "checked against them: read some answers that two judges order differently (filter: "
            "judges disagree)."
        )


def _reference(right: pd.DataFrame | None, judge: str) -> list[str]:
    if right is None:
        return []
    line = right[right["judge"] == judge].iloc[0]
    gain = line["right"] - line["random"]
    said = "it knows right from wrong" if gain > FOLLOWS else "it hardly tells right from wrong"
    of = f"{percent(line['right'])} of {plural(int(line['n']), 'instruction')}"
    drawn = f"a random answer: {percent(line['random'])}"
    return [f"its favourite is the data's own answer in {of} ({drawn}), so {said}"]


def _others(matrix: pd.DataFrame, judge: str) -> list[str]:
    others = [other for other in matrix.columns if other != judge]
    if not others:
        return []
    mean = float(matrix.loc[[judge], others].to_numpy(dtype=np.float64).mean())
    if mean != mean:
        return []
    return [f"its order of answers correlates with the other judges' by {number(mean, 2)} (ranks)"]


def _length(frame: pd.DataFrame, judge: str) -> list[str]:
    rho = float(frame.loc[frame["judge"] == judge, "rho"].mean()) if len(frame) else float("nan")
    if rho != rho:
        return []
    swayed = "swayed by length" if abs(rho) > SWAYED else "not swayed by length"
    return [f"it is {swayed} ({number(rho, 2)})"]
