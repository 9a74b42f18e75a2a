"""What a scorer said about its column: who ranks where, which level decides, ties, coverage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from crowdselect.dashboard import shell
from crowdselect.dashboard.text import md, plural
from crowdselect.store import Crowd


def show(crowd: Crowd) -> None:
    """The report of one score column, chosen among those that have one."""
    made = {name: info.made for name, info in crowd.score_columns().items()}
    told = [name for name, m in made.items() if m.get("analysis") or m.get("report")]
    if not told:
        return
    shell.heading("About a score", "What its scorer found over all samples.")
    name = st.selectbox("Score", told, key="score report", label_visibility="collapsed")
    if analysis := made[name].get("analysis"):
        _analysis(analysis)
    _report(made[name].get("report") or {})


def _analysis(analysis: Mapping[str, Any]) -> None:
    st.caption(
        f"{plural(analysis['n'], 'sample')} ranked. Length: words of instruction and response. "
        "Calculation: the instruction matches our own detector, since the paper names none."
    )
    left, right = st.columns(2, gap="medium")
    with left:
        _slices("By rank, in tenths", analysis["ranks"])
    with right:
        _slices("By budget", analysis["budgets"])
    best = f"{analysis['share']:.0%}"
    left, right = st.columns(2, gap="medium")
    with left:
        _shares(f"Part of each level's own best {best} that the final best {best} hold", "level",
                analysis["contributions"])  # fmt: skip
    with right:
        _shares(f"Overlap of the levels' best {best} (Jaccard)", "levels", analysis["overlaps"])


def _slices(title: str, slices: list[Mapping[str, Any]]) -> None:
    st.caption(title)
    data = pd.DataFrame(
        [
            {
                "ranks": f"{s['begin']:.0%} to {s['end']:.0%}",
                "samples": s["n"],
                "mean score": s["mean_score"],
                "mean words": s["mean_length"],
                "calculation": s["calc_share"],
            }
            for s in slices
        ]
    )
    st.dataframe(
        data,
        hide_index=True,
        height=shell.rows_px(len(data)),
        column_config={
            "mean score": st.column_config.NumberColumn(format="%.3f"),
            "mean words": st.column_config.NumberColumn(format="%.1f"),
            "calculation": st.column_config.NumberColumn(format="percent"),
        },
        alt=title,
    )


def _shares(title: str, what: str, shares: Mapping[str, float]) -> None:
    st.caption(title)
    data = pd.DataFrame({what: list(shares), "share": list(shares.values())})
    st.dataframe(
        data,
        hide_index=True,
        height=shell.rows_px(len(data)),
        column_config={
            "share": st.column_config.ProgressColumn(min_value=0, max_value=1, format="percent")
        },
        alt=title,
    )


def _report(report: Mapping[str, Any], title: str = "") -> None:
    """Figures of any scorer: single ones in a line, groups as tables."""
    single = {k: v for k, v in report.items() if not isinstance(v, Mapping)}
    line = ", ".join(f"{k.replace('_', ' ')} {v:,.4g}" for k, v in single.items())
    if line:
        st.caption(md(f"{title}: {line}" if title else line))
    for name, group in report.items():
        if not isinstance(group, Mapping):
            continue
        inner = f"{title}, {name}" if title else name
        label = inner.replace("_", " ")
        if any(isinstance(v, Mapping) for v in group.values()):
            _report(group, label)
            continue
        st.caption(md(label))
        data = pd.DataFrame({"": list(group), "figure": list(group.values())})
        st.dataframe(data, hide_index=True, height=shell.rows_px(len(data)), alt=label)
