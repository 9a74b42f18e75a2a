"""Benchmark fine-tuned models and compare them fairly."""

import streamlit as st

from crowdselect.dashboard import state
from crowdselect.dashboard.benchmark import form, published, results

PARTS = {"Results": results, "New benchmark": form, "Published": published}
TABS = tuple(PARTS)

tab = st.segmented_control(
    "Part of the page",
    TABS,
    **state.view_widget("tab", TABS[0], TABS),
    required=True,
    label_visibility="collapsed",
)
PARTS[tab].show()
