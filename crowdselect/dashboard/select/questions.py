"""Questions that must stay out: uploaded files that become part of the draft's recipe."""

from __future__ import annotations

import streamlit as st

from crowdselect import pipeline
from crowdselect.dashboard import grades, state
from crowdselect.dashboard.text import md, plural
from crowdselect.dashboard.uploads import kept
from crowdselect.dashboard.wording import told
from crowdselect.errors import CrowdSelectError
from crowdselect.readonly import read_only
from crowdselect.store import Crowd
from crowdselect.values import Recipe

_NTH = "_questions_nth"
"""Counts uploads: a new key empties the uploader once its files are part of the recipe."""


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
    key = f"questions {st.session_state.setdefault(_NTH, 0)}"
    st.file_uploader(
        "Benchmark questions that must stay out",
        type=["jsonl", "json", "csv", "parquet"],
        accept_multiple_files=True,
        max_upload_size=50,
        key=key,
        on_change=_uploaded,
        args=(crowd, key),
        help="Instructions that share 13 consecutive words with one cannot be selected; others "
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


def _uploaded(crowd: Crowd, key: str) -> None:
    uploads = st.session_state[key] or []
    found = list(state.draft().decontaminate)
    with kept(uploads) as paths:
        for upload, path in zip(uploads, paths, strict=True):
            try:
                found.append(pipeline.remember(crowd, path, name=upload.name))
            except CrowdSelectError as error:
                st.toast(md(" ".join(told(error.problem, error.remedy))))
    if uploads:
        st.session_state[_NTH] += 1
    state.amend(decontaminate=[k.model_dump(mode="json") for k in dict.fromkeys(found)])
