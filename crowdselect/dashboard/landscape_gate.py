"""What a page shows while a crowd has no map yet: how to make one, and how far that is."""

from __future__ import annotations

from importlib.util import find_spec

import streamlit as st

from crowdselect import jobs
from crowdselect.dashboard import jobs_view, reads, shell, state
from crowdselect.dashboard.text import md
from crowdselect.landscape import Static
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
        st.caption(md("minilm needs: pip install 'crowdselect[embed]'. static does not."))
    if not shell.read_only_note(f"computing the {made}"):
        config = {**options, "clusters": max(recipe.clusters, 2), "method": "fast"}
        with st.container(horizontal=True):
            st.button(
                "Compute embeddings and map" if plane else "Compute embeddings",
                type="primary",
                on_click=_start,
                args=(config,),
            )
            if recipe.encoder != Static.name:
                st.button(
                    "First look",
                    on_click=_first_look,
                    args=(config,),
                    help="By word vectors alone (the encoder static), seconds for a hundred "
                    "thousand. The recipe takes that encoder until you choose another.",
                )
    return False


def for_picking(crowd: Crowd, recipe: Recipe, what: str) -> None:
    """Where the recipe waits for embeddings, the way to them: with a map only if it needs one."""
    if not reads.can_pick(crowd, recipe):
        ready(crowd, recipe, what=what, plane=reads.needs_plane(recipe))


def _first_look(config: dict[str, object]) -> None:
    """The same by word vectors; the draft then shows what is there."""
    state.amend(encoder=Static.name)
    _start({**config, "encoder": Static.name})


def _start(config: dict[str, object]) -> None:
    jobs_view.start("landscape", config)
