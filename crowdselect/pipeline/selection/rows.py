"""What filters may ask about a crowd's rows under one recipe, each answer made once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from crowdselect.errors import InputError, NotFoundError
from crowdselect.filters import CHANGING
from crowdselect.pipeline.landscape import plane_of
from crowdselect.pipeline.metrics import judge_of
from crowdselect.pipeline.selection.saving import find_selection, list_selections, load_selection
from crowdselect.progress import Progress, silent
from crowdselect.registry import content_key, did_you_mean
from crowdselect.selection import Outcome
from crowdselect.settings import Workspace
from crowdselect.store import Crowd, NotesState
from crowdselect.values import COMBINED, BoolArray, Clustering, FloatArray, Recipe


class Measured(Protocol):
    """What a session knows of its crowd's rows, each made once."""

    crowd: Crowd

    def column(self, name: str, recipe: Recipe) -> FloatArray:
        """A metric as measured."""

    def clustering(self, recipe: Recipe, progress: Progress = silent) -> Clustering:
        """The recipe's clusters."""

    def outcome(self, recipe: Recipe, progress: Progress = silent) -> Outcome:
        """What the recipe selects."""

    def notes(self) -> NotesState:
        """What people noted."""

    def own_columns(self) -> Mapping[str, npt.NDArray[Any]]:
        """What was kept beside the instructions."""

    def scorer_tags(self) -> Mapping[str, tuple[str, ...]]:
        """Id -> tags that models gave."""

    def agreement(self) -> FloatArray:
        """How alike the judges order the answers to each row."""


def stamp_of(crowd: Crowd, recipe: Recipe) -> tuple[Hashable, ...]:
    """Changes with the notes and saved selections that the recipe's filters ask about."""
    needs = _changing(recipe)
    found: list[Hashable] = []
    if "notes" in needs:
        found.append(crowd.notes.stamp)
    if "selections" in needs:
        saved = list_selections(Workspace.holding(crowd.path), crowd.name)
        found.append(tuple((each.id, each.created) for each in saved))
    return tuple(found)


def sources_of(crowd: Crowd, recipe: Recipe) -> dict[str, Any]:
    """What beside crowd and recipe decided who may be selected, by content; empty: nothing."""
    needs = _changing(recipe)
    found: dict[str, Any] = {}
    if "notes" in needs:
        found["notes"] = content_key([_said(note) for note in crowd.notes.history()])
    if "selections" in needs:
        keys = {k for declared, value in recipe.filters.active()
                if declared.needs == "selections" for k in value}  # fmt: skip
        workspace = Workspace.holding(crowd.path)
        found["selections"] = {
            key: content_key([str(i) for i in load_selection(workspace, key).ids])
            for key in sorted(keys)
        }
    return {"depends_on": found} if found else {}


def _changing(recipe: Recipe) -> set[str]:
    """What may change under a recipe that stays as it is: filters' needs, and tagged targets."""
    tagged = "tag:" in str(recipe.options.get("targets", ""))
    return set(recipe.filters.needs & CHANGING) | ({"notes"} if tagged else set())


def _said(note: Mapping[str, Any]) -> list[str]:
    return [str(note.get(part, "")) for part in ("kind", "id", "value", "author")]


class FilteredRows:
    """The crowd's rows as :class:`crowdselect.filters.Rows`."""

    def __init__(self, session: Measured, recipe: Recipe, progress: Progress = silent) -> None:
        self._session, self._recipe, self._progress = session, recipe, progress
        self._crowd = session.crowd

    def texts(self) -> list[str]:
        """Every instruction."""
        self._progress(0, None, "reading texts")
        return self._crowd.instruction_texts()

    def lengths(self) -> FloatArray:
        """Characters of every instruction."""
        return self._crowd.texts.instruction_lengths("chars")

    def column(self, name: str) -> FloatArray:
        """A metric as measured."""
        return self._session.column(name, self._recipe)

    def clusters(self) -> Clustering:
        """The recipe's clusters."""
        return self._session.clustering(self._recipe, self._progress)

    def places(self) -> npt.NDArray[np.float32]:
        """Every row's place on the map."""
        return plane_of(self._crowd, self._recipe.encoder, self._recipe.seed, self._progress).xy

    def own(self, column: str) -> npt.NDArray[Any]:
        """A column of the data's own; raises NotFoundError."""
        columns = self._session.own_columns()
        if column not in columns:
            known = did_you_mean(column, columns) if columns else "It keeps no further column."
            raise NotFoundError(f"The crowd {self._crowd.name} has no column {column!r}.", known)
        return columns[column]

    def marked(self, mark: str) -> BoolArray:
        """Rows with such a note."""
        state = self._session.notes()
        holders: dict[str, Callable[[], Iterable[str]]] = {
            "pinned": lambda: state.pins,
            "banned": lambda: state.bans,
            "tagged": lambda: state.tags,
            "commented": lambda: state.comments,
            "answered": lambda: state.answers,
            "reviewed": lambda: state.reviewed,
        }
        return self._holding(holders[mark]())

    def tagged(self, tags: Sequence[str]) -> BoolArray:
        """Rows with one of the people's tags."""
        return self._holding(_with_any(self._session.notes().tags, tags))

    def scorer_tagged(self, tags: Sequence[str]) -> BoolArray:
        """Rows with one of the scorers' tags."""
        return self._holding(_with_any(self._session.scorer_tags(), tags))

    def noted_by(self, authors: Sequence[str]) -> BoolArray:
        """Rows with a note by one of the authors."""
        return self._holding(_with_any(self._session.notes().authors, authors))

    def selected(self, selection: str) -> BoolArray:
        """Rows of a saved selection of this crowd."""
        workspace = Workspace.holding(self._crowd.path)
        saved = find_selection(workspace, selection)
        if saved.recipe.crowd != self._crowd.name:
            raise InputError(
                f"The selection {saved.name} is of the crowd {saved.recipe.crowd}.",
                f"Name one of {self._crowd.name}.",
            )
        return self._holding(load_selection(workspace, saved.id).ids)

    def drafted(self) -> BoolArray:
        """Rows that the recipe selects."""
        return self._crowd.mask(self._session.outcome(self._recipe, self._progress).rows)

    def agreement(self) -> FloatArray:
        """Mean rank correlation of the judges."""
        return self._session.agreement()

    def missing_rewards(self) -> FloatArray:
        """Models without a reward by the recipe's judge; by any of them, where ranks combine."""
        judge = judge_of(self._crowd, self._recipe.judge)
        if judge is None:
            return np.full(self._crowd.n, float(len(self._crowd.models)))
        judges = self._crowd.judges if judge == COMBINED else (judge,)
        count = partial(np.sum, axis=1, dtype=np.float64)
        missing = [count(np.isnan(self._crowd.rewards(each).values)) for each in judges]
        most: FloatArray = np.maximum.reduce(missing)
        return most

    def _holding(self, ids: Iterable[str]) -> BoolArray:
        return self._crowd.mask(self._crowd.rows(ids))


def _with_any(held: Mapping[str, Sequence[str]], wanted: Sequence[str]) -> list[str]:
    """Ids that hold one of what is wanted."""
    asked = set(wanted)
    return [key for key, values in held.items() if not asked.isdisjoint(values)]
