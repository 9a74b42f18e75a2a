"""What is known about whether training on a selection helped, wherever it was found.

The report's first page and its figure read nothing but a list of :class:`Evidence`. Benchmark runs
and studies are its sources; another is one more function in :data:`SOURCES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from crowdselect import pipeline
from crowdselect.benchmark import (
    ENOUGH_SEEDS,
    BenchmarkView,
    Difference,
    Group,
    Outcome,
    list_results,
)
from crowdselect.dashboard import reads
from crowdselect.dashboard.benchmark.results import comparison
from crowdselect.dashboard.report.studies import finished_studies
from crowdselect.dashboard.text import number, plural
from crowdselect.pipeline.study import Row, StudyResult, rows_of
from crowdselect.values import Recipe

CHANCE, UNTRAINED, OTHER = range(3)
"""What it is compared with, the most telling first."""
SHARES = (0.0, 1.0)
"""Least and greatest value of a question that is answered right or wrong."""


@dataclass(frozen=True)
class Evidence:
    """One difference: a model trained on the selection, minus another one."""

    against: str
    """The other model, in words that go on from "than"."""
    label: str
    """The same in a word or two, for a figure."""
    kind: int
    """:data:`CHANCE`, :data:`UNTRAINED` or :data:`OTHER`."""
    better: float
    """By how much it is better, in the test's own unit; negative: worse."""
    low: float
    """95 % interval; NaN: unknown."""
    high: float
    settled: bool
    """Whether the difference is more than chance explains, all comparisons counted."""
    questions: int
    test: str
    """The benchmark's title."""
    unit: str
    shares: bool
    """Values are shares of questions answered right."""
    doubts: tuple[str, ...] = ()
    """What limits it, as sentences."""
    measured: str = ""
    """Day on which the later of the two was tested, as ISO 8601."""
    studied: bool = False
    """Whether a study found it, whose runs are counted apart."""

    @property
    def sentence(self) -> str:
        """The difference, said of a model trained on the selection."""
        chance = "" if self.settled else ", a difference that chance alone can make"
        amount, word = self._number(self.better), self._words(self.better)
        if self.shares:
            return f"gets {amount} of 100 questions {word} right than {self.against}{chance}"
        return f"is {word} than {self.against} by {amount} ({self.unit}){chance}"

    @property
    def basis(self) -> str:
        """The interval and the test, in words."""
        test = f"{self.test}, {plural(self.questions, 'question')}"
        if math.isnan(self.low):
            return f"{test}."
        return f"With 95 % certainty {self._between()}. {test}."

    def _between(self) -> str:
        low, high = self._number(self.low), self._number(self.high)
        if self.low < 0 < self.high:
            return f"between {low} {self._words(self.low)} and {high} {self._words(self.high)}"
        least, most = (low, high) if self.better > 0 else (high, low)
        return f"between {least} and {most} {self._words(self.better)}"

    def _number(self, value: float) -> str:
        return f"{abs(value) * 100:.1f}" if self.shares else number(abs(value))

    def _words(self, value: float) -> str:
        more, less = ("more", "fewer") if self.shares else ("better", "worse")
        return more if value > 0 else less


Source = Callable[[Recipe], Sequence[Evidence]]


def evidence_of(recipe: Recipe) -> list[Evidence]:
    """Everything known about a selection, the most telling comparison first."""
    found = [one for source in SOURCES for one in source(recipe)]
    first = UNTRAINED if recipe.strategy == "random" else CHANCE
    return sorted(found, key=lambda one: (one.kind != first, one.kind))


def tested(recipe: Recipe) -> list[BenchmarkView]:
    """Finished benchmark runs of models that were trained on the selection, newest first."""
    views = list_results(reads.workspace())
    return [v for v in views if v.outcomes and v.config.subject.selection == recipe.id]


def from_benchmarks(recipe: Recipe) -> list[Evidence]:
    """The paired differences of the workspace's benchmark runs."""
    views = [view for view in list_results(reads.workspace()) if view.outcomes]
    compared = comparison(views)
    if compared is None or not tested(recipe):
        return []
    groups = {group.name: group for group in compared.groups}
    own = {name for name, group in groups.items() if group.selection == recipe.id}
    found = []
    for benchmark in compared.benchmarks:
        for d, ours, other, turned in _about(benchmark.differences, own):
            outcome = groups[ours].views[0].outcome(benchmark.benchmark)
            found.append(_evidence(d, turned, recipe, groups[ours], groups[other], outcome))
    return found


def _about(
    differences: Sequence[Difference], own: Collection[str]
) -> Iterator[tuple[Difference, str, str, bool]]:
    """The known differences between the selection's models (``own``) and others.

    Each with ours, the other, and whether ours is the better one where its value is positive.
    """
    for d in differences:
        if (d.first in own) != (d.second in own) and not math.isnan(d.interval.value):
            ours, other = (d.first, d.second) if d.first in own else (d.second, d.first)
            yield d, ours, other, (d.first == ours) == d.higher_is_better


def _evidence(
    d: Difference, turned: bool, recipe: Recipe, ours: Group, other: Group, outcome: Outcome
) -> Evidence:
    value, low, high = _ends(d, turned)
    kind, words, label = _other(recipe, other)
    runs = [view for group in (ours, other) for view in group.views]
    return Evidence(
        against=words,
        label=label,
        kind=kind,
        better=value,
        low=low,
        high=high,
        settled=d.distinguishable(),
        questions=d.questions,
        test=outcome.title,
        unit=outcome.unit,
        shares=outcome.bounds is not None and tuple(outcome.bounds) == SHARES,
        doubts=tuple(_doubts(d, outcome, ours)),
        measured=max(view.started for view in runs)[:10],
    )


def _ends(d: Difference, turned: bool) -> tuple[float, float, float]:
    """Value and interval, positive where the selection's model is better (as it is: ``turned``)."""
    value, low, high = d.interval.value, d.interval.low, d.interval.high
    return (value, low, high) if turned else (-value, -high, -low)


def from_studies(recipe: Recipe) -> list[Evidence]:
    """What the crowd's finished studies say of an arm that chooses by this recipe."""
    found = []
    for result in finished_studies(recipe.crowd):
        fitted = {each.label: each.recipe for each in result.fitted}
        rows = {
            row.label: replace(row, recipe=fitted.get(row.label, row.recipe))
            for row in rows_of(result.plan)
        }
        own = {
            label
            for label, row in rows.items()
            if not row.arm.untrained and row.recipe_of(recipe.crowd, recipe.seed).id == recipe.id
        }
        for d, _, other, turned in _about(result.differences, own):
            found.append(_of_study(result, d, turned, rows[other]))
    return found


def _of_study(result: StudyResult, d: Difference, turned: bool, other: Row) -> Evidence:
    value, low, high = _ends(d, turned)
    chance = dict(other.arm.recipe) == {"strategy": "random"}
    doubts = _of_seeds(d)
    if result.split != "test":
        doubts.append(
            "These are the questions by which ways of choosing are picked: what is best here is "
            "flattered. The test questions are still to be asked."
        )
    return Evidence(
        against="one trained on as many drawn by chance" if chance else f"“{other.label}”",
        label="as many drawn by chance" if chance else other.label,
        kind=UNTRAINED if other.arm.untrained else CHANCE if chance else OTHER,
        better=value,
        low=low,
        high=high,
        settled=d.distinguishable(),
        questions=d.questions,
        test=f"Study “{result.plan.title or result.plan.name}”",
        unit=result.unit,
        shares=result.unit.endswith("right"),
        doubts=tuple(doubts),
        studied=True,
    )


def _other(recipe: Recipe, other: Group) -> tuple[int, str, str]:
    """What the other model is: its kind, in words, and shortly."""
    if other.selection is None:
        return UNTRAINED, f"{other.name}, which was trained on none of them", other.name
    saved = {s.id: s for s in pipeline.list_selections(reads.workspace())}.get(other.selection)
    if saved is None:
        return OTHER, f"{other.name}, which was trained on something else", other.name
    if saved.recipe.strategy == "random" and saved.recipe.crowd == recipe.crowd:
        same = saved.recipe.budget == recipe.budget
        drawn = f"{'as many' if same else f'{saved.n:,}'} drawn by chance"
        return CHANCE, f"one trained on {drawn}", drawn
    return OTHER, f"one trained on the selection “{saved.name}”", f"“{saved.name}”"


def _doubts(d: Difference, outcome: Outcome, ours: Group) -> list[str]:
    found = _of_seeds(d)
    if outcome.quick_look:
        found.append("A quick look: only some of the test's questions were asked.")
    if outcome.benchmark.split(":")[0] in ours.views[0].config.subject.chosen_on:
        found.append(
            "The way of choosing was itself picked on this test, so its result looks better than "
            "it is; another test has to confirm it."
        )
    if outcome.failed:
        found.append(f"{outcome.failed:,} answers failed and do not count.")
    return found


def _of_seeds(d: Difference) -> list[str]:
    """What the number of trainings leaves open."""
    seeds = min(d.seeds)
    if max(d.seeds) == 1:
        once = (
            "Each way was trained once. Trained again, the same instructions give a somewhat "
            "different model, and this is not in the interval."
        )
        return [once]
    if seeds < ENOUGH_SEEDS:
        return [f"Trained only {plural(seeds, 'time')} on one side: three say much more."]
    return []


SOURCES: tuple[Source, ...] = (from_benchmarks, from_studies)
