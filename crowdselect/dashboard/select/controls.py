"""The recipe's controls; each writes its field of the draft the moment it is moved."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from crowdselect import pipeline
from crowdselect.dashboard import options, reads, state
from crowdselect.dashboard.models import Served, offered
from crowdselect.dashboard.offered import RECIPE
from crowdselect.dashboard.select import gating, questions, targets
from crowdselect.dashboard.text import md
from crowdselect.landscape import ENCODERS
from crowdselect.metrics import BASE
from crowdselect.mixture import Mix
from crowdselect.rules import ranks_answers
from crowdselect.selection import POLICIES, PRESETS, STRATEGIES
from crowdselect.store import Crowd
from crowdselect.values import Recipe

MOST = 3.0
CUSTOM = "own weights"
CROWDSELECT = "crowdselect"
POLICY_WORDS = {"consensus": "the most common one"}
TIE_WORDS = {
    "draw": "a draw decides",
    "judges": "the other judges decide",
    "larger": "the larger model's",
    "first": "the first model's",
}
UNITS = {"rows": "instructions", "chars": "characters", "tokens": "training tokens"}
USUAL = {"chars": 1_000_000, "tokens": 200_000}
"""Budgets to begin with."""
AMONG_WORDS = {"any": "any answer", "good": "answers that pass the gate"}


def show(crowd: Crowd) -> None:
    """Strategy, weights, budget and everything else a recipe says, filters apart."""
    recipe = state.draft()
    strategies = {plugin.name: plugin for plugin in STRATEGIES}
    st.selectbox(
        "Strategy",
        list(strategies),
        **state.recipe_widget("strategy", recipe.strategy),
        format_func=lambda name: strategies[name].title,
        on_change=_strategy_changed,
        help=md(strategies[recipe.strategy].summary),
    )
    if recipe.strategy != CROWDSELECT:
        st.caption(md(strategies[recipe.strategy].summary))
    if _weighs(recipe.strategy):
        _presets(recipe)
        _weights(crowd, recipe)
    if recipe.strategy != CROWDSELECT:
        _options(crowd, recipe)
    left, right = st.columns(2)
    with left:
        _budget(crowd, recipe)
    with right:
        _clusters(recipe)
    _mixture(crowd, recipe)
    gating.show(crowd, recipe)
    _answer(crowd, recipe)
    questions.show(crowd, recipe)
    with st.expander("More"):
        _budget_in(recipe)
        _more(recipe)


def _weighs(strategy: str) -> bool:
    """Whether a strategy goes by the weights, whatever its options say."""
    return "any" in STRATEGIES[strategy]().columns({"any": 1.0})


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
        state.amend(weights=weights)


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
            **state.recipe_widget(f"weight.{name}", float(recipe.weights.get(name, 0.0))),
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


def _options(crowd: Crowd, recipe: Recipe) -> None:
    plugin = STRATEGIES[recipe.strategy]
    wants = "targets" in plugin.needs
    options.edit_draft(
        plugin, recipe.options, {"targets": targets.looks(crowd, recipe)} if wants else {}
    )
    if wants:
        targets.show(crowd, recipe)


def _strategy_changed() -> None:
    state.amend(strategy=state.widget("strategy"), options={})


def _budget(crowd: Crowd, recipe: Recipe) -> None:
    if recipe.budget_in != "rows":
        st.number_input(
            f"Budget in {'characters' if recipe.budget_in == 'chars' else 'training tokens'}",
            0,
            **state.recipe_widget("budget", int(recipe.budget)),
            step=10_000,
            on_change=_budget_changed,
            help=RECIPE["budget_in"].help,
        )
        return
    count = recipe.budget if isinstance(recipe.budget, int) else round(recipe.budget * crowd.n)
    st.number_input(
        "Budget",
        0,
        max(crowd.n, count),
        **state.recipe_widget("budget", count),
        step=max(1, min(100, crowd.n // 10)),
        on_change=_budget_changed,
        help=RECIPE["budget"].help,
    )


def _budget_in(recipe: Recipe) -> None:
    """What the budget counts; tokens by a model that pages may name."""
    units = [unit for unit in UNITS if unit != "tokens" or offered(Served())]
    st.selectbox(
        RECIPE["budget_in"].words,
        list(dict.fromkeys([*units, recipe.budget_in])),
        **state.recipe_widget("budget_in", recipe.budget_in),
        format_func=UNITS.__getitem__,
        on_change=_unit_changed,
        help=RECIPE["budget_in"].help,
    )
    if recipe.budget_in == "tokens":
        known = {recipe.tokenizer: Path(recipe.tokenizer).name, **offered(Served())}
        st.selectbox(
            RECIPE["tokenizer"].words,
            list(known),
            **state.recipe_widget("tokenizer", recipe.tokenizer),
            format_func=lambda model: known.get(model, model),
            on_change=lambda: state.amend(tokenizer=state.widget("tokenizer")),
            help=RECIPE["tokenizer"].help,
        )


def _unit_changed() -> None:
    unit = state.widget("budget_in")
    tokenizer = next(iter(offered(Served())), "") if unit == "tokens" else ""
    budget = USUAL.get(unit) or state.usual_budget(reads.size(state.draft().crowd))
    state.amend(budget_in=unit, tokenizer=tokenizer, budget=budget)


def _budget_changed() -> None:
    state.amend(budget=state.widget("budget"))


def _clusters(recipe: Recipe) -> None:
    options.field(
        "clusters",
        max_value=max(reads.MOST_CLUSTERS, recipe.clusters),
        on_change=_clusters_changed,
        args=(),
    )


def _mixture(crowd: Crowd, recipe: Recipe) -> None:
    """A column of the data whose values take the clusters' place, and their shares."""
    mix = Mix.read(recipe.mix) if recipe.mix else Mix("")
    offered = [name for name, values in reads.own_columns(crowd).items() if values]
    if not offered and not mix.column:
        return
    st.selectbox(
        RECIPE["mix"].words,
        list(dict.fromkeys(["", *offered, mix.column])),
        **state.recipe_widget("mix.column", mix.column),
        format_func=lambda name: name or "clusters",
        on_change=_mix_changed,
        help=md(RECIPE["mix"].help),
    )
    if mix.column:
        st.text_input(
            "Shares",
            **state.recipe_widget("mix.shares", mix.shares_text),
            placeholder="equal; or en=0.7, de=0.3",
            on_change=_shares_changed,
            args=(mix.column,),
            help="In proportion to these numbers; values that are not named get none.",
        )


def _mix_changed() -> None:
    column = state.widget("mix.column")
    state.amend(mix=Mix(column).text if column else "")


def _shares_changed(column: str) -> None:
    said = state.widget("mix.shares").strip()
    state.amend(mix=Mix(column).text + (f": {said}" if said else ""))


def _clusters_changed() -> None:
    state.set_clusters(int(state.widget("clusters")))


def _answer(crowd: Crowd, recipe: Recipe) -> None:
    likes = [name for name in crowd.judges if name.startswith(pipeline.LIKES)]
    usable = [p for p in POLICIES if p != "base_likes"]
    policies = [*usable, *(f"base_likes:{name}" for name in likes)]
    policies += [f"model:{m.name}" for m in crowd.models]
    offered = policies if recipe.answer in policies else [recipe.answer, *policies]
    options.field(
        "answer",
        choices=offered,
        format_func=lambda p: POLICY_WORDS.get(p, p.replace("model:", "always ").replace("_", " ")),
    )
    if ranks_answers(recipe.answer):
        options.field("ties", format_func=TIE_WORDS.__getitem__)
    if recipe.gate is not None:
        options.field("among", format_func=AMONG_WORDS.__getitem__)


def _more(recipe: Recipe) -> None:
    encoders = list(ENCODERS.names())
    offered = encoders if recipe.encoder in encoders else [recipe.encoder, *encoders]
    options.field("seed", min_value=0)
    options.field("clustering")
    options.field("profile")
    options.field("encoder", choices=offered)
    options.field("impute_missing")
