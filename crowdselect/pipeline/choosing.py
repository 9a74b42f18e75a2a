"""Recipe -> selection: the one way that command line, Python and dashboard go.

A :class:`Session` keeps in memory what recipes share (columns, clusters, masks), so that a change
of weights costs a weighted sum and a partition; ``select`` is a session used once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdselect.errors import InputError
from crowdselect.filters import EMBEDDED, left_out
from crowdselect.landscape import Vectors
from crowdselect.pipeline import landscapes, scores
from crowdselect.pipeline.answers import Answers, answers
from crowdselect.pipeline.kept import Kept
from crowdselect.pipeline.recipes import rows_of, strategy_of, uses_clusters
from crowdselect.pipeline.reporting import full_report
from crowdselect.progress import Progress, silent
from crowdselect.selection import (
    MetricTable,
    Outcome,
    Picks,
    Pool,
    Reselector,
    exact_duplicates,
)
from crowdselect.store import Crowd, read_tags
from crowdselect.values import BoolArray, Clustering, FloatArray, IntArray, Recipe, Selection


def select(crowd: Crowd, recipe: Recipe, progress: Progress = silent) -> Selection:
    """Choose what ``recipe`` says: the same recipe on the same crowd gives the same selection.

    Raises CrowdSelectError where the recipe names what the crowd does not have, weights nothing,
    pins more than the budget, or needs what is not installed. That fewer rows than asked for (or
    none) were found is not an error: ``report["status"]`` and ``report["warnings"]`` say so.
    """
    return Session(crowd).select(recipe, progress)


class Session:
    """A crowd opened for selecting again and again; safe for threads."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self._kept = Kept(48)
        self._reselectors = Kept(4)

    def select(self, recipe: Recipe, progress: Progress = silent) -> Selection:
        """The selection with reasons, responses and the full report."""
        picks = self.picks(recipe, progress)
        columns = self._answers(recipe).columns(picks.rows, recipe.seed)
        report = full_report(self, recipe, picks, columns, progress)
        names = [m.name for m in self.crowd.models]
        return Selection(
            recipe=recipe,
            ids=self.crowd.ids[picks.rows],
            scores=picks.scores,
            contributions=picks.contributions,
            clusters=picks.clusters,
            reasons=picks.reasons,
            models=tuple(None if column < 0 else names[column] for column in columns),
            report=report,
        )

    def picks(self, recipe: Recipe, progress: Progress = silent) -> Picks:
        """The chosen rows with scores, contributions and reasons, without the full report."""
        return strategy_of(recipe)(self.pool(recipe, progress))

    def outcome(self, recipe: Recipe, progress: Progress = silent) -> Outcome:
        """The hot path of the strategy ``crowdselect``: the same rows as :meth:`picks`, at once.

        Only weights, budget and pins may change between calls that are to be fast.
        """
        reselector = self.reselector(recipe, progress)
        pins = rows_of(self.crowd, recipe.pins, "pinned")
        return reselector.reselect(recipe.weights, recipe.budget, pins=pins)

    def reselector(self, recipe: Recipe, progress: Progress = silent) -> Reselector:
        """The reselector of everything in ``recipe`` but weights, budget and pins."""
        if recipe.strategy != "crowdselect":
            raise InputError(
                f"The strategy {recipe.strategy} cannot be re-weighted live.",
                "Use picks or select.",
            )
        fixed = recipe.model_copy(
            update={"weights": dict.fromkeys(recipe.weights, 1.0), "budget": 0, "pins": ()}
        )

        def make() -> Reselector:
            return Reselector(self.pool(fixed, progress), **recipe.options)  # type: ignore[arg-type]

        strategy_of(recipe)
        return self._reselectors.get(fixed.id, make)

    def pool(self, recipe: Recipe, progress: Progress = silent) -> Pool:
        """What the recipe's strategy sees."""
        self._check(recipe)
        strategy = strategy_of(recipe)
        needs_vectors = recipe.filters.near_duplicates is not None or "vectors" in strategy.needs
        with_clusters = uses_clusters(recipe)
        drop = recipe.filters.exact_duplicates == "drop"
        return Pool(
            table=self.table(recipe, progress),
            weights=recipe.weights,
            budget=recipe.budget,
            seed=recipe.seed,
            clusters=self.clustering(recipe, progress).labels if with_clusters else None,
            excluded=self._excluded(recipe, progress),
            pins=rows_of(self.crowd, recipe.pins, "pinned"),
            bans=rows_of(self.crowd, recipe.bans, "banned"),
            groups=self.duplicate_groups() if drop else None,
            vectors=self.vectors(recipe, progress) if needs_vectors else None,
            near_duplicates=recipe.filters.near_duplicates,
            progress=progress,
            tags=self._tags(strategy.name) if "tags" in strategy.needs else None,
        )

    def table(self, recipe: Recipe, progress: Progress = silent) -> MetricTable:
        """The metric columns that the recipe weighs and its strategy asks for, normalised."""
        strategy = strategy_of(recipe)
        # A weight of zero costs little and may be moved by the next call.
        live = recipe.weights if recipe.strategy == "crowdselect" else {}
        names = tuple(sorted({*live, *strategy.columns(recipe.weights)}))
        key = ("table", names, recipe.judge, recipe.profile, recipe.impute_missing)

        def make() -> MetricTable:
            columns = scores.metrics(self.crowd, names, recipe.judge, recipe.profile, progress)
            return MetricTable(
                columns, profile=recipe.profile, impute_missing=recipe.impute_missing
            )

        return self._kept.get(key, make)

    def clustering(self, recipe: Recipe, progress: Progress = silent) -> Clustering:
        """The recipe's clusters."""
        key = ("clusters", recipe.encoder, recipe.clusters, recipe.clustering, recipe.seed)
        return self._kept.get(
            key,
            lambda: landscapes.clustering(
                self.crowd,
                recipe.encoder,
                recipe.clusters,
                recipe.clustering,
                recipe.seed,
                progress,
            ),
        )

    def vectors(self, recipe: Recipe, progress: Progress = silent) -> Vectors:
        """The recipe's embeddings, shape (n, d)."""
        key = ("vectors", recipe.encoder)
        return self._kept.get(key, lambda: landscapes.vectors(self.crowd, recipe.encoder, progress))

    def duplicate_groups(self) -> IntArray:
        """Code of each row's exact-duplicate group, shape (n,); -1: its text occurs once."""
        return self._kept.get("groups", lambda: exact_duplicates(self.crowd.instruction_texts()))

    def column(self, name: str, recipe: Recipe) -> FloatArray:
        """A metric column under the recipe's judge and profile, as measured, shape (n,)."""
        key = ("column", name, recipe.judge, recipe.profile)
        return self._kept.get(
            key,
            lambda: scores.metrics(self.crowd, [name], recipe.judge, recipe.profile).columns[name],
        )

    def _excluded(self, recipe: Recipe, progress: Progress) -> dict[str, BoolArray]:
        needs = {declared.needs for declared, _ in recipe.filters.active()}
        place = (recipe.encoder, recipe.seed) if needs & EMBEDDED else None
        cut = (recipe.clusters, recipe.clustering) if "clusters" in needs else None
        key = ("out", recipe.filters, recipe.answer, recipe.judge, recipe.profile, place, cut)

        def make() -> dict[str, BoolArray]:
            empty = self.crowd.texts.instruction_lengths("words") == 0
            return {
                "empty instruction": empty,
                "no response": ~self._answers(recipe).eligible(),
                **self.left_out(recipe, progress),
            }

        return self._kept.get(key, make)

    def left_out(self, recipe: Recipe, progress: Progress = silent) -> dict[str, BoolArray]:
        """Cause -> rows (n,) that the recipe's filters leave out."""
        return left_out(recipe.filters, _Rows(self, recipe, progress))

    def _answers(self, recipe: Recipe) -> Answers:
        key = ("answers", recipe.answer, recipe.judge)
        return self._kept.get(key, lambda: answers(self.crowd, recipe.answer, recipe.judge))

    def _tags(self, strategy: str) -> Sequence[Sequence[str]]:
        """Every instruction's tags: those that people gave it, and the strategy's own scorer."""
        given = self.crowd.notes.state().tags
        made = read_tags(self.crowd.path, strategy)
        return [sorted({*given.get(i, ()), *made.get(i, ())}) for i in self.crowd.ids]

    def _check(self, recipe: Recipe) -> None:
        if recipe.crowd != self.crowd.name:
            raise InputError(
                f"The recipe is for the crowd {recipe.crowd!r}, this is {self.crowd.name!r}.",
                "Open that crowd, or change the recipe's crowd.",
            )


@dataclass(frozen=True)
class _Rows:
    """What filters may ask about the crowd's rows, under one recipe."""

    session: Session
    recipe: Recipe
    progress: Progress

    def texts(self) -> list[str]:
        self.progress(0, None, "reading texts")
        return self.session.crowd.instruction_texts()

    def lengths(self) -> FloatArray:
        return self.session.crowd.texts.instruction_lengths("chars")

    def column(self, name: str) -> FloatArray:
        return self.session.column(name, self.recipe)

    def clusters(self) -> Clustering:
        return self.session.clustering(self.recipe, self.progress)

    def places(self) -> npt.NDArray[np.float32]:
        recipe = self.recipe
        crowd = self.session.crowd
        return landscapes.plane_of(crowd, recipe.encoder, recipe.seed, self.progress).xy
