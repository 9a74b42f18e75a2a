"""Which answer of an instruction is trained on, why that one, and how to take another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from crowdselect.dashboard import notes, reads
from crowdselect.dashboard.instruction.answers import Marked
from crowdselect.dashboard.text import md
from crowdselect.errors import CrowdSelectError
from crowdselect.readonly import read_only
from crowdselect.rules import REFERENCES
from crowdselect.store import Crowd, Instruction
from crowdselect.values import Recipe

UNGRADED = "no judge has graded it, and every gate lets it pass"
"""What is to be known of an answer that a person wrote."""
WIDE = 560
"""Pixels of a text that one can write in."""


def marked(
    crowd: Crowd, recipe: Recipe, row: int, instruction: Instruction, answers: pd.DataFrame
) -> Marked:
    """What is marked among ``answers``: the one that is trained on, and the references."""
    held = {str(name).casefold(): value for name, value in instruction.extra.items()}
    references = [str(held[name]) for name in REFERENCES if held.get(name) not in (None, "")]
    given = recipe.answers.get(instruction.id)
    by = f" by {given.by}" if given is not None and given.by else ""
    if given is not None and given.text is not None:
        return Marked(given.text, f"trained on, written{by or ' by hand'}; {UNGRADED}", references)
    try:
        chosen, tied = reads.session(crowd).answers(recipe).chosen(np.array([row]), recipe.seed)
        column, ties = int(chosen[0]), int(tied[0])
    except CrowdSelectError:  # a policy that asks for what the crowd lacks: Select says so
        return Marked(references=references)
    if column < 0:
        return Marked(references=references)
    place = int(np.flatnonzero(answers["model"] == crowd.models[column].name)[0])
    reason = policy_words(recipe.answer) if given is None else f"chosen{by or ' by hand'}"
    same = f", tied {reason} ({ties})" if ties > 1 else f" ({reason})"
    return Marked(place, f"trained on{same}", references)


def policy_words(policy: str) -> str:
    """An answer policy in words."""
    if policy.startswith("model:"):
        return f"always {policy.removeprefix('model:')}"
    return policy.replace("_", " ")


def edit(crowd: Crowd, identity: str, answers: pd.DataFrame, marked: Marked, policy: str) -> None:
    """Choose another model's answer, or write one; both are notes, signed and undoable."""
    if read_only():
        return
    held = notes.state_of(crowd).answers.get(identity)
    with st.popover("Train on another answer", icon=":material/edit:", width="content"):
        there = answers[answers["response"].fillna("") != ""]
        chosen = st.selectbox(
            "The answer of", list(there["model"]), index=None, key=f"answer of {identity}",
            placeholder="Choose a model", width=WIDE,
        )  # fmt: skip
        st.button(
            "Train on this model's answer", disabled=chosen is None, on_click=notes.add,
            args=(crowd, "answer_of", [identity], chosen),
        )  # fmt: skip
        text = st.text_area(
            "or your own words", value=_present(answers, marked), height=220, width=WIDE,
            key=f"answer {identity}", help="It begins as what is trained on now.",
        )  # fmt: skip
        st.button(
            "Train on this text", type="primary", disabled=not text.strip(), on_click=notes.add,
            args=(crowd, "answer", [identity], text),
        )  # fmt: skip
        if held is not None:
            st.button(
                f"Back to the recipe's: {md(policy_words(policy))}", on_click=notes.add,
                args=(crowd, "unanswer", [identity]),
            )  # fmt: skip


def _present(answers: pd.DataFrame, marked: Marked) -> str:
    """What is trained on now."""
    if isinstance(marked.trained, str):
        return marked.trained
    return "" if marked.trained is None else str(answers.loc[marked.trained, "response"])
