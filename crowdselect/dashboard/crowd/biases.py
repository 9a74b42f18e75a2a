"""The bias audit: agreement of judges, length, families, copied columns, duplicate instructions."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from crowdselect import audit
from crowdselect.audit import SAMPLE_ROWS
from crowdselect.charts.agreement import agreement
from crowdselect.charts.family_bias import family_bias
from crowdselect.charts.length_bias import length_bias
from crowdselect.dashboard import reads, shell
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.crowd import trust
from crowdselect.dashboard.text import md, n_of_m, number
from crowdselect.store import Crowd


@cached(most=reads.KEPT_CROWDS, spinner="Auditing the judges")
def audit_of(crowd: Crowd) -> dict[str, pd.DataFrame]:
    """Agreement, length and family bias, identical columns; see :mod:`crowdselect.audit`."""
    matrices = {judge: crowd.rewards(judge) for judge in crowd.judges}
    return {
        "agreement": audit.judge_agreement(matrices),
        "length": audit.length_bias(matrices, crowd.texts.response_lengths("chars")),
        "family": audit.family_bias(matrices),
        "identical": audit.identical_columns(matrices),
    }


def show(crowd: Crowd) -> None:
    """Every check with its figure, and in words what was found."""
    found = audit_of(crowd)
    sample = n_of_m(min(crowd.n, SAMPLE_ROWS), crowd.n)
    trust.show(crowd, found)
    left, right = st.columns(2)
    with left:
        _agreement(found["agreement"], sample)
        _identical(found["identical"])
    with right:
        _length(found["length"], sample)
    _family(found["family"], sample)


def _agreement(matrix: pd.DataFrame, sample: str) -> None:
    shell.heading(
        "Judge agreement",
        f"Mean Spearman correlation of two judges' rewards within an instruction; {sample}.",
    )
    if len(matrix) < 2:
        st.caption("One judge only: there is nothing to compare it with.")
        return
    shell.plot(agreement(matrix, shell.palette()), "agreement", "Rank correlation of the judges")


def _length(frame: pd.DataFrame, sample: str) -> None:
    shell.heading(
        "Length",
        "Do longer answers to the same instruction get better ranks? "
        f"A flat line at 0.5 would mean no; {sample}.",
    )
    if frame.empty:
        st.caption("There are no answers with rewards.")
        return
    shell.plot(length_bias(frame, shell.palette()), "length", "Reward rank by answer length")
    for judge, rows in frame.groupby("judge", sort=False):
        rho = float(rows["rho"].iloc[0])
        st.caption(f"{md(judge)}: {_length_words(rho)} (mean Spearman {number(rho, 2)}).")


def _length_words(rho: float) -> str:
    if rho != rho:
        return "cannot be told"
    strength = "strongly " if abs(rho) > 0.4 else "" if abs(rho) > 0.15 else "hardly "
    if abs(rho) <= 0.05:
        return "is indifferent to length"
    return f"{strength}prefers {'longer' if rho > 0 else 'shorter'} answers"


def _family(matrix: pd.DataFrame, sample: str) -> None:
    shell.heading(
        "Families",
        "How many percentage points better a judge ranks a family's answers than the other judges "
        f"do, on the answers both scored; {sample}.",
    )
    if matrix.empty or not matrix.notna().to_numpy().any():
        st.caption("It takes two judges of the same answers to see whether one favours a family.")
        return
    rows = matrix.dropna(how="all")
    shell.plot(family_bias(rows, shell.palette()), "family", "Judges' favour by family")


def _identical(pairs: pd.DataFrame) -> None:
    shell.heading("Identical columns", "Two models with the same rewards: usually a faulty file.")
    if pairs.empty:
        st.caption("None.")
    for row in pairs.itertuples():
        st.warning(
            f"{md(row.model_a)} and {md(row.model_b)} have the same rewards by {md(row.judge)} on "
            f"all {row.rows:,} instructions. One of them is probably wrong; it counts twice in "
            "every metric."
        )
