"""The papers' own numbers beside ours: never in one chart, never a row of a comparison."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from crowdselect.benchmark import list_results, published_tables, results_frame
from crowdselect.dashboard import reads, shell, state
from crowdselect.dashboard.text import md

LOSS = "training loss"
NOTE = "remark"


@st.cache_resource(show_spinner=False)
def _tables() -> dict[str, pd.DataFrame]:
    return published_tables()


def show() -> None:
    """Choose a study and one of its tables; the published numbers, and ours on the same tests."""
    studies = _tables()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        own = state.view_widget("study", next(iter(studies)), list(studies))
        study = studies[st.selectbox("Study", list(studies), **own, width=320)]
        numbers = list(dict.fromkeys(study["table"]))
        own = state.view_widget("table", numbers[0], numbers)
        number = st.selectbox("Table", numbers, **own, width=150)
        models = list(dict.fromkeys(study.loc[study["table"] == number, "model"]))
        own = state.view_widget("base", models[0], models)
        model = st.selectbox("Base model", models, **own, width=260)
    part = study[(study["table"] == number) & (study["model"] == model)]
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _published(part)
    with right:
        _ours(list(dict.fromkeys(part["benchmark"])))


def _published(part: pd.DataFrame) -> None:
    shell.heading("Published")
    st.badge("published, not measured here", color="orange")
    wide = published_frame(part)
    st.dataframe(
        wide,
        hide_index=True,
        height=min(shell.rows_px(len(wide)), 620),
        alt="Published scores",
        column_config={
            name: st.column_config.NumberColumn(format="%.4g", width=92)
            for name in wide.columns
            if pd.api.types.is_float_dtype(wide[name])
        },
    )
    for column in ("source", "remark"):
        st.caption(md(part[column].iloc[0]))


def published_frame(part: pd.DataFrame) -> pd.DataFrame:
    """One line per setting and kind of training, one column per benchmark.

    ``part``: rows of :func:`crowdselect.benchmark.published_tables` of one table and model.
    """
    wide = part.pivot_table(
        index=["setting", "tuning"], columns="benchmark", values="score", aggfunc="first",
        sort=False,
    ).reset_index()  # fmt: skip
    wide.columns.name = None
    rows = part.groupby(["setting", "tuning"], sort=False)
    if part["train_loss"].notna().any():
        wide[LOSS] = rows["train_loss"].first().to_numpy()
    if (part["note"] != "").any():
        wide[NOTE] = (
            rows["note"].agg(lambda n: "; ".join(dict.fromkeys(filter(None, n)))).to_numpy()
        )
    return wide


def _ours(benchmarks: list[str]) -> None:
    shell.heading("Ours")
    views = [view for view in list_results(reads.workspace()) if view.outcomes]
    frame = results_frame(views)
    own = frame[(frame["category"] == "") & frame["benchmark"].isin(benchmarks)]
    if own.empty:
        st.caption(f"No run of this workspace was tested on {md(', '.join(benchmarks))} yet.")
        return
    st.badge("measured here", color="blue")
    st.dataframe(
        own[["name", "benchmark", "metric", "score", "low", "high"]],
        hide_index=True,
        height=min(shell.rows_px(len(own)), 620),
        alt="Our scores",
        column_config={
            name: st.column_config.NumberColumn(title, format="%.4g", width=80)
            for name, title in (("score", "score"), ("low", "95 % from"), ("high", "to"))
        },
    )
    st.caption(
        "Judge, questions and prompts may differ from the paper's: compare our numbers with each "
        "other, and the paper's with each other."
    )
