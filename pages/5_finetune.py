"""Fine-tune a model on saved selections and follow the runs."""

import streamlit as st

from crowdselect.dashboard import state
from crowdselect.dashboard.finetune import form, runs

TABS = ("New run", "Runs")

tab = st.segmented_control(
    "Part of the page",
    TABS,
    **state.view_widget("tab", TABS[0], TABS),
    required=True,
    label_visibility="collapsed",
)
(runs if tab == "Runs" else form).show()
