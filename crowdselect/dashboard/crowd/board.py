"""Leaderboard, reward distributions and missing rewards of one judge."""

from __future__ import annotations

import streamlit as st

from crowdselect.charts.leaderboard import leaderboard as draw_leaderboard
from crowdselect.charts.missingness import missingness
from crowdselect.charts.reward_distribution import reward_distribution
from crowdselect.dashboard import reads, shell
from crowdselect.dashboard.text import md, n_of_m, percent, plural
from crowdselect.store import Crowd
from crowdselect.values import COMBINED


def leaderboard(crowd: Crowd, judge: str) -> None:
    """Means with intervals beside the distributions, and the same as a table."""
    board = reads.leaderboard(crowd, judge)
    called, unit = called_by(judge)
    p = shell.palette()
    left, right = st.columns(2)
    with left:
        shell.heading("Leaderboard", f"Mean {unit} with its 95 % interval over instructions.")
        shell.plot(draw_leaderboard(board, called, p), "board", "Models by mean reward")
    with right:
        shell.heading(
            "Rewards", f"{unit.capitalize()}: median, quartiles, 5th and 95th percentile."
        )
        shell.plot(reward_distribution(board, called, p), "spread", "Reward distribution per model")
    with st.expander("The leaderboard as a table"):
        st.dataframe(
            board,
            hide_index=True,
            alt="Leaderboard",
            column_order=["model", "family", "size_b", "mean", "low", "high", "best", "n"],
            column_config={
                "size_b": st.column_config.NumberColumn("size, B", format="%.4g"),
                "mean": st.column_config.NumberColumn(format="%.4g"),
                "low": st.column_config.NumberColumn("95 % from", format="%.4g"),
                "high": st.column_config.NumberColumn("to", format="%.4g"),
                "best": st.column_config.NumberColumn("best answer", format="percent"),
                "n": st.column_config.NumberColumn("rewards", format="localized"),
            },
        )


def called_by(judge: str) -> tuple[str, str]:
    """What figures call a judge, and what it gives."""
    if judge == COMBINED:
        return "all judges, ranks combined", "place among the answers, 0 to 1, over all judges"
    return judge, "reward"


def missing(crowd: Crowd, judge: str) -> None:
    """Where rewards are missing, or that none is."""
    share, edges = reads.missing(crowd, judge)
    cells = crowd.n * len(crowd.models)
    values = reads.rewards(crowd, judge).values
    present = int((values == values).sum())
    shell.heading("Missing rewards")
    if present == cells:
        st.caption(f"None: {md(judge)} scored all {cells:,} answers.")
        return
    st.caption(
        f"{md(judge)} scored {n_of_m(present, cells, 'answers')}"
        f" ({percent(1 - present / max(cells, 1), 2)} missing)."
    )
    lacking = [i for i in range(len(crowd.models)) if share[i].max(initial=0.0) > 0]
    if len(lacking) < len(crowd.models):
        st.caption(f"{plural(len(crowd.models) - len(lacking), 'model')} without a gap not shown.")
    models = [crowd.models[i].name for i in lacking]
    fig = missingness(share[lacking], models, edges, shell.palette())
    shell.plot(fig, "missing", "Share of missing rewards by model and rows")
