"""Saved selections against each other: overlap, what differs in recipe, clusters, responders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from crowdselect import pipeline
from crowdselect.charts.overlap_matrix import overlap_matrix
from crowdselect.charts.upset import upset
from crowdselect.dashboard import reads, shell, table
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.review import lists
from crowdselect.dashboard.select.draft import saved_rows
from crowdselect.dashboard.text import md, number
from crowdselect.pipeline import Comparison, SavedSelection
from crowdselect.store import Crowd
from crowdselect.values import IntArray


@cached(most=8, spinner="Comparing")
def _comparison(crowd: Crowd, ids: tuple[str, ...]) -> Comparison:
    return pipeline.compare(reads.workspace(), ids)


def combinations(sets: Sequence[IntArray]) -> dict[frozenset[int], int]:
    """How many rows are in exactly the sets of each combination."""
    members: dict[int, set[int]] = {}
    for i, rows in enumerate(sets):
        for row in rows.tolist():
            members.setdefault(row, set()).add(i)
    return dict(Counter(frozenset(m) for m in members.values()))


def show(crowd: Crowd, chosen: Sequence[SavedSelection]) -> None:
    """Figures and tables for two or more saved selections."""
    found = _comparison(crowd, tuple(s.id for s in chosen))
    names = [s.name for s in found.selections]
    rows = [saved_rows(crowd, s) for s in found.selections]
    p = shell.palette()
    left, right = st.columns(2)
    with left:
        shell.heading("Overlap", "Jaccard index: shared instructions over all of the two.")
        shell.plot(overlap_matrix(names, found.jaccard, p), "overlap", "Overlap of selections")
    with right:
        shell.heading("Shared by whom", "Instructions in exactly these selections.")
        shell.plot(upset(names, combinations(rows), p), "upset", "Sizes of the intersections")
    _table("What differs in the recipes", recipe_frame(found))
    left, right = st.columns(2)
    with left:
        _table("Clusters", cluster_frame(found))
    with right:
        _table("Answers trained on, by model", responder_frame(found))
    _only(crowd, found, chosen)


def _table(title: str, data: pd.DataFrame) -> None:
    shell.heading(title)
    if data.empty:
        st.caption("No difference.")
        return
    st.dataframe(data, hide_index=True, height=min(shell.rows_px(len(data)), 360), alt=title)


def recipe_frame(found: Comparison) -> pd.DataFrame:
    """One line per field that differs, one column per selection."""
    names = unique([s.name for s in found.selections])
    return pd.DataFrame(
        [
            {"field": field, **{n: words(v) for n, v in zip(names, values, strict=True)}}
            for field, values in found.recipe.items()
        ]
    )


def words(value: Any) -> str:
    """A recipe's value as one short text."""
    if isinstance(value, dict):
        parts = {k: v for k, v in value.items() if v not in (None, (), [], "")}
        return ", ".join(f"{k} {words(v)}" for k, v in parts.items()) or "none"
    if isinstance(value, list | tuple):
        return f"{len(value)} of them" if len(value) > 4 else ", ".join(map(words, value)) or "none"
    if isinstance(value, float):
        return number(value)
    return "default" if value is None else str(value)


def unique(names: Sequence[str]) -> list[str]:
    """Names as column titles: a repeated one gets a number."""
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result


def cluster_frame(found: Comparison) -> pd.DataFrame:
    """Counts per cluster: pool and each selection."""
    names = unique([s.name for s in found.selections])
    return pd.DataFrame(
        [
            {
                "cluster": c["name"],
                "pool": c["pool"],
                **dict(zip(names, c["selected"], strict=True)),
            }
            for c in found.clusters
        ]
    )


def responder_frame(found: Comparison) -> pd.DataFrame:
    """How many rows are trained on each model's answer, per selection."""
    names = unique([s.name for s in found.selections])
    models = list(dict.fromkeys(m for counts in found.responders for m in counts))
    return pd.DataFrame(
        [
            {"model": m, **{n: c.get(m, 0) for n, c in zip(names, found.responders, strict=True)}}
            for m in models
        ]
    )


def _only(crowd: Crowd, found: Comparison, chosen: Sequence[SavedSelection]) -> None:
    names = unique([s.name for s in found.selections])
    shell.heading("Only in one of them")
    if len(chosen) == 2:
        st.button(
            "List what they do not share",
            icon=":material/list:",
            on_click=lists.open_list,
            args=(chosen[0].id, chosen[1].id),
        )
    name = st.selectbox("Selection", names, key="only in")
    own = found.only[names.index(name)]
    if not own:
        st.caption(f"{md(name)} holds nothing that the others lack.")
        return
    only = crowd.rows(own)
    table.show(crowd, only, {}, name="only", height=300)
