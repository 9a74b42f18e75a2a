"""What a page shows while a crowd has no map yet: how to make one, and how far that is."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import streamlit as st

from crowdselect import jobs
from crowdselect.dashboard import jobs_view, reads, shell
from crowdselect.dashboard.text import md
from crowdselect.jobs import JobView
from crowdselect.store import Crowd
from crowdselect.values import Recipe

KIND = "landscape"


def ready(
    crowd: Crowd,
    recipe: Recipe,
    *,
    what: str,
    plane: bool = True,
    until: Callable[[], bool] = lambda: False,
) -> bool:
    """True where vectors (and the ``plane``) exist; else offer to compute them, with progress.

    ``what`` says what needs them, for example ``The map``; ``until``, what the page can begin with.
    """
    if plane and reads.has_landscape(crowd, recipe.encoder, recipe.seed):
        return True
    if not plane and reads.has_vectors(crowd, recipe.encoder):
        return True
    if _runs(crowd, recipe, plane, until):
        return False
    placed = ", clustered and placed on a plane" if plane else " and clustered"
    first = " A first look by word vectors alone comes before that." if plane else ""
    shell.empty(
        f"{what} needs embeddings",
        f"The {crowd.n:,} instructions are embedded ({recipe.encoder}){placed} once; "
        f"this takes seconds for hundreds and minutes for a hundred thousand.{first}",
    )
    start_button(crowd, recipe, plane=plane)
    return False


def progress_or_start(crowd: Crowd, recipe: Recipe) -> None:
    """Beside a first look: how far the recipe's own map is, or the way to it."""
    if not _runs(crowd, recipe, True, lambda: False):
        start_button(crowd, recipe, plane=True, first_look=False)


def _runs(crowd: Crowd, recipe: Recipe, plane: bool, until: Callable[[], bool]) -> bool:
    """Show the work that makes the recipe's landscape, or a first look; False: there is none."""
    for found in (_newest(crowd, recipe, plane), jobs_view.latest(KIND, **_only(crowd, recipe))):
        if found is not None and found.state in jobs.ALIVE:
            made = "map" if plane else "embeddings"
            jobs_view.follow(found.path, f"Computing the {made} of {crowd.name}", until)
            return True
    return False


def start_button(crowd: Crowd, recipe: Recipe, *, plane: bool, first_look: bool = True) -> None:
    """Compute what ``recipe`` needs, and how that ended last; ``first_look``: offer one."""
    ended = _newest(crowd, recipe, plane)
    if ended is not None:
        jobs_view.ended(ended)
    if recipe.encoder == "minilm" and find_spec("sentence_transformers") is None:
        st.caption(md("minilm needs: pip install 'crowdselect[embed]'. static does not."))
    if shell.read_only_note(f"computing the {'map' if plane else 'embeddings'}"):
        return
    config = {
        **_options(crowd, recipe, plane),
        "clusters": max(recipe.clusters, 2),
        "method": "fast",
        "preview": plane,
    }
    with st.container(horizontal=True):
        st.button(
            "Compute embeddings and map" if plane else "Compute embeddings",
            type="primary",
            on_click=_start,
            args=(config,),
        )
        if plane and first_look:
            st.button(
                "First look",
                on_click=_start,
                args=(_only(crowd, recipe),),
                help="A map by word vectors alone (the encoder static), in seconds for thousands "
                "and in a minute or two for a hundred thousand. The recipe keeps its encoder.",
            )


def _options(crowd: Crowd, recipe: Recipe, plane: bool) -> dict[str, object]:
    return {"crowd": crowd.name, "encoder": recipe.encoder, "seed": recipe.seed, "plane": plane}


def _only(crowd: Crowd, recipe: Recipe) -> dict[str, object]:
    """A job that makes the first look and nothing else."""
    return {"crowd": crowd.name, "seed": recipe.seed, "only_preview": True}


def _newest(crowd: Crowd, recipe: Recipe, plane: bool) -> JobView | None:
    return jobs_view.latest(KIND, **_options(crowd, recipe, plane))


def for_picking(crowd: Crowd, recipe: Recipe, what: str) -> None:
    """Where the recipe waits for embeddings, the way to them: with a map only if it needs one."""
    if not reads.can_pick(crowd, recipe):
        ready(crowd, recipe, what=what, plane=reads.needs_plane(recipe))


def _start(config: dict[str, object]) -> None:
    jobs_view.start(KIND, config)
