"""Families and sizes in an editable table; guesses are marked until somebody confirms them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from crowdselect.dashboard import shell, state
from crowdselect.dashboard.text import plural
from crowdselect.store import Crowd

STANDING_OUT = {"guessed": "⚠ guessed", "unknown": "⚠ unknown"}
"""How the table shows what nobody has confirmed."""
ASKED = "_save_models"
"""Session key: the crowd whose models are to be saved."""


def models_frame(crowd: Crowd) -> pd.DataFrame:
    """``model``, ``family``, ``size_b`` (billions), ``source`` in column order."""
    return pd.DataFrame(
        {
            "model": [m.name for m in crowd.models],
            "family": pd.array([m.family for m in crowd.models], dtype="string"),
            "size_b": pd.array([m.size_b for m in crowd.models], dtype="Float64"),
            "source": [m.source for m in crowd.models],
        }
    )


def show(crowd: Crowd) -> None:
    """The table with a save button; stability is computed from what it says."""
    frame = models_frame(crowd)
    guessed = int((frame["source"] == "guessed").sum())
    frame["source"] = frame["source"].replace(STANDING_OUT)
    unknown = int(frame[["family", "size_b"]].isna().any(axis=1).sum())
    shell.heading(
        "Families and sizes",
        "Stability compares size with reward within each family. A model without family or size "
        "takes no part in it.",
    )
    if guessed:
        st.warning(
            f"{plural(guessed, 'model')} guessed from the name. Check, then save to confirm."
        )
    if unknown:
        st.caption(f"{plural(unknown, 'model')} without family or size.")
    if shell.read_only_note("editing"):
        st.dataframe(frame, hide_index=True, alt="Models")
        return
    edited = st.data_editor(
        frame,
        key=f"models {crowd.name}",
        hide_index=True,
        disabled=["model", "source"],
        alt="Models with family and size",
        column_config={
            "family": st.column_config.TextColumn(max_chars=60),
            "size_b": st.column_config.NumberColumn(
                "size, billions", min_value=0.0, format="%.4g", help="Parameters in billions"
            ),
        },
    )
    changed = not edited.equals(frame)
    label = "Save" if changed or not guessed else "Confirm all"
    st.button(
        label,
        type="primary",
        disabled=not (changed or guessed),
        on_click=_ask_to_save,
        args=(crowd.name,),
    )
    if st.session_state.get(ASKED) == crowd.name:
        del st.session_state[ASKED]
        crowd.set_models(edited.drop(columns="source").assign(source="table"))
        state.tell("Families and sizes saved. Metrics are computed anew.")
        st.rerun()


def _ask_to_save(name: str) -> None:
    """Remember the click: an edit that arrives late runs the page anew and would lose it."""
    st.session_state[ASKED] = name
