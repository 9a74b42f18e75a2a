"""One question's answers by every model, as text."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from crowdselect.benchmark import BenchmarkView, Item
from crowdselect.dashboard.text import md, number, shorten

ORDERS = ("largest difference first", "order of the benchmark")


def items_of(label: str, views: Sequence[BenchmarkView]) -> dict[str, dict[str, Item]]:
    """Question -> model -> item, for the views that finished the benchmark ``label``."""
    found: dict[str, dict[str, Item]] = {}
    for view in views:
        for outcome in view.outcomes:
            if outcome.benchmark == label:
                for item in outcome.items():
                    found.setdefault(item.question, {})[view.name] = item
    return found


def spread(items: dict[str, Item]) -> float:
    """Largest difference of the values; what cannot be compared comes last."""
    values = [i.value for i in items.values() if i.value is not None]
    return max(values) - min(values) if len(values) > 1 else -1.0


def show(label: str, views: Sequence[BenchmarkView]) -> None:
    """Choose a question; see its prompt and every model's answer with its value."""
    found = items_of(label, views)
    if not found:
        st.caption("There are no answers.")
        return
    order = st.selectbox("Order", ORDERS, key=f"order {label}", width=260)
    questions = list(found)
    if order == ORDERS[0]:
        questions.sort(key=lambda q: -spread(found[q]))
    question = st.selectbox(
        "Question",
        questions,
        key=f"question {label}",
        format_func=lambda q: shorten(next(iter(found[q].values())).prompt, 110),
    )
    items = found[question]
    st.text(next(iter(items.values())).prompt)
    with st.grid("auto", min_column_width=280, gap="small"):
        for name, item in items.items():
            with st.container(border=True):
                st.markdown(f"**{md(name)}**")
                value = "failed" if item.value is None else number(item.value)
                st.caption(md(f"{value}. {item.reason}" if item.reason else value))
                st.text(item.answer or "an empty answer")
