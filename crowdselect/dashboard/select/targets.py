"""What the strategy ``targeted`` selects for: tags, uploaded files, and rows that filters keep."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from crowdselect import pipeline
from crowdselect.dashboard import reads, state, uploads
from crowdselect.dashboard.text import md, plural
from crowdselect.dashboard.wording import told
from crowdselect.errors import CrowdSelectError
from crowdselect.pipeline import TAG
from crowdselect.readonly import read_only
from crowdselect.store import Crowd
from crowdselect.values import Recipe


def looks(crowd: Crowd, recipe: Recipe) -> dict[str, Any]:
    """How the strategy's option is drawn: people's tags, and what the recipe names already."""
    tags = sorted({tag for tags in crowd.notes.state().tags.values() for tag in tags})
    present = str(recipe.options.get("targets", ""))
    offered = ["", *(f"{TAG}{tag}" for tag in tags), present]
    return {
        "label": "Select for",
        "choices": list(dict.fromkeys(offered)),
        "format_func": lambda name: _words(crowd, name),
        "help": "Examples of what the model shall do, 20 to 500 of them: instructions with a tag "
        "(tag some on Explore), files, or what filters keep.",
    }


def show(crowd: Crowd, recipe: Recipe) -> None:
    """Add examples from files, or from what the draft's filters keep."""
    if read_only():
        return
    uploads.into_recipe(
        "Examples of what the model shall do",
        "targets",
        partial(_take, crowd),
        "Each file is a task. Its texts stay in the workspace and belong to the recipe.",
    )
    if not any(True for _ in recipe.filters.active()):
        st.caption(md("Or filter the crowd: what is left can become the examples."))
        return
    count = int(np.count_nonzero(reads.filtered(crowd, recipe)))
    st.button(
        f"Select for the {plural(count, 'instruction')} that the filters keep",
        key="targets from filters",
        disabled=not 0 < count <= pipeline.MOST_EXAMPLES,
        help=f"They become the examples (at most {pipeline.MOST_EXAMPLES}), and the filters come "
        "off: all others may be selected again.",
        on_click=_from_filters,
        args=(crowd,),
    )


def _words(crowd: Crowd, name: str) -> str:
    if not name:
        return "choose a tag, or add a file"
    return ", ".join(pipeline.target_words(crowd, part) for part in name.split(","))


def _take(crowd: Crowd, path: Path, name: str) -> None:
    held = pipeline.keep_target(crowd, path, name)
    state.amend(options=pipeline.with_target(state.draft(), held.sha256).options)


def _from_filters(crowd: Crowd) -> None:
    recipe = state.draft()
    rows = np.flatnonzero(reads.filtered(crowd, recipe))
    try:
        held = pipeline.keep_rows(reads.session(crowd), recipe, rows)
    except CrowdSelectError as error:
        st.toast(md(" ".join(told(error.problem, error.remedy))))
        return
    state.amend(options=pipeline.with_target(recipe, held.sha256).options, filters={})
