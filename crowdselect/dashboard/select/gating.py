"""The gate's controls: what is good enough, how much that removes, and of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from crowdselect import pipeline
from crowdselect.dashboard import grades, shell, state
from crowdselect.dashboard.text import md, n_of_m, number, percent, plural
from crowdselect.dashboard.wording import told
from crowdselect.errors import CrowdSelectError
from crowdselect.ranks import full_reward
from crowdselect.rules import KINDS
from crowdselect.store import Crowd
from crowdselect.values import FloatArray, Gate, Recipe

OFF = "off"
TITLES = {
    OFF: "Off",
    "reward": "Best reward, at least",
    "quantile": "Best reward, among the best of all",
    "judges": "Judges agree on a best answer",
    "crowd": "Models give the same answer",
}
STEPS = 25
"""Up to this many different grades are offered one by one."""


def show(crowd: Crowd, recipe: Recipe) -> None:
    """The kind of gate, its slider, and how many instructions it removes."""
    offered = [OFF, *kinds_for(crowd)]
    kind = OFF if recipe.gate is None else recipe.gate.kind
    st.selectbox(
        "Gate",
        offered if kind in offered else [*offered, kind],
        **state.recipe_widget("gate.kind", kind),
        format_func=lambda name: TITLES[name],
        on_change=_kind_changed,
        args=(crowd,),
        help="Only instructions with an answer that is good enough may be selected. Hard "
        "instructions without a right answer teach a model wrong ones.",
    )
    if recipe.gate is None:
        return
    try:
        _judge(crowd, recipe.gate)
        _slider(grades.best_grades(crowd, recipe), recipe.gate)
        _told(crowd, recipe)
    except CrowdSelectError as error:
        st.warning(md(" ".join(told(error.problem, error.remedy))))


def kinds_for(crowd: Crowd) -> list[str]:
    """The kinds of gate that the crowd has what they ask for."""
    judges = pipeline.quality_judges(crowd)
    lacks = {
        "reward": not judges,
        "quantile": not judges,
        "judges": len(judges) < 2,
        "crowd": not grades.answered(crowd),
    }
    return [kind for kind in KINDS if not lacks[kind]]


def _kind_changed(crowd: Crowd) -> None:
    kind = state.widget("gate.kind")
    if kind == OFF:
        return state.amend(gate=None, among="any")
    judge, least = None, 0.5
    if kind == "reward":
        named = state.draft().judge
        judge = None if named in crowd.judges or named is None else crowd.judges[0]
        values = crowd.rewards(judge or named).values
        full = full_reward(values)
        least = float(np.nanmedian(values)) if full is None else full
    elif kind == "judges":
        least = 1.0
    return state.amend(gate={"kind": kind, "at_least": least, "judge": judge})


def _judge(crowd: Crowd, gate: Gate) -> None:
    """Whose rewards, or likelihoods beside the agreement; nothing where there is no choice."""
    likes = [name for name in crowd.judges if name.startswith(pipeline.LIKES)]
    offered = likes if gate.kind == "crowd" else list(pipeline.quality_judges(crowd))
    if gate.kind == "judges" or (len(offered) < 2 and gate.kind != "crowd") or not offered:
        return
    nobody = "agreement alone" if gate.kind == "crowd" else "the recipe's judge"
    st.selectbox(
        "Beside it, likelihood under" if gate.kind == "crowd" else "Rewards of",
        ["", *offered],
        **state.recipe_widget("gate.judge", gate.judge or ""),
        format_func=lambda name: md(name) if name else nobody,
        on_change=_changed,
        args=("judge",),
    )


def _slider(best: FloatArray, gate: Gate) -> None:
    there = best[~np.isnan(best)]
    if not len(there):
        st.caption("No answer has a grade.")
        return
    steps = np.unique(there)
    if len(steps) <= STEPS:
        offered = sorted({*steps.tolist(), gate.at_least})
        st.select_slider(
            "Good enough from",
            offered,
            **state.recipe_widget("gate.at_least", gate.at_least),
            format_func=number,
            on_change=_changed,
            args=("at_least",),
        )
        return
    low, high = (0.0, 1.0) if gate.kind != "reward" else (float(steps[0]), float(steps[-1]))
    low, high = min(low, gate.at_least), max(high, gate.at_least)
    st.slider(
        "Good enough from",
        low,
        high,
        **state.recipe_widget("gate.at_least", gate.at_least),
        step=0.01 if gate.kind != "reward" else (high - low) / 200,
        on_change=_changed,
        args=("at_least",),
    )


def _changed(name: str) -> None:
    gate = state.draft().gate
    if gate is not None:
        value = state.widget(f"gate.{name}")
        state.amend(gate=gate.model_dump(mode="json") | {name: None if value == "" else value})


def _told(crowd: Crowd, recipe: Recipe) -> None:
    facts = grades.gate_facts(crowd, recipe)
    st.caption(removed_words(facts, crowd.n))
    if facts["removed"]:
        with st.expander("What the gate removes"):
            for line in metric_words(facts):
                st.caption(line)
            if facts["clusters"]:
                data = cluster_frame(facts)
                height = shell.rows_px(len(data))
                st.dataframe(data, hide_index=True, height=height, alt="Removed by cluster")


def removed_words(facts: Mapping[str, Any], n: int) -> str:
    """How many instructions the gate removes, in a sentence."""
    share = percent(facts["removed"] / n, 0) if n else "0 %"
    said = f"It removes {n_of_m(facts['removed'], n, 'instructions')} ({share})."
    if hand := facts.get("by_hand"):
        said += f" {plural(hand, 'answer')} written by hand count as good enough."
    return said


def metric_words(facts: Mapping[str, Any]) -> list[str]:
    """Per metric where the removed instructions stand, and those that pass."""
    return [
        f"{name}: mean percentile {each['removed']:.0f} of the removed, {each['passed']:.0f} of "
        "those that pass"
        for name, each in facts["metrics"].items()
        if each["removed"] is not None and each["passed"] is not None
    ]


def cluster_frame(facts: Mapping[str, Any]) -> pd.DataFrame:
    """Per cluster how many of how many are removed, the largest share first."""
    data = pd.DataFrame(facts["clusters"])[["name", "removed", "of"]]
    data["share"] = [
        percent(r / max(o, 1), 0) for r, o in zip(data["removed"], data["of"], strict=True)
    ]
    order = np.argsort(-(data["removed"] / data["of"].clip(1)).to_numpy(), kind="stable")
    return data.iloc[order].rename(columns={"name": "cluster"})
