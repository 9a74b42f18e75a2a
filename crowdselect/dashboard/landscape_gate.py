"""What a page shows while a crowd has no map yet: how to make one, and how far that is."""

from __future__ import annotations

from importlib.util import find_spec

import streamlit as st

from crowdselect import jobs
from crowdselect.dashboard import jobs_view, reads, shell
from crowdselect.dashboard.text import md
from crowdselect.store import Crowd
from crowdselect.values import Recipe


def ready(crowd: Crowd, recipe: Recipe, *, what: str, plane: bool = True) -> bool:
    """True where vectors (and the ``plane``) exist; else offer to compute them, with progress.

    ``what`` says what needs them, for example ``The map``.
    """
    if plane and reads.has_landscape(crowd, recipe.encoder, recipe.seed):
        return True
    if not plane and reads.has_vectors(crowd, recipe.encoder):
        return True
    options = {"crowd": crowd.name, "encoder": recipe.encoder, "seed": recipe.seed, "plane": plane}
    running = jobs_view.latest("landscape", **options)
    made = "map" if plane else "embeddings"
    if running is not None and running.state in jobs.ALIVE:
        jobs_view.follow(running.path, f"Computing the {made} of {crowd.name}")
        return False
    placed = ", clustered and placed on a plane" if plane else " and clustered"
    shell.empty(
        f"{what} needs embeddings",
        f"The {crowd.n:,} instructions are embedded ({recipe.encoder}){placed} once; "
        "this takes seconds for hundreds and minutes for a hundred thousand.",
    )
    if running is not None:
        jobs_view.ended(running)
    if recipe.encoder == "minilm" and find_spec("sentence_transformers") is None:
        st.caption(md("minilm needs: pip install 'crowdselect[embed]'. The encoder lsa does not."))
    if not shell.read_only_note(f"computing the {made}"):
        config = {**options, "clusters": max(recipe.clusters, 2), "method": "fast"}
        st.button(
            "Compute embeddings and map" if plane else "Compute embeddings",
            type="primary",
            on_click=_start,
            args=(config,),
        )
    return False


def for_picking(crowd: Crowd, recipe: Recipe, what: str) -> None:
    """Where the recipe waits for embeddings, the way to them: with a map only if it needs one."""
    if not reads.can_pick(crowd, recipe):
        ready(crowd, recipe, what=what, plane=reads.needs_plane(recipe))


def _start(config: dict[str, object]) -> None:
    jobs_view.start("landscape", config)
