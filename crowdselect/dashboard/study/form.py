"""Start a study: saved selections against a random draw, on instructions that none trains on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from crowdselect import jobs
from crowdselect.dashboard import reads, shell, state
from crowdselect.dashboard.finetune.form import base_model_field, selections_field, training_fields
from crowdselect.dashboard.finetune.names import demo_models
from crowdselect.dashboard.models import at_hand
from crowdselect.dashboard.select.draft import saved_of
from crowdselect.pipeline import SavedSelection
from crowdselect.pipeline.study import SPLITS, Study, StudyPlan, create, looks_at
from crowdselect.store import Crowd

RANDOM = "random"
WHAT = (
    "Every selection's recipe chooses anew for every seed, trains the same model, and is asked "
    "about instructions of the crowd that no arm trains on: the loss on their best answers. A "
    "random draw of the same size stands beside them."
)
GIVEN = {"crowd", "seed", "budget", "decontaminate", "pins"}
"""Fields of a recipe that the study decides; a pinned row might be one of its questions."""
QUESTIONS = 100
MOST_SEEDS, MOST_WORKERS = 30, 16


def show(*, opened: bool) -> None:
    """The form, folded away where there are studies already."""
    if not state.has_draft():
        return
    with st.expander("Start a study", expanded=opened):
        st.caption(WHAT)
        if shell.read_only_note("studies"):
            return
        crowd = reads.crowd(state.draft().crowd)
        saved = saved_of(crowd)
        if not saved:
            st.caption("It compares saved selections: save one on the Select page first.")
            return
        _form(crowd, saved)


def _form(crowd: Crowd, saved: Sequence[SavedSelection]) -> None:
    left, right = st.columns(2)
    with left:
        arms = selections_field("Selections to compare", saved, f"study selections {crowd.name}")
    with right:
        model = base_model_field("study", crowd.name)
    train = training_fields("study", small=model in demo_models(), study=True)
    usual = min([one.n for one in arms], default=1)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", key="study name", persist_state="session", width=200)
        rows = _number("Rows", "rows", usual, crowd.n, "So many instructions every arm trains on.")
        asked = _number("Questions", "questions", min(QUESTIONS, crowd.n // 4), crowd.n,
                        "For tuning, and as many again for the test.")  # fmt: skip
        seeds = _number("Seeds", "seeds", 3, MOST_SEEDS, "Draws and orders of training per arm.")
        workers = _number("At once", "workers", 1, MOST_WORKERS, "Trainings at the same time.")
    if st.button("Start the study", type="primary", disabled=not (arms and model and name)):
        plan = plan_of(crowd.name, name, arms, rows=rows, questions=asked, seeds=seeds,
                       train={"model": at_hand(model), **train})  # fmt: skip
        _start(plan, SPLITS[0], workers)
    if not (arms and model and name):
        st.caption("Choose at least one selection and a base model, and give it a name.")


def _number(label: str, key: str, usual: int, most: int, words: str) -> int:
    begin = max(1, min(usual, most))
    return st.number_input(
        label, 1, most, begin, step=1, key=f"study {key} {begin}", help=words, width=120,
        persist_state="session",
    )  # fmt: skip


def plan_of(
    crowd: str,
    name: str,
    arms: Sequence[SavedSelection],
    *,
    rows: int,
    questions: int,
    seeds: int,
    train: dict[str, Any],
) -> StudyPlan:
    """The study of the form: each arm a saved selection's recipe, with its own judge and gate."""
    asked = {split: f"heldout-loss:path={{{split}}}" for split in SPLITS}
    chosen = [
        {
            "name": one.name,
            "recipe": one.recipe.model_dump(
                mode="json", exclude=GIVEN, exclude_none=True, exclude_defaults=True
            )
            | {"strategy": one.recipe.strategy},
        }
        for one in arms
    ]
    judge = next((one.recipe.judge for one in arms if one.recipe.judge), None)
    plan = {
        "name": name,
        "crowd": crowd,
        "baselines": [RANDOM],
        "seeds": seeds,
        **asked,
        "split": dict.fromkeys(SPLITS, questions),
        "recipe": {"budget": rows} | ({"judge": judge} if judge else {}),
        "train": train,
        "arms": [{"name": RANDOM, "recipe": {"strategy": RANDOM, "clusters": 0}}, *chosen],
    }
    return StudyPlan.parse(plan, "The form")


def go_on(study: Study, split: str) -> None:
    """Ask a set of questions that nobody asked yet; of test questions a second look says why."""
    if shell.read_only_note("studies"):
        return
    again = ""
    if split == "test" and looks_at(study, split):
        again = st.text_input("Why look again", key=f"study again {study.plan.name}",
                              help="These questions were looked at before; the report tells of "
                              "every look and corrects over all of them.")  # fmt: skip
    if st.button(f"Ask the {split} questions", help="Trains and tests what is not done yet."):
        _start(study.plan, split, 1, again)


def _start(plan: StudyPlan, split: str, workers: int, again: str = "") -> None:
    path = create(reads.workspace(), plan, split, workers=workers, again=again)
    jobs.start(path)
    state.set_view("name", plan.name)
    state.set_view("split", split)
    st.rerun()
