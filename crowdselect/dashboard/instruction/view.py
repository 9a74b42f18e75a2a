"""The page of one instruction; previous and next walk through the list it was opened from."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from crowdselect.charts.instruction_rewards import instruction_rewards
from crowdselect.dashboard import notes, reads, shell, state, table
from crowdselect.dashboard.crowd.board import called_by
from crowdselect.dashboard.instruction import diff, training, why
from crowdselect.dashboard.instruction.answers import Marked, answers_html, sort_answers
from crowdselect.dashboard.instruction.markdown import LOOKS
from crowdselect.dashboard.text import md, plural
from crowdselect.lm.calls import tools_of
from crowdselect.store import Crowd
from crowdselect.values import COMBINED, IdArray

SPEAKERS = {"system": "System prompt", "user": "User", "assistant": "Assistant", "tool": "Tool"}
LONG_TEXT = 900
"""Characters beyond which the instruction scrolls in its box."""


@shell.fragment()
def show(crowd: Crowd) -> None:
    """The question and all answers first; then why it is in or out, rewards, and a comparison."""
    identity = str(state.view("id", str(crowd.ids[0]) if crowd.n else ""))
    if identity not in crowd.row_of:
        shell.empty("No such instruction", f"{crowd.name} has no instruction {identity}.")
        return
    row = crowd.row_of[identity]
    recipe = notes.current(crowd)
    _walk(crowd, identity)
    instruction = crowd.instruction(row)
    tall = len(instruction.text) > LONG_TEXT
    with st.container(border=True, height=260 if tall else "content"):
        _question(crowd, row)
    if instruction.extra:
        facts = [f"{md(name)}: {md(value, 200)}" for name, value in instruction.extra.items()]
        st.caption(" \N{MIDDLE DOT} ".join(facts))
    notes.bar(crowd, identity)
    answers = crowd.answers(row)
    judge = reads.judge_of(crowd, recipe)
    if judge is not None:
        answers = answers.assign(**{judge: reads.rewards(crowd, judge).values[row]})
    ordered = sort_answers(answers, judge)
    marked = training.marked(crowd, recipe, row, instruction, ordered)
    _answers(crowd, ordered, marked, judge)
    training.edit(crowd, identity, ordered, marked, recipe.answer)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        shell.heading("Why")
        st.text(why.verdict(crowd, recipe, row))
        why.show(crowd, recipe, row)
    with right:
        if judge is not None:
            called, _ = called_by(judge)
            rewards = answers.rename(columns={judge: "reward"})
            fig = instruction_rewards(rewards, called, shell.palette())
            shell.plot(fig, "instruction rewards", "Rewards by family and size")
    shell.heading("Compare two answers", "What the other lacks is underlined.")
    diff.show(ordered)


def _answers(crowd: Crowd, ordered: pd.DataFrame, marked: Marked, judge: str | None) -> None:
    """The answers of the chosen models, in the chosen look."""
    shell.heading("Answers", _order_words(judge))
    names = [m.name for m in crowd.models]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect(
            "Models", names, **state.view_widget("models", list[str](), names),
            placeholder="all", width=420,
        )  # fmt: skip
        look = st.segmented_control(
            "Look", LOOKS, **state.view_widget("look", LOOKS[0], LOOKS), required=True,
            help="Code in a monospaced font; the source as it is; or Markdown, without its links "
            "and images.",
        )  # fmt: skip
        whole = st.toggle("Expand all", **state.view_widget("whole", False))
    listed = ordered[ordered["model"].isin(chosen)] if chosen else ordered
    page = answers_html(listed, crowd.judges, marked, look=look or LOOKS[0], whole=whole)
    st.html(str(page))


def _question(crowd: Crowd, row: int) -> None:
    """What was asked: the text, or every turn under who said it."""
    turns = crowd.prompt(row)
    for turn in turns:
        if len(turns) > 1 or turn["role"] != "user":
            st.caption(SPEAKERS.get(turn["role"], md(turn["role"])))
        if turn["content"] or not turn.get("tool_calls"):
            st.text(turn["content"])
        for call in turn.get("tool_calls", ()):
            st.caption(f"calls {md(call['function']['name'])}")
            st.code(_as_json(call["function"]["arguments"]), language="json", wrap_lines=True)
    if tools := tools_of(turns):
        names = ", ".join(str(tool["function"]["name"]) for tool in tools)
        with st.expander(f"{plural(len(tools), 'tool')} that may be called: {md(names)}"):
            st.code(_as_json(list(tools)), language="json", wrap_lines=True)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _order_words(judge: str | None) -> str:
    if judge is None:
        return "In the crowd's order."
    return (
        f"Highest {'place' if judge == COMBINED else 'reward'} by {md(called_by(judge)[0])} first."
    )


def _walk(crowd: Crowd, identity: str) -> None:
    """Previous and next, the place in the list, and the way to more like this."""
    trail: IdArray = st.session_state.get(table.TRAIL, crowd.ids)
    places = np.flatnonzero(trail == identity)
    if not len(places):
        trail, places = crowd.ids, np.flatnonzero(crowd.ids == identity)
    place = int(places[0])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for label, step, key in (("Previous", -1, "left"), ("Next", 1, "right")):
            there = 0 <= place + step < len(trail)
            st.button(
                label,
                icon=f":material/arrow_{'back' if step < 0 else 'forward'}:",
                shortcut=key,
                disabled=not there,
                on_click=state.set_view,
                args=("id", str(trail[place + step])) if there else (),
            )
        st.text(f"{place + 1:,} of {len(trail):,}")
        recipe = state.draft()
        if reads.has_vectors(crowd, recipe.encoder) and st.button("More like this"):
            state.set_view("like", identity, page="explore")
            shell.go("explore")
        st.text(identity)
