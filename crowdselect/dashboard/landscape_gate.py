"""What a page shows while a crowd has no map yet: how to make one, and how far that is."""

from __future__ import annotations

from importlib.util import find_spec

import streamlit as st

from crowdselect import jobs
from crowdselect.dashboard import jobs_view, reads, shell
from crowdselect.dashboard.text import md
from crowdselect.store import Crowd
from crowdselect.values import Recipe


def ready(crowd: Crowd, recipe: Recipe, *, what: str) -> bool:
    """True where vectors and plane exist; else offer to compute them and show how far it is.

    ``what`` says what needs them, for example ``The map``.
    """
    if reads.has_landscape(crowd, recipe.encoder, recipe.seed):
        return True
    options = {"crowd": crowd.name, "encoder": recipe.encoder, "seed": recipe.seed}
    running = jobs_view.latest("landscape", **options)
    if running is not None and running.state in jobs.ALIVE:
        jobs_view.follow(running.path, f"Computing the map of {crowd.name}")
        return False
    shell.empty(
        f"{what} needs embeddings",
        f"The {crowd.n:,} instructions are embedded ({recipe.encoder}), clustered and placed on a "
        "plane once; this takes seconds for hundreds and minutes for a hundred thousand.",
    )
    if running is not None:
        jobs_view.ended(running)
    if recipe.encoder == "minilm" and find_spec("sentence_transformers") is None:
        st.caption(md("minilm needs: pip install 'crowdselect[embed]'. The encoder lsa does not."))
    if not shell.read_only_note("computing the map"):
        config = {**options, "clusters": max(recipe.clusters, 2), "method": "fast"}
        st.button(
            "Compute embeddings and map",
            type="primary",
            on_click=_start,
            args=(config,),
        )
    return False


def _start(config: dict[str, object]) -> None:
    jobs_view.start("landscape", config)
