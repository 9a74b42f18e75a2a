"""Runs compared fairly: one protocol, paired by question, seeds pooled, several tests corrected."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crowdselect.benchmark.differences import Difference, Side, paired_difference, side_interval
from crowdselect.benchmark.results import COMPUTED, BenchmarkView, Outcome
from crowdselect.benchmark.statistics import Bounds, Interval, holm
from crowdselect.benchmark.traps import Optimism, optimism, trap_warnings
from crowdselect.errors import InputError

ENOUGH_SEEDS = 3
"""From so many training seeds a side on, intervals are narrow enough to be of use."""


@dataclass(frozen=True)
class Group:
    """Runs that are seeds of one another: one recipe, one base, different training seeds."""

    name: str
    views: tuple[BenchmarkView, ...]

    @property
    def selection(self) -> str | None:
        """Id of the selection behind the training data; None: unknown."""
        return self.views[0].config.subject.selection


@dataclass(frozen=True)
class GroupScore:
    """A group's score on one benchmark, over the questions that all compared runs answered."""

    name: str
    interval: Interval
    """Holds the spread between questions and, from two seeds on, between seeds."""
    seeds: int
    questions: int


@dataclass(frozen=True)
class BenchmarkComparison:
    """One benchmark: scores and all paired differences."""

    benchmark: str
    unit: str
    higher_is_better: bool
    scores: tuple[GroupScore, ...]
    """Best first."""
    differences: tuple[Difference, ...]
    """Every pair, better one first; p-values corrected over all differences of the comparison."""
    warnings: tuple[str, ...]
    """The traps: chosen on this benchmark, best of several, one seed only, failures."""
    optimism: Optimism | None
    """What reading the best of several off these questions adds; None: fewer than two recipes."""


@dataclass(frozen=True)
class ResultComparison:
    """Everything that can be said about runs side by side."""

    groups: tuple[Group, ...]
    benchmarks: tuple[BenchmarkComparison, ...]
    refused: tuple[str, ...]
    """Benchmarks that are not compared, each with the reason."""

    def sentences(self) -> list[str]:
        """The outcome in plain words, one per difference, then warnings and refusals."""
        lines = []
        for found in self.benchmarks:
            lines += [f"{found.benchmark}: {d.sentence()}" for d in found.differences]
            lines += [f"{found.benchmark}: {text}" for text in found.warnings]
        return lines + list(self.refused)


def compare(
    views: Sequence[BenchmarkView], *, benchmarks: Sequence[str] = (), seed: int = 42
) -> ResultComparison:
    """Compare runs on every benchmark (or those named) that at least two of them finished.

    Of runs that tested the same model the newest counts, among those of a protocol that every
    side has (whole ones before quick looks). Runs of one name and variant are seeds of one
    another. Protocols are never mixed: where none is shared, the benchmark is refused with the
    fields that differ.

    Raises
    ------
    InputError
        Where fewer than two different models are given, or nothing can be compared.
    """
    groups = group_runs(views)
    if len(groups) < 2:
        raise InputError(
            "A comparison needs results of two different models.",
            "Name two or more benchmark runs; see crowdselect benchmark list.",
        )
    labels = list(dict.fromkeys(o.benchmark for g in groups for v in g.views for o in v.outcomes))
    wanted = [label for label in labels if not benchmarks or label in benchmarks]
    found: list[BenchmarkComparison] = []
    refused: list[str] = []
    for label in wanted:
        finished = _finished(groups, label)
        reason = _mixed(finished, label)
        if reason:
            refused.append(reason)
        else:
            found += _compare_one(groups, finished, label, seed)
    if not found and not refused:
        raise InputError(
            "These runs have no finished benchmark in common.",
            "Run the same suite on each; an unfinished run can be resumed.",
        )
    return ResultComparison(groups, tuple(_corrected(found)), tuple(refused))


def group_runs(views: Sequence[BenchmarkView]) -> tuple[Group, ...]:
    """Runs by name and variant in the order given; names that recur are numbered."""
    members: dict[tuple[str, str], list[BenchmarkView]] = {}
    for view in {v.id: v for v in views}.values():
        members.setdefault((view.name, view.config.subject.variant), []).append(view)
    names = [name for name, _ in members]
    seen: dict[str, int] = {}
    groups = []
    for (name, _), inside in members.items():
        seen[name] = seen.get(name, 0) + 1
        shown = f"{name} #{seen[name]}" if names.count(name) > 1 else name
        groups.append(Group(shown, tuple(inside)))
    return tuple(groups)


Finished = Sequence[tuple[BenchmarkView, Outcome]]


def _finished(groups: Sequence[Group], label: str) -> dict[str, Finished]:
    """By group, the newest outcome of each model, of one protocol if all groups share one."""
    by_age = {g.name: sorted(g.views, key=lambda v: (v.started, v.id)) for g in groups}
    every = {
        name: [(v, o) for v in views for o in v.outcomes if o.benchmark == label]
        for name, views in by_age.items()
    }
    every = {name: outcomes for name, outcomes in every.items() if outcomes}
    usable = [
        (v, o)
        for found in every.values()
        for v, o in found
        if all(any(_alike(o, other) for _, other in outcomes) for outcomes in every.values())
    ]
    if usable:
        _, best = max(usable, key=_preferred)
        every = {
            name: [(v, o) for v, o in outcomes if _alike(best, o)]
            for name, outcomes in every.items()
        }
    return {
        name: list({v.config.subject.identity: (v, o) for v, o in outcomes}.values())
        for name, outcomes in every.items()
    }


def _preferred(pair: tuple[BenchmarkView, Outcome]) -> tuple[bool, bool, str]:
    """Whole runs before quick looks, known machines before unknown ones, then the newest."""
    view, outcome = pair
    return not outcome.quick_look, outcome.computed != "", view.started


def _alike(a: Outcome, b: Outcome) -> bool:
    """Whether two outcomes may be compared: one protocol, and where both models ran on a machine
    of ours, one device and dtype. Of a served model neither is known.
    """
    known = {a.computed, b.computed} - {""}
    return a.asked_key == b.asked_key and len(known) < 2


def _mixed(finished: Mapping[str, Finished], label: str) -> str:
    """Why the benchmark cannot be compared; empty: it can, or fewer than two groups have it."""
    outcomes = [o for found in finished.values() for _, o in found]
    mixed = [(a, b) for a, b in itertools.combinations(outcomes, 2) if not _alike(a, b)]
    if not mixed:
        return ""
    differing = sorted({k for a, b in mixed for k in _differing(_known(a, b), _known(b, a))})
    return (
        f"{label} is not compared: the runs differ in {', '.join(differing)}, and scores of "
        "different protocols cannot be mixed. Run it again with the same options, on the same kind "
        "of machine."
    )


def _known(outcome: Outcome, other: Outcome) -> Mapping[str, Any]:
    """The protocol, without device and dtype where the other's are not known."""
    keep = bool(other.computed)
    return {k: v for k, v in outcome.protocol.items() if keep or k != COMPUTED}


def _differing(a: Any, b: Any, path: str = "") -> list[str]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        keys = sorted({*a, *b})
        return [d for k in keys for d in _differing(a.get(k), b.get(k), f"{path}.{k}".lstrip("."))]
    return [] if a == b else [path]


def _compare_one(
    groups: Sequence[Group], found: Mapping[str, Finished], label: str, seed: int
) -> list[BenchmarkComparison]:
    if len(found) < 2:
        return []
    first = next(iter(found.values()))[0][1]
    sums = {name: [o.sums() for _, o in outcomes] for name, outcomes in found.items()}
    shared = set.intersection(*(set(run) for runs in sums.values() for run in runs))
    chosen = [g for g in groups if g.name in found]
    fixed = _fixed(chosen)
    sides = {name: Side(runs, name in fixed) for name, runs in sums.items()}
    scores = [_score(name, side, sorted(shared), first.bounds) for name, side in sides.items()]
    sign = -1.0 if first.higher_is_better else 1.0
    scores.sort(key=lambda s: (math.isnan(s.interval.value), sign * s.interval.value, s.name))
    differences = [
        _difference(a.name, b.name, sides, first) for a, b in itertools.combinations(scores, 2)
    ]
    selections = {g.name: g.selection for g in chosen}
    gain = optimism(sums, selections, higher_is_better=first.higher_is_better, seed=seed)
    warnings = [
        *trap_warnings(label, {g.name: g.views[0].config.subject for g in chosen}, gain),
        *_thin(found, fixed),
    ]
    return [
        BenchmarkComparison(
            label,
            first.unit,
            first.higher_is_better,
            tuple(scores),
            tuple(differences),
            tuple(warnings),
            gain,
        )
    ]


def _score(name: str, side: Side, shared: Sequence[str], bounds: Bounds | None) -> GroupScore:
    nothing = Interval(math.nan, math.nan, math.nan)
    interval = side_interval(side, shared, bounds) if shared else nothing
    return GroupScore(name, interval, len(side.runs), len(shared))


def _difference(first: str, second: str, sides: Mapping[str, Side], of: Outcome) -> Difference:
    interval, p, questions, scope = paired_difference(sides[first], sides[second], bounds=of.bounds)
    seeds = (len(sides[first].runs), len(sides[second].runs))
    return Difference(first, second, interval, p, p, questions, seeds, of.higher_is_better, scope)


def _fixed(groups: Sequence[Group]) -> set[str]:
    """Groups that are the base model of another: it was given, so no training seeds vary."""
    subjects = [v.config.subject for g in groups for v in g.views]
    bases = {s.base or s.model for s in subjects if s.base or s.adapter}
    return {
        g.name
        for g in groups
        if all(s.model in bases and not (s.adapter or s.run) for s in
               (v.config.subject for v in g.views))
    }  # fmt: skip


def _corrected(found: Sequence[BenchmarkComparison]) -> list[BenchmarkComparison]:
    """Holm's correction over every difference that is reported together."""
    adjusted = iter(holm([d.p_value for c in found for d in c.differences]))
    return [
        replace(c, differences=tuple(replace(d, adjusted_p=next(adjusted)) for d in c.differences))
        for c in found
    ]


def _thin(
    found: Mapping[str, Sequence[tuple[BenchmarkView, Outcome]]], fixed: set[str]
) -> list[str]:
    """What makes the intervals say less than they seem to."""
    warnings = []
    seeds = {name: len(outcomes) for name, outcomes in found.items() if name not in fixed}
    single = [name for name, count in seeds.items() if count == 1]
    if single:
        others = "" if len(single) == len(seeds) else (
            " Beside a model with several seeds, its seeds are taken to vary as much as those."
        )  # fmt: skip
        warnings.append(
            f"One training seed only of {', '.join(single)}: a difference between such models "
            "holds for these trained models, not for the strategies that made them, because the "
            f"intervals hold the spread between questions, not that between seeds.{others} Train "
            f"and benchmark at least {ENOUGH_SEEDS} seeds."
        )
    few = [f"{name} ({count})" for name, count in seeds.items() if 1 < count < ENOUGH_SEEDS]
    if few:
        warnings.append(
            f"Few training seeds of {', '.join(few)}: how far seeds differ is hardly known, so "
            f"intervals are wide. {ENOUGH_SEEDS} or more narrow them."
        )
    failed = {n: sum(o.failed for _, o in outcomes) for n, outcomes in found.items()}
    if any(failed.values()):
        counts = ", ".join(f"{n} {count}" for n, count in failed.items() if count)
        warnings.append(f"Failed items do not count, nor do their questions: {counts}.")
    if any(o.quick_look for outcomes in found.values() for _, o in outcomes):
        warnings.append("A quick look: only the first questions were asked.")
    return warnings
