"""What a movement of the controls does: who comes in, who leaves, and how the whole shifts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from crowdselect.charts.cut_line import cut_line
from crowdselect.charts.histogram_shift import histogram_shift
from crowdselect.charts.share_shift import share_shift
from crowdselect.dashboard import grades, reads, shell, table
from crowdselect.dashboard.colours import TIED
from crowdselect.dashboard.review import lists
from crowdselect.dashboard.select.draft import (
    overlap,
    random_rows,
    saved_of,
    saved_rows,
    step_before,
)
from crowdselect.dashboard.text import md, n_of_m, percent, plural, shorten
from crowdselect.selection import Outcome
from crowdselect.store import Crowd
from crowdselect.values import IntArray, Recipe

LISTED = 40
MOST_GROUPS = 14


def show(crowd: Crowd, recipe: Recipe) -> Outcome:
    """Figures, changes and shifts of the draft."""
    draft = reads.outcome(crowd, recipe)
    before = step_before(crowd, draft.rows)
    _figures(crowd, recipe, draft, before)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{n_of_m(len(draft.rows), draft.competing, 'eligible instructions')} selected; "
            f"the crowd has {crowd.n:,}."
        )
        if len(draft.rows):
            st.button("List the selected", icon=":material/list:", on_click=lists.open_list)
    if short := shortfall(recipe, draft):
        st.warning(short)
    if not len(draft.rows):
        st.warning("Nothing is selected: no instruction is eligible, or the budget is zero.")
        return draft
    said, warnings = grades.answer_warnings(crowd, recipe, draft.rows)
    if said:
        st.caption(said)
    for warning in warnings:
        st.warning(warning)
    _shifts(crowd, recipe, draft)
    _changes(crowd, draft, before)
    return draft


def shortfall(recipe: Recipe, draft: Outcome) -> str:
    """Why fewer are selected than the budget asks for; empty where it is met."""
    chosen = len(draft.rows)
    if not chosen or chosen >= draft.budget:
        return ""
    if chosen >= draft.competing:
        return (
            f"The budget is {draft.budget:,}, but only {draft.competing:,} can be chosen: loosen "
            "the filters, let a missing metric count as the middle (under More), or ask for fewer."
        )
    return (
        f"The strategy found {chosen:,} of the {draft.budget:,} that the budget asks for: the "
        "others are too alike, or lack what it goes by."
    )


def _figures(crowd: Crowd, recipe: Recipe, draft: Outcome, before: IntArray | None) -> None:
    come = 0 if before is None else len(np.setdiff1d(draft.rows, before))
    leave = 0 if before is None else len(np.setdiff1d(before, draft.rows))
    saved = saved_of(crowd)
    last = overlap(draft.rows, saved_rows(crowd, saved[0])) if saved else None
    chance = overlap(draft.rows, random_rows(crowd, recipe))
    with st.grid("auto", min_column_width=118, gap="small"):
        st.metric(
            "Selected",
            f"{len(draft.rows):,}",
            border=True,
            help=f"The crowd has {crowd.n:,} instructions; filters, bans and missing metrics "
            "decide who may compete.",
        )
        st.metric("Come in", f"{come:,}", border=True, help="Since the last movement")
        st.metric("Leave", f"{leave:,}", border=True, help="Since the last movement")
        st.metric(
            "vs. last saved",
            "\N{EN DASH}" if last is None else _share(last),
            border=True,
            help=f"Overlap (Jaccard index) with {md(saved[0].name)}"
            if saved
            else "Nothing is saved yet",
        )
        st.metric(
            "vs. random",
            _share(chance),
            border=True,
            help="Overlap (Jaccard index) with a seeded draw of the same size from the same rows",
        )
        st.metric(
            "Tie at the cut",
            f"{draft.tie_size:,}",
            border=True,
            help=f"Rows that share the score at a cut; {draft.tie_taken.sum():,} of them are in, "
            "drawn by a seeded hash",
        )


def _share(share: float) -> str:
    """Whole per cent, and a digit more where they would say nothing."""
    return percent(share, 1 if 0 < share < 0.1 else 0)


def _shifts(crowd: Crowd, recipe: Recipe, draft: Outcome) -> None:
    p = shell.palette()
    grid = st.grid(2, gap="medium", min_column_width=300)
    with grid.container():
        st.markdown("**Length**")
        edges, pool, chosen = length_histogram(crowd, draft.rows)
        fig = histogram_shift(edges, pool, chosen, "characters per instruction", p, log=True)
        shell.plot(fig, "shift length", "Instruction length in the pool and in the selection")
    with grid.container():
        st.markdown("**Best model**")
        labels, pool, chosen = best_models(crowd, recipe, draft.rows)
        fig = share_shift(labels, pool, chosen, p)
        shell.plot(fig, "shift model", "Best model in the pool and in the selection")
    names = cluster_names(crowd, recipe)
    with grid.container():
        st.markdown("**Clusters**")
        if names:
            labels, pool, chosen = clusters(crowd, recipe, draft.rows)
            fig = share_shift(labels, pool, chosen, p)
            shell.plot(fig, "shift cluster", "Clusters in the pool and in the selection")
        else:
            st.caption("No clusters: the best scores are taken from everywhere.")
    with grid.container():
        st.markdown("**The cut**")
        if recipe.strategy == "crowdselect":
            shell.plot(
                cut_line(cut_frame(crowd, recipe, draft, names), p), "cut", "Scores at the cut"
            )
        else:
            st.caption(f"{plural(draft.tie_size, 'row')} tie at the cut of this strategy.")


def length_histogram(crowd: Crowd, rows: IntArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges (characters, spaced evenly in the logarithm) and counts of pool and selection."""
    values = reads.instruction_chars(crowd)
    low = max(values.min(initial=np.inf), 1.0) if len(values) else 1.0
    high = max(values.max(initial=0.0), low + 1.0)
    edges = np.geomspace(low, high * 1.001, 31)
    clipped = np.maximum(values, low)
    pool = np.histogram(clipped, edges)[0].astype(float)
    return edges, pool, np.histogram(clipped[rows], edges)[0].astype(float)


def best_models(
    crowd: Crowd, recipe: Recipe, rows: IntArray
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Model names with counts in the pool and in the selection, the most frequent first.

    Rows on which several models share the best reward are a group of their own.
    """
    judge = reads.judge_of(crowd, recipe)
    names = [m.name for m in crowd.models]
    if judge is None:
        return [], np.zeros(0), np.zeros(0)
    best = np.where(reads.best_ties(crowd, judge) > 1, len(names), reads.best_model(crowd, judge))
    names.append(TIED)
    pool = np.bincount(best[best >= 0], minlength=len(names)).astype(float)
    own = best[rows]
    chosen = np.bincount(own[own >= 0], minlength=len(names)).astype(float)
    order = np.argsort(-(pool + chosen), kind="stable")
    order = order[(pool + chosen)[order] > 0]
    return _with_rest([names[i] for i in order], pool[order], chosen[order])


def _with_rest(
    labels: list[str], pool: np.ndarray, chosen: np.ndarray
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The first groups by name, all others as one."""
    if len(labels) <= MOST_GROUPS:
        return labels, pool, chosen
    kept = MOST_GROUPS - 1
    return (
        [*labels[:kept], f"{len(labels) - kept} others"],
        np.append(pool[:kept], pool[kept:].sum()),
        np.append(chosen[:kept], chosen[kept:].sum()),
    )


def cluster_names(crowd: Crowd, recipe: Recipe) -> tuple[str, ...]:
    """Names of the recipe's clusters; none where it has none or none are computed."""
    found = reads.clustering(crowd, recipe)
    return () if found is None else found.names


def clusters(
    crowd: Crowd, recipe: Recipe, rows: IntArray
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Cluster names with counts in the pool and in the selection, the largest first."""
    found = reads.clustering(crowd, recipe)
    if found is None:
        return [], np.zeros(0), np.zeros(0)
    labels, own = found.labels, found.labels[rows]
    pool = np.bincount(labels[labels >= 0], minlength=found.k).astype(float)
    chosen = np.bincount(own[own >= 0], minlength=found.k).astype(float)
    names = [shorten(name, 40) for name in found.names]
    return names, pool, chosen


def cut_frame(crowd: Crowd, recipe: Recipe, draft: Outcome, names: tuple[str, ...]) -> pd.DataFrame:
    """The cut of every cluster as :func:`crowdselect.charts.cut_line.cut_line` wants it."""
    session = reads.session(crowd)
    reselector = session.reselector(recipe)
    scores = reselector.scores(recipe.weights)
    mask = reselector.eligible(recipe.weights).mask
    labels = session.clustering(recipe).labels if names else np.zeros(crowd.n, dtype=np.int64)
    taken = crowd.mask(draft.rows)
    found = []
    for place, cluster in enumerate(draft.labels.tolist()):
        inside = mask & (labels == cluster) & ~np.isnan(scores)
        own = scores[inside]
        left = scores[inside & ~taken]
        label = names[cluster] if 0 <= cluster < len(names) else "all"
        found.append(
            {
                "label": "unclustered" if cluster < 0 else label,
                "low": own.min(initial=np.inf) if len(own) else np.nan,
                "high": own.max(initial=-np.inf) if len(own) else np.nan,
                "taken": draft.cuts[place],
                "left": left.max() if len(left) else np.nan,
                "n_taken": draft.taken[place],
                "n": draft.eligible[place],
                "ties": draft.tie_sizes[place],
            }
        )
    return pd.DataFrame(found)


def _changes(crowd: Crowd, draft: Outcome, before: IntArray | None) -> None:
    st.markdown("**Who comes in and who leaves**")
    if before is None:
        st.caption("Move a control: what changes is listed here.")
        return
    come = draft.rows[~np.isin(draft.rows, before)]
    leave = before[~np.isin(before, draft.rows)]
    if not len(come) and not len(leave):
        st.caption("The last movement changed nothing.")
        return
    sides = [c[:LISTED] for c in (come, leave)]
    words = [f"{n_of_m(len(s), len(c), 'that ' + w)}" for s, c, w in
             zip(sides, (come, leave), ("come in", "leave"), strict=True)]  # fmt: skip
    st.caption(", ".join(words) + ", highest rank first.")
    rows = np.concatenate(sides)
    ranks = {int(r): i + 1 for i, r in enumerate(draft.rows)}
    data = pd.DataFrame(
        {
            "change": ["in"] * len(sides[0]) + ["out"] * len(sides[1]),
            "rank": pd.array([ranks.get(int(r)) for r in rows], dtype="Int64"),
            "instruction": [
                shorten(" ".join(t.split()), table.TEXT_CHARS)
                for t in crowd.instruction_texts(rows)
            ],
        }
    )
    table.plain(crowd, data, rows, name="changes", height=280)
