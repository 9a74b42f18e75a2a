"""One cluster opened: what may be done with it, and what was done with all of them."""

from __future__ import annotations

import streamlit as st

from crowdselect.dashboard import state
from crowdselect.dashboard.text import md, plural
from crowdselect.values import Clustering

NO_CLUSTER = -1
"""None is opened."""
MOST_WEIGHT = 5.0
MOST_CAP = 1_000_000


def panel(clusters: Clustering, label: int) -> None:
    """The controls of one cluster; each adds a line to the recipe's edits."""
    with st.popover("Change this cluster", icon=":material/tune:", width="content"):
        name = st.text_input(
            "Name", value=clusters.names[label], key=f"name of {label} {clusters.names[label]}",
            max_chars=80,
        )  # fmt: skip
        same = name.strip() in ("", clusters.names[label])
        _button("Rename", f"rename {label} to {name}", disabled=same)
        others = [i for i in range(clusters.k) if i != label]
        merged = st.multiselect(
            "Merge with", others, format_func=lambda i: clusters.names[i], key=f"merge {label}"
        )
        lines = " ".join(str(i) for i in (label, *merged))
        _button("Merge", f"merge {lines}", disabled=not merged, opens=min(label, *merged, label))
        size = int((clusters.labels == label).sum())
        parts = st.number_input("Parts", 2, max(2, min(50, size)), key=f"parts of {label}")
        _button("Split", f"split {label} into {int(parts)}", disabled=size < 2)
        _share(clusters, label)


def _share(clusters: Clustering, label: int) -> None:
    weight = st.number_input(
        "Weight of its share", 0.0, MOST_WEIGHT, value=clusters.weights.get(label, 1.0), step=0.25,
        key=f"weight of {label}", help="1: as much as every other cluster.",
    )  # fmt: skip
    same = weight == clusters.weights.get(label, 1.0)
    _button("Set weight", f"weight {label} at {weight:g}", disabled=same)
    held = clusters.caps.get(label)
    cap = st.number_input(
        "Take at most", 1, MOST_CAP, value=held or None, key=f"cap of {label}",
        placeholder="no limit",
    )  # fmt: skip
    _button("Set limit", f"cap {label} at {cap}", disabled=cap is None or cap == held)
    if held == 0:
        _button("Take from it again", f"cap {label} at {MOST_CAP}")
    else:
        _button("Leave it out", f"exclude {label}")


def _button(words: str, edit: str, *, disabled: bool = False, opens: int | None = None) -> None:
    st.button(words, key=f"edit {words}", disabled=disabled, on_click=_add, args=(edit, opens))


def _add(edit: str, opens: int | None) -> None:
    state.amend(cluster_edits=[*state.draft().cluster_edits, edit])
    if opens is not None:
        state.set_view("cluster", opens)


def history() -> None:
    """The edits so far, and the way back."""
    edits = state.draft().cluster_edits
    if not edits:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        made = f"{plural(len(edits), 'change')} by hand, part of the recipe"
        st.caption(f"{made}: {md('; '.join(edits), 300)}", width="content")
        st.button("Take back the last", key="edits back", on_click=_back, args=(1,))
        if len(edits) > 1:
            st.button("Take back all", key="edits away", on_click=_back, args=(len(edits),))


def _back(lines: int) -> None:
    state.amend(cluster_edits=state.draft().cluster_edits[:-lines])
    state.set_view("cluster", NO_CLUSTER)
