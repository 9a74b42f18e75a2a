"""Benchmark fine-tuned models and compare them fairly."""

import streamlit as st

from crowdselect.dashboard import state
from crowdselect.dashboard.benchmark import form, results

TABS = ("Results", "New benchmark")

tab = st.segmented_control(
    "Part of the page",
    TABS,
    key=state.view_key("tab", TABS[0], TABS),
    required=True,
    label_visibility="collapsed",
)
(form if tab == TABS[1] else results).show()
