"""Rows as a list: why each is in, and the answer that is trained on, for pages and command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from crowdselect.chosen import Selection
from crowdselect.errors import InputError
from crowdselect.metrics import METRICS, build_metric, parse_column, why_of
from crowdselect.pipeline.selection.answers import answer_texts, columns_of, model_names
from crowdselect.pipeline.selection.examples import training_rows
from crowdselect.pipeline.selection.recipes import uses_clusters
from crowdselect.pipeline.selection.session import Session
from crowdselect.progress import Progress, silent
from crowdselect.values import BoolArray, FloatArray, IntArray, Recipe

SHARE = "share of "
"""Columns of a listing that say how much of a score a metric makes begin so."""


@dataclass(frozen=True)
class Listing:
    """Rows of one crowd in some order; every array has one entry per listed row."""

    session: Session
    recipe: Recipe
    rows: IntArray
    """Shape (b,)."""
    ranks: IntArray
    """From 1; 0: not selected."""
    scores: FloatArray
    """NaN: not selected."""
    contributions: Mapping[str, FloatArray]
    """Per metric: weight times normalised value; they add up to the score."""
    clusters: IntArray
    """-1: unclustered; all 0 where there are no clusters."""
    reasons: tuple[str, ...]
    """As the strategy says it, with its numbers; empty: not selected."""
    answers: IntArray
    """Column of the model whose answer is trained on, as :meth:`Answers.columns` gives it."""
    only_in: tuple[str, ...] = ()
    """Of rows that two lists do not share: which one has the row."""

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def shares(self) -> dict[str, FloatArray]:
        """Per metric: the part of the score's absolute terms, with the term's sign, in [-1, 1]."""
        total = np.zeros(len(self))
        for values in self.contributions.values():
            total += np.abs(np.nan_to_num(values))
        found = {}
        for name, values in self.contributions.items():
            found[name] = np.full(len(self), np.nan)
            np.divide(values, total, out=found[name], where=total > 0)
        return found

    @cached_property
    def rewards(self) -> FloatArray:
        """The trained answer's reward by the recipe's judge; NaN: none."""
        return self.session.answers(self.recipe).rewards_of(self.rows, self.answers)

    @cached_property
    def tied(self) -> IntArray:
        """How many answers have that reward, itself included; 1: it stands alone; 0: no reward."""
        return self.session.answers(self.recipe).tied(self.rows, self.answers)

    @property
    def cluster_names(self) -> list[str]:
        """The name of each row's cluster; empty where the recipe has none."""
        if not uses_clusters(self.recipe):
            return [""] * len(self)
        names = self.session.clustering(self.recipe).names
        return [names[c] if 0 <= c < len(names) else "unclustered" for c in self.clusters.tolist()]

    @property
    def models(self) -> list[str]:
        """The model whose answer is trained on, or ``BY_HAND``; empty: there is none."""
        return [name or "" for name in model_names(self.session.crowd, self.answers)]

    def take(self, places: IntArray | BoolArray) -> Listing:
        """The lines at ``places`` (numbers in their order, or a mask of shape (b,))."""
        where = np.flatnonzero(places) if places.dtype == bool else places
        return replace(
            self,
            rows=self.rows[where],
            ranks=self.ranks[where],
            scores=self.scores[where],
            contributions={k: v[where] for k, v in self.contributions.items()},
            clusters=self.clusters[where],
            reasons=tuple(self.reasons[p] for p in where.tolist()),
            answers=self.answers[where],
            only_in=tuple(self.only_in[p] for p in where.tolist()) if self.only_in else (),
        )

    def values(self, name: str) -> FloatArray:
        """What the lines are sorted by: a column of numbers, or any metric; NaN: none.

        Raises NotFoundError or InputError for what is none.
        """
        if name == "rank":
            return np.where(self.ranks > 0, self.ranks.astype(np.float64), np.nan)
        if name in ("score", "reward"):
            return self.scores if name == "score" else self.rewards
        if name in ("cluster", "tied"):
            return (self.clusters if name == "cluster" else self.tied).astype(np.float64)
        if name.startswith(SHARE) and name.removeprefix(SHARE) in self.shares:
            return self.shares[name.removeprefix(SHARE)]
        data = self.session.own_columns()
        if name not in data:
            return self.session.column(name, self.recipe)[self.rows]
        if data[name].dtype == object:
            codes = pd.factorize(data[name], sort=True)[0].astype(np.float64)
            codes[codes < 0] = np.nan
            return codes[self.rows]
        return np.asarray(data[name][self.rows], dtype=np.float64)

    def sorted_by(self, name: str, *, descending: bool = False) -> Listing:
        """The same lines by :meth:`values`; equal ones keep their order, those without stand last.

        ``line`` is the order they have.
        """
        if name == "line":
            return self
        values = self.values(name)
        return self.take(np.lexsort((-values if descending else values, np.isnan(values))))

    def words(self) -> list[str]:
        """Per line the sentence of the metric that makes most of its score; else the reason."""
        names = [n for n in self.shares if parse_column(n).metric in METRICS]
        if not names:
            return list(self.reasons)
        most = np.argmax([np.abs(np.nan_to_num(self.shares[n])) for n in names], axis=0)
        found = list(self.reasons)
        for place, name in enumerate(names):
            column = self.session.column(name, self.recipe)
            metric = build_metric(name)[0]
            for line in np.flatnonzero((most == place) & (self.ranks > 0)).tolist():
                row = self.rows[line]
                if not np.isnan(column[row]):
                    said = why_of(metric.why, column, row)
                    pinned = "Pinned by hand. " if "pinned by hand" in self.reasons[line] else ""
                    found[line] = pinned + said
        return found

    def columns(self, *, texts: bool = True) -> dict[str, Any]:
        """Everything of every line, by column; ``texts``: instruction and answer too."""
        crowd = self.session.crowd
        ranks = [int(rank) or None for rank in self.ranks]
        found: dict[str, Any] = {
            **({"only in": list(self.only_in)} if self.only_in else {}),
            "rank": pd.array(ranks, dtype="Int64"),
            "id": crowd.ids[self.rows],
            "score": self.scores,
            **{SHARE + name: values for name, values in self.shares.items()},
            "reason": self.words(),
            "cluster": self.cluster_names,
            "model": self.models,
            "reward": self.rewards,
            "tied": self.tied,
        }
        if texts:
            found["instruction"] = crowd.instruction_texts(self.rows)
            found["answer"] = self.texts_of_answers()
        for name, values in self.session.own_columns().items():
            found[f"{name} (data)" if name in found else name] = values[self.rows]
        return found

    def frame(self, *, texts: bool = True) -> pd.DataFrame:
        """:meth:`columns` as a table, one line per row."""
        return pd.DataFrame(self.columns(texts=texts))

    def texts_of_answers(self) -> list[str | None]:
        """The answer of every line as it is trained on; None: there is none."""
        return answer_texts(self.session.crowd, self.recipe, self.rows, self.answers)

    def selection(self) -> Selection:
        """The lines as a selection of their own, in their order, for an export of what is listed.

        Raises InputError where nothing is listed.
        """
        if not len(self):
            raise InputError("Nothing is listed.", "Take a filter off.")
        return Selection(
            recipe=self.recipe,
            ids=self.session.crowd.ids[self.rows],
            scores=self.scores,
            contributions=self.contributions,
            clusters=self.clusters,
            reasons=self.reasons,
            models=tuple(name or None for name in self.models),
            report={"listed": len(self)},
            training_rows=training_rows(lambda: self.session.crowd),
        )


def list_draft(session: Session, recipe: Recipe, progress: Progress = silent) -> Listing:
    """What ``recipe`` selects, best first."""
    picks = session.picks(recipe, progress)
    return Listing(
        session=session,
        recipe=recipe,
        rows=picks.rows,
        ranks=np.arange(1, len(picks.rows) + 1),
        scores=picks.scores,
        contributions=picks.contributions,
        clusters=picks.clusters,
        reasons=picks.reasons,
        answers=session.answers(recipe).columns(picks.rows, recipe.seed),
    )


def list_saved(session: Session, chosen: Selection) -> Listing:
    """A saved selection as it was saved, without ids that the crowd no longer has."""
    crowd = session.crowd
    ids = [str(i) for i in chosen.ids]
    here = np.array([k for k, i in enumerate(ids) if i in crowd.row_of], dtype=np.int64)
    whole = Listing(
        session=session,
        recipe=chosen.recipe,
        rows=np.array([crowd.row_of.get(i, -1) for i in ids], dtype=np.int64),
        ranks=np.arange(1, len(ids) + 1),
        scores=chosen.scores,
        contributions=chosen.contributions,
        clusters=chosen.clusters,
        reasons=chosen.reasons,
        answers=columns_of(crowd, chosen.models),
    )
    return whole.take(here)


def list_all(session: Session, recipe: Recipe, drafted: Listing | None = None) -> Listing:
    """Every row in the crowd's order; those of ``drafted`` with their rank, score and reason."""
    n = session.crowd.n
    every = np.arange(n, dtype=np.int64)
    labels = np.zeros(n, dtype=np.int64)
    if drafted is not None and uses_clusters(recipe):
        labels = session.clustering(recipe).labels
    ranks, scores = np.zeros(n, dtype=np.int64), np.full(n, np.nan)
    contributions: dict[str, FloatArray] = {}
    reasons = [""] * n
    if drafted is not None:
        ranks[drafted.rows], scores[drafted.rows] = drafted.ranks, drafted.scores
        for name, values in drafted.contributions.items():
            contributions[name] = np.full(n, np.nan)
            contributions[name][drafted.rows] = values
        for row, reason in zip(drafted.rows.tolist(), drafted.reasons, strict=True):
            reasons[row] = reason
    return Listing(
        session=session,
        recipe=recipe,
        rows=every,
        ranks=ranks,
        scores=scores,
        contributions=contributions,
        clusters=labels,
        reasons=tuple(reasons),
        answers=session.answers(recipe).columns(every, recipe.seed),
    )


def unshared(a: Listing, b: Listing, names: Sequence[str]) -> Listing:
    """The rows that exactly one of two lists has: those of ``a`` first, each in its order.

    Metrics that only one of them weighs are NaN in the other's rows.
    """
    left, right = a.take(~np.isin(a.rows, b.rows)), b.take(~np.isin(b.rows, a.rows))
    metrics = dict.fromkeys([*left.contributions, *right.contributions])
    nothing = (np.full(len(left), np.nan), np.full(len(right), np.nan))
    return Listing(
        session=a.session,
        recipe=a.recipe,
        rows=np.concatenate([left.rows, right.rows]),
        ranks=np.concatenate([left.ranks, right.ranks]),
        scores=np.concatenate([left.scores, right.scores]),
        contributions={
            m: np.concatenate(
                [left.contributions.get(m, nothing[0]), right.contributions.get(m, nothing[1])]
            )
            for m in metrics
        },
        clusters=_clusters_of(a, left, right),
        reasons=left.reasons + right.reasons,
        answers=np.concatenate([left.answers, right.answers]),
        only_in=(names[0],) * len(left) + (names[1],) * len(right),
    )


def _clusters_of(a: Listing, left: Listing, right: Listing) -> IntArray:
    """Both lists' rows by the clusters of the first one's recipe."""
    rows = np.concatenate([left.rows, right.rows])
    if not uses_clusters(a.recipe):
        return np.zeros(len(rows), dtype=np.int64)
    own: IntArray = a.session.clustering(a.recipe).labels[rows]
    return own


def sort_names(listing: Listing) -> list[str]:
    """What a list can be sorted by, beside any metric."""
    shares = [SHARE + name for name in listing.contributions]
    return ["rank", "score", *shares, "cluster", "reward", "tied", *listing.session.own_columns()]
