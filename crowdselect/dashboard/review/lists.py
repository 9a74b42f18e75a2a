"""Which rows the review page lists: the draft, a saved selection, all, or what two differ in."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from crowdselect import pipeline
from crowdselect.dashboard import notes, reads, shell, state
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.filtering import LISTED, clear_listed
from crowdselect.pipeline import Listing
from crowdselect.store import Crowd
from crowdselect.values import BoolArray, Filters, Recipe

PAGE = "review"
DRAFT, EVERYTHING = "draft", "all"
WHOLE = ""
"""Instead of a second list: the whole first one."""


@dataclass(frozen=True)
class Chosen:
    """What is listed, and out of what."""

    lines: Listing
    """Filtered, searched and sorted."""
    of: Listing
    """The list that filters and search were applied to."""


def open_list(of: str = DRAFT, against: str = WHOLE) -> None:
    """Callback: show a list (the draft, or a saved selection's id) on the review page."""
    state.set_view("of", of, page=PAGE)
    state.set_view("against", against, page=PAGE)
    clear_listed(PAGE)
    shell.go(PAGE)


def names(crowd: Crowd) -> dict[str, str]:
    """What can be listed, with what it is called."""
    return {DRAFT: "The draft", EVERYTHING: "Everything", **reads.selection_names(crowd)}


def controls(crowd: Crowd) -> tuple[str, str]:
    """Which list, and which one it is held against."""
    known = names(crowd)
    of = st.selectbox(
        "List",
        list(known),
        **state.view_widget("of", DRAFT, list(known)),
        format_func=lambda key: known[key],
        width=190,
    )
    others = [WHOLE, *(key for key in known if key not in (of, EVERYTHING))]
    if of == EVERYTHING:
        return of, WHOLE
    against = st.selectbox(
        "Rows",
        others,
        **state.view_widget("against", WHOLE, others),
        format_func=lambda key: f"not shared with {known[key]}" if key else "all of them",
        width=230,
    )
    return of, against


def listing(crowd: Crowd, recipe: Recipe, of: str, against: str) -> Listing:
    """The rows of the list before filters; ``recipe`` is the draft's, with the notes."""
    first = _one(crowd, recipe, of)
    if not against:
        return first
    known = names(crowd)
    return pipeline.unshared(first, _one(crowd, recipe, against), (known[of], known[against]))


def _one(crowd: Crowd, recipe: Recipe, of: str) -> Listing:
    stamp = reads.session(crowd).stamp(recipe)
    if of == DRAFT:
        return _drafted(crowd, recipe, stamp)
    if of == EVERYTHING:
        return _everything(crowd, recipe, stamp)
    return _saved(crowd, pipeline.find_selection(reads.workspace(), of).created, of)


@cached(most=6)
def _drafted(crowd: Crowd, recipe: Recipe, stamp: tuple[Hashable, ...]) -> Listing:
    return pipeline.list_draft(reads.session(crowd), recipe)


@cached(most=3)
def _everything(crowd: Crowd, recipe: Recipe, stamp: tuple[Hashable, ...]) -> Listing:
    drafted = _drafted(crowd, recipe, stamp) if reads.can_pick(crowd, recipe) else None
    return pipeline.list_all(reads.session(crowd), recipe, drafted)


@cached(most=6)
def _saved(crowd: Crowd, created: str, identity: str) -> Listing:
    chosen = pipeline.load_selection(reads.workspace(), identity)
    return pipeline.list_saved(reads.session(crowd), chosen)


def chosen(
    crowd: Crowd, recipe: Recipe, whole: Listing, query: str, sort: str, *, descending: bool
) -> Chosen:
    """What filters and search keep of ``whole``, sorted."""
    kept = _kept(crowd, recipe, LISTED.filters())
    if query:
        kept = kept & crowd.mask(reads.search(crowd, query, "instructions").rows)
    lines = whole if kept.all() else whole.take(kept[whole.rows])
    return Chosen(lines.sorted_by(sort, descending=descending), whole)


def _kept(crowd: Crowd, recipe: Recipe, filters: Filters) -> BoolArray:
    if not filters.active():
        return np.ones(crowd.n, dtype=bool)
    asked = recipe.model_copy(update={"filters": filters})
    return _listed(crowd, recipe, filters, reads.session(crowd).stamp(asked))


@cached(most=8)
def _listed(
    crowd: Crowd, recipe: Recipe, filters: Filters, stamp: tuple[Hashable, ...]
) -> BoolArray:
    return reads.session(crowd).listed(recipe, filters)


def reviewed(crowd: Crowd, lines: Listing) -> int:
    """How many of the lines somebody marked as reviewed."""
    return int(crowd.mask(crowd.rows(notes.state_of(crowd).reviewed))[lines.rows].sum())
