"""A crowd opened for choosing again and again: what recipes share stays in memory.

Columns, clusters and masks are made once, so that a change of weights costs a weighted sum and a
partition. ``select`` (crowdselect/pipeline/selection/select.py) stands above this.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from crowdselect.audit import row_agreement
from crowdselect.equal_texts import exact_duplicates
from crowdselect.errors import InputError
from crowdselect.filters import EMBEDDED, left_out
from crowdselect.groups import leaves_out
from crowdselect.landscape import Vectors
from crowdselect.pipeline.cache import Memo
from crowdselect.pipeline.decontamination import overlapping
from crowdselect.pipeline.landscape import CLUSTERED, clustering_of, reads_examples, vectors
from crowdselect.pipeline.metrics import metrics
from crowdselect.pipeline.selection.answers import Answers, answer_texts, answers_of
from crowdselect.pipeline.selection.gating import check_gate, grades_of
from crowdselect.pipeline.selection.leaving_out import tables_without
from crowdselect.pipeline.selection.recipes import rows_of, strategy_of, uses_clusters
from crowdselect.pipeline.selection.rows import FilteredRows, stamp_of
from crowdselect.pipeline.selection.size import Sizes, fitting
from crowdselect.pipeline.targets import as_example, example_vectors, targets_of
from crowdselect.progress import Progress, silent
from crowdselect.ranks import best_of, full_reward
from crowdselect.registry import content_key
from crowdselect.selection import (
    MetricTable,
    Outcome,
    Picks,
    Pool,
    Reselector,
    Shares,
    Strategy,
    Without,
    passing,
)
from crowdselect.store import Crowd, NotesState, read_tags, tags_by_scorers
from crowdselect.values import BoolArray, Clustering, Filters, FloatArray, IntArray, Recipe


class Session:
    """A crowd opened for selecting again and again; safe for threads."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self._memo = Memo(48)
        self._reselectors = Memo(4)

    def picks(self, recipe: Recipe, progress: Progress = silent) -> Picks:
        """The chosen rows with scores, contributions and reasons, without the full report."""
        return strategy_of(recipe)(self.pool(self.counted(recipe, progress), progress))

    def counted(self, recipe: Recipe, progress: Progress = silent) -> Recipe:
        """The recipe with its budget as a count of rows, however it is given."""
        if recipe.budget_in == "rows":
            return recipe
        rows = {"budget_in": "rows", "tokenizer": ""}
        key = ("counted", recipe.id, stamp_of(self.crowd, recipe))

        def make() -> int:
            def choose(count: int) -> IntArray:
                progress(0, None, "counting what fits into the budget")
                return self.outcome(recipe.model_copy(update={**rows, "budget": count})).rows

            return fitting(recipe, self.sizes(recipe), choose)

        return recipe.model_copy(update={**rows, "budget": self._memo.get(key, make)})

    def sizes(self, recipe: Recipe) -> Sizes:
        """How large rows are in the unit of the recipe's budget."""
        key = ("sizes", recipe.budget_in, recipe.tokenizer, *self._answers_key(recipe))
        return self._memo.get(key, lambda: Sizes(self.crowd, recipe, self.answers(recipe)))

    def outcome(self, recipe: Recipe, progress: Progress = silent) -> Outcome:
        """The chosen rows and where they were cut: those of :meth:`picks`, without words.

        At once with the strategy ``crowdselect``, as long as only weights, budget and pins change.
        """
        recipe = self.counted(recipe, progress)
        if recipe.strategy != "crowdselect":
            return self.picks(recipe, progress).outcome
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
            update={
                "weights": dict.fromkeys(recipe.weights, 1.0),
                "budget": 0,
                "budget_in": "rows",
                "tokenizer": "",
                "pins": (),
            }
        )

        def make() -> Reselector:
            return Reselector(self.pool(fixed, progress), **recipe.options)  # type: ignore[arg-type]

        strategy_of(recipe)
        return self._reselectors.get((fixed.id, stamp_of(self.crowd, recipe)), make)

    def pool(self, recipe: Recipe, progress: Progress = silent) -> Pool:
        """What the recipe's strategy sees."""
        recipe = self.counted(recipe, progress)
        self._check(recipe)
        strategy = strategy_of(recipe)
        needs_vectors = recipe.filters.near_duplicates is not None or "vectors" in strategy.needs
        with_clusters = uses_clusters(recipe)
        drop = recipe.filters.exact_duplicates == "drop"
        found = self.clustering(recipe, progress) if with_clusters else None
        own = self.vectors(recipe, progress) if needs_vectors else None
        targets = None
        if "targets" in strategy.needs:
            examples = self.examples(recipe) if reads_examples(recipe.encoder) else None
            found_vectors = self.vectors(recipe, progress)
            own, targets = targets_of(self.crowd, recipe, found_vectors, examples, progress)
        return Pool(
            table=self.table(recipe, progress),
            weights=recipe.weights,
            budget=recipe.budget,
            seed=recipe.seed,
            clusters=None if found is None else found.labels,
            shares=None if found is None else Shares(found.weights, found.caps),
            excluded=self._excluded(recipe, progress),
            pins=rows_of(self.crowd, recipe.pins, "pinned"),
            bans=rows_of(self.crowd, recipe.bans, "banned"),
            groups=self.duplicate_groups() if drop else None,
            vectors=own,
            targets=targets,
            without=self.without(recipe, progress) if "parts" in strategy.needs else (),
            near_duplicates=recipe.filters.near_duplicates,
            progress=progress,
            tags=self._tags(strategy) if "tags" in strategy.needs else None,
        )

    def table(self, recipe: Recipe, progress: Progress = silent) -> MetricTable:
        """The metric columns that the recipe weighs and its strategy asks for, normalised."""
        strategy = strategy_of(recipe)
        # A weight of zero costs little and may be moved by the next call.
        live = recipe.weights if recipe.strategy == "crowdselect" else {}
        names = tuple(sorted({*live, *strategy.columns(recipe.weights)}))
        key = ("table", names, recipe.judge, recipe.profile, recipe.impute_missing)

        def make() -> MetricTable:
            columns = metrics(self.crowd, names, recipe.judge, recipe.profile, progress)
            return MetricTable(
                columns, profile=recipe.profile, impute_missing=recipe.impute_missing
            )

        return self._memo.get(key, make)

    def without(self, recipe: Recipe, progress: Progress = silent) -> Sequence[Without]:
        """The recipe's metric columns without each model, family and judge."""
        names = tuple(sorted(strategy_of(recipe).columns(recipe.weights)))
        key = ("without", names, recipe.judge, recipe.profile, recipe.impute_missing)
        return self._memo.get(key, lambda: tables_without(self.crowd, recipe, names, (), progress))

    def clustering(self, recipe: Recipe, progress: Progress = silent) -> Clustering:
        """The recipe's clusters."""
        key = ("clusters", *(getattr(recipe, field) for field in CLUSTERED))
        return self._memo.get(key, lambda: clustering_of(self.crowd, recipe, progress))

    def vectors(self, recipe: Recipe, progress: Progress = silent) -> Vectors:
        """The recipe's embeddings, shape (n, d)."""
        if reads_examples(recipe.encoder):
            return self._memo.get(
                ("examples", recipe.encoder, *self._answers_key(recipe)),
                lambda: example_vectors(
                    self.crowd, recipe.encoder, self.examples(recipe), progress
                ),
            )
        key = ("vectors", recipe.encoder)
        return self._memo.get(key, lambda: vectors(self.crowd, recipe.encoder, progress))

    def examples(self, recipe: Recipe) -> list[str]:
        """Every instruction with the answer that the recipe trains on, as one text."""
        rows = np.arange(self.crowd.n, dtype=np.int64)
        texts = answer_texts(
            self.crowd, recipe, rows, self.answers(recipe).columns(rows, recipe.seed)
        )
        prompts = self.crowd.prompts(rows)
        return [as_example(*each) for each in zip(prompts, texts, strict=True)]

    def duplicate_groups(self) -> IntArray:
        """Code of each row's exact-duplicate group, shape (n,); -1: its text occurs once."""
        return self._memo.get("groups", lambda: exact_duplicates(self.crowd.texts.instructions()))

    def column(self, name: str, recipe: Recipe) -> FloatArray:
        """A metric column under the recipe's judge and profile, as measured, shape (n,)."""
        key = ("column", name, recipe.judge, recipe.profile)
        return self._memo.get(
            key,
            lambda: metrics(self.crowd, [name], recipe.judge, recipe.profile).columns[name],
        )

    def _excluded(self, recipe: Recipe, progress: Progress) -> dict[str, BoolArray]:
        needs = {*recipe.filters.needs, *(["clusters"] if recipe.cluster_edits else [])}
        placed = CLUSTERED if "clusters" in needs else ("encoder", "seed")
        place = [getattr(recipe, field) for field in placed] if needs & EMBEDDED else []
        by_hand = content_key(recipe.model_dump(mode="json", include={"answers"}))
        asked = (recipe.answer, recipe.judge, recipe.among, recipe.gate, recipe.decontaminate)
        stamp = stamp_of(self.crowd, recipe)
        key = ("out", recipe.filters, asked, by_hand, recipe.profile, stamp, *place)

        def make() -> dict[str, BoolArray]:
            empty = self.crowd.texts.instruction_lengths("words") == 0
            return {
                "empty instruction": empty,
                **({} if recipe.gate is None else {"gate": ~self.passes_gate(recipe)}),
                "no response": ~self.answers(recipe).eligible(),
                **overlapping(self.crowd, recipe.decontaminate, progress),
                **self.left_out(recipe, progress),
            }

        return self._memo.get(key, make)

    def full_reward(self, judge: str) -> float | None:
        """The reward of ``judge`` that is full marks; None: it has none."""
        return self._memo.get(
            ("full", judge), lambda: full_reward(self.crowd.rewards(judge).values)
        )

    def typical_best(self, judge: str) -> float | None:
        """The median of all instructions' best rewards by ``judge``; None: there are none."""

        def make() -> float | None:
            best = best_of(self.crowd.rewards(judge).values)
            return float(np.nanmedian(best)) if np.isfinite(best).any() else None

        return self._memo.get(("typical", judge), make)

    def good_answers(self, recipe: Recipe) -> BoolArray | None:
        """Which answers the recipe's gate calls good enough, shape (n, m); None: it has no gate."""
        grades = self._grades(recipe)
        if grades is None or recipe.gate is None:
            return None
        return passing(grades, recipe.gate.at_least)

    def passes_gate(self, recipe: Recipe) -> BoolArray:
        """Rows with an answer that is good enough, shape (n,); without a gate all.

        What a person wrote is good enough for every gate: no judge has graded it, and who wrote it
        wants it trained on.
        """
        good = self.good_answers(recipe)
        everything = np.ones(self.crowd.n, dtype=bool)
        return everything if good is None else np.asarray(good.any(axis=1)) | self.written(recipe)

    def written(self, recipe: Recipe) -> BoolArray:
        """Rows whose training answer a person wrote, shape (n,)."""
        row_of = self.crowd.row_of
        told = [i for i, given in recipe.answers.items() if given.text is not None and i in row_of]
        return self.crowd.mask(np.array([row_of[i] for i in told], dtype=np.int64))

    def best_grades(self, recipe: Recipe) -> FloatArray | None:
        """Each row's best grade in the unit of the recipe's gate, shape (n,); None: no gate."""
        grades = self._grades(recipe)
        return None if grades is None else best_of(grades)

    def _grades(self, recipe: Recipe) -> FloatArray | None:
        gate = recipe.gate
        if gate is None:
            check_gate(recipe)
            return None
        judge = gate.judge or recipe.judge
        key = ("grades", gate.kind, gate.judge, judge)
        return self._memo.get(key, lambda: grades_of(self.crowd, gate, recipe.judge))

    def left_out(self, recipe: Recipe, progress: Progress = silent) -> dict[str, BoolArray]:
        """Cause -> rows (n,) that the recipe's filters, or its edits of clusters, leave out."""
        found = dict(left_out(recipe.filters, FilteredRows(self, recipe, progress)))
        if recipe.grouped and leaves_out(recipe.cluster_edits):
            clusters = self.clustering(recipe, progress)
            gone = [label for label, most in clusters.caps.items() if most == 0]
            found["excluded cluster"] = np.isin(clusters.labels, gone)
        return found

    def listed(self, recipe: Recipe, filters: Filters, progress: Progress = silent) -> BoolArray:
        """Rows (n,) that ``filters`` keep; they may also ask what ``recipe`` selects."""
        out = left_out(filters, FilteredRows(self, recipe, progress)).values()
        kept: BoolArray = ~np.logical_or.reduce([np.zeros(self.crowd.n, dtype=bool), *out])
        return kept

    def stamp(self, recipe: Recipe) -> tuple[Hashable, ...]:
        """Changes with what the recipe's filters ask about and the crowd's files do not say."""
        return stamp_of(self.crowd, recipe)

    def notes(self) -> NotesState:
        """What people noted, as it is now."""
        return self._memo.get(("notes", self.crowd.notes.stamp), self.crowd.notes.state)

    def own_columns(self) -> Mapping[str, np.ndarray[Any, Any]]:
        """What was kept beside the instructions, by column: numbers or text, each shape (n,)."""

        def make() -> dict[str, np.ndarray[Any, Any]]:
            return {k: _numbers(each) for k, each in self.crowd.extra_columns().items()}

        return self._memo.get("own", make)

    def scorer_tags(self) -> Mapping[str, tuple[str, ...]]:
        """Id -> tags that models gave."""
        return self._memo.get("scorer tags", lambda: tags_by_scorers(self.crowd.path))

    def agreement(self) -> FloatArray:
        """Mean rank correlation of the judges per row; InputError where there is one judge only."""
        judges = self.crowd.judges
        if len(judges) < 2:
            raise InputError(
                f"The crowd {self.crowd.name} has fewer than two judges, so none disagree.",
                "Take the filter off, or let a second one judge: crowdselect crowd judge.",
            )
        return self._memo.get(
            "agreement", lambda: row_agreement([self.crowd.rewards(each) for each in judges])
        )

    def answers(self, recipe: Recipe) -> Answers:
        """The responses that the recipe's answer policy may use."""
        check_gate(recipe)
        among = recipe.gate if recipe.among == "good" else None
        key = ("answers", recipe.answer, recipe.judge, recipe.ties, among)

        def make() -> Answers:
            good = None if among is None else self.good_answers(recipe)
            return answers_of(self.crowd, recipe.answer, recipe.judge, recipe.ties, good)

        found: Answers = self._memo.get(key, make)
        return replace(found, given=recipe.answers) if recipe.answers else found

    def _answers_key(self, recipe: Recipe) -> tuple[Hashable, ...]:
        """What the recipe's answers follow from."""
        by_hand = content_key(recipe.model_dump(mode="json", include={"answers"}))
        asked = (recipe.answer, recipe.judge, recipe.among, recipe.gate, recipe.ties, recipe.seed)
        return (*asked, by_hand)

    def _tags(self, strategy: Strategy) -> Sequence[Sequence[str]] | None:
        """Every instruction's tags by the strategy's scorer, with people's where it asks for them.

        None: there are none at all.
        """
        made = read_tags(self.crowd.path, strategy.name)
        given = self.notes().tags if getattr(strategy, "by_hand", False) else {}
        if not made and not given:
            return None
        return [sorted({*given.get(i, ()), *made.get(i, ())}) for i in self.crowd.ids]

    def _check(self, recipe: Recipe) -> None:
        if recipe.crowd != self.crowd.name:
            raise InputError(
                f"The recipe is for the crowd {recipe.crowd!r}, this is {self.crowd.name!r}.",
                "Open that crowd, or change the recipe's crowd.",
            )


def _numbers(column: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The column as numbers (NaN: none) where all its texts are finite numbers: CSV has text."""
    there = [value for value in column.tolist() if value is not None]
    if column.dtype != object or not there:
        return column
    numbers = pd.to_numeric(pd.Series(column, dtype=object), errors="coerce").to_numpy(np.float64)
    return numbers if np.isfinite(numbers).sum() == len(there) else column
