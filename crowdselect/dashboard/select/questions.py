"""Questions that must stay out: uploaded files that become part of the draft's recipe."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from crowdselect import pipeline
from crowdselect.dashboard import grades, state, uploads
from crowdselect.dashboard.text import md, plural
from crowdselect.errors import CrowdSelectError
from crowdselect.readonly import read_only
from crowdselect.store import Crowd
from crowdselect.values import Recipe


def show(crowd: Crowd, recipe: Recipe) -> None:
    """The files that the draft keeps out, each with a way to take it back, and an upload."""
    for i, one in enumerate(recipe.decontaminate):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.caption(_told(crowd, recipe, i))
            st.button(
                "Take back",
                key=f"questions off {i} {one.sha256[:8]}",
                type="tertiary",
                help=f"Instructions like those of {md(one.name)} may be selected again",
                on_click=_take_back,
                args=(i,),
            )
    if read_only():
        return
    uploads.into_recipe(
        "Benchmark questions that must stay out",
        "questions",
        partial(_take, crowd),
        "Instructions that share 13 consecutive words with one cannot be selected; others "
        "take their places. The questions stay in the workspace and belong to the recipe.",
    )


def _told(crowd: Crowd, recipe: Recipe, place: int) -> str:
    one = recipe.decontaminate[place]
    try:
        count = grades.overlap_counts(crowd, recipe)[place]
    except CrowdSelectError as error:
        return md(error.problem)
    return f"{md(one.name)}: {plural(count, 'instruction')} out"


def _take_back(place: int) -> None:
    rest = [k for i, k in enumerate(state.draft().decontaminate) if i != place]
    state.amend(decontaminate=[k.model_dump(mode="json") for k in rest])


def _take(crowd: Crowd, path: Path, name: str) -> None:
    found = dict.fromkeys((*state.draft().decontaminate, pipeline.remember(crowd, path, name=name)))
    state.amend(decontaminate=[k.model_dump(mode="json") for k in found])
