"""The recipe's controls; each writes its field of the draft the moment it is moved."""

from __future__ import annotations

from typing import Any

import streamlit as st

from crowdselect.dashboard import options, reads, state
from crowdselect.dashboard.text import md
from crowdselect.errors import CrowdSelectError
from crowdselect.landscape import ENCODERS
from crowdselect.metrics import BASE
from crowdselect.selection import POLICIES, STRATEGIES
from crowdselect.selection.presets import PRESETS
from crowdselect.store import Crowd
from crowdselect.values import Recipe

MOST = 3.0
CUSTOM = "own weights"
CROWDSELECT = "crowdselect"


def show(crowd: Crowd) -> None:
    """Strategy, weights, budget and everything else a recipe says, filters apart."""
    recipe = state.draft()
    strategies = {plugin.name: plugin for plugin in STRATEGIES}
    key = state.recipe_key("strategy", recipe.strategy)
    st.selectbox(
        "Strategy",
        list(strategies),
        key=key,
        format_func=lambda name: strategies[name].title,
        on_change=_strategy_changed,
        help=md(strategies[recipe.strategy].summary),
    )
    if recipe.strategy == CROWDSELECT:
        _presets(recipe)
        _weights(crowd, recipe)
    else:
        st.caption(md(strategies[recipe.strategy].summary))
        _options(recipe)
    left, right = st.columns(2)
    with left:
        _budget(crowd, recipe)
    with right:
        _clusters(recipe)
    _answer(crowd, recipe)
    with st.expander("More"):
        _more(recipe)


def _presets(recipe: Recipe) -> None:
    names = [CUSTOM, *PRESETS]
    present = next((n for n, p in PRESETS.items() if dict(p.weights) == recipe.weights), CUSTOM)
    st.session_state["preset"] = present
    st.selectbox(
        "Preset",
        names,
        key="preset",
        format_func=lambda n: n if n == CUSTOM else PRESETS[n].title,
        on_change=_preset_chosen,
        help="Weights that the CrowdSelect paper tried (its table 3), and single metrics.",
    )


def _preset_chosen() -> None:
    name = st.session_state["preset"]
    if name != CUSTOM:
        weights = dict(PRESETS[name].weights)
        st.session_state.pop("_added", None)
        state.adopt(state.draft().model_copy(update={"weights": weights}))


def weight_names(crowd: Crowd) -> list[str]:
    """Every column that can be weighed: metrics, also per judge, and imported scores."""
    names = []
    for info in reads.metric_infos(crowd):
        names.append(info.name)
        if len(crowd.judges) > 1:
            names += [f"{info.name}@{judge}" for judge in info.judges]
    return names


def _weights(crowd: Crowd, recipe: Recipe) -> None:
    available = weight_names(crowd)
    titles = {info.name: info for info in reads.metric_infos(crowd)}
    added = st.session_state.get("_added", [])
    base = [name for name in BASE if name in available]
    shown = list(dict.fromkeys([*base, *recipe.weights, *added]))
    for name in shown:
        info = titles.get(name.split("@")[0])
        st.slider(
            md(name, 60),
            -MOST,
            MOST,
            step=0.1,
            key=state.recipe_key(f"weight.{name}", float(recipe.weights.get(name, 0.0))),
            format="%.1f",
            on_change=_weight_changed,
            args=(name,),
            help=f"{md(info.direction)}. {md(info.source)}" if info else None,
        )
    rest = [name for name in available if name not in shown]
    st.selectbox(
        "Add a metric",
        rest,
        index=None,
        key="add metric",
        placeholder="Add a metric",
        label_visibility="collapsed",
        on_change=_metric_added,
    )


def _weight_changed(name: str) -> None:
    value = round(float(state.widget(f"weight.{name}")), 2)
    weights = {k: v for k, v in state.draft().weights.items() if k != name}
    state.amend(weights=weights | ({name: value} if value else {}))
    added = st.session_state.setdefault("_added", [])
    if not value and name not in added:
        added.append(name)


def _metric_added() -> None:
    name = st.session_state["add metric"]
    if name:
        st.session_state.setdefault("_added", []).append(name)
        weights = dict(state.draft().weights) | {name: 1.0}
        state.amend(weights=weights)
        st.session_state["add metric"] = None


def _options(recipe: Recipe) -> None:
    plugin = STRATEGIES[recipe.strategy]
    prefix = f"{state.RECIPE_WIDGET}options.{recipe.strategy}"
    chosen = options.edit(plugin, recipe.options, prefix)
    if chosen != recipe.options:
        state.amend(options=chosen)


def _strategy_changed() -> None:
    state.amend(strategy=state.widget("strategy"), options={})


def _budget(crowd: Crowd, recipe: Recipe) -> None:
    count = recipe.budget if isinstance(recipe.budget, int) else round(recipe.budget * crowd.n)
    st.number_input(
        "Budget",
        0,
        max(crowd.n, count),
        key=state.recipe_key("budget", count),
        step=max(1, min(100, crowd.n // 10)),
        on_change=_changed,
        args=("budget",),
        help="How many instructions to choose.",
    )


def _clusters(recipe: Recipe) -> None:
    st.number_input(
        "Clusters",
        0,
        reads.MOST_CLUSTERS,
        key=state.recipe_key("clusters", recipe.clusters),
        step=1,
        on_change=_clusters_changed,
        help="An equal share is taken from each cluster; 0: no quota.",
    )


def _clusters_changed() -> None:
    state.set_clusters(int(state.widget("clusters")))


def _answer(crowd: Crowd, recipe: Recipe) -> None:
    policies = [*POLICIES, *(f"model:{m.name}" for m in crowd.models)]
    value = recipe.answer if recipe.answer in policies else policies[0]
    st.selectbox(
        "Answer to train on",
        policies,
        key=state.recipe_key("answer", value),
        format_func=lambda p: p.replace("model:", "always ").replace("_", " "),
        on_change=_changed,
        args=("answer",),
    )


def _more(recipe: Recipe) -> None:
    st.number_input(
        "Seed", 0, key=state.recipe_key("seed", recipe.seed), on_change=_changed, args=("seed",)
    )
    for name, choices, words in (
        ("clustering", ["fast", "exact"], "exact: scikit-learn with 20 starts, slower"),
        ("profile", ["paper", "reference"], "reference: as the published code computes"),
        ("encoder", list(ENCODERS.names()), "What turns instructions into vectors"),
    ):
        present = getattr(recipe, name)
        offered = choices if present in choices else [present, *choices]
        st.selectbox(
            name.capitalize(),
            offered,
            key=state.recipe_key(name, present),
            on_change=_changed,
            args=(name,),
            help=words,
        )
    st.checkbox(
        "A missing metric counts as the middle",
        key=state.recipe_key("impute_missing", recipe.impute_missing),
        on_change=_changed,
        args=("impute_missing",),
        help="Otherwise a row that lacks a weighed metric cannot be selected.",
    )


def _changed(name: str) -> None:
    value: Any = state.widget(name)
    try:
        state.amend(**{name: value})
    except CrowdSelectError as error:
        st.toast(md(error.problem))
