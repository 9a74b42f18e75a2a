"""Two answers side by side, with what differs marked."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from crowdselect.dashboard import state
from crowdselect.dashboard.text import block_html, diff_html

LONG_TEXT = 600
"""Characters beyond which both answers scroll in their boxes."""


def show(answers: pd.DataFrame) -> None:
    """Choose two of ``answers`` (sorted, best first); by default the best and the worst."""
    present = answers[answers["response"].notna()]
    names = list(present["model"])
    if len(names) < 2:
        st.caption("It takes two answers to compare.")
        return
    sides = st.columns(2)
    chosen = []
    for side, column, default in zip(("left", "right"), sides, (names[0], names[-1]), strict=True):
        own = state.view_widget(side, default, names)
        chosen.append(column.selectbox(f"Answer, {side}", names, **own))
    texts = [str(present.loc[present["model"] == name, "response"].iloc[0]) for name in chosen]
    tall = max(map(len, texts)) > LONG_TEXT
    for column, kind, body in zip(sides, ("left", "right"), diff_html(*texts), strict=True):
        with column.container(border=True, height=320 if tall else "content"):
            st.html(str(block_html(body, kind)))
    if texts[0] == texts[1]:
        st.caption("Both answers are equal, character by character.")
